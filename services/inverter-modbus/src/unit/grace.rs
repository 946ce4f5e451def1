//! How long a device keeps the limits that it was told before, while nothing is decided about it yet: whoever decides must first
//! see it on the bus. An inverter that feeds a house would let it go dark otherwise.

use std::time::Duration;

use tokio::time::Instant;

/// Once it is on the bus.
const SEEN: Duration = Duration::from_secs(10);
/// Until then: a slow line needs its time to read all that is published.
const UNSEEN: Duration = Duration::from_secs(60);

/// Whether the source has decided something, and since when it could have.
#[derive(Debug)]
pub(super) struct Grace {
    since: Instant,
    is_on_bus: bool,
    was_granted: bool,
    has_decided: bool,
}

impl Grace {
    /// The process begins.
    pub(super) fn new(now: Instant) -> Grace {
        Grace { since: now, is_on_bus: false, was_granted: false, has_decided: false }
    }

    /// The device was recognised.
    pub(super) fn recognised(&mut self, now: Instant) {
        // Who decides does not know a device any more that was away.
        if !self.is_on_bus {
            (self.since, self.was_granted) = (now, false);
        }
    }

    /// Whether it is on the bus now. True if that is new.
    pub(super) fn look(&mut self, is_on_bus: bool, now: Instant) -> bool {
        let is_new = std::mem::replace(&mut self.is_on_bus, is_on_bus) != is_on_bus;
        if is_new {
            (self.since, self.was_granted) = (now, false);
        }
        is_new
    }

    /// Something is decided that is more than nothing.
    pub(super) fn granted(&mut self) {
        (self.was_granted, self.has_decided) = (true, true);
    }

    /// Whether what was told before still holds.
    pub(super) fn holds(&self, now: Instant) -> bool {
        let longest = if self.is_on_bus { SEEN } else { UNSEEN };
        !self.was_granted && now < self.since + longest
    }

    /// Whether anything was decided since the process began.
    pub(super) fn has_decided(&self) -> bool {
        self.has_decided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn what_was_told_before_holds_for_ten_seconds_on_the_bus_however_late_that_is() {
        let began = Instant::now();
        let mut grace = Grace::new(began);
        assert!(grace.holds(began + UNSEEN - MS) && !grace.holds(began + UNSEEN));
        let recognised = began + UNSEEN * 5;
        grace.recognised(recognised);
        assert!(grace.holds(recognised + UNSEEN - MS) && !grace.holds(recognised + UNSEEN));
        assert!(grace.look(true, recognised));
        assert!(grace.holds(recognised + SEEN - MS) && !grace.holds(recognised + SEEN));
        grace.recognised(recognised + SEEN);
        assert!(!grace.holds(recognised + SEEN), "it was on the bus all the time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_decision_ends_it_until_the_device_was_away() {
        let began = Instant::now();
        let mut grace = Grace::new(began);
        grace.look(true, began);
        grace.granted();
        assert!(!grace.holds(began));
        assert!(grace.look(false, began + SEEN) && !grace.look(false, began + SEEN));
        // What is decided about a device that is away is none of its business when it comes back.
        grace.granted();
        grace.recognised(began + UNSEEN);
        assert!(grace.holds(began + UNSEEN));
        assert!(grace.look(true, began + UNSEEN) && grace.holds(began + UNSEEN));
        assert!(grace.has_decided(), "what stands at the device may be from there");
    }
}
