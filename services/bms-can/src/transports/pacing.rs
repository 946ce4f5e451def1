//! Reading a stream in portions: a full bus costs 50 wake-ups a second and not 4000, a lone frame does not wait.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Frames that come closer together than this are a stream.
const QUICK: Duration = Duration::from_millis(5);
/// So many reads of one in a row, and reading waits for more to come.
const STREAM: u32 = 16;
/// How long it waits then. At 500 kbit/s half a tty's buffer fills meanwhile, or a sixth of a CAN socket's.
const REST: Duration = Duration::from_millis(20);

/// When to read again.
#[derive(Debug)]
pub(super) struct Pacing {
    last_read: Instant,
    quick: u32,
    rest_until: Option<Instant>,
}

impl Pacing {
    pub(super) fn new(now: Instant) -> Self {
        Pacing { last_read: now, quick: 0, rest_until: None }
    }

    /// Waits before a read, if it is worth it. Goes on where a dropped call has stopped.
    pub(super) async fn rest(&mut self) {
        if let Some(until) = self.rest_until {
            sleep_until(until).await;
            self.rest_until = None;
        }
    }

    /// Whether the next read comes by time, whatever has come until then.
    pub(super) fn is_stream(&self) -> bool {
        self.quick == STREAM
    }

    /// So many frames were read: notices a stream.
    pub(super) fn has_read(&mut self, frames: usize, now: Instant) {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX).max(1);
        let is_quick = now.duration_since(self.last_read) < QUICK.saturating_mul(frames);
        self.quick = if is_quick { (self.quick + 1).min(STREAM) } else { 0 };
        self.rest_until = self.is_stream().then(|| now + REST);
        self.last_read = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many reads a second of frames takes that come every `gap`, with a timer that is `late`.
    async fn reads(gap: Duration, late: Duration) -> u32 {
        let (start, mut pacing) = (Instant::now(), Pacing::new(Instant::now()));
        let mut reads = 0;
        let mut next_frame = start;
        while next_frame < start + Duration::from_secs(1) {
            let rested = Instant::now();
            pacing.rest().await;
            if rested < Instant::now() {
                tokio::time::sleep(late).await;
            }
            sleep_until(next_frame).await;
            let (now, mut frames) = (Instant::now(), 0);
            while next_frame <= now {
                next_frame += gap;
                frames += 1;
            }
            pacing.has_read(frames, now);
            reads += 1;
        }
        reads
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_bus_is_read_fifty_times_a_second_and_a_slow_one_frame_by_frame() {
        let full = reads(Duration::from_micros(250), Duration::ZERO).await;
        assert!((45..=75).contains(&full), "{full}");
        assert_eq!(reads(Duration::from_millis(100), Duration::ZERO).await, 10);
        assert_eq!(
            reads(Duration::from_millis(10), Duration::ZERO).await,
            100,
            "no frame of a modest bus waits"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_machine_on_which_timers_come_late_does_not_end_a_stream() {
        let full = reads(Duration::from_micros(250), Duration::from_millis(30)).await;
        assert!((15..=45).contains(&full), "{full}");
    }
}
