//! When a battery is looked at, and when its frames go.

use std::time::Duration;

use tokio::time::Instant;

use crate::pace::Pace;

/// An adapter on USB hands over its frames once a millisecond.
const HAND_OVER: Duration = Duration::from_millis(1);
/// The plant is looked at so often, in s of simulated time and at least so far apart in real time.
const TICK_S: f64 = 0.1;
const SHORTEST_TICK_S: f64 = 0.01;

/// How simulated time is cut into ticks, and ticks into cycles of frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Beat {
    /// Simulated time of a tick in s.
    pub(super) tick_s: f64,
    /// The same in real time.
    pub(super) tick: Duration,
    /// Ticks from one cycle of frames to the next.
    pub(super) ticks_per_cycle: u32,
}

impl Beat {
    /// For cycles of so many s, at so many times the speed of real time.
    pub(super) fn new(period_s: f64, speed: f64) -> Self {
        let at_most_s = TICK_S.max(SHORTEST_TICK_S * speed);
        let ticks_per_cycle = (period_s / at_most_s).ceil().max(1.0) as u32;
        let tick_s = period_s / f64::from(ticks_per_cycle);
        Self { tick_s, tick: Duration::from_secs_f64(tick_s / speed), ticks_per_cycle }
    }
}

/// Frames on a busy bus: so many per second of real time, handed over once a millisecond.
#[derive(Debug, Default)]
pub(super) struct Bus {
    rate: Option<u32>,
    pace: Option<Pace>,
    parts: u32,
}

impl Bus {
    /// So many frames per second from now on; without, none by itself.
    pub(super) fn set_rate(&mut self, rate: Option<u32>, now: Instant) {
        if rate != self.rate {
            self.rate = rate;
            self.parts = 0;
            self.pace = rate.map(|_| Pace::new(now, HAND_OVER));
        }
    }

    /// When frames are due next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.pace.as_ref().map(Pace::next)
    }

    /// Frames due until `now`; thousandths of a frame are carried over.
    pub(super) fn due(&mut self, now: Instant) -> usize {
        let (Some(rate), Some(pace)) = (self.rate, &mut self.pace) else { return 0 };
        self.parts += rate * pace.due(now);
        let frames = self.parts / 1_000;
        self.parts %= 1_000;
        frames as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_fit_into_a_cycle_and_are_never_too_short_to_keep() {
        for (period_s, speed, ticks_per_cycle, tick_ms) in
            [(1.0, 1.0, 10, 100.0), (0.05, 1.0, 1, 50.0), (1.0, 60.0, 2, 8.333_333), (60.0, 600.0, 10, 10.0)]
        {
            let beat = Beat::new(period_s, speed);
            assert_eq!(beat.ticks_per_cycle, ticks_per_cycle);
            assert!((beat.tick.as_secs_f64() * 1e3 - tick_ms).abs() < 1e-3, "{beat:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_bus_carries_exactly_its_rate() {
        let start = Instant::now();
        let mut bus = Bus::default();
        bus.set_rate(Some(3_999), start);
        let frames: usize = (1..=1_000).map(|ms| bus.due(start + Duration::from_millis(ms))).sum();
        assert_eq!(frames, 3_999);
    }
}
