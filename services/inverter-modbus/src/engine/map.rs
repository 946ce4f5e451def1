//! A profile with all its addresses settled: what the rest of the engine works with.

use std::collections::BTreeMap;

use super::layout::Layout;
use super::sunspec::{Chain, Model};
use crate::profile::Profile;
use crate::profile::expr::{Condition, Expr};
use crate::profile::kind::{Type, Words};
use crate::profile::point::{Alarm, BitsPoint, EnumPoint, Point};
use crate::profile::scalar::{Every, Table};
use crate::profile::write::{ModeSpec, Step, WritePoint};

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
    pub modes: Vec<ModeSpec>,
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
        /// The number that means "no data".
        none: Option<i128>,
    },
    /// Bits in registers.
    Bits {
        /// Where.
        layout: Layout,
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
    /// The registers that show it, with scale and offset.
    pub shown: Option<(Layout, f64, f64)>,
}

impl Map {
    /// The map of a profile. `chain` is that of the device, where the profile has one; `is_controlled` adds the registers
    /// that show set points to those that are read.
    #[must_use]
    pub fn new(profile: &Profile, chain: Option<&Chain>, is_controlled: bool) -> Map {
        let settle = Settle { profile, chain };
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
        let writes: Vec<WriteAt> = profile.write.iter().filter_map(|write| settle.write(write)).collect();
        let mut whole: Vec<(Table, u16, u16)> = Vec::new();
        for group in &groups {
            whole.extend(group.entries.iter().filter_map(|entry| adjacent(entry.source.layout()?)));
        }
        let mut blocks = settle.blocks();
        if is_controlled {
            let shown = writes.iter().filter_map(|write| write.shown.as_ref());
            add_readback(&mut blocks, shown.map(|(layout, ..)| layout), profile);
        }
        Map { groups: in_order(groups), blocks, writes, modes: profile.mode.clone(), whole }
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

/// A model that a field may be in, and the profile.
struct Settle<'p> {
    profile: &'p Profile,
    chain: Option<&'p Chain>,
}

impl Settle<'_> {
    /// The base of the addresses and the end of the registers; `None` if the device has no such model.
    fn base(&self, ids: &[u16], instance: u16) -> Option<Base> {
        if ids.is_empty() {
            return Some(Base { addr: 0, end: 0x1_0000 });
        }
        let Model { addr, length, .. } = self.chain?.find(ids, instance)?;
        Some(Base { addr, end: u32::from(addr) + 2 + u32::from(length) })
    }

    fn point(&self, point: &Point) -> Option<Entry> {
        let (profile, base) = (self.profile, self.base(&point.model, point.instance)?);
        let table = profile.table(point.table);
        let layout = match (point.addr, &point.words_at) {
            (Some(addr), _) => {
                let addr = base.settle(addr, point.kind.registers().or(point.count).unwrap_or(1))?;
                Some(Layout::at(table, addr, point.kind, profile.order(point.words), point.count))
            }
            (None, Some(words)) => {
                let words: Option<Vec<u16>> = words.iter().map(|addr| base.settle(*addr, 1)).collect();
                Some(Layout::apart(table, &words?, point.kind))
            }
            (None, None) => None,
        };
        let layout = layout.map(|layout| layout.masked(point.mask).swapped(point.swap));
        let source = match (layout, &point.expr) {
            (Some(layout), _) if point.kind == Type::String => Source::Text(layout),
            (Some(layout), _) => Source::Number(Number {
                layout,
                scale: point.scale,
                offset: point.offset,
                power_of: point.scale_from.clone(),
                power_at: self.power(table, base, point.scale_addr)?,
                sign: match &point.sign_from {
                    Some(sign) => {
                        let table = sign.table.unwrap_or(table);
                        let at = Layout::at(table, base.settle(sign.addr, 1)?, Type::U16, Words::Hl, None);
                        Some((at.masked(sign.mask), sign.map.0.clone()))
                    }
                    None => None,
                },
                none: self.none(point),
            }),
            (None, Some(expr)) => {
                Source::Made { expr: expr.clone(), scale: point.scale, offset: point.offset }
            }
            (None, None) => return None,
        };
        let is_counter = point.counter.unwrap_or(point.name.ends_with("_energy_total"));
        Some(Entry { when: point.when.clone(), source, range: point.range, is_counter })
    }

    /// Raw values of a point that mean "no data", as the type holds them.
    fn none(&self, point: &Point) -> Vec<i128> {
        let kind = point.kind;
        let wrap = |raw: i128| match kind.limits() {
            Some((_, high)) if kind.is_signed() && raw > high => raw - (1 << kind.bits()),
            _ => raw,
        };
        let of_profile = (point.mask.is_none()).then(|| self.profile.sentinels.of(kind, false)).flatten();
        point.invalid.iter().map(|raw| wrap(*raw)).chain(of_profile).collect()
    }

