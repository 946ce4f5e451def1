//! The direct-current resistance of the highest cell, learnt from steps of the current.
//!
//! It only ever counts where it is higher than the setting: a control that believes in too much resistance is slow, one
//! that believes in less than half of it swings.

use serde::{Deserialize, Serialize};

use crate::curve::along;
use crate::settings::{Key, Settings};

/// A step that teaches something, part of the capacity in A.
const STEP_C: f64 = 0.1;
/// How steady the current must be around it, part of the capacity in A, and how long, s.
const STEADY_C: f64 = 0.02;
const SETTLED_S: f64 = 3.0;
/// A step must be over so soon that the charge of the cell has not changed, s.
const STEP_WITHIN_S: f64 = 30.0;
const LEARN: f64 = 0.3;
/// What is measured right after a step lacks what comes slowly.
const SLOW_PART: f64 = 1.5;
/// At most so many times the setting.
const MOST: f64 = 4.0;

/// What is known of the resistance.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Resistance {
    reference: Option<(f64, f64)>,
    reference_age_s: f64,
    last_a: f64,
    steady_s: f64,
    measured_ohm: f64,
}

impl Resistance {
    /// Takes one sample of the highest cell, `sample_s` after the one before.
    pub(crate) fn learn(&mut self, cell_v: f64, current_a: f64, capacity_ah: f64, sample_s: f64) {
        let steady = (current_a - self.last_a).abs() <= STEADY_C * capacity_ah;
        self.last_a = current_a;
        self.steady_s = if steady { self.steady_s + sample_s } else { 0.0 };
        self.reference_age_s += sample_s;
        if self.steady_s < SETTLED_S {
            return;
        }
        if let Some((before_v, before_a)) = self.reference {
            let change_a = current_a - before_a;
            let ohm = (cell_v - before_v) / change_a;
            if change_a.abs() >= STEP_C * capacity_ah && self.reference_age_s <= STEP_WITHIN_S && ohm > 0.0 {
                self.measured_ohm += LEARN * (ohm - self.measured_ohm);
            }
        }
        self.reference = Some((cell_v, current_a));
        self.reference_age_s = 0.0;
    }

    /// The resistance to reckon with, and the least there is, Ω. Cold cells have more.
    pub(crate) fn ohm(&self, capacity_ah: f64, coldest_c: Option<f64>, settings: &Settings) -> (f64, f64) {
        let set_ohm = settings.get(Key::CellResistance) / 1_000.0 / capacity_ah;
        let learnt_ohm = (SLOW_PART * self.measured_ohm).clamp(set_ohm, MOST * set_ohm);
        (learnt_ohm * cold_factor(coldest_c), set_ohm)
    }
}

/// Resistance over temperature, as a factor; nothing is gained from warmth.
fn cold_factor(celsius: Option<f64>) -> f64 {
    const POINTS: [(f64, f64); 4] = [(-10.0, 3.8), (0.0, 2.4), (10.0, 1.6), (25.0, 1.0)];
    celsius.map_or(1.0, |celsius| along(&POINTS, celsius).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_the_current_teach_a_resistance_that_only_counts_when_it_is_high() {
        let settings = Settings::default();
        for (cell_ohm, expected_ohm) in [(0.0004, 0.001), (0.0015, 0.00225)] {
            let mut resistance = Resistance::default();
            for step in 0..60 {
                let current_a = if step % 2 == 0 { 0.0 } else { 100.0 };
                (0..6).for_each(|_| resistance.learn(3.3 + cell_ohm * current_a, current_a, 280.0, 1.0));
            }
            let (ohm, set_ohm) = resistance.ohm(280.0, Some(25.0), &settings);
            assert!((ohm - expected_ohm).abs() < 1e-5, "{ohm}");
            assert!((set_ohm - 0.001).abs() < 1e-12);
        }
    }

    #[test]
    fn cold_cells_are_taken_to_have_more() {
        let (ohm, _) = Resistance::default().ohm(280.0, Some(0.0), &Settings::default());
        assert!((ohm - 0.0024).abs() < 1e-12);
    }
}
