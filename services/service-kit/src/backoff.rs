//! How long to wait before the next attempt at hardware or a peer that is there and fails.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// Waiting times that double from a minimum to a maximum, with jitter, so that many who failed together do not come back
/// together. They begin anew only after a healthy period: a peer that accepts and drops at once never resets them.
///
/// ```
/// use service_kit::Backoff;
/// use std::time::Duration;
/// use tokio::time::Instant;
///
/// let mut backoff = Backoff::for_hardware(service_kit::random_seed());
/// let pause = backoff.failed(Instant::now());
/// assert!(pause >= Duration::from_secs(1));
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    minimum: Duration,
    maximum: Duration,
    /// Health of this length resets the waiting time.
    healthy: Duration,
    /// What the next pause is about, before jitter.
    next: Duration,
    healthy_since: Option<Instant>,
    random: u64,
}

/// Why [`Backoff::new`] refuses its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBackoff {
    /// Waiting for nothing is a spin.
    #[error("the minimum must not be zero")]
    ZeroMinimum,
    /// The range is empty.
    #[error("the minimum {minimum:?} is longer than the maximum {maximum:?}")]
    MinimumAboveMaximum {
        /// The minimum as given.
        minimum: Duration,
        /// The maximum as given.
        maximum: Duration,
    },
}

impl Backoff {
    /// A backoff between `minimum` and `maximum` that resets after `healthy`. Equal seeds give equal pauses.
    ///
    /// # Errors
    /// A minimum of zero or above the maximum.
    pub fn new(
        minimum: Duration,
        maximum: Duration,
        healthy: Duration,
        seed: u64,
    ) -> Result<Self, InvalidBackoff> {
        if minimum.is_zero() {
            return Err(InvalidBackoff::ZeroMinimum);
        }
        if minimum > maximum {
            return Err(InvalidBackoff::MinimumAboveMaximum { minimum, maximum });
        }
        Ok(Self { minimum, maximum, healthy, next: minimum, healthy_since: None, random: seed })
    }

    /// What ports, buses and network peers use: 1 s to 60 s, reset after 30 s of health.
    #[must_use]
    pub fn for_hardware(seed: u64) -> Self {
        let minimum = Duration::from_secs(1);
        Self {
            minimum,
            maximum: Duration::from_secs(60),
            healthy: Duration::from_secs(30),
            next: minimum,
            healthy_since: None,
            random: seed,
        }
    }

    /// For a host in the house: 1 s to 5 s. A refused connection costs next to nothing, and a device that was restarted is back soon.
    #[must_use]
    pub fn for_host(seed: u64) -> Self {
        Self { maximum: Duration::from_secs(5), ..Self::for_hardware(seed) }
    }

    /// An attempt or a connection failed at `now`: how long to wait before the next attempt.
    #[must_use = "the pause has to be waited for"]
    pub fn failed(&mut self, now: Instant) -> Duration {
        let healthy_for = self.healthy_since.take().map(|since| now.saturating_duration_since(since));
        if healthy_for.is_some_and(|healthy| healthy >= self.healthy) {
            self.next = self.minimum;
        }
        let around = self.next;
        self.next = around.saturating_mul(2).min(self.maximum);
        // A quarter to both sides, but never outside the promised range.
        let low = around.mul_f64(0.75).max(self.minimum);
        let high = around.mul_f64(1.25).min(self.maximum);
        low + high.saturating_sub(low).mul_f64(self.fraction())
    }

    /// It works at `now`. Call it at each success or only at the first: health counts from the first one after a failure.
    pub fn succeeded(&mut self, now: Instant) {
        self.healthy_since.get_or_insert(now);
    }

    /// The next of an even spread over 0 to 1. The step and the mixing are those of SplitMix64
    /// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
    fn fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // 53 bits are what an f64 holds.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A seed that differs from process to process and call to call. Not for secrets.
#[must_use]
pub fn random_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn pauses(backoff: &mut Backoff, count: usize, now: Instant) -> Vec<f64> {
        (0..count).map(|_| backoff.failed(now).as_secs_f64()).collect()
    }

    #[test]
    fn pauses_grow_from_the_minimum_to_the_maximum_and_never_leave_them() {
        let mut all = Vec::new();
        for seed in 0..200 {
            let pauses = pauses(&mut Backoff::for_hardware(seed), 12, Instant::now());
            assert!(pauses.iter().all(|pause| (1.0..=60.0).contains(pause)), "{pauses:?}");
            assert!(pauses[0] <= 1.25 && pauses[3] >= 6.0 && pauses[11] >= 45.0, "{pauses:?}");
            all.push(pauses[11]);
        }
        let spread =
            all.iter().fold(0.0, |m, p| f64::max(m, *p)) - all.iter().fold(99.0, |m, p| f64::min(m, *p));
        assert!(spread > 10.0, "many who failed together come back apart: {spread}");
    }

    #[test]
    fn a_host_is_never_waited_for_longer_than_five_seconds() {
        let pauses = pauses(&mut Backoff::for_host(3), 12, Instant::now());
        assert!(pauses.iter().all(|pause| (1.0..=5.0).contains(pause)), "{pauses:?}");
        assert!(pauses[11] >= 3.75, "{pauses:?}");
    }

    #[test]
    fn equal_seeds_give_equal_pauses_and_others_differ() {
        let now = Instant::now();
        let of = |seed| pauses(&mut Backoff::for_hardware(seed), 8, now);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert_ne!(random_seed(), random_seed());
    }

    #[test]
    fn a_short_success_does_not_reset() {
        let start = Instant::now();
        let mut backoff = Backoff::for_hardware(1);
        let _ = pauses(&mut backoff, 8, start);
        backoff.succeeded(start);
        backoff.succeeded(start + secs(29));
        assert!(backoff.failed(start + Duration::from_millis(29_999)) >= secs(45));
    }

    #[test]
    fn thirty_seconds_of_health_reset() {
        let start = Instant::now();
        let mut backoff = Backoff::for_hardware(1);
        let _ = pauses(&mut backoff, 8, start);
        backoff.succeeded(start);
        backoff.succeeded(start + secs(29));
        assert!(backoff.failed(start + secs(30)) < secs(2));
        assert!(backoff.failed(start + secs(300)) >= Duration::from_millis(1500), "one health resets once");
    }

    #[test]
    fn a_range_without_a_pause_in_it_is_refused() {
        let zero = Backoff::new(Duration::ZERO, secs(1), secs(1), 0);
        assert_eq!(zero.err(), Some(InvalidBackoff::ZeroMinimum));
        let empty = Backoff::new(secs(2), secs(1), secs(1), 0).err();
        assert_eq!(empty, Some(InvalidBackoff::MinimumAboveMaximum { minimum: secs(2), maximum: secs(1) }));
        let mut fixed = Backoff::new(secs(2), secs(2), secs(1), 0).unwrap();
        assert_eq!(fixed.failed(Instant::now()), secs(2));
    }

    #[test]
    fn enormous_ranges_do_not_overflow() {
        let mut backoff = Backoff::new(Duration::MAX / 4, Duration::MAX / 2, secs(1), 3).unwrap();
        for _ in 0..4 {
            let pause = backoff.failed(Instant::now());
            assert!(pause >= Duration::MAX / 4 && pause <= Duration::MAX / 2);
        }
    }
}
