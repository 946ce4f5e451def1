//! Chargers and inverters at the busbar, as one: they want a current and obey the battery's limits, late.

use std::collections::VecDeque;

use crate::plant::bms::Limits;

/// How something that carries current reacts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChargerSpec {
    /// Age of the limits that it obeys, in s.
    pub dead_time_s: f64,
    /// Time constant with which its current follows, in s.
    pub lag_s: f64,
    /// Step of the charge voltage that it can be told, in V; 0 for none.
    pub voltage_step_v: f64,
    /// Step of the current that it can be told, in A; 0 for none.
    pub current_step_a: f64,
    /// Error of its own voltage measurement in V: positive reads too low and charges too high.
    pub meter_offset_v: f64,
    /// Heeds the charge voltage limit.
    pub obeys_voltage: bool,
    /// Heeds the current limits.
    pub obeys_current: bool,
    /// Draws the battery down to a charge voltage limit that lies below its voltage, as an SMA Sunny Island does.
    pub discharges_to_limit: bool,
    /// What it adds to the charge voltage limit, in V: an MPPT that feeds into the grid holds up to 0.4 V more.
    pub above_voltage_v: f64,
    /// Relative error of its own current measurement: +0.01 pushes one part in a hundred more than it was told.
    pub current_gain_error: f64,
    /// Pushes at least this much whatever it is told, in A: 0.5 is common at a limit of 0, 2 a nuisance.
    pub least_charge_a: f64,
    /// How long a lower charge current limit is ignored, in s.
    pub ignores_reductions_for_s: f64,
    /// How fast its current can rise, in A/s; 0 for at once.
    pub rise_a_per_s: f64,
}

impl ChargerSpec {
    /// One second of lag, nothing else wrong.
    pub const IDEAL: Self = Self {
        dead_time_s: 0.0,
        lag_s: 1.0,
        voltage_step_v: 0.0,
        current_step_a: 0.0,
        meter_offset_v: 0.0,
        obeys_voltage: true,
        obeys_current: true,
        discharges_to_limit: false,
        above_voltage_v: 0.0,
        current_gain_error: 0.0,
        least_charge_a: 0.0,
        ignores_reductions_for_s: 0.0,
        rise_a_per_s: 0.0,
    };

    /// A Multi or an MPPT under DVCC: limits every 3 s; at a limit of 0 half an ampere still flows.
    pub const VICTRON: Self = Self {
        dead_time_s: 3.0,
        lag_s: 2.0,
        voltage_step_v: 0.01,
        current_step_a: 1.0,
        least_charge_a: 0.5,
        ..Self::IDEAL
    };
    /// A Sunny Island: slow, and draws the battery down to the charge voltage.
    pub const SMA: Self = Self {
        dead_time_s: 2.0,
        lag_s: 8.0,
        voltage_step_v: 0.1,
        current_step_a: 0.1,
        discharges_to_limit: true,
        ..Self::IDEAL
    };
    /// An inverter of the Pylontech family.
    pub const PYLONTECH: Self =
        Self { dead_time_s: 2.0, lag_s: 2.0, voltage_step_v: 0.1, current_step_a: 0.1, ..Self::IDEAL };
    /// One that obeys rises at once and reductions after a minute.
    pub const STICKY: Self = Self { ignores_reductions_for_s: 60.0, ..Self::PYLONTECH };
    /// Solar chargers behind long cables and slow loops.
    pub const SLOW_PV: Self = Self { lag_s: 20.0, rise_a_per_s: 5.0, ..Self::PYLONTECH };
    /// An MPPT that may feed into the grid: its current limit is of no interest to it.
    pub const FEED_IN: Self = Self { obeys_current: false, above_voltage_v: 0.4, ..Self::VICTRON };
}

/// Limits on their way; one entry per step of a dead time.
const UNDERWAY: usize = 4_096;

/// Something that carries current. Positive charges.
#[derive(Debug, Clone)]
pub struct Charger {
    spec: ChargerSpec,
    underway: VecDeque<(f64, Limits)>,
    time_s: f64,
    current_a: f64,
    /// The charge current limit that it goes by, and for how long a lower one has been asked for.
    heeded_a: f64,
    lower_for_s: f64,
}

