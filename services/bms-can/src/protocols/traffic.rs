//! What came over the bus lately, in bounded memory: the newest frame of each id. And the marks by which a dialect is
//! told from it.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::frame::{CanId, Frame};

/// More ids than any battery and its inverter use together. Beyond, the id that was silent longest gives way.
const IDS: usize = 96;

/// An id that was silent for so long is no longer part of the traffic.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// Inverters speak by these ids, also to a bus without a battery.
const INVERTERS: RangeInclusive<u32> = 0x300..=0x309;

/// One reason to believe, or not to believe, that traffic is of a dialect.
#[derive(Debug)]
pub struct Mark {
    /// How much it counts.
    pub worth: i32,
    /// Whether it can stand for itself. A dialect without any such mark is not recognised, however many others hold.
    pub is_identity: bool,
    /// The reason in words.
    pub says: &'static str,
    /// Whether the traffic has it.
    pub holds: fn(&Traffic) -> bool,
}

/// A mark that identifies the dialect.
#[must_use]
pub(crate) const fn identity(worth: i32, says: &'static str, holds: fn(&Traffic) -> bool) -> Mark {
    Mark { worth, is_identity: true, says, holds }
}

/// A mark that adds to others, or takes from them.
#[must_use]
pub(crate) const fn hint(worth: i32, says: &'static str, holds: fn(&Traffic) -> bool) -> Mark {
    Mark { worth, is_identity: false, says, holds }
}

#[derive(Debug, Clone)]
struct Slot {
    frame: Frame,
    count: u32,
    last: Duration,
    order: u64,
}

/// The newest frame of each id. Ids behind a hub count as their base id.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    slots: Vec<Slot>,
    first: Option<Duration>,
    last: Duration,
    frames: u64,
}