    /// The place of a power of ten; `None` if it lies outside the model.
    fn power(&self, table: Table, base: Base, addr: Option<u16>) -> Option<Option<Layout>> {
        match addr {
            Some(addr) => Some(Some(Layout::at(table, base.settle(addr, 1)?, Type::Sf16, Words::Hl, None))),
            None => Some(None),
        }
    }

    fn words(&self, point: &EnumPoint) -> Option<Entry> {
        let (profile, base) = (self.profile, self.base(&point.model, point.instance)?);
        let addr = base.settle(point.addr, point.kind.registers()?)?;
        let table = profile.table(point.table);
        let layout = Layout::at(table, addr, point.kind, profile.order(point.words), None).masked(point.mask);
        let none = (point.mask.is_none()).then(|| profile.sentinels.of(point.kind, true)).flatten();
        let source = Source::Word { layout, words: point.map.0.clone(), none };
        Some(Entry { when: point.when.clone(), source, range: None, is_counter: false })
    }

    fn bits(&self, point: &BitsPoint) -> Option<Entry> {
        let (profile, base) = (self.profile, self.base(&point.model, point.instance)?);
        let addr = base.settle(point.addr, point.count)?;
        let mut registers: Vec<u16> = (addr..=u16::MAX).take(point.count.into()).collect();
        if profile.order(point.words) == Words::Lh {
            registers.reverse();
        }
        let table = profile.table(point.table);
        let layout = Layout { table, registers, kind: Type::U64, mask: None, swap: false };
        // Where a kind of number has a mark for "not implemented", bits have it too: all of them.
        let has_mark = profile.sentinels.of(Type::U64, false).is_some();
        let none =
            has_mark.then(|| u64::MAX.checked_shr(64 - 16 * u32::from(point.count.min(4))).unwrap_or(0));
        let (alarms, texts) = (point.alarm.0.clone(), point.text.0.clone());
        let source = Source::Bits { layout, alarms, texts, none };
        Some(Entry { when: point.when.clone(), source, range: None, is_counter: false })
    }

    fn write(&self, write: &WritePoint) -> Option<WriteAt> {
        let (profile, base) = (self.profile, self.base(&write.model, write.instance)?);
        let mut spec = write.clone();
        for step in [&mut spec.unlock, &mut spec.sequence, &mut spec.release].into_iter().flatten() {
            let Step { addr, kind, .. } = step;
            *addr = base.settle(*addr, kind.registers()?)?;
        }
        let layout = match write.addr {
            Some(addr) => {
                let addr = base.settle(addr, write.kind.registers()?)?;
                let order = profile.order(write.words);
                Some(Layout::at(write.table, addr, write.kind, order, None).masked(write.mask))
            }
            None => None,
        };
        let power_at = self.power(write.table, base, write.scale_addr)?;
        let shown = match &write.readback_at {
            _ if !write.readback => None,
            Some(field) => {
                let addr = base.settle(field.addr, field.kind.registers()?)?;
                let (table, order) = (profile.table(field.table), profile.order(field.words));
                let layout = Layout::at(table, addr, field.kind, order, None).masked(field.mask);
                Some((layout, field.scale, field.offset))
            }
            None => layout.clone().map(|layout| (layout, write.scale, write.offset)),
        };
        Some(WriteAt { spec, layout, power_at, shown })
    }

    fn blocks(&self) -> Vec<BlockAt> {
        let profile = self.profile;
        let fixed = profile.block.iter().filter_map(|block| {
            Some(BlockAt {
                table: profile.table(block.table),
                addr: block.addr?,
                count: block.count?,
                every: block.every,
                optional: block.optional,
                when: block.when.clone(),
            })
        });
        let points = profile.point.iter().map(|point| &point.model);
        let words = profile.words.iter().map(|point| &point.model);
        let bits = profile.bits.iter().map(|point| &point.model);
        let writes = profile.write.iter().map(|write| &write.model);
        let used: Vec<&Vec<u16>> = points.chain(words).chain(bits).chain(writes).collect();
        let models = self.chain.map_or(&[][..], |chain| chain.models.as_slice());
        let of_models = models.iter().filter(|model| used.iter().any(|ids| ids.contains(&model.id)));
        let of_models = of_models.map(|model| {
            let rule = profile.block.iter().find(|block| block.model.contains(&model.id));
            BlockAt {
                table: Table::Holding,
                addr: model.addr,
                count: model.length.saturating_add(2).min(u16::MAX - model.addr),
                every: rule.map_or_else(Every::default, |block| block.every),
                optional: true,
                when: rule.and_then(|block| block.when.clone()),
            }
        });
        fixed.chain(of_models).collect()
    }
}

