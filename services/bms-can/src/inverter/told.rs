//! What of the battery an inverter is told.

use dbus_interfaces::follower::Limits;

use super::profile::{Profile, Zero};
use crate::battery::Level;
use crate::message::Condition;

/// What the battery measures and reports, as its service shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// State of charge, %, 0 to 100.
    pub soc_pct: f64,
    /// Pack voltage, V.
    pub voltage_v: f64,
    /// Current, A, positive while charging.
    pub current_a: f64,
    /// State of health, %.
    pub soh_pct: Option<f64>,
    /// Temperature, °C.
    pub temperature_c: Option<f64>,
    /// Lowest and highest cell, V.
    pub cells_v: Option<(f64, f64)>,
    /// Coldest and hottest cell, °C.
    pub cells_c: Option<(f64, f64)>,
    /// Discharge voltage limit, V.
    pub discharge_voltage_v: Option<f64>,
    /// Nominal capacity, Ah.
    pub capacity_ah: Option<f64>,
    /// Modules in parallel.
    pub modules: Option<u16>,
    /// Cells in series.
    pub cells_in_series: Option<u16>,
    /// Charge cycles.
    pub cycles: Option<u16>,
    /// What is wrong.
    pub faults: Faults,
    /// It asks to be charged now.
    pub asks_charge: bool,
    /// It asks for a full charge.
    pub asks_full_charge: bool,
}

/// What is wrong with a battery, and how badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults([Option<Level>; 13]);

impl Faults {
    /// Adds a fault; of two levels the worse one stays.
    pub fn raise(&mut self, condition: Condition, level: Level) {
        if let Some(place) = self.0.get_mut(condition as usize) {
            *place = (*place).max(Some(level));
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn level(&self, condition: Condition) -> Level {
        self.0.get(condition as usize).copied().flatten().unwrap_or(Level::Ok)
    }
}

/// What the user knows, and the limits that the user sets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Facts {
    /// Largest charge current of the inverter, A.
    pub max_charge_current_a: Option<f64>,
    /// Largest discharge current of the inverter, A.
    pub max_discharge_current_a: Option<f64>,
    /// Highest charge voltage, V.
    pub max_charge_voltage_v: Option<f64>,
    /// Discharge voltage limit, V.
    pub discharge_voltage_v: Option<f64>,
    /// Nominal capacity, Ah.
    pub capacity_ah: Option<f64>,
    /// Modules in parallel.
    pub modules: Option<u16>,
}

/// What an inverter is told: inside what its profile allows, and never more than the limits that are followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Charge voltage limit, V, never 0.
    pub charge_voltage_v: f64,
    /// Charge current limit, A.
    pub charge_current_a: f64,
    /// Discharge current limit, A, positive.
    pub discharge_current_a: f64,
    /// Discharge voltage limit, V.
    pub discharge_voltage_v: Option<f64>,
    /// Charging is permitted at all.
    pub may_charge: bool,
    /// Discharging is permitted at all.
    pub may_discharge: bool,
    /// What the battery measures, and what is wrong with it. A temperature is there wherever the dialect needs one.
    pub measured: Measured,
}

/// Floor of `value` in steps of 1/`per_unit`; what binary fractions add or take away does not count.
fn floor(value: f64, per_unit: f64) -> f64 {
    (value * per_unit + 1e-6).floor() / per_unit
}

/// 0x351 counts in tenths.
const PER_UNIT: f64 = 10.0;