impl Traffic {
    /// Takes in a frame; `now` on any clock. After a long silence, or when the clock goes back, all begins anew.
    pub fn see(&mut self, frame: &Frame, now: Duration) {
        if now.checked_sub(self.last).is_none_or(|silence| silence > FORGET_AFTER) {
            *self = Traffic::default();
        }
        if frame.id().is_extended() || !INVERTERS.contains(&frame.id().number()) {
            self.first.get_or_insert(now);
        }
        self.last = now;
        self.frames += 1;
        let order = self.frames;
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.frame.id() == frame.id()) {
            let count = slot.count.saturating_add(1);
            *slot = Slot { frame: *frame, count, last: now, order };
            return;
        }
        let slot = Slot { frame: *frame, count: 1, last: now, order };
        if self.slots.len() < IDS {
            self.slots.push(slot);
        } else if let Some(oldest) = self.slots.iter_mut().min_by_key(|slot| slot.order) {
            *oldest = slot;
        }
    }

    /// When the first frame came that was not an inverter's.
    #[must_use]
    pub const fn first(&self) -> Option<Duration> {
        self.first
    }

    /// The newest frame of each id that is still heard.
    pub fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.heard().map(|slot| &slot.frame)
    }

    /// The newest frame of each id that is still heard, and when it came.
    pub(crate) fn newest(&self) -> impl Iterator<Item = (&Frame, Duration)> {
        self.heard().map(|slot| (&slot.frame, slot.last))
    }

    /// The newest frame with a standard id, also if it came from behind a hub.
    #[must_use]
    pub fn frame(&self, id: u32) -> Option<&Frame> {
        self.slot(id).map(|slot| &slot.frame)
    }

    /// Whether a standard id is heard.
    #[must_use]
    pub fn has(&self, id: u32) -> bool {
        self.slot(id).is_some()
    }

    /// Whether any id of a kind is heard.
    #[must_use]
    pub fn has_any(&self, kind: impl Fn(CanId) -> bool) -> bool {
        self.frames().any(|frame| kind(frame.id()))
    }

    /// How often a standard id has come.
    #[must_use]
    pub fn count(&self, id: u32) -> u32 {
        self.slot(id).map_or(0, |slot| slot.count)
    }

    /// Whether a frame carries `bytes` from byte `at` on.
    #[must_use]
    pub fn has_bytes(&self, id: u32, at: usize, bytes: &[u8]) -> bool {
        self.frame(id).is_some_and(|f| f.data().get(at..).is_some_and(|rest| rest.starts_with(bytes)))
    }

    /// A little-endian word of a frame.
    #[must_use]
    pub fn word(&self, id: u32, at: usize) -> Option<u16> {
        let bytes = self.frame(id)?.data().get(at..)?.first_chunk()?;
        Some(u16::from_le_bytes(*bytes))
    }

    /// Whether the maker's name in 0x35E, or 0x40A of Pytes, contains `name` (upper case), in either case.
    #[must_use]
    pub fn maker_is(&self, name: &str) -> bool {
        [0x35E, 0x40A].iter().filter_map(|&id| self.frame(id)).any(|frame| {
            frame.data().windows(name.len()).any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
        })
    }

    /// Whether 0x356 counts the voltage of a 48 V bank in tenths of a volt.
    #[must_use]
    pub fn voltage_is_in_tenths(&self) -> bool {
        self.word(0x356, 0).is_some_and(|raw| (400..=600).contains(&raw))
    }

    /// Alarm pairs in 0x35A and no alarm bits in 0x359.
    #[must_use]
    pub fn has_pairs_only(&self) -> bool {
        self.has(0x35A) && !self.has(0x359)
    }

    fn heard(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.last + FORGET_AFTER >= self.last)
    }

    fn slot(&self, id: u32) -> Option<&Slot> {
        self.heard().find(|slot| {
            let (seen, is_extended) = (slot.frame.id().number(), slot.frame.id().is_extended());
            seen == id && !is_extended || is_extended && seen < 0x8000 && seen & 0xFFF == id
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(id: u32, bytes: &[u8]) -> Frame {
        Frame::new(CanId::standard(id).unwrap(), bytes).unwrap()
    }

    #[test]
    fn memory_is_bounded_and_a_repeating_battery_survives_a_flood_of_ids() {
        let mut traffic = Traffic::default();
        for id in 0..0x800 {
            traffic.see(&frame(id, &[]), Duration::ZERO);
            if id % 50 == 0 {
                traffic.see(&frame(0x351, &[1]), Duration::ZERO);
            }
        }
        assert!(traffic.frames().count() <= IDS);
        assert!(traffic.has(0x351) && traffic.count(0x351) > 40);
    }

    #[test]
    fn a_battery_that_was_taken_away_is_forgotten() {
        let mut traffic = Traffic::default();
        traffic.see(&frame(0x359, &[0; 7]), Duration::ZERO);
        traffic.see(&frame(0x351, &[0; 8]), Duration::from_secs(50));
        assert!(traffic.has(0x359));
        traffic.see(&frame(0x351, &[0; 8]), Duration::from_secs(61));
        assert!(!traffic.has(0x359) && traffic.has(0x351));
    }

    #[test]
    fn after_a_long_silence_or_with_another_clock_all_begins_anew() {
        let mut traffic = Traffic::default();
        for now in [1000, 1061, 1000].map(Duration::from_secs) {
            traffic.see(&frame(0x351, &[0; 8]), now);
            assert_eq!((traffic.first(), traffic.count(0x351)), (Some(now), 1));
        }
    }

    #[test]
    fn a_string_behind_a_hub_counts_as_its_base_id() {
        let mut traffic = Traffic::default();
        let id = CanId::extended(0x4355).unwrap();
        traffic.see(&Frame::new(id, &[0x1A, 0]).unwrap(), Duration::ZERO);
        assert_eq!(traffic.word(0x355, 0), Some(0x1A));
        assert!(!traffic.has(0x356));
    }
}
