//! How long the battery lasts at the present current.

use std::time::Duration;

use dbus_interfaces::classes::battery::TIME_TO_GO_MAX;
use tokio::time::Instant;

/// Over how long the current is averaged: a kettle must not make the clock jump.
const WINDOW: Duration = Duration::from_secs(60);
/// Steps in which the time is shown, s.
const STEP_S: f64 = 60.0;
/// Below this discharge current, A, there is no time to tell.
const IDLE_A: f64 = 0.1;

/// A running mean of the current.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TimeToGo {
    mean: Option<(f64, Instant)>,
}

impl TimeToGo {
    /// Takes in a measured current, A, positive while charging.
    pub(super) fn apply(&mut self, current_a: f64, now: Instant) {
        let mean_a = match self.mean {
            Some((mean_a, at)) if now.duration_since(at) < WINDOW && (mean_a < 0.0) == (current_a < 0.0) => {
                let weight = 1.0 - (-now.duration_since(at).as_secs_f64() / WINDOW.as_secs_f64()).exp();
                mean_a + weight * (current_a - mean_a)
            }
            // The first current, one after a gap, or one the other way starts afresh.
            _ => current_a,
        };
        self.mean = Some((mean_a, now));
    }

    /// Seconds until empty, `None` unless the battery is being discharged.
    #[must_use]
    pub(super) fn seconds(&self, remaining_ah: f64) -> Option<i32> {
        let (mean_a, _) = self.mean?;
        if mean_a > -IDLE_A {
            return None;
        }
        let seconds = (remaining_ah / -mean_a * 3600.0 / STEP_S).floor() * STEP_S;
        // The clamp keeps it in the range of the type.
        Some(seconds.clamp(0.0, f64::from(TIME_TO_GO_MAX)) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_follows_the_mean_discharge_current_in_whole_minutes_and_stops_while_charging() {
        let (start, mut time) = (Instant::now(), TimeToGo::default());
        time.apply(-10.0, start);
        assert_eq!(time.seconds(100.0), Some(36_000));
        time.apply(-40.0, start + Duration::from_secs(1));
        assert!(time.seconds(100.0).is_some_and(|s| (30_000..36_000).contains(&s)));
        time.apply(5.0, start + Duration::from_secs(2));
        assert_eq!(time.seconds(100.0), None);
        time.apply(-0.2, start + Duration::from_secs(3));
        assert_eq!(time.seconds(100.0), Some(TIME_TO_GO_MAX));
    }
}
