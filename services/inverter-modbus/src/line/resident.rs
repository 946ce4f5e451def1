//! The devices of this process on a line, and what nobody else may do beside them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::modbus::raw::{Reach, Span, reach};
use crate::profile::Profile;
use crate::profile::scalar::Forbidden;

/// Silence that a device needs of which nothing is known.
const GAP: Duration = Duration::from_millis(50);

/// A device of this process on a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Resident {
    /// What it is.
    pub product: String,
    /// It was recognised, and answers.
    pub is_there: bool,
    /// Silence that it needs behind an answer.
    gap: Duration,
    /// What must never be touched.
    forbidden: Vec<Forbidden>,
    own: Own,
}

/// What this process sets at a device.
#[derive(Debug, Clone, PartialEq)]
enum Own {
    Nothing,
    /// It was not recognised yet, and where its set points are is not known.
    NotKnown,
    These(Vec<Span>),
}

/// Why a request is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What it touches does harm.
    #[error("registers that do harm to this device when they are touched")]
    Harmful,
    /// Nobody knows what it touches.
    #[error("a request of which nobody knows whether it touches registers that do harm to this device")]
    Unclear,
    /// This process sets it itself.
    #[error(
        "this process sets these registers itself: write the item under /Control, or switch control and follow off"
    )]
    Own,
    /// The device was not recognised yet.
    #[error("the device has not answered yet, and this process is to set registers of it")]
    NotKnown,
}

/// The devices of a line, by unit.
#[derive(Debug, Clone, Default)]
pub(super) struct Residents(BTreeMap<u8, Resident>);

impl Resident {
    /// A device of a profile; with `is_controlled`, this process sets it.
    #[must_use]
    pub fn new(profile: &Profile, is_controlled: bool) -> Resident {
        let (forbidden, gap) = (profile.link.forbidden.clone(), profile.link.gap());
        let own = if is_controlled { Own::NotKnown } else { Own::Nothing };
        Resident { product: profile.title(), is_there: false, gap, forbidden, own }
    }

    fn judge(&self, function: u8, data: &[u8]) -> Result<(), Refused> {
        let (reads, writes) = match reach(function, data) {
            Reach::Known { reads, writes } => (reads, writes),
            Reach::Odd | Reach::Unknown if !self.forbidden.is_empty() => return Err(Refused::Unclear),
            Reach::Odd if self.own != Own::Nothing => return Err(Refused::Own),
            Reach::Odd | Reach::Unknown => return Ok(()),
        };
        let harms = |span: Option<Span>| {
            span.is_some_and(|(table, addr, count)| {
                self.forbidden.iter().any(|range| range.touches(table, addr, count))
            })
        };
        if harms(reads) || harms(writes) {
            return Err(Refused::Harmful);
        }
        match (&self.own, writes) {
            (Own::Nothing, _) | (_, None) => Ok(()),
            (Own::NotKnown, Some(_)) => Err(Refused::NotKnown),
            (Own::These(own), Some(writes)) if own.iter().any(|own| overlap(*own, writes)) => {
                Err(Refused::Own)
            }
            (Own::These(_), Some(_)) => Ok(()),
        }
    }
}

fn overlap((table, addr, count): Span, (other, its_addr, its_count): Span) -> bool {
    let ends = |addr: u16, count: u16| u32::from(addr) + u32::from(count);
    table == other && u32::from(addr) < ends(its_addr, its_count) && u32::from(its_addr) < ends(addr, count)
}

impl Residents {
    pub(super) fn insert(&mut self, unit: u8, resident: Resident) {
        self.0.insert(unit, resident);
    }

    /// A device was recognised, and these are what this process sets at it; or it is not there any more.
    pub(super) fn recognised(&mut self, unit: u8, own: Option<Vec<Span>>) {
        let Some(resident) = self.0.get_mut(&unit) else { return };
        resident.is_there = own.is_some();
        if let (Some(own), false) = (own, resident.own == Own::Nothing) {
            resident.own = Own::These(own);
        }
    }

    pub(super) fn all(&self) -> Vec<(u8, Resident)> {
        self.0.iter().map(|(unit, resident)| (*unit, resident.clone())).collect()
    }

    /// The silence that a unit needs behind an answer.
    pub(super) fn gap(&self, unit: u8) -> Duration {
        self.0.get(&unit).map_or(GAP, |resident| resident.gap)
    }

