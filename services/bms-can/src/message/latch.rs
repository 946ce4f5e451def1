//! The memory that pairs of 0x35A need: they report edges, not states.

use super::{Alarms, Condition, Pair, Severity};

/// What `00` and `11` mean after `01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairRule {
    /// No change, always: an alarm stays until its `10` (SMA, technical information on external batteries).
    Edges,
    /// No change once the sender has shown that it says `10`; a sender that only knows `01` and `00` (SimpBMS) could
    /// never clear an alarm otherwise, so with it `00` makes the condition unknown again.
    Learned,
}

/// The conditions as the pairs so far have left them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatchedAlarms {
    rule: PairRule,
    says_ok: bool,
    alarms: [Option<bool>; 13],
    warnings: [Option<bool>; 13],
}

impl LatchedAlarms {
    /// Nothing known yet.
    #[must_use]
    pub const fn new(rule: PairRule) -> LatchedAlarms {
        LatchedAlarms { rule, says_ok: false, alarms: [None; 13], warnings: [None; 13] }
    }

    /// Takes in one frame.
    pub fn apply(&mut self, frame: &Alarms) {
        for severity in [Severity::Alarm, Severity::Warning] {
            for condition in Condition::ALL {
                self.says_ok |= frame.get(condition, severity) == Some(Pair::Ok);
            }
        }
        let keeps = self.says_ok || self.rule == PairRule::Edges;
        for condition in Condition::ALL {
            for (severity, states) in
                [(Severity::Alarm, &mut self.alarms), (Severity::Warning, &mut self.warnings)]
            {
                let Some(state) = states.get_mut(condition as usize) else { continue };
                match frame.get(condition, severity) {
                    Some(Pair::Active) => *state = Some(true),
                    Some(Pair::Ok) => *state = Some(false),
                    Some(Pair::NotSupported | Pair::Reserved) if !keeps => *state = None,
                    Some(Pair::NotSupported | Pair::Reserved) | None => {}
                }
            }
        }
    }

    /// Whether a condition is active; `None` while its sender has said neither yes nor no.
    #[must_use]
    pub fn get(&self, condition: Condition, severity: Severity) -> Option<bool> {
        let states = match severity {
            Severity::Alarm => &self.alarms,
            Severity::Warning => &self.warnings,
        };
        states.get(condition as usize).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(pair: Pair, others: Pair) -> Alarms {
        let mut frame = Alarms::all(Some(others));
        frame.set(Condition::HighVoltage, Severity::Alarm, Some(pair));
        frame
    }

    fn state(latch: &LatchedAlarms) -> Option<bool> {
        latch.get(Condition::HighVoltage, Severity::Alarm)
    }

    #[test]
    fn no_change_after_active_leaves_the_alarm_and_only_ok_clears_it() {
        for no_change in [Pair::NotSupported, Pair::Reserved] {
            let mut latch = LatchedAlarms::new(PairRule::Edges);
            latch.apply(&one(no_change, Pair::NotSupported));
            assert_eq!(state(&latch), None);
            latch.apply(&one(Pair::Active, Pair::NotSupported));
            latch.apply(&one(no_change, Pair::NotSupported));
            assert_eq!(state(&latch), Some(true));
            latch.apply(&one(Pair::Ok, Pair::NotSupported));
            assert_eq!(state(&latch), Some(false));
            latch.apply(&one(no_change, Pair::NotSupported));
            assert_eq!(state(&latch), Some(false));
        }
    }

    #[test]
    fn a_sender_that_says_ok_for_anything_is_held_to_it() {
        let mut latch = LatchedAlarms::new(PairRule::Learned);
        latch.apply(&one(Pair::Active, Pair::Ok));
        latch.apply(&one(Pair::NotSupported, Pair::Ok));
        assert_eq!(state(&latch), Some(true));
    }

    #[test]
    fn a_sender_that_never_says_ok_clears_by_zero() {
        let mut latch = LatchedAlarms::new(PairRule::Learned);
        latch.apply(&one(Pair::Active, Pair::NotSupported));
        assert_eq!(state(&latch), Some(true));
        latch.apply(&one(Pair::NotSupported, Pair::NotSupported));
        assert_eq!(state(&latch), None);
    }

    #[test]
    fn a_short_frame_changes_nothing_beyond_its_end() {
        let mut latch = LatchedAlarms::new(PairRule::Learned);
        latch.apply(&one(Pair::Active, Pair::NotSupported));
        latch.apply(&Alarms::all(None));
        assert_eq!(state(&latch), Some(true));
    }
}
