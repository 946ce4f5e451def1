//! The own counter of charge, for banks whose batteries do not count, and its anchors.

use serde::{Deserialize, Serialize};

use crate::curve::along;
use crate::filter::Since;
use crate::settings::{Chemistry, Key, Settings};

/// Currents below this are taken for 0: A, and part of the capacity in A.
const ZERO_A: f64 = 0.1;
const ZERO_C: f64 = 0.0005;
/// A gap longer than this is not integrated, s; what it costs in certainty, %.
const GAP_S: f64 = 60.0;
const GAP_COSTS: f64 = 1.0;
/// The constant error of the current: how much of what is seen is believed, and its most, part of the capacity in A.
const BIAS_LEARN: f64 = 0.5;
const BIAS_MOST_C: f64 = 0.002;
/// Two full charges teach it when they are so far apart, s, and the battery was so far down between, part of the capacity.
const BIAS_AFTER_S: f64 = 20.0 * 3_600.0;
const BIAS_SWING: f64 = 0.30;
/// From full to empty teaches the capacity when it is at least this part of it.
const CAPACITY_SWING: f64 = 0.60;
const CAPACITY_LEARN: f64 = 0.2;
const CAPACITY_MOST: f64 = 1.1;
/// A battery at rest: below this part of the capacity in A, for so long, s. Then its voltage pulls.
const REST_C: f64 = 0.02;
const REST_S: f64 = 3.0 * 3_600.0;
const REST_PULL: f64 = 0.10;
const REST_MOST: f64 = 0.05;
/// Between these the voltage of an LFP cell at rest says nothing, V.
const LFP_PLATEAU_V: (f64, f64) = (3.25, 3.335);
/// How uncertainty grows, %.
const UNCERTAIN_PER_THROUGHPUT: f64 = 0.5;
const UNCERTAIN_PER_DAY: f64 = 0.1;
const UNCERTAIN_AT_FIRST: f64 = 30.0;
const UNCERTAIN_AT_ANCHOR: f64 = 1.0;
const MONTH_S: f64 = 30.0 * 86_400.0;
const HOUR_S: f64 = 3_600.0;

/// The counter.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Counter {
    charge_ah: Option<f64>,
    last_a: Option<f64>,
    bias_a: f64,
    /// Part of the installed capacity that there really is.
    capacity_part: Option<f64>,
    /// Since the last full charge: what came in less what went out, Ah, its lowest, and the time.
    since_full_ah: f64,
    lowest_ah: f64,
    since_full_s: Option<f64>,
    rest: Since,
    uncertain: f64,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) current_a: f64,
    /// Mean voltage of a cell, V.
    pub(crate) cell_v: Option<f64>,
    /// What the batteries say at first, %.
    pub(crate) first_soc: Option<f64>,
    pub(crate) installed_ah: f64,
    /// Since the sample before, s.
    pub(crate) sample_s: f64,
}