impl Told {
    /// What is told; `None` while there is no charge voltage that could be. `is_safe` is the safe set: 0 A, and an alarm.
    #[must_use]
    pub fn new(
        profile: &Profile,
        facts: &Facts,
        limits: &Limits,
        measured: &Measured,
        is_safe: bool,
    ) -> Option<Told> {
        let mut measured = measured.clone();
        let window = profile.window;
        let amps = |limit: f64, rating: Option<f64>| {
            let most = rating.unwrap_or(window.most_a).min(window.most_a);
            if is_safe || limit.is_nan() { 0.0 } else { floor(limit.clamp(0.0, most), PER_UNIT) }
        };
        let mut charge_a = amps(limits.charge_current_a, facts.max_charge_current_a);
        let discharge_a = amps(limits.discharge_current_a, facts.max_discharge_current_a);
        let asked_v = limits.charge_voltage_v.filter(|v| *v > 0.0)?;
        let asked_v =
            facts.max_charge_voltage_v.map_or(asked_v, |most| asked_v.min(most)).min(window.charge_v.1);
        let mut charge_v = floor(asked_v, PER_UNIT);
        if profile.draws_down && charge_v < measured.voltage_v {
            // It would feed the battery into the house or the grid until the voltage is down there.
            charge_v = floor(measured.voltage_v + 1.0 / PER_UNIT, PER_UNIT).min(window.charge_v.1);
            charge_a = 0.0;
        }
        if charge_v < window.charge_v.0 {
            charge_v = window.charge_v.0;
            charge_a = 0.0;
        }
        let (may_charge, may_discharge) = (charge_a > 0.0, discharge_a > 0.0);
        let mut told_a = (charge_a, discharge_a);
        measured.soc_pct = measured.soc_pct.clamp(0.0, window.most_soc_pct);
        match profile.zero {
            Zero::Obeyed => {}
            Zero::Ignored(least) => told_a = (charge_a.max(least), discharge_a.max(least)),
            Zero::OnlyBySoc if !may_discharge => measured.soc_pct = 0.0,
            Zero::OnlyBySoc if !may_charge => measured.soc_pct = 100.0,
            Zero::OnlyBySoc => {}
        }
        if is_safe {
            measured.faults.raise(Condition::BmsInternal, Level::Alarm);
            (measured.asks_charge, measured.asks_full_charge) = (false, false);
        }
        measured.temperature_c = measured.temperature_c.or(window.without_sensor_c);
        measured.capacity_ah = facts.capacity_ah.or(measured.capacity_ah);
        measured.modules = facts.modules.or(measured.modules);
        let discharge_v = facts.discharge_voltage_v.or(measured.discharge_voltage_v);
        Some(Told {
            charge_voltage_v: charge_v,
            charge_current_a: told_a.0,
            discharge_current_a: told_a.1,
            discharge_voltage_v: window
                .discharge_v
                .and_then(|(low, high)| discharge_v.map(|v| v.clamp(low, high)).filter(|v| *v < charge_v)),
            may_charge,
            may_discharge,
            measured,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverter::{PROFILES, by_name};
    use dbus_interfaces::follower::Stance;
    use proptest::prelude::*;

    fn measured() -> Measured {
        Measured {
            soc_pct: 54.5,
            voltage_v: 52.31,
            current_a: -12.3,
            soh_pct: Some(98.0),
            temperature_c: Some(23.4),
            cells_v: Some((3.261, 3.279)),
            cells_c: Some((21.0, 24.0)),
            discharge_voltage_v: Some(46.0),
            capacity_ah: Some(148.0),
            modules: Some(2),
            cells_in_series: Some(15),
            cycles: Some(120),
            faults: Faults::default(),
            asks_charge: false,
            asks_full_charge: false,
        }
    }

    fn limits(charge_v: f64, charge_a: f64, discharge_a: f64) -> Limits {
        Limits {
            charge_voltage_v: Some(charge_v),
            charge_current_a: charge_a,
            discharge_current_a: discharge_a,
            stance: Stance::Obeying,
            reason: String::new(),
        }
    }

    fn told(profile: &str, limits: &Limits, is_safe: bool) -> Told {
        Told::new(by_name(profile).unwrap(), &Facts::default(), limits, &measured(), is_safe).unwrap()
    }

    #[test]
    fn a_limit_is_never_rounded_up() {
        let told = told("pylontech_lv", &limits(53.29, 99.99, 74.06), false);
        assert_eq!(
            (told.charge_voltage_v, told.charge_current_a, told.discharge_current_a),
            (53.2, 99.9, 74.0)
        );
        let told = super::tests::told("pylontech_lv", &limits(56.3, 0.3, 163.7), false);
        assert_eq!(
            (told.charge_voltage_v, told.charge_current_a, told.discharge_current_a),
            (56.3, 0.3, 163.7)
        );
    }

    #[test]
    fn the_safe_set_is_zero_ampere_and_an_alarm_whatever_the_limits_say() {
        let told = told("pylontech_lv", &limits(53.2, 100.0, 100.0), true);
        assert_eq!(
            (told.charge_voltage_v, told.charge_current_a, told.discharge_current_a),
            (53.2, 0.0, 0.0)
        );
        assert_eq!(told.measured.faults.level(Condition::BmsInternal), Level::Alarm);
        assert!(!told.may_charge && !told.may_discharge);
    }

    #[test]
    fn what_the_user_sets_lowers_and_never_raises() {
        let facts = Facts {
            max_charge_current_a: Some(50.0),
            max_discharge_current_a: Some(500.0),
            max_charge_voltage_v: Some(52.0),
            ..Facts::default()
        };
        let profile = by_name("pylontech_lv").unwrap();
        let told = Told::new(profile, &facts, &limits(53.2, 100.0, 100.0), &measured(), false).unwrap();
        assert_eq!(
            (told.charge_voltage_v, told.charge_current_a, told.discharge_current_a),
            (52.0, 50.0, 100.0)
        );
    }

    proptest! {
        /// Whatever the bus shows, no profile is told a charge voltage of 0 or a current beyond the limit.
        #[test]
        fn no_profile_is_told_more_than_the_limits(
            charge_v in 0.0..1000.0_f64, charge_a in 0.0..2000.0_f64, discharge_a in 0.0..2000.0_f64,
            voltage_v in 0.0..1000.0_f64, soc in -10.0..110.0_f64, is_safe: bool,
        ) {
            for profile in PROFILES {
                let measured = Measured { voltage_v, soc_pct: soc, ..measured() };
                let limits = limits(charge_v, charge_a, discharge_a);
                let Some(told) = Told::new(profile, &Facts::default(), &limits, &measured, is_safe) else {
                    prop_assert!(charge_v <= 0.0);
                    continue;
                };
                let least = if let Zero::Ignored(least) = profile.zero { least } else { 0.0 };
                let (most_charge, most_discharge) = if is_safe { (0.0, 0.0) } else { (charge_a, discharge_a) };
                prop_assert!(told.charge_voltage_v >= profile.window.charge_v.0);
                prop_assert!(told.charge_current_a <= most_charge.max(least) + 1e-9);
                prop_assert!(told.discharge_current_a <= most_discharge.max(least) + 1e-9);
                let is_higher = told.charge_voltage_v > charge_v + 1e-9;
                prop_assert!(!is_higher || !told.may_charge, "a raised voltage charges nothing");
                prop_assert!((0.0..=100.0).contains(&told.measured.soc_pct));
            }
        }
    }
}
