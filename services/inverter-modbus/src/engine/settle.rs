//! The addresses of a profile settled: those of models by the chain of the device.

use super::layout::Layout;
use super::map::{BlockAt, Entry, ModeAt, Number, Shown, Source, WriteAt};
use super::sunspec::{Chain, Model};
use crate::profile::Profile;
use crate::profile::kind::{Type, Words};
use crate::profile::point::{BitsPoint, EnumPoint, Point};
use crate::profile::scalar::{Every, Table};
use crate::profile::write::{ModeSpec, Step, WritePoint};

/// The profile, and the chain of the device where it has one.
pub(super) struct Settle<'p> {
    profile: &'p Profile,
    chain: Option<&'p Chain>,
}

impl<'p> Settle<'p> {
    pub(super) fn new(profile: &'p Profile, chain: Option<&'p Chain>) -> Settle<'p> {
        Settle { profile, chain }
    }

    /// The base of the addresses and the end of the registers; `None` if the device has no such model.
    fn base(&self, ids: &[u16], instance: u16) -> Option<Base> {
        if ids.is_empty() {
            return Some(Base { addr: 0, end: 0x1_0000 });
        }
        let Model { addr, length, .. } = self.chain?.find(ids, instance)?;
        Some(Base { addr, end: u32::from(addr) + 2 + u32::from(length) })
    }

    pub(super) fn point(&self, point: &Point) -> Option<Entry> {
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
                short: point.short,
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

    pub(super) fn words(&self, point: &EnumPoint) -> Option<Entry> {
        let (profile, base) = (self.profile, self.base(&point.model, point.instance)?);
        let addr = base.settle(point.addr, point.kind.registers()?)?;
        let table = profile.table(point.table);
        let layout = Layout::at(table, addr, point.kind, profile.order(point.words), None).masked(point.mask);
        let none = (point.mask.is_none()).then(|| profile.sentinels.of(point.kind, true)).flatten();
        let (words, alarms) = (point.map.0.clone(), point.alarm.0.clone());
        let source = Source::Word { layout, words, alarms, none };
        Some(Entry { when: point.when.clone(), source, range: None, is_counter: false })
    }

    pub(super) fn bits(&self, point: &BitsPoint) -> Option<Entry> {
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
        let source = Source::Bits { layout, first: point.first_bit, alarms, texts, none };
        Some(Entry { when: point.when.clone(), source, range: None, is_counter: false })
    }

    pub(super) fn write(&self, write: &WritePoint) -> Option<WriteAt> {
        let (profile, base) = (self.profile, self.base(&write.model, write.instance)?);
        let mut spec = write.clone();
        for step in [&mut spec.unlock, &mut spec.sequence, &mut spec.release].into_iter().flatten() {
            self.step(step, base)?;
        }
        let layout = match write.addr {
            Some(addr) => {
                let addr = base.settle(addr, write.kind.registers()?)?;
                let order = profile.order(write.words);
                Some(Layout::at(write.table, addr, write.kind, order, None).masked(write.mask))
            }
            None => None,
        };
        let power_at = match &write.scale_from {
            Some(name) => Some(self.power_of(name, write.table)?),
            None => self.power(write.table, base, write.scale_addr)?,
        };
        let shown = match &write.readback_at {
            _ if !write.readback => None,
            Some(field) => {
                let addr = base.settle(field.addr, field.kind.registers()?)?;
                let (table, order) = (profile.table(field.table), profile.order(field.words));
                let layout = Layout::at(table, addr, field.kind, order, None).masked(field.mask);
                Some(Shown::Registers { layout, scale: field.scale, offset: field.offset })
            }
            None => match &write.readback_from {
                Some(name) => Some(Shown::Point(name.clone())),
                None => layout.clone().map(|layout| Shown::Registers {
                    layout,
                    scale: write.scale,
                    offset: write.offset,
                }),
            },
        };
        Some(WriteAt { spec, layout, power_at, shown, seen: Vec::new() })
    }

    /// A way of running; `None` if its steps are in models that the device does not have.
    pub(super) fn mode(&self, mode: &ModeSpec) -> Option<(ModeAt, WriteAt)> {
        let mut write = self.write(&mode.as_write())?;
        write.shown = mode.active.clone().map(Shown::State);
        Some((ModeAt { mode: mode.name, key: mode.name.key(), active: mode.active.clone() }, write))
    }

    /// Settles a step: its address, where its power of ten is, and the order of its registers. `base` is that of steps that
    /// name no model.
    fn step(&self, step: &mut Step, base: Base) -> Option<()> {
        let base = if step.model.is_empty() { base } else { self.base(&step.model, step.instance)? };
        step.addr = base.settle(step.addr, step.kind.registers()?)?;
        step.words = Some(self.profile.order(step.words));
        if let Some(addr) = step.scale_addr {
            step.scale_addr = Some(base.settle(addr, 1)?);
        }
        if let Some(name) = &step.scale_from {
            step.scale_addr = self.power_of(name, step.table)?.registers.first().copied();
        }
        Some(())
    }

    /// The place of the point `name`, which is a power of ten; `None` if the device does not have it in this table.
    fn power_of(&self, name: &str, table: Table) -> Option<Layout> {
        let ways = self.profile.point.iter().filter(|point| point.name == name && point.kind == Type::Sf16);
        ways.filter_map(|point| self.point(point))
            .find_map(|entry| entry.source.layout().filter(|layout| layout.table == table).cloned())
    }

    pub(super) fn blocks(&self) -> Vec<BlockAt> {
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
        let modes = profile.mode.iter().map(|mode| &mode.model);
        let steps = profile.steps().map(|step| &step.model);
        let used: Vec<&Vec<u16>> =
            points.chain(words).chain(bits).chain(writes).chain(modes).chain(steps).collect();
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
