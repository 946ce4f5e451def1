//! So many in a second, on average: the rest is turned away.

use std::time::Duration;

use tokio::time::Instant;

/// A bound on how often something happens.
#[derive(Debug)]
pub struct Rate {
    /// Between two, on average.
    every: Duration,
    /// So many at once.
    most: u32,
    /// When the next would be due if all came evenly.
    next: Option<Instant>,
}

impl Rate {
    /// `most` in a second, and so many at once; 0 counts as 1.
    #[must_use]
    pub fn per_second(most: u32) -> Self {
        let most = most.max(1);
        Self { every: Duration::from_secs(1) / most, most, next: None }
    }

    /// Whether one more may happen now; if so, it counts.
    pub fn allows(&mut self, now: Instant) -> bool {
        let next = self.next.unwrap_or(now).max(now);
        let is_allowed = next < now + self.every * self.most;
        if is_allowed {
            self.next = Some(next + self.every);
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_as_many_as_time_allows() {
        let (mut rate, now) = (Rate::per_second(20), Instant::now());
        assert_eq!((0..100).filter(|_| rate.allows(now)).count(), 20);
        let count = (1..=1_000).filter(|ms| rate.allows(now + Duration::from_millis(*ms))).count();
        assert!((19..=21).contains(&count), "{count}");
        assert_eq!((0..100).filter(|_| rate.allows(now + Duration::from_secs(60))).count(), 20);
    }
}
