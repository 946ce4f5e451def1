//! Absolute deadlines: a late tick does not make the next one late.

use std::time::Duration;

use tokio::time::Instant;

/// Further behind than this (a suspended machine), lost time is given up.
const GIVE_UP: Duration = Duration::from_millis(500);

/// Something that is due again and again.
#[derive(Debug)]
pub struct Pace {
    next: Instant,
    every: Duration,
}

impl Pace {
    /// Due for the first time after `every`, which must not be zero.
    pub fn new(now: Instant, every: Duration) -> Self {
        let every = every.max(Duration::from_micros(1));
        Self { next: now + every, every }
    }

    /// When it is due next.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// How often it has become due until `now` since it was asked last.
    pub fn due(&mut self, now: Instant) -> u32 {
        if now > self.next + GIVE_UP {
            self.next = now;
        }
        let mut count = 0;
        while self.next <= now {
            self.next += self.every;
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn late_ticks_are_caught_up_and_the_beat_is_kept() {
        let start = Instant::now();
        let ms = |count| start + Duration::from_millis(count);
        let mut pace = Pace::new(start, Duration::from_millis(100));
        assert_eq!(pace.due(ms(99)), 0);
        assert_eq!(pace.due(ms(130)), 1);
        assert_eq!(pace.due(ms(330)), 2);
        assert_eq!(pace.next(), ms(400));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_long_sleep_it_goes_on_from_now() {
        let start = Instant::now();
        let mut pace = Pace::new(start, Duration::from_millis(100));
        let later = start + Duration::from_secs(3_600);
        assert_eq!(pace.due(later), 1);
        assert_eq!(pace.next(), later + Duration::from_millis(100));
    }
}
