//! A profile with all its addresses settled: what the rest of the engine works with.

use std::collections::BTreeMap;

use super::encode::{to_keep, to_save};
use super::layout::Layout;
use super::settle::Settle;
use super::sunspec::Chain;
use crate::profile::Profile;
use crate::profile::expr::{Condition, Expr};
use crate::profile::point::Alarm;
use crate::profile::scalar::{Every, Table};
use crate::profile::write::{Mode, WritePoint};

/// How often registers are read that only a set point shows.
const READBACK: Every = Every::Period(std::time::Duration::from_secs(10));

/// A device as it is read and written.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// The points, each behind all that it needs.
    pub groups: Vec<Group>,
    /// What is read together.
    pub blocks: Vec<BlockAt>,
    /// The set points.
    pub writes: Vec<WriteAt>,
    /// The ways of running.
    pub modes: Vec<ModeAt>,
    /// Values of several registers, which no two reads may tear apart.
    pub whole: Vec<(Table, u16, u16)>,
}

/// All ways to one point; the first whose condition holds counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What it is.
    pub name: String,
    /// The ways.
    pub entries: Vec<Entry>,
}

/// One way to a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Only while this holds.
    pub when: Option<Condition>,
    /// Where it comes from.
    pub source: Source,
    /// Values that can be.
    pub range: Option<(f64, f64)>,
    /// It counts up for ever.
    pub is_counter: bool,
}

/// Where a point comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A number in registers.
    Number(Number),
    /// Other points.
    Made {
        /// How.
        expr: Expr,
        /// value = made * scale + offset
        scale: f64,
        /// See `scale`.
        offset: f64,
    },
    /// A text in registers.
    Text(Layout),
    /// A word for a number in registers.
    Word {
        /// Where.
        layout: Layout,
        /// The words.
        words: BTreeMap<i128, String>,
        /// Numbers that are an alarm.
        alarms: BTreeMap<i128, Alarm>,
        /// The number that means "no data".
        none: Option<i128>,
    },
    /// Bits in registers.
    Bits {
        /// Where.
        layout: Layout,
        /// The number of the first bit.
        first: u16,
        /// Bits that are an alarm.
        alarms: BTreeMap<i128, Alarm>,
        /// What bits say.
        texts: BTreeMap<i128, String>,
        /// All of them, where that means "not implemented".
        none: Option<u64>,
    },
}

/// A number in registers: value = raw * 10^power * scale + offset.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Where.
    pub layout: Layout,
    /// Out of the range, with zeros in all but the lowest register, that register alone counts.
    pub short: bool,
    /// See above.
    pub scale: f64,
    /// See above.
    pub offset: f64,
    /// The point with the power.
    pub power_of: Option<String>,
    /// The register with the power.
    pub power_at: Option<Layout>,
    /// Where the sign is, and what it is for each value there.
    pub sign: Option<(Layout, BTreeMap<i128, f64>)>,
    /// Raw values that mean "no data".
    pub none: Vec<i128>,
}

/// Registers that are read together.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockAt {
    /// Where.
    pub table: Table,
    /// First address.
    pub addr: u16,
    /// Registers.
    pub count: u16,
    /// How often.
    pub every: Every,
    /// A device that refuses it has no such registers.
    pub optional: bool,
    /// Only while this holds.
    pub when: Option<Condition>,
}

/// A set point with its addresses settled.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteAt {
    /// As the profile has it; the addresses of its steps are settled.
    pub spec: WritePoint,
    /// Its registers, unless it is a sequence.
    pub layout: Option<Layout>,
    /// The register with the power of ten.
    pub power_at: Option<Layout>,
    /// What shows it.
    pub shown: Option<Shown>,
    /// All registers that this hangs on.
    pub seen: Vec<(Table, u16)>,
}

/// What shows a set point.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Registers: value = raw * scale + offset.
    Registers {
        /// Where.
        layout: Layout,
        /// See above.
        scale: f64,
        /// See above.
        offset: f64,
    },
    /// A point.
    Point(String),
    /// That this holds.
    State(Condition),
}

/// A way of running: its writes are those of a set point.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeAt {
    /// Which.
    pub mode: Mode,
    /// The name of its writes among the set points.
    pub key: &'static str,
    /// It is the one in force.
    pub active: Option<Condition>,
}

impl Map {
    /// The map of a profile. `chain` is that of the device, where the profile has one; `is_controlled` adds the registers
    /// that show set points to those that are read.
    #[must_use]
    pub fn new(profile: &Profile, chain: Option<&Chain>, is_controlled: bool) -> Map {
        let settle = Settle::new(profile, chain);
        let mut groups: Vec<Group> = Vec::new();
        let entries = profile.point.iter().filter_map(|point| Some((&point.name, settle.point(point)?)));
        let words = profile.words.iter().filter_map(|point| Some((&point.name, settle.words(point)?)));
        let bits = profile.bits.iter().filter_map(|point| Some((&point.name, settle.bits(point)?)));
        for (name, entry) in entries.chain(words).chain(bits) {
            match groups.iter_mut().find(|group| group.name == *name) {
                Some(group) => group.entries.push(entry),
                None => groups.push(Group { name: name.clone(), entries: vec![entry] }),
            }
        }
        let mut writes: Vec<WriteAt> = profile.write.iter().filter_map(|write| settle.write(write)).collect();
        let mut modes = Vec::new();
        for (mode, write) in profile.mode.iter().filter_map(|mode| settle.mode(mode)) {
            modes.push(mode);
            writes.push(write);
        }
        let mut whole: Vec<(Table, u16, u16)> = Vec::new();
        for group in &groups {
            whole.extend(group.entries.iter().filter_map(|entry| adjacent(entry.source.layout()?)));
        }
        let mut blocks = settle.blocks();
        if is_controlled {
            let shown =
                writes.iter().filter_map(WriteAt::registers).map(|at| (at.table, at.registers.clone()));
            // What a release restores, and what is written as it is, must be known before.
            let saved = writes.iter().flat_map(|write| {
                to_save(&write.spec.release).into_iter().chain(to_keep(&write.spec.sequence))
            });
            let saved =
                saved.map(|(table, addr, count)| (table, (addr..=u16::MAX).take(count.into()).collect()));
            add_readback(&mut blocks, shown.chain(saved).collect(), profile);
        }
        let mut map = Map { groups: in_order(groups), blocks, writes: Vec::new(), modes, whole };
        for write in &mut writes {
            write.seen = map.seen(write);
        }
        map.writes = writes;
        map
    }

