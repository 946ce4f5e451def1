//! The beats of the work loop: what the watchdog listens for, and what systemd is told.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::readiness;

/// Shows that the work loop comes by. Cheap to clone; all clones are one heartbeat.
///
/// The first beat arms the watchdog, from then on the loop has to beat at least every ten seconds. Beat in the loop that
/// does the work, never from a timer or task beside it: what is to be noticed is that loop hanging.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    pulse: Arc<Pulse>,
}

/// What the loop and the guard's thread share.
#[derive(Debug)]
pub(crate) struct Pulse {
    started: Instant,
    limit: Duration,
    /// Milliseconds from `started` to the latest beat, plus one; 0 before the first.
    beat: AtomicU64,
    /// Wakes the guard at the first beat.
    armed: Notify,
    /// Milliseconds between two pings that systemd gets, if it asked for any.
    ping_every: Option<u64>,
    /// Like `beat`, for the latest ping.
    ping: AtomicU64,
}

impl Heartbeat {
    /// A heartbeat that has to be heard every `limit`; `systemd` is the time after which systemd gives us up.
    pub(crate) fn new(limit: Duration, systemd: Option<Duration>) -> (Self, Arc<Pulse>) {
        let pulse = Arc::new(Pulse {
            started: Instant::now(),
            limit,
            beat: AtomicU64::new(0),
            armed: Notify::new(),
            // A quarter: the loop does not come by at exactly the right moment, and one ping may be late.
            ping_every: systemd
                .map(|given_up| u64::try_from(given_up.as_millis() / 4).unwrap_or(u64::MAX).max(1)),
            ping: AtomicU64::new(0),
        });
        (Self { pulse: Arc::clone(&pulse) }, pulse)
    }

    /// The work loop has come by. Costs next to nothing: call it in every turn of the loop.
    pub fn beat(&self) {
        let pulse = &self.pulse;
        let elapsed = pulse.started.elapsed().as_millis();
        let now = u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_add(1);
        if pulse.beat.swap(now, Ordering::Relaxed) == 0 {
            pulse.armed.notify_one();
        }
        let due = |every: u64| match pulse.ping.load(Ordering::Relaxed) {
            0 => true,
            last => now.saturating_sub(last) >= every,
        };
        if pulse.ping_every.is_some_and(due) {
            pulse.ping.store(now, Ordering::Relaxed);
            readiness::tell_systemd(&[sd_notify::NotifyState::Watchdog]);
        }
    }

    /// Waits for `event` and beats meanwhile. For a loop that has nothing to do until something outside happens: it is
    /// the loop itself that wakes up to beat, twice per limit.
    pub async fn during<F: Future>(&self, event: F) -> F::Output {
        let ping_every = self.pulse.ping_every.map_or(Duration::MAX, Duration::from_millis);
        let pace = ping_every.min(self.pulse.limit / 2);
        let mut event = pin!(event);
        loop {
            self.beat();
            if let Ok(output) = tokio::time::timeout(pace, event.as_mut()).await {
                self.beat();
                return output;
            }
        }
    }
}

impl Pulse {
    /// The latest beat; `None` before the first.
    pub(crate) fn last_beat(&self) -> Option<Instant> {
        let since = self.beat.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.started + Duration::from_millis(since))
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns after the first beat.
    pub(crate) async fn armed(&self) {
        self.armed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_beat_arms() {
        let (heartbeat, pulse) = Heartbeat::new(Duration::from_secs(10), None);
        assert_eq!(pulse.last_beat(), None);
        heartbeat.beat();
        pulse.armed().await;
        assert_eq!(pulse.last_beat(), Some(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_waits_beats_meanwhile_and_no_longer() {
        let (heartbeat, pulse) = Heartbeat::new(Duration::from_secs(10), None);
        let start = Instant::now();
        let result = heartbeat.during(async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            5
        });
        let watch = async {
            let mut oldest = Duration::ZERO;
            while start.elapsed() < Duration::from_secs(59) {
                tokio::time::sleep(Duration::from_millis(500)).await;
                oldest = oldest.max(pulse.last_beat().map_or(Duration::MAX, |beat| beat.elapsed()));
            }
            oldest
        };
        let (result, oldest) = tokio::join!(result, watch);
        assert_eq!(result, 5);
        assert!(oldest <= Duration::from_secs(5), "{oldest:?}");
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert!(pulse.last_beat().is_some_and(|beat| beat.elapsed() >= Duration::from_secs(100)));
    }
}