/// Where a model, or the address space, begins and ends.
#[derive(Clone, Copy)]
struct Base {
    addr: u16,
    end: u32,
}

impl Base {
    /// The address of a field of `count` registers; `None` if it lies behind the end.
    fn settle(self, addr: u16, count: u16) -> Option<u16> {
        let settled = self.addr.checked_add(addr)?;
        (u32::from(settled) + u32::from(count) <= self.end).then_some(settled)
    }
}

/// The range of a field of several registers that lie side by side.
fn adjacent(layout: &Layout) -> Option<(Table, u16, u16)> {
    let first = *layout.registers.iter().min()?;
    let last = *layout.registers.iter().max()?;
    let count = u16::try_from(layout.registers.len()).ok()?;
    (count > 1 && last - first + 1 == count).then_some((layout.table, first, count))
}

/// Blocks for the registers of set points that no block reads.
fn add_readback<'l>(blocks: &mut Vec<BlockAt>, shown: impl Iterator<Item = &'l Layout>, profile: &Profile) {
    for layout in shown {
        for addr in &layout.registers {
            let is_read = blocks.iter().any(|block| {
                let end = u32::from(block.addr) + u32::from(block.count);
                block.table == layout.table && (u32::from(block.addr)..end).contains(&u32::from(*addr))
            });
            if !is_read && !profile.link.forbids(layout.table, *addr, 1) {
                blocks.push(BlockAt {
                    table: layout.table,
                    addr: *addr,
                    count: 1,
                    every: READBACK,
                    optional: true,
                    when: None,
                });
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
mod tests {
    use super::*;
    use crate::profile::{parse, tests::SMALL};

    fn map(more: &str) -> Map {
        let profile =
            parse(&format!("{SMALL}{more}"), "test.toml").unwrap_or_else(|errors| panic!("{errors}"));
        Map::new(&profile, None, true)
    }

    #[test]
    fn a_point_stands_behind_what_it_needs() {
        let map = map(
            "[[point]]\nname = \"x_a\"\nexpr = \"x_b + 1\"\n[[point]]\nname = \"x_b\"\nexpr = \"pv_power\"\n",
        );
        let at = |name| map.groups.iter().position(|group| group.name == name).unwrap();
        assert!(at("pv1_power") < at("pv_power") && at("pv_power") < at("x_b") && at("x_b") < at("x_a"));
    }

    #[test]
    fn what_shows_a_set_point_is_read_slowly() {
        let block = map("").blocks.into_iter().find(|block| block.addr == 108).unwrap();
        assert_eq!((block.count, block.every, block.optional), (1, READBACK, true));
        let profile = parse(SMALL, "test.toml").unwrap();
        assert!(Map::new(&profile, None, false).blocks.iter().all(|block| block.addr != 108));
    }

    #[test]
    fn models_move_with_their_chain_and_end_where_they_end() {
        let text = r#"
schema = 1
id = "chain"
make = "Any"
models = ["SunSpec"]
class = "pvinverter"
sentinels = "sunspec"
[link]
tcp = { port = 502 }
[sunspec]
bases = [40000]
[[block]]
model = [103]
every = "2s"
[[point]]
name = "ac_out_power"
model = [101, 103]
addr = 14
type = "s16"
scale_addr = 15
[[point]]
name = "ac_out_power"
model = [701]
addr = 10
type = "s16"
[[point]]
name = "temperature"
model = [103]
addr = 60
[[write]]
name = "x_limit"
model = [123]
addr = 5
min = 0
max = 100
"#;
        let profile = parse(text, "chain.toml").unwrap_or_else(|errors| panic!("{errors}"));
        let models =
            vec![Model { id: 1, addr: 40_002, length: 66 }, Model { id: 103, addr: 40_070, length: 50 }];
        let map = Map::new(&profile, Some(&Chain { models }), true);
        let power = map.group("ac_out_power").unwrap();
        assert_eq!(power.entries.len(), 1, "the device has no model 701");
        assert_eq!(power.entries[0].source.layout().unwrap().registers, [40_084]);
        assert!(map.group("temperature").is_none(), "the model ends before it");
        assert!(map.writes.is_empty());
        let [block] = map.blocks.as_slice() else { panic!("{:?}", map.blocks) };
        assert_eq!((block.addr, block.count), (40_070, 52));
        assert_eq!(block.every, Every::Period(std::time::Duration::from_secs(2)));
    }
}
