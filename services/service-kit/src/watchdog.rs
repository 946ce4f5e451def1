//! When a work loop counts as hung. The decision alone; the thread that acts on it is the guard's.

use std::time::Duration;

use tokio::time::Instant;

/// Looks at a work loop before it is ended: at this many looks in a row, each on time, it has not come by.
const LOOKS: u32 = 4;

/// Judges a work loop by its beats.
///
/// A stopped process (SIGSTOP, a frozen machine) finds both clocks beyond the limit when it goes on, although the loop
/// had no chance. So being late is never enough: just before the limit the watchdog begins to look several times, and
/// a look that came late itself starts the looking anew.
#[derive(Debug)]
pub(crate) struct Watchdog {
    limit: Duration,
    /// Between two looks, and how late a look may be.
    pace: Duration,
    last_beat: Option<Instant>,
    /// When to look next.
    due: Option<Instant>,
    looks: u32,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing before this time.
    LookAgain(Instant),
    /// End the process: the loop has not come by for this long.
    Hung(Duration),
}

impl Watchdog {
    pub(crate) fn new(limit: Duration) -> Self {
        let pace = (limit / 40).max(Duration::from_millis(50));
        Self { limit, pace, last_beat: None, due: None, looks: 0 }
    }

    /// Looks at the loop at `now`; its latest beat was at `last_beat`.
    pub(crate) fn look(&mut self, now: Instant, last_beat: Instant) -> Verdict {
        if self.last_beat != Some(last_beat) {
            self.last_beat = Some(last_beat);
            self.looks = 0;
            return self.look_at(last_beat + self.limit.saturating_sub(self.pace * LOOKS));
        }
        match self.due {
            Some(due) if now < due => return Verdict::LookAgain(due),
            Some(due) if self.looks > 0 && now > due + self.pace => self.looks = 1,
            _ => self.looks += 1,
        }
        if self.looks > LOOKS {
            return Verdict::Hung(now.saturating_duration_since(last_beat));
        }
        self.look_at(now + self.pace)
    }

    fn look_at(&mut self, due: Instant) -> Verdict {
        self.due = Some(due);
        Verdict::LookAgain(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Lets the watchdog run from `now`, waking exactly when it asks, until it ends the process.
    fn until_hung(watchdog: &mut Watchdog, mut now: Instant, beat: Instant) -> (Instant, u32) {
        for looks in 0..100 {
            match watchdog.look(now, beat) {
                Verdict::LookAgain(due) => now = due,
                Verdict::Hung(_) => return (now, looks),
            }
        }
        panic!("never");
    }

    #[test]
    fn a_loop_without_a_beat_for_ten_seconds_is_hung() {
        let beat = Instant::now();
        let (ended, looks) = until_hung(&mut Watchdog::new(LIMIT), beat, beat);
        assert_eq!(ended - beat, LIMIT);
        assert!(looks <= LOOKS + 1);
    }

    #[test]
    fn a_beating_loop_is_looked_at_once_per_limit() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(LIMIT);
        let mut now = start;
        let mut looks = 0;
        while now < start + Duration::from_secs(100) {
            // The loop beats each second, so the latest beat is less than a second old.
            let beat = start + Duration::from_secs((now - start).as_secs());
            match watchdog.look(now, beat) {
                Verdict::LookAgain(due) => now = due.max(now),
                Verdict::Hung(_) => panic!("it beats"),
            }
            looks += 1;
        }
        assert!(looks <= 13, "{looks} wake-ups in 100 s");
    }

    #[test]
    fn a_process_that_was_stopped_gets_its_chance() {
        for stopped_at in [ms(100), ms(8_999), ms(9_001), ms(9_400), ms(9_999)] {
            let beat = Instant::now();
            let mut watchdog = Watchdog::new(LIMIT);
            let mut now = beat;
            let due = loop {
                match watchdog.look(now, beat) {
                    Verdict::LookAgain(due) if due > beat + stopped_at => break due,
                    Verdict::LookAgain(due) => now = due,
                    Verdict::Hung(_) => panic!("too early"),
                }
            };
            let awake = due + Duration::from_secs(3600);
            assert_ne!(
                std::mem::discriminant(&watchdog.look(awake, beat)),
                hung(),
                "stopped at {stopped_at:?}"
            );
            let (ended, _) = until_hung(&mut watchdog, awake, beat);
            assert!(ended - awake >= ms(900), "stopped at {stopped_at:?}");
            assert!(ended - awake <= ms(1100), "a loop that hangs is found after a stop as well");
        }
    }

    #[test]
    fn a_beat_at_the_last_moment_saves_the_loop() {
        let beat = Instant::now();
        let mut watchdog = Watchdog::new(LIMIT);
        let mut now = beat;
        while now < beat + ms(9_750) {
            let Verdict::LookAgain(due) = watchdog.look(now, beat) else { panic!("too early") };
            now = due;
        }
        let late = beat + ms(9_800);
        assert_eq!(watchdog.look(now, late), Verdict::LookAgain(late + ms(9_000)));
    }

    #[test]
    fn a_look_before_its_time_changes_nothing() {
        let beat = Instant::now();
        let mut watchdog = Watchdog::new(LIMIT);
        let first = watchdog.look(beat, beat);
        for _ in 0..100 {
            assert_eq!(watchdog.look(beat + ms(1), beat), first);
        }
    }

    fn hung() -> std::mem::Discriminant<Verdict> {
        std::mem::discriminant(&Verdict::Hung(Duration::ZERO))
    }
}