impl Charger {
    /// At 0 A, without limits yet.
    pub fn new(spec: ChargerSpec) -> Self {
        Self { spec, underway: VecDeque::new(), time_s: 0.0, current_a: 0.0, heeded_a: 0.0, lower_for_s: 0.0 }
    }

    /// The current in A after `dt_s` more seconds.
    ///
    /// `limits` are those sent at this moment, `bus_v` and `bank_ohm` describe the bank as it is now. Until the
    /// first limits have arrived nothing flows.
    pub fn step(&mut self, wanted_a: f64, limits: Limits, bus_v: f64, bank_ohm: f64, dt_s: f64) -> f64 {
        let spec = self.spec;
        self.time_s += dt_s;
        if self.underway.len() < UNDERWAY {
            self.underway.push_back((self.time_s, limits));
        }
        let arrived = |sent_s: f64| sent_s + spec.dead_time_s <= self.time_s;
        while self.underway.get(1).is_some_and(|&(sent_s, _)| arrived(sent_s)) {
            self.underway.pop_front();
        }
        let told = self.underway.front().filter(|&&(sent_s, _)| arrived(sent_s)).map(|&(_, limits)| limits);

        if let Some(told) = told {
            self.heed(told.charge_current_a, dt_s);
        }
        let target_a = told.map_or(0.0, |told| self.target_a(wanted_a, told, bus_v, bank_ohm));
        let follows = if spec.lag_s > 0.0 { 1.0 - (-dt_s / spec.lag_s).exp() } else { 1.0 };
        let change_a = (target_a - self.current_a) * follows;
        let most_a = if spec.rise_a_per_s > 0.0 { spec.rise_a_per_s * dt_s } else { f64::INFINITY };
        self.current_a += change_a.min(most_a);
        self.current_a
    }

    /// Takes a charge current limit to heart: a lower one perhaps only after a while.
    fn heed(&mut self, limit_a: f64, dt_s: f64) {
        self.lower_for_s = if limit_a < self.heeded_a { self.lower_for_s + dt_s } else { 0.0 };
        if limit_a >= self.heeded_a || self.lower_for_s > self.spec.ignores_reductions_for_s {
            self.heeded_a = limit_a;
        }
    }

    fn target_a(&self, wanted_a: f64, told: Limits, bus_v: f64, bank_ohm: f64) -> f64 {
        let spec = self.spec;
        let (mut most_a, mut least_a) = (f64::INFINITY, f64::NEG_INFINITY);
        if spec.obeys_current {
            most_a = floored(self.heeded_a, spec.current_step_a) * (1.0 + spec.current_gain_error);
            most_a = most_a.max(spec.least_charge_a);
            least_a = -floored(told.discharge_current_a, spec.current_step_a);
        }
        if spec.obeys_voltage {
            let aim_v = floored(told.charge_voltage_v, spec.voltage_step_v)
                + spec.meter_offset_v
                + spec.above_voltage_v;
            let holds_a = self.current_a + (aim_v - bus_v) / bank_ohm.max(1e-6);
            most_a = most_a.min(if spec.discharges_to_limit { holds_a } else { holds_a.max(0.0) });
        }
        wanted_a.min(most_a).max(least_a)
    }
}

