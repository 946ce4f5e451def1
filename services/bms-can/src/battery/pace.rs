//! When to tell the bus: once a second at most, a burst of frames as one update, a reduction at once.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two updates.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long an update waits for the rest of the battery's burst of frames.
const GATHER: Duration = Duration::from_millis(200);

/// The next update.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    last: Option<Instant>,
    due: Option<Instant>,
}

impl Pace {
    /// Something is different; it may wait for more.
    pub fn changed(&mut self, now: Instant) {
        let earliest = self.last.map_or(now, |last| last + INTERVAL);
        self.due.get_or_insert(earliest.max(now + GATHER));
    }

    /// Something is different that must not wait.
    pub fn at_once(&mut self, now: Instant) {
        self.due = Some(now);
    }

    /// When the next update is due, if one is.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether to update now; if so, the update counts as made.
    pub fn take(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.due = None;
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one_update_and_bursts_a_second_apart_stay_a_second_apart() {
        let (start, mut pace) = (Instant::now(), Pace::default());
        let at = |ms| start + Duration::from_millis(ms);
        pace.changed(at(0));
        pace.changed(at(90));
        assert!(!pace.take(at(199)));
        assert!(pace.take(at(200)));
        pace.changed(at(990));
        assert_eq!(pace.due(), Some(at(1200)), "not sooner than a second after the last");
        pace.at_once(at(1000));
        assert!(pace.take(at(1000)));
        assert_eq!(pace.due(), None);
    }
}