impl Counter {
    /// Counts one sample.
    pub(crate) fn count(&mut self, seen: Counted, settings: &Settings) {
        let capacity_ah = seen.installed_ah * self.capacity_part.unwrap_or(1.0);
        let chemistry = settings.chemistry();
        let before_ah = *self.charge_ah.get_or_insert_with(|| {
            self.uncertain = UNCERTAIN_AT_FIRST;
            let by_voltage = || seen.cell_v.map_or(50.0, |v| along(chemistry.nature().rest_v, v));
            capacity_ah * seen.first_soc.unwrap_or_else(by_voltage) / 100.0
        });
        let last_a = self.last_a.replace(seen.current_a).unwrap_or(seen.current_a);
        if seen.sample_s > GAP_S {
            self.uncertain = (self.uncertain + GAP_COSTS).min(100.0);
            return;
        }
        let hours = seen.sample_s / HOUR_S;
        let mut current_a = 0.5 * (last_a + seen.current_a) - self.bias_a;
        if current_a.abs() < ZERO_A.max(ZERO_C * seen.installed_ah) {
            current_a = 0.0;
        }
        let flows_a = if current_a > 0.0 {
            current_a * settings.get(Key::Efficiency)
        } else {
            current_a * peukert(current_a, seen.installed_ah, settings)
        };
        let leaks_ah = seen.installed_ah * settings.get(Key::SelfDischarge) / 100.0 * seen.sample_s / MONTH_S;
        let change_ah = flows_a * hours - leaks_ah;
        self.charge_ah = Some((before_ah + change_ah).clamp(0.0, capacity_ah));
        self.since_full_ah += change_ah;
        self.lowest_ah = self.lowest_ah.min(self.since_full_ah);
        self.since_full_s = self.since_full_s.map(|s| s + seen.sample_s);
        let throughput = current_a.abs() * hours / capacity_ah.max(1e-6);
        self.uncertain +=
            UNCERTAIN_PER_THROUGHPUT * throughput + UNCERTAIN_PER_DAY * seen.sample_s / 86_400.0;
        self.uncertain = self.uncertain.min(100.0);
        self.rest(seen, capacity_ah, chemistry);
    }

    fn rest(&mut self, seen: Counted, capacity_ah: f64, chemistry: Chemistry) {
        let rests = seen.current_a.abs() < REST_C * seen.installed_ah;
        if self.rest.step(rests, seen.sample_s) < REST_S {
            return;
        }
        self.rest.reset();
        let (low_v, high_v) = LFP_PLATEAU_V;
        let says = |v: &f64| chemistry != Chemistry::Lfp || *v < low_v || *v > high_v;
        let (Some(v), Some(charge_ah)) = (seen.cell_v.filter(says), self.charge_ah) else { return };
        let there_ah = along(chemistry.nature().rest_v, v) / 100.0 * capacity_ah;
        let most_ah = REST_MOST * capacity_ah;
        let pull_ah = (REST_PULL * (there_ah - charge_ah)).clamp(-most_ah, most_ah);
        self.charge_ah = Some((charge_ah + pull_ah).clamp(0.0, capacity_ah));
    }

    /// The battery is full: an anchor.
    pub(crate) fn full(&mut self, installed_ah: f64) {
        // From full to full nothing may be left over; what is, came from an error of the current.
        let down_ah = -self.lowest_ah;
        let deep = down_ah > BIAS_SWING * installed_ah;
        if let Some(since_s) = self.since_full_s.filter(|s| deep && *s > BIAS_AFTER_S) {
            let most_a = BIAS_MOST_C * installed_ah;
            let error_a = self.since_full_ah / (since_s / HOUR_S);
            self.bias_a = (self.bias_a + BIAS_LEARN * error_a).clamp(-most_a, most_a);
        }
        self.charge_ah = Some(installed_ah * self.capacity_part.unwrap_or(1.0));
        (self.since_full_ah, self.lowest_ah, self.since_full_s) = (0.0, 0.0, Some(0.0));
        self.uncertain = UNCERTAIN_AT_ANCHOR;
    }

    /// The battery is empty: an anchor.
    pub(crate) fn empty(&mut self, installed_ah: f64) {
        let taken = -self.since_full_ah / installed_ah.max(1e-6);
        if self.since_full_s.is_some() && taken >= CAPACITY_SWING {
            let part = self.capacity_part.unwrap_or(1.0);
            self.capacity_part = Some((part + CAPACITY_LEARN * (taken - part)).min(CAPACITY_MOST));
            // The same way down teaches once.
            self.since_full_s = None;
        }
        self.charge_ah = Some(0.0);
        self.uncertain = self.uncertain.min(2.0 * UNCERTAIN_AT_ANCHOR);
    }

