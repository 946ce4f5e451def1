//! When the inverter is told what, and what becomes of it when nobody decides any more. Pure.

use tokio::time::Instant;

use super::profile::{Silence, Then};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is sent: there has not been one complete, fresh set of data.
    Waiting,
    /// The decision is told.
    Telling,
    /// The safe set is told.
    Safe {
        /// Since when.
        since: Instant,
    },
    /// Nothing is sent any more: the inverter's own loss of its battery acts.
    Stopped,
}

impl Stage {
    /// What is to be done now. `is_licensed`: there is a decision that counts, and measurements to go with it.
    pub(crate) fn step(self, is_licensed: bool, silence: &Silence, now: Instant) -> Stage {
        match (self, is_licensed) {
            (_, true) => Stage::Telling,
            (Stage::Telling, false) => Stage::Safe { since: now },
            (Stage::Safe { since }, false)
                if silence.then == Then::Stop && now.duration_since(since) >= silence.grace =>
            {
                Stage::Stopped
            }
            (stage, false) => stage,
        }
    }

    /// When the passing of time alone will change it.
    pub(crate) fn next(self, silence: &Silence) -> Option<Instant> {
        match self {
            Stage::Safe { since } if silence.then == Then::Stop => Some(since + silence.grace),
            _ => None,
        }
    }

    /// Whether frames are sent.
    pub(crate) fn sends(self) -> bool {
        matches!(self, Stage::Telling | Stage::Safe { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const STOPS: Silence = Silence { grace: Duration::from_secs(60), then: Then::Stop, by_hand: None };
    const HOLDS: Silence = Silence { then: Then::HoldSafe, ..STOPS };

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_before_there_is_a_decision() {
        let now = Instant::now();
        let stage = Stage::Waiting.step(false, &STOPS, now + 1000 * SECOND);
        assert_eq!((stage, stage.sends()), (Stage::Waiting, false));
        assert!(stage.step(true, &STOPS, now).sends());
    }

    #[tokio::test(start_paused = true)]
    async fn a_loss_is_the_safe_set_for_the_grace_and_then_silence_and_it_recovers_from_each() {
        let start = Instant::now();
        let safe = Stage::Telling.step(false, &STOPS, start);
        assert_eq!(safe, Stage::Safe { since: start });
        assert_eq!(safe.next(&STOPS), Some(start + STOPS.grace));
        assert_eq!(safe.step(false, &STOPS, start + 59 * SECOND), safe);
        assert_eq!(safe.step(true, &STOPS, start + 59 * SECOND), Stage::Telling);
        let stopped = safe.step(false, &STOPS, start + 60 * SECOND);
        assert_eq!((stopped, stopped.sends()), (Stage::Stopped, false));
        assert_eq!(stopped.step(true, &STOPS, start + 600 * SECOND), Stage::Telling);
    }

    #[tokio::test(start_paused = true)]
    async fn where_silence_would_do_harm_the_safe_set_goes_on() {
        let start = Instant::now();
        let safe = Stage::Telling.step(false, &HOLDS, start);
        assert_eq!(safe.step(false, &HOLDS, start + 100_000 * SECOND), safe);
        assert_eq!(safe.next(&HOLDS), None);
    }
}
