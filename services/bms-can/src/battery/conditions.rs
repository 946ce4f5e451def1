//! The battery's alarms, steadied: a condition comes and goes with the second frame that says so.

use crate::message::{Condition, Flags, LatchedAlarms, Severity};

/// `/Alarms/*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Not so.
    Ok = 0,
    /// Near a limit.
    Warning = 1,
    /// Beyond it.
    Alarm = 2,
}

/// What each condition was said to be by the last two frames that spoke of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conditions {
    steady: [Option<Level>; 13],
    last: [Option<Level>; 13],
}

impl Conditions {
    /// Takes in a frame of single bits. Of conditions that it has no bit for another frame may speak.
    pub fn apply_flags(&mut self, flags: &Flags) {
        let mut seen = [None; 13];
        for (flag, set) in flags.iter() {
            let Some((condition, severity)) = flag.means() else { continue };
            let level = match (set, severity) {
                (false, _) => Level::Ok,
                (true, Severity::Warning) => Level::Warning,
                (true, Severity::Alarm) => Level::Alarm,
            };
            if let Some(slot) = seen.get_mut(condition as usize) {
                *slot = (*slot).max(Some(level));
            }
        }
        self.apply(Condition::ALL.into_iter().zip(seen).filter(|(_, level)| level.is_some()));
    }

    /// Takes in what a frame of pairs has left in the latch.
    pub fn apply_pairs(&mut self, latched: &LatchedAlarms) {
        let mut seen = [None; 13];
        for (slot, condition) in seen.iter_mut().zip(Condition::ALL) {
            let (alarm, warning) =
                (latched.get(condition, Severity::Alarm), latched.get(condition, Severity::Warning));
            *slot = match (alarm, warning) {
                (Some(true), _) => Some(Level::Alarm),
                (_, Some(true)) => Some(Level::Warning),
                (None, None) => None,
                _ => Some(Level::Ok),
            };
        }
        self.apply(Condition::ALL.into_iter().zip(seen));
    }

    fn apply(&mut self, seen: impl Iterator<Item = (Condition, Option<Level>)>) {
        for (condition, seen) in seen {
            let place = condition as usize;
            let (Some(steady), Some(last)) = (self.steady.get_mut(place), self.last.get_mut(place)) else {
                continue;
            };
            // The first word on a healthy condition needs no second.
            if *last == seen || (steady.is_none() && seen == Some(Level::Ok)) {
                *steady = seen;
            }
            *last = seen;
        }
    }

    /// The level of a condition; `None` while the battery has not spoken of it.
    #[must_use]
    pub fn level(&self, condition: Condition) -> Option<Level> {
        self.steady.get(condition as usize).copied().flatten()
    }

    /// Forgets what is fine and keeps what is wrong: old data cannot say that a fault is over.
    pub fn keep_only_faults(&mut self) {
        for level in self.steady.iter_mut().chain(&mut self.last) {
            *level = level.filter(|level| *level > Level::Ok);
        }
    }

    /// The worst level of all.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        self.steady.iter().copied().max().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Flag;

    fn frame(set: Option<Flag>) -> Flags {
        let mut flags = Flags::default();
        for flag in [Flag::ProtectionOverVoltage, Flag::AlarmHighVoltage, Flag::AlarmLowVoltage] {
            flags.report(flag, set == Some(flag));
        }
        flags
    }

    #[test]
    fn one_frame_neither_raises_nor_clears_an_alarm() {
        let mut conditions = Conditions::default();
        let mut level = |set| {
            conditions.apply_flags(&frame(set));
            conditions.level(Condition::HighVoltage)
        };
        assert_eq!(level(None), Some(Level::Ok));
        assert_eq!(level(Some(Flag::ProtectionOverVoltage)), Some(Level::Ok));
        assert_eq!(level(Some(Flag::ProtectionOverVoltage)), Some(Level::Alarm));
        assert_eq!(level(None), Some(Level::Alarm));
        assert_eq!(level(Some(Flag::AlarmHighVoltage)), Some(Level::Alarm));
        assert_eq!(level(Some(Flag::AlarmHighVoltage)), Some(Level::Warning));
        assert_eq!(level(None), Some(Level::Warning));
        assert_eq!(level(None), Some(Level::Ok));
    }

    #[test]
    fn what_the_battery_does_not_speak_of_stays_unknown() {
        let mut conditions = Conditions::default();
        conditions.apply_flags(&frame(None));
        assert_eq!(conditions.level(Condition::ShortCircuit), None);
    }

    #[test]
    fn frames_that_share_the_conditions_between_them_do_not_disturb_each_other() {
        let mut conditions = Conditions::default();
        for _ in 0..2 {
            conditions.apply_flags(&frame(Some(Flag::ProtectionOverVoltage)));
            let mut other = Flags::default();
            other.report(Flag::ProtectionInternalFailure, true);
            conditions.apply_flags(&other);
        }
        assert_eq!(conditions.level(Condition::HighVoltage), Some(Level::Alarm));
        assert_eq!(conditions.level(Condition::BmsInternal), Some(Level::Alarm));
    }

    #[test]
    fn old_data_keep_a_fault_and_lose_an_ok() {
        let mut conditions = Conditions::default();
        for _ in 0..2 {
            conditions.apply_flags(&frame(Some(Flag::AlarmLowVoltage)));
        }
        conditions.keep_only_faults();
        assert_eq!(conditions.level(Condition::LowVoltage), Some(Level::Warning));
        assert_eq!(conditions.level(Condition::HighVoltage), None);
    }
}