    /// Goes on from a state of charge that somebody else knew.
    pub(crate) fn go_on_from(&mut self, soc: Option<f64>, installed_ah: f64) {
        let capacity_ah = installed_ah * self.capacity_part.unwrap_or(1.0);
        self.charge_ah = soc.map(|soc| soc / 100.0 * capacity_ah).or(self.charge_ah);
    }

    /// State of charge, %; none before the first sample.
    pub(crate) fn soc(&self, installed_ah: f64) -> Option<f64> {
        let capacity_ah = installed_ah * self.capacity_part.unwrap_or(1.0);
        self.charge_ah.map(|charge_ah| (100.0 * charge_ah / capacity_ah.max(1e-6)).clamp(0.0, 100.0))
    }

    /// How uncertain that is, %.
    pub(crate) fn uncertain(&self) -> f64 {
        self.uncertain
    }
}

/// More is lost from a lead-acid battery the faster it is discharged.
fn peukert(current_a: f64, installed_ah: f64, settings: &Settings) -> f64 {
    if !settings.chemistry().is_lead() {
        return 1.0;
    }
    let rated_a = installed_ah / 20.0;
    (current_a.abs() / rated_a.max(1e-6)).powf(settings.get(Key::Peukert) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(counter: &mut Counter, current_a: f64, hours: f64, settings: &Settings) {
        for _ in 0..(hours * 360.0) as usize {
            let seen = Counted {
                current_a,
                cell_v: None,
                first_soc: Some(50.0),
                installed_ah: 280.0,
                sample_s: 10.0,
            };
            counter.count(seen, settings);
        }
    }

    #[test]
    fn what_goes_in_comes_out_but_for_the_efficiency() {
        let settings = Settings::default().with(&[(Key::SelfDischarge, 0.0)]).unwrap();
        let mut counter = Counter::default();
        run(&mut counter, 28.0, 2.0, &settings);
        assert!(
            (counter.soc(280.0).unwrap() - (50.0 + 20.0 * 0.995)).abs() < 0.1,
            "{:?}",
            counter.soc(280.0)
        );
        run(&mut counter, -28.0, 2.0, &settings);
        assert!((counter.soc(280.0).unwrap() - (50.0 - 20.0 * 0.005)).abs() < 0.1);
    }

    #[test]
    fn a_constant_error_of_the_current_is_learnt_from_full_charges() {
        let settings =
            Settings::default().with(&[(Key::SelfDischarge, 0.0), (Key::Efficiency, 1.0)]).unwrap();
        let mut counter = Counter::default();
        counter.full(280.0);
        for _ in 0..12 {
            // Truly −14 A for 12 h and 14 A for 13 h; the shunt reads 0.4 A too much.
            run(&mut counter, -13.6, 12.0, &settings);
            run(&mut counter, 14.4, 12.0, &settings);
            run(&mut counter, 0.4, 1.0, &settings);
            counter.full(280.0);
        }
        assert!((counter.bias_a - 0.4).abs() < 0.05, "{}", counter.bias_a);
    }

    #[test]
    fn a_gap_is_not_integrated_and_costs_certainty() {
        let settings = Settings::default();
        let mut counter = Counter::default();
        run(&mut counter, 0.0, 0.1, &settings);
        let before = counter;
        let seen =
            Counted { current_a: 100.0, cell_v: None, first_soc: None, installed_ah: 280.0, sample_s: 61.0 };
        counter.count(seen, &settings);
        assert_eq!(counter.soc(280.0), before.soc(280.0));
        assert!(counter.uncertain() > before.uncertain());
    }

    #[test]
    fn a_battery_that_is_empty_early_has_less_capacity() {
        let settings = Settings::default();
        let mut counter = Counter::default();
        counter.full(280.0);
        run(&mut counter, -24.0, 10.0, &settings);
        counter.empty(280.0);
        assert!(counter.capacity_part.unwrap() < 0.98 && counter.capacity_part.unwrap() > 0.95);
        assert_eq!(counter.soc(280.0), Some(0.0));
    }
}