    /// Whether a request may go to a unit. One that nobody has named may be any of the devices: there are gateways and
    /// devices that do not look at the number, and 0 is for all.
    pub(super) fn judge(&self, unit: u8, function: u8, data: &[u8]) -> Result<(), Refused> {
        match self.0.get(&unit) {
            Some(resident) => resident.judge(function, data),
            None => self.0.values().try_for_each(|resident| resident.judge(function, data)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::scalar::Table;

    fn resident(forbidden: &[(u16, u16)], own: Own) -> Resident {
        let range = |(from, to): &(u16, u16)| Forbidden { table: None, from: *from, to: *to };
        let forbidden = forbidden.iter().map(range).collect();
        Resident { product: String::new(), is_there: true, gap: GAP, forbidden, own }
    }

    fn line(unit: u8, resident: Resident) -> Residents {
        let mut residents = Residents::default();
        residents.insert(unit, resident);
        residents
    }

    /// Addresses from 30000 on make an inverter drop its output, whatever asks for them.
    #[test]
    fn what_does_harm_is_never_asked_for() {
        let line = line(1, resident(&[(30_000, 65_535)], Own::Nothing));
        let word = 30_000_u16.to_be_bytes();
        let [h, l] = word;
        let harmful = [
            (3, vec![h, l, 0, 1]),
            (4, vec![0x75, 0x2F, 0, 2]),
            (6, vec![h, l, 0, 1]),
            (16, vec![h, l, 0, 1, 2, 0, 0]),
            (22, vec![h, l, 0, 0, 0, 0]),
            (23, vec![h, l, 0, 1, 0, 1, 0, 1, 2, 0, 0]),
            (23, vec![0, 1, 0, 1, h, l, 0, 1, 2, 0, 0]),
        ];
        for (function, data) in &harmful {
            for unit in [1, 2, 0] {
                assert_eq!(line.judge(unit, *function, data), Err(Refused::Harmful), "{function} to {unit}");
            }
        }
        for (function, data) in [(3, &[h, l][..]), (0x41, &[]), (24, &word), (8, &[0, 0, 0, 0]), (16, &[h])] {
            assert_eq!(line.judge(1, function, data), Err(Refused::Unclear), "{function}");
        }
        for (function, data) in [(3, &[0, 0, 0, 2][..]), (6, &[0, 1, 0, 1]), (17, &[]), (43, &[14, 1, 0])] {
            assert_eq!(line.judge(1, function, data), Ok(()), "{function}");
        }
    }

    #[test]
    fn what_this_process_sets_nobody_else_writes_and_everybody_reads() {
        let own = Own::These(vec![(Table::Holding, 210, 2), (Table::Coil, 7, 1)]);
        let line = line(1, resident(&[], own));
        for (function, data) in [
            (6, &[0, 211, 0, 1][..]),
            (16, &[0, 209, 0, 2, 4, 0, 0, 0, 0]),
            (22, &[0, 210, 0, 0, 0, 0]),
            (5, &[0, 7, 0xFF, 0]),
            (15, &[0, 0, 0, 8, 1, 0xFF]),
            (16, &[0, 0]),
        ] {
            assert_eq!(line.judge(1, function, data), Err(Refused::Own), "{function} {data:?}");
        }
        for (function, data) in [
            (3, &[0, 210, 0, 1][..]),
            (6, &[0, 212, 0, 1]),
            (6, &[0, 209, 0, 1]),
            (5, &[0, 210, 0, 0]),
            (0x41, &[0, 210]),
        ] {
            assert_eq!(line.judge(1, function, data), Ok(()), "{function} {data:?}");
        }
    }

    #[test]
    fn a_device_that_is_to_be_set_is_not_written_before_it_is_known_where() {
        let mut line = line(1, resident(&[], Own::NotKnown));
        assert_eq!(line.judge(1, 6, &[0, 1, 0, 1]), Err(Refused::NotKnown));
        assert_eq!(line.judge(1, 3, &[0, 1, 0, 1]), Ok(()));
        line.recognised(1, Some(vec![(Table::Holding, 2, 1)]));
        assert_eq!(line.judge(1, 6, &[0, 1, 0, 1]), Ok(()));
        assert_eq!(line.judge(1, 6, &[0, 2, 0, 1]), Err(Refused::Own));
        line.recognised(1, None);
        assert_eq!(line.judge(1, 6, &[0, 2, 0, 1]), Err(Refused::Own), "it may come back any time");
    }

    #[test]
    fn a_device_beside_one_that_is_delicate_is_asked_anything() {
        let mut line = line(1, resident(&[(30_000, 65_535)], Own::Nothing));
        line.insert(2, resident(&[], Own::Nothing));
        assert_eq!(line.judge(2, 3, &[0x75, 0x30, 0, 1]), Ok(()));
        assert_eq!(line.judge(3, 3, &[0x75, 0x30, 0, 1]), Err(Refused::Harmful));
    }
}
