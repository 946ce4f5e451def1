//! What may be written where, and what that wears out.

use std::collections::{BTreeMap, BTreeSet};

use super::image::Image;
use super::map::{Persist, Step, Table, WriteFunction};
use super::modbus::{ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE};
use super::sheet::Sheet;

/// The rules of one device.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What can be written; nothing else.
    pub registers: BTreeSet<u16>,
    /// Those of them that wear out.
    wears: BTreeSet<u16>,
    /// Those that are locked, and the (low) register that opens them.
    locked: BTreeMap<u16, u16>,
}

impl Rules {
    /// Those of a device.
    #[must_use]
    pub fn new(sheet: &Sheet) -> Self {
        let mut rules = Self::default();
        let mut volatile = BTreeSet::new();
        let (writes, modes) = (&sheet.profile.write, &sheet.profile.mode);
        let parts = writes.iter().flat_map(|write| {
            let steps = write.sequence.iter().chain(&write.release).chain(&write.unlock);
            steps.map(|step| (write.model.as_slice(), step, write.persist))
        });
        let modes = modes.iter().flat_map(|mode| {
            mode.sequence.iter().chain(&mode.release).map(|step| (&[][..], step, mode.persist))
        });
        for (model, step, persist) in parts.chain(modes) {
            let registers = registers_of(sheet, model, step);
            rules.registers.extend(&registers);
            match persist {
                Persist::Ram => volatile.extend(registers),
                Persist::Flash => rules.wears.extend(registers),
            }
        }
        rules.wears.retain(|register| !volatile.contains(register));
        for write in writes {
            let places = sheet.places_of(write);
            rules.registers.extend(&places);
            if write.persist == Persist::Flash {
                rules.wears.extend(&places);
            }
            if let Some(key) =
                write.unlock.first().and_then(|key| registers_of(sheet, &write.model, key).last().copied())
            {
                rules.locked.extend(places.into_iter().map(|place| (place, key)));
            }
        }
        for key in rules.locked.values() {
            rules.wears.remove(key);
        }
        rules
    }

    /// Whether a register wears out.
    #[must_use]
    pub fn wears(&self, register: u16) -> bool {
        self.wears.contains(&register)
    }

    /// Looks at a request to write these words. `image` is what would stand in the registers then, `code` what opens the
    /// locked ones.
    ///
    /// # Errors
    /// The code of the exception.
    pub fn check(
        &self,
        sheet: &Sheet,
        is_single: bool,
        written: &BTreeSet<u16>,
        image: &Image,
        code: u16,
    ) -> Result<(), u8> {
        if is_single && sheet.profile.link.write_function == WriteFunction::Multiple {
            return Err(ILLEGAL_FUNCTION);
        }
        if written.iter().any(|register| !self.registers.contains(register)) {
            return Err(ILLEGAL_ADDRESS);
        }
        let is_locked = |register| {
            let key = self.locked.get(register);
            key.is_some_and(|key| image.get(Table::Holding, *key) != Some(code))
        };
        if written.iter().any(is_locked) {
            return Err(ILLEGAL_ADDRESS);
        }
        // A number, and what the maker takes only together, comes whole.
        let numbers = sheet.profile.write.iter().map(|write| sheet.places_of(write));
        let groups = sheet.maker.together.iter().map(|(first, count)| (*first..*first + *count).collect());
        let is_torn = |places: Vec<u16>| {
            let there = places.iter().filter(|place| written.contains(place)).count();
            there > 0 && there < places.len()
        };
        if numbers.chain(groups).any(is_torn) {
            return Err(ILLEGAL_VALUE);
        }
        let is_outside = sheet.profile.write.iter().any(|write| {
            let concerned = sheet.places_of(write).iter().any(|place| written.contains(place));
            let value = sheet.value_of(write, image).filter(|_| concerned && write.map.is_empty());
            let (low, high) = (write.min.unwrap_or(f64::MIN), write.max.unwrap_or(f64::MAX));
            value.is_some_and(|value| !(low - 1e-9..=high + 1e-9).contains(&value))
        });
        if is_outside { Err(ILLEGAL_VALUE) } else { Ok(()) }
    }
}

fn registers_of(sheet: &Sheet, model: &[u16], step: &Step) -> Vec<u16> {
    let first = sheet.at(model, step.addr);
    first.map(|first| sheet.places(first, step.kind, None)).unwrap_or_default()
}