fn floored(value: f64, step: f64) -> f64 {
    if step > 0.0 { (value / step + 1e-9).floor() * step } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(charge_voltage_v: f64, charge_current_a: f64, discharge_current_a: f64) -> Limits {
        Limits { charge_voltage_v, discharge_voltage_v: 44.0, charge_current_a, discharge_current_a }
    }

    fn settle(charger: &mut Charger, wanted_a: f64, limits: Limits, seconds: usize) -> f64 {
        (0..seconds).map(|_| charger.step(wanted_a, limits, 50.0, 0.01, 1.0)).last().unwrap_or_default()
    }

    #[test]
    fn it_keeps_the_current_limits_in_both_directions_after_its_lag() {
        let mut charger = Charger::new(ChargerSpec::IDEAL);
        assert!((settle(&mut charger, 500.0, limits(56.0, 100.0, 80.0), 30) - 100.0).abs() < 1e-6);
        assert!((settle(&mut charger, -500.0, limits(56.0, 100.0, 80.0), 30) + 80.0).abs() < 1e-6);
    }

    #[test]
    fn a_new_limit_counts_after_the_dead_time() {
        let mut charger = Charger::new(ChargerSpec { dead_time_s: 5.0, lag_s: 0.0, ..ChargerSpec::IDEAL });
        settle(&mut charger, 500.0, limits(56.0, 100.0, 80.0), 10);
        let currents: Vec<f64> =
            (0..7).map(|_| charger.step(500.0, limits(56.0, 20.0, 80.0), 50.0, 0.01, 1.0)).collect();
        assert_eq!(currents, [100.0, 100.0, 100.0, 100.0, 100.0, 20.0, 20.0]);
    }

    #[test]
    fn steps_are_rounded_down_and_nothing_flows_before_the_first_limits() {
        let spec = ChargerSpec { dead_time_s: 2.0, lag_s: 0.0, current_step_a: 1.0, ..ChargerSpec::IDEAL };
        let mut charger = Charger::new(spec);
        assert_eq!(settle(&mut charger, 500.0, limits(56.0, 12.9, 80.0), 2), 0.0);
        assert_eq!(settle(&mut charger, 500.0, limits(56.0, 12.9, 80.0), 2), 12.0);
    }

    #[test]
    fn a_sticky_one_follows_a_rise_at_once_and_a_reduction_after_its_time() {
        let spec = ChargerSpec { ignores_reductions_for_s: 60.0, lag_s: 0.0, ..ChargerSpec::IDEAL };
        let mut charger = Charger::new(spec);
        assert_eq!(settle(&mut charger, 500.0, limits(56.0, 50.0, 80.0), 2), 50.0);
        assert_eq!(settle(&mut charger, 500.0, limits(56.0, 100.0, 80.0), 1), 100.0);
        assert_eq!(settle(&mut charger, 500.0, limits(56.0, 0.0, 80.0), 60), 100.0);
        assert_eq!(settle(&mut charger, 500.0, limits(56.0, 0.0, 80.0), 1), 0.0);
    }

    #[test]
    fn some_push_a_little_whatever_they_are_told_and_some_a_little_more_than_they_believe() {
        let nuisance = ChargerSpec { least_charge_a: 2.0, lag_s: 0.0, ..ChargerSpec::IDEAL };
        assert_eq!(settle(&mut Charger::new(nuisance), 500.0, limits(56.0, 0.0, 80.0), 3), 2.0);
        let off = ChargerSpec { current_gain_error: 0.01, lag_s: 0.0, ..ChargerSpec::IDEAL };
        assert_eq!(settle(&mut Charger::new(off), 500.0, limits(56.0, 100.0, 80.0), 3), 101.0);
    }

    #[test]
    fn feeding_into_the_grid_it_holds_more_than_the_charge_voltage_and_knows_no_current_limit() {
        let mut charger = Charger::new(ChargerSpec { lag_s: 0.0, dead_time_s: 0.0, ..ChargerSpec::FEED_IN });
        // 0.3 V above the limit, 0.1 V below what it holds: 10 A more at 10 mΩ each second.
        let told = limits(49.7, 0.0, 80.0);
        assert!((charger.step(500.0, told, 50.0, 0.01, 1.0) - 10.0).abs() < 1e-6);
    }

    #[test]
    fn a_slow_one_rises_slowly_and_falls_with_its_lag() {
        let mut charger = Charger::new(ChargerSpec { lag_s: 0.0, dead_time_s: 0.0, ..ChargerSpec::SLOW_PV });
        assert_eq!(settle(&mut charger, 100.0, limits(56.0, 100.0, 80.0), 4), 20.0);
        assert_eq!(settle(&mut charger, 0.0, limits(56.0, 100.0, 80.0), 1), 0.0);
    }

    #[test]
    fn above_the_charge_voltage_it_stops_and_only_the_kind_that_does_discharges() {
        let stops = ChargerSpec { lag_s: 0.0, ..ChargerSpec::IDEAL };
        let draws = ChargerSpec { discharges_to_limit: true, ..stops };
        assert_eq!(settle(&mut Charger::new(stops), 100.0, limits(49.5, 100.0, 80.0), 3), 0.0);
        assert_eq!(settle(&mut Charger::new(draws), 100.0, limits(49.5, 100.0, 80.0), 3), -80.0);
    }
}
