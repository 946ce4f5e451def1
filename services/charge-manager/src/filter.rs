//! What smooths a measurement: each takes the newest value and the time since the last one.

use serde::{Deserialize, Serialize};

/// First-order low-pass. Empty until the first value.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct LowPass(Option<f64>);

impl LowPass {
    /// The smoothed value after `dt_s` more seconds.
    pub(crate) fn step(&mut self, value: f64, dt_s: f64, time_constant_s: f64) -> f64 {
        let before = self.0.unwrap_or(value);
        let share = if time_constant_s > 0.0 { 1.0 - (-dt_s / time_constant_s).exp() } else { 1.0 };
        let after = before + (value - before) * share;
        self.0 = Some(after);
        after
    }

    /// The smoothed value; none before the first one.
    #[must_use]
    pub(crate) fn get(self) -> Option<f64> {
        self.0
    }

    /// Puts it at a value.
    pub(crate) fn set(&mut self, value: f64) {
        self.0 = Some(value);
    }
}

/// One-sided play: the output follows at once toward the bad side and only after `width` back toward the good one, so
/// that a value trembling on an edge moves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Play(Option<f64>);

impl Play {
    /// For a value whose falling is bad.
    pub(crate) fn low(&mut self, value: f64, width: f64) -> f64 {
        let before = self.0.unwrap_or(value);
        let after = if value < before { value } else { before.max(value - width) };
        self.0 = Some(after);
        after
    }

    /// For a value whose rising is bad.
    pub(crate) fn high(&mut self, value: f64, width: f64) -> f64 {
        let before = self.0.unwrap_or(value);
        let after = if value > before { value } else { before.min(value + width) };
        self.0 = Some(after);
        after
    }
}

/// The lowest value of the last five to ten seconds: what a trembling limit can be relied on for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Lowest {
    /// Of the span that runs, and of the one before it.
    spans: Option<(f64, f64)>,
    runs: Since,
}

const SPAN_S: f64 = 5.0;

impl Lowest {
    /// Takes the value of this moment.
    pub(crate) fn step(&mut self, value: f64, dt_s: f64) -> f64 {
        let (now, before) = self.spans.unwrap_or((value, value));
        let ends = self.runs.step(true, dt_s) >= SPAN_S;
        if ends {
            self.runs.reset();
        }
        let (now, before) = if ends { (value, now) } else { (now.min(value), before) };
        self.spans = Some((now, before));
        now.min(before)
    }
}

/// A limit as something slow may still be following it: a rise counts at once, a fall passes two low-passes in a row, which
/// leave room for a dead time as well as for a lag.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Lagging {
    stage: f64,
    value: f64,
}

impl Lagging {
    /// Takes the limit of this moment.
    pub(crate) fn step(&mut self, limit: f64, dt_s: f64, response_s: f64) -> f64 {
        let left = (-dt_s / response_s).exp();
        let follow = |from: f64, to: f64| if to >= from { to } else { to + (from - to) * left };
        self.stage = follow(self.stage, limit);
        self.value = follow(self.value, self.stage);
        self.value
    }

    /// What follows it is there already: nothing above this need be allowed for, unless it is the limit.
    pub(crate) fn arrived(&mut self, at: f64) {
        (self.stage, self.value) = (self.stage.min(at), self.value.min(at));
    }

    /// What may still be followed.
    #[must_use]
    pub(crate) fn get(self) -> f64 {
        self.value
    }
}

/// For how long something has been so without a break, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Since(f64);

/// Beyond this a duration is just long; it keeps the sum exact for centuries.
const LONGEST_S: f64 = 1e10;

impl Since {
    /// The seconds for which `so` has held, after `dt_s` more of it; 0 when it does not hold.
    pub(crate) fn step(&mut self, so: bool, dt_s: f64) -> f64 {
        self.0 = if so { (self.0 + dt_s).min(LONGEST_S) } else { 0.0 };
        self.0
    }

    /// Counts only while `so`, and forgets nothing.
    pub(crate) fn add_while(&mut self, so: bool, dt_s: f64) -> f64 {
        if so {
            self.0 = (self.0 + dt_s).min(LONGEST_S);
        }
        self.0
    }

    /// The seconds so far.
    #[must_use]
    pub(crate) fn s(self) -> f64 {
        self.0
    }

    /// Begins again.
    pub(crate) fn reset(&mut self) {
        self.0 = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_pass_begins_at_the_first_value_and_closes_two_thirds_of_a_step_in_its_time_constant() {
        let mut filter = LowPass::default();
        assert_eq!(filter.step(20.0, 1.0, 30.0), 20.0);
        let after = (0..30).map(|_| filter.step(10.0, 1.0, 30.0)).last().unwrap();
        assert!((after - (10.0 + 10.0 * (-1f64).exp())).abs() < 1e-9, "{after}");
    }

    #[test]
    fn play_follows_the_bad_side_at_once_and_the_good_side_one_width_late() {
        let mut cold = Play::default();
        let path: Vec<f64> = [0.0, 0.9, 1.5, 1.2, 0.4, 3.0].iter().map(|&t| cold.low(t, 1.0)).collect();
        assert_eq!(path, [0.0, 0.0, 0.5, 0.5, 0.4, 2.0]);
        let mut hot = Play::default();
        let path: Vec<f64> = [45.0, 44.5, 46.0, 44.0].iter().map(|&t| hot.high(t, 1.0)).collect();
        assert_eq!(path, [45.0, 45.0, 46.0, 45.0]);
    }

    #[test]
    fn the_lowest_value_counts_for_five_to_ten_seconds() {
        let mut lowest = Lowest::default();
        lowest.step(10.0, 1.0);
        assert_eq!(lowest.step(3.0, 1.0), 3.0);
        let path: Vec<f64> = (0..10).map(|_| lowest.step(10.0, 1.0)).collect();
        assert_eq!(path.iter().filter(|v| **v == 3.0).count(), 7, "{path:?}");
    }

    #[test]
    fn what_lags_rises_at_once_and_has_room_for_dead_time_and_lag_when_it_falls() {
        let mut lagging = Lagging::default();
        assert_eq!(lagging.step(100.0, 1.0, 5.0), 100.0);
        let path: Vec<f64> = (0..40).map(|_| lagging.step(0.0, 1.0, 5.0)).collect();
        assert!(path[1] > 90.0 && path[39] < 1.0, "{path:?}");
    }

    #[test]
    fn a_break_begins_the_time_again() {
        let mut since = Since::default();
        assert_eq!([true, true, false, true].map(|so| since.step(so, 2.0)), [2.0, 4.0, 0.0, 2.0]);
    }
}
