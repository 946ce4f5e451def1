//! What a BMS counts over the life of its pack.

use super::sensors::Readings;

/// Energy and cycles since the pack was made.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counters {
    /// Energy put in, in kWh.
    pub charged_kwh: f64,
    /// Energy taken out, in kWh.
    pub discharged_kwh: f64,
    /// Discharged charge in capacities of the pack.
    pub cycles: f64,
}

impl Counters {
    /// Counts what was measured over the last `dt_s` seconds in a pack of `nominal_ah`.
    pub fn count(&mut self, readings: &Readings, nominal_ah: f64, dt_s: f64) {
        let current_a = readings.current_a.unwrap_or(0.0);
        let kwh = readings.pack_v * current_a.abs() * dt_s / 3.6e6;
        if current_a > 0.0 {
            self.charged_kwh += kwh;
        } else {
            self.discharged_kwh += kwh;
            self.cycles += -current_a * dt_s / 3_600.0 / nominal_ah;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_is_counted_by_direction_and_a_cycle_is_one_capacity_taken_out() {
        let mut counters = Counters { charged_kwh: 100.0, discharged_kwh: 90.0, cycles: 7.0 };
        let mut hour = |current_a| {
            let readings = Readings { pack_v: 50.0, current_a, ..Readings::default() };
            (0..3_600).for_each(|_| counters.count(&readings, 100.0, 1.0));
        };
        hour(Some(40.0));
        hour(Some(-80.0));
        hour(None);
        let expected = Counters { charged_kwh: 102.0, discharged_kwh: 94.0, cycles: 7.8 };
        assert!((counters.charged_kwh - expected.charged_kwh).abs() < 1e-6, "{counters:?}");
        assert!((counters.discharged_kwh - expected.discharged_kwh).abs() < 1e-6, "{counters:?}");
        assert!((counters.cycles - expected.cycles).abs() < 1e-6, "{counters:?}");
    }
}
