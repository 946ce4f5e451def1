//! Which frame is due when: absolute deadlines, so that a late frame makes no other late. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// The deadlines of the frames of a cycle.
#[derive(Debug, Clone)]
pub(crate) struct Cycle {
    every: Duration,
    at_least: Duration,
    next: Vec<Instant>,
}

impl Cycle {
    /// A cycle of `count` frames that begins at `start`.
    pub(crate) fn new(
        count: u32,
        every: Duration,
        gap: Duration,
        at_least: Duration,
        start: Instant,
    ) -> Self {
        let next = (0..count).map(|place| start + gap * place).collect();
        Cycle { every, at_least, next }
    }

    /// When the next frame is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.iter().min().copied()
    }

    /// The place of the frame that is due now and waits the longest; it counts as sent. What was missed is not caught up
    /// on, and the same frame does not come again sooner than it may.
    pub(crate) fn take(&mut self, now: Instant) -> Option<usize> {
        let (place, due) = self.next.iter().enumerate().min_by_key(|(_, due)| **due)?;
        if *due > now {
            return None;
        }
        let mut due = *due;
        while due < now + self.at_least {
            due += self.every;
        }
        *self.next.get_mut(place)? = due;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    /// Runs for a minute with a loop that comes late by `late(n)` at its n-th wake, and returns place and time of all.
    fn run(mut cycle: Cycle, start: Instant, late: impl Fn(u64) -> Duration) -> Vec<(usize, Instant)> {
        let (mut sent, mut now) = (Vec::new(), start);
        for wake in 0.. {
            now = now.max(cycle.next().unwrap()) + late(wake);
            if now > start + 60_000 * MS {
                return sent;
            }
            while let Some(place) = cycle.take(now) {
                sent.push((place, now));
            }
        }
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn frames_come_at_their_times_for_ever_and_their_gaps_apart() {
        let start = Instant::now();
        let sent = run(Cycle::new(6, 2000 * MS, 100 * MS, 200 * MS, start), start, |_| Duration::ZERO);
        for (n, (place, at)) in sent.iter().enumerate() {
            assert_eq!(*place, n % 6);
            assert_eq!(*at, start + 2000 * MS * (n as u32 / 6) + 100 * MS * (n as u32 % 6));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lateness_does_not_add_up() {
        let start = Instant::now();
        let sent = run(Cycle::new(1, 1000 * MS, 10 * MS, 500 * MS, start), start, |_| 3 * MS);
        assert_eq!(sent.len(), 60);
        assert_eq!(sent.last().unwrap().1, start + 59_003 * MS);
    }

    proptest! {
        /// However late the loop is: never closer than allowed, and no gap beyond period and lateness.
        #[test]
        fn no_frame_comes_twice_too_soon(late_ms in proptest::collection::vec(0..1500_u64, 1..50)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let _guard = runtime.enter();
            let start = Instant::now();
            let late = |wake: u64| Duration::from_millis(late_ms[wake as usize % late_ms.len()]);
            let sent = run(Cycle::new(6, 2000 * MS, 100 * MS, 200 * MS, start), start, late);
            for place in 0..6 {
                let times: Vec<Instant> = sent.iter().filter(|(p, _)| *p == place).map(|(_, at)| *at).collect();
                for pair in times.windows(2) {
                    let gap = pair[1] - pair[0];
                    prop_assert!(gap >= 200 * MS, "{gap:?}");
                    prop_assert!(gap <= 2200 * MS + 2 * 1500 * MS, "{gap:?}");
                }
            }
        }
    }
}