    /// The registers that show a set point.
    fn seen(&self, write: &WriteAt) -> Vec<(Table, u16)> {
        let of =
            |layout: &Layout| layout.registers.iter().map(|addr| (layout.table, *addr)).collect::<Vec<_>>();
        let mut needed = Vec::new();
        match &write.shown {
            None => {}
            Some(Shown::Registers { layout, .. }) => return of(layout),
            Some(Shown::Point(name)) => needed.push(name.clone()),
            Some(Shown::State(condition)) => condition.names(&mut needed),
        }
        let (mut seen, mut at) = (Vec::new(), 0);
        while let Some(name) = needed.get(at).cloned() {
            at += 1;
            for entry in self.group(&name).into_iter().flat_map(|group| &group.entries) {
                seen.extend(entry.source.layout().into_iter().flat_map(of));
                let mut more = Vec::new();
                entry.source.needs(&mut more);
                needed.extend(more.into_iter().filter(|name| !needed.contains(name)).collect::<Vec<_>>());
            }
        }
        seen
    }

    /// A point by its name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// A set point by its name, the first whose condition holds.
    pub fn write(&self, name: &str, point: &dyn Fn(&str) -> Option<f64>) -> Option<&WriteAt> {
        let holds = |write: &&WriteAt| write.spec.when.as_ref().is_none_or(|when| when.holds(point));
        self.writes.iter().filter(|write| write.spec.name == name).find(holds)
    }
}

impl Map {
    /// The condition of a set point that the device has, and that cannot be set now because it does not hold.
    pub fn only_when(&self, name: &str, point: &dyn Fn(&str) -> Option<f64>) -> Option<&Condition> {
        let mut ways = self.writes.iter().filter(|write| write.spec.name == name);
        self.write(name, point).is_none().then(|| ways.find_map(|write| write.spec.when.as_ref())).flatten()
    }
}

impl Source {
    /// The registers of what is in registers.
    #[must_use]
    pub fn layout(&self) -> Option<&Layout> {
        match self {
            Source::Number(number) => Some(&number.layout),
            Source::Text(layout) | Source::Word { layout, .. } | Source::Bits { layout, .. } => Some(layout),
            Source::Made { .. } => None,
        }
    }

    /// Further registers that it needs: those of a sign or a power of ten.
    pub fn helpers(&self) -> impl Iterator<Item = &Layout> {
        let number = match self {
            Source::Number(number) => Some(number),
            _ => None,
        };
        let sign = number.and_then(|number| number.sign.as_ref()).map(|(layout, _)| layout);
        sign.into_iter().chain(number.and_then(|number| number.power_at.as_ref()))
    }

    /// The points that it needs.
    fn needs(&self, needs: &mut Vec<String>) {
        match self {
            Source::Made { expr, .. } => expr.names(needs),
            Source::Number(number) => needs.extend(number.power_of.clone()),
            _ => {}
        }
    }
}

/// The range of a field of several registers that lie side by side.
fn adjacent(layout: &Layout) -> Option<(Table, u16, u16)> {
    let first = *layout.registers.iter().min()?;
    let last = *layout.registers.iter().max()?;
    let count = u16::try_from(layout.registers.len()).ok()?;
    (count > 1 && last - first == count - 1).then_some((layout.table, first, count))
}

/// Blocks for the registers of set points, and of what is restored, that no block reads.
fn add_readback(blocks: &mut Vec<BlockAt>, shown: Vec<(Table, Vec<u16>)>, profile: &Profile) {
    for (table, registers) in shown {
        for addr in registers {
            let is_read = blocks.iter().any(|block| {
                let end = u32::from(block.addr) + u32::from(block.count);
                block.table == table && (u32::from(block.addr)..end).contains(&u32::from(addr))
            });
            if !is_read && !profile.link.forbids(table, addr, 1) {
                blocks.push(BlockAt { table, addr, count: 1, every: READBACK, optional: true, when: None });
            }
        }
    }
}

/// The points in an order in which each stands behind all that it needs.
fn in_order(mut groups: Vec<Group>) -> Vec<Group> {
    let mut ordered: Vec<Group> = Vec::with_capacity(groups.len());
    while !groups.is_empty() {
        let waiting: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
        let (ready, rest): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(|group| {
            let mut needs = Vec::new();
            for entry in &group.entries {
                entry.source.needs(&mut needs);
                if let Some(when) = &entry.when {
                    when.names(&mut needs);
                }
            }
            needs.iter().all(|need| !waiting.contains(need))
        });
        // A circle is refused when the profile is read; nothing here may hang on it nevertheless.
        let is_circle = ready.is_empty();
        ordered.extend(ready);
        groups = rest;
        if is_circle {
            ordered.append(&mut groups);
        }
    }
    ordered
}

#[cfg(test)]
mod tests;
