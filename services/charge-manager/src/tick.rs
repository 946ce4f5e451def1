//! The time from one decision to the next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A step of time longer than this counts as this long for everything that rises or sums up.
const LONGEST_STEP_S: f64 = 5.0;
/// Beyond this, time that has passed is just long.
const LONGEST_S: f64 = 1e9;

/// How much time has passed since the last decision, s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tick {
    /// For what rises or integrates: from 0 to 5.
    pub(crate) dt_s: f64,
    /// For ages: as it is, and never negative.
    pub(crate) elapsed_s: f64,
}

/// Remembers the last moment.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    last: Option<Duration>,
}

impl Clock {
    /// The step from the last moment to this one.
    pub(crate) fn advance(&mut self, now: Duration) -> Tick {
        let elapsed_s = self.last.map_or(0.0, |last| now.saturating_sub(last).as_secs_f64().min(LONGEST_S));
        self.last = Some(now);
        Tick { dt_s: elapsed_s.min(LONGEST_STEP_S), elapsed_s }
    }

    /// Forgets the origin of the clock: that of another process.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}

/// Age of a moment in s. What claims to come from the future by more than a second is as old as can be.
pub(crate) fn age_s(now: Duration, at: Duration) -> f64 {
    if at.saturating_sub(now) > Duration::from_secs(1) {
        return LONGEST_S;
    }
    now.saturating_sub(at).as_secs_f64().min(LONGEST_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_gap_counts_as_five_seconds_and_a_step_back_as_none() {
        let mut clock = Clock::default();
        let at = Duration::from_secs;
        assert_eq!(clock.advance(at(100)), Tick { dt_s: 0.0, elapsed_s: 0.0 });
        assert_eq!(clock.advance(at(101)), Tick { dt_s: 1.0, elapsed_s: 1.0 });
        assert_eq!(clock.advance(at(131)), Tick { dt_s: 5.0, elapsed_s: 30.0 });
        assert_eq!(clock.advance(at(90)), Tick { dt_s: 0.0, elapsed_s: 0.0 });
        assert_eq!(clock.advance(at(91)), Tick { dt_s: 1.0, elapsed_s: 1.0 });
    }

    #[test]
    fn what_comes_from_the_future_is_old() {
        let at = Duration::from_millis;
        assert_eq!(age_s(at(5_000), at(2_000)), 3.0);
        assert_eq!(age_s(at(5_000), at(5_900)), 0.0);
        assert_eq!(age_s(at(5_000), at(6_001)), LONGEST_S);
        assert_eq!(age_s(Duration::MAX - Duration::from_secs(2), Duration::ZERO), LONGEST_S);
    }
}
