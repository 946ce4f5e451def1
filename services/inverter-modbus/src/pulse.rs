//! The loops of the process before one watchdog: it hears of the process when all of them have come by, so that none that hangs
//! hides behind the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service_kit::Heartbeat;
use tokio::time::Instant;

/// The loops of the process. Clones are the same.
#[derive(Debug, Clone)]
pub struct Loops {
    heartbeat: Heartbeat,
    round: Arc<Mutex<Round>>,
}

/// One loop. Dropped, it has ended, and nobody waits for it any more.
#[derive(Debug)]
pub struct Pulse {
    loops: Loops,
    number: u64,
}

/// Which loops have come by since the watchdog heard last.
#[derive(Debug, Default)]
struct Round {
    loops: BTreeMap<u64, Seen>,
    next: u64,
}

#[derive(Debug)]
struct Seen {
    has_come: bool,
    /// It has said that it is busy until then.
    until: Instant,
}

impl Loops {
    /// None as yet, before this watchdog.
    #[must_use]
    pub fn new(heartbeat: Heartbeat) -> Loops {
        Loops { heartbeat, round: Arc::default() }
    }

    /// One more, from now on.
    #[must_use]
    pub fn join(&self) -> Pulse {
        Pulse { number: self.round().join(Instant::now()), loops: self.clone() }
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// The loop has come by.
    pub fn beat(&self) {
        self.busy_for(Duration::ZERO);
    }

    /// The loop has come by, and is busy for so long now: that is no hanging.
    pub fn busy_for(&self, time: Duration) {
        let now = Instant::now();
        if self.loops.round().comes_by(self.number, now + time, now) {
            self.loops.heartbeat.beat();
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.loops.round().loops.remove(&self.number);
    }
}

impl Round {
    fn join(&mut self, now: Instant) -> u64 {
        self.next += 1;
        self.loops.insert(self.next, Seen { has_come: true, until: now });
        self.next
    }

    /// A loop comes by, and is busy until then. True if now all have.
    fn comes_by(&mut self, number: u64, until: Instant, now: Instant) -> bool {
        self.loops.insert(number, Seen { has_come: true, until });
        let have_all = self.loops.values().all(|seen| seen.has_come || now < seen.until);
        if have_all {
            self.loops.values_mut().for_each(|seen| seen.has_come = false);
        }
        have_all
    }
}

#[cfg(test)]
mod tests {
    use service_kit::Context;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How often the watchdog hears in so many seconds in which these loops come by each second.
    fn heard(round: &mut Round, loops: &[u64], now: Instant, seconds: u32) -> usize {
        let turns = (0..seconds).flat_map(|second| loops.iter().map(move |number| (second, *number)));
        turns
            .filter(|(second, number)| {
                let now = now + SECOND * *second;
                round.comes_by(*number, now, now)
            })
            .count()
    }

    #[test]
    fn a_loop_that_hangs_is_not_hidden_by_those_that_come_by() {
        let (mut round, now) = (Round::default(), Instant::now());
        let [one, other, hangs] = [(); 3].map(|()| round.join(now));
        let after = |seconds: u32| now + SECOND * seconds;
        assert_eq!(heard(&mut round, &[one, other, hangs], now, 100), 100);
        assert_eq!(heard(&mut round, &[one, other], after(100), 100), 1, "it had come by before");
        assert_eq!(heard(&mut round, &[one, other, hangs], after(200), 100), 100, "it goes on");
        round.loops.remove(&hangs);
        assert_eq!(heard(&mut round, &[one, other], after(300), 100), 100, "it has ended");
    }

    #[test]
    fn a_loop_that_says_how_long_it_is_busy_is_not_waited_for_until_then() {
        let (mut round, now) = (Round::default(), Instant::now());
        let [one, busy] = [(); 2].map(|()| round.join(now));
        round.comes_by(busy, now + SECOND * 30, now);
        assert_eq!(heard(&mut round, &[one], now, 100), 30);
    }

    #[test]
    fn one_more_loop_has_its_time_to_begin() {
        let (mut round, now) = (Round::default(), Instant::now());
        let one = round.join(now);
        assert_eq!(heard(&mut round, &[one], now, 10), 10);
        round.join(now);
        assert_eq!(heard(&mut round, &[one], now, 10), 1);
    }

    #[test]
    fn a_loop_that_is_dropped_is_no_loop_any_more() {
        let (context, _stopper) = Context::detached();
        let loops = Loops::new(context.heartbeat().clone());
        let (pulse, other) = (loops.join(), loops.join());
        drop(other);
        pulse.beat();
        assert_eq!(loops.round().loops.len(), 1);
    }
}
