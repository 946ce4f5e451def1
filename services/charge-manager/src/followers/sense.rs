//! The trim that makes up for a charger's own voltmeter: absorption never ends where a charger stops 0.2 V too low.

use serde::{Deserialize, Serialize};

use crate::settings::{Key, Settings};
use crate::tick::Tick;

/// Time constant of the trim, s.
const TRIM_S: f64 = 60.0;
/// The charger holds a voltage when it takes less than this part of what it may, and more than that, A.
const HOLDS_PART: f64 = 0.9;
const HOLDS_A: f64 = 1.0;
/// And when the voltage is as near as this to what it was told, V.
const HOLDS_V: f64 = 0.35;
/// So near its ceiling the highest cell lets the trim rise no more, and so far above it the trim was wrong, V.
const NEAR_CEILING_V: f64 = -0.005;
const OVER_CEILING_V: f64 = 0.005;

/// The trim of one follower.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct SenseTrim {
    trim_v: f64,
}

/// What it is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sensed {
    pub(crate) told_v: f64,
    pub(crate) measured_v: f64,
    pub(crate) share_a: f64,
    pub(crate) taken_a: f64,
    /// The bank charges.
    pub(crate) allowed: bool,
    /// The highest cell less its ceiling, V; unknown is at it.
    pub(crate) over_ceiling_v: f64,
}

impl SenseTrim {
    /// What the follower is told above the charge voltage, V.
    pub(crate) fn step(&mut self, sensed: Sensed, settings: &Settings, tick: Tick) -> f64 {
        let most_v = settings.get(Key::SenseTrimMaximum);
        let error_v = sensed.told_v - sensed.measured_v;
        let holds = sensed.taken_a >= HOLDS_A && sensed.taken_a < HOLDS_PART * sensed.share_a;
        let near_ceiling = sensed.over_ceiling_v > NEAR_CEILING_V;
        if sensed.over_ceiling_v > OVER_CEILING_V {
            self.trim_v = 0.0;
        } else if (sensed.allowed && holds && !near_ceiling && error_v < HOLDS_V) || error_v < 0.0 {
            self.trim_v = (self.trim_v + tick.dt_s / TRIM_S * error_v).clamp(0.0, most_v);
        }
        if sensed.allowed { self.trim_v } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charger_that_stops_too_low_is_told_more_until_the_battery_has_what_it_should() {
        let mut trim = SenseTrim::default();
        let settings = Settings::default();
        let tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };
        let mut measured_v = 55.0;
        for _ in 0..600 {
            let sensed = Sensed {
                told_v: 55.2,
                measured_v,
                share_a: 100.0,
                taken_a: 20.0,
                allowed: true,
                over_ceiling_v: -0.05,
            };
            measured_v = 55.0 + trim.step(sensed, &settings, tick);
        }
        assert!((measured_v - 55.2).abs() < 0.01, "{measured_v}");
    }
}
