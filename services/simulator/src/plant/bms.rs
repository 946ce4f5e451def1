//! A BMS: guards the pack, says what it may carry, and counts its charge.

use super::alarms::{Alarm, AlarmSet};
use super::chemistry::Chemistry;
use super::sensors::Readings;
use super::switches::Switches;
use super::trip::{Release, Trip};

/// A voltage or a temperature must be bad for so long before the BMS acts.
const TRIP_DELAY_S: f64 = 2.0;
/// Over-current: this much above the maximum, for so long; then off for so long.
const OVER_CURRENT_FACTOR: f64 = 1.2;
const OVER_CURRENT_DELAY_S: f64 = 10.0;
const OVER_CURRENT_OFF_S: f64 = 60.0;
/// Full: this near to the charge voltage, with less than this part of the capacity in A, for so long.
const FULL_WITHIN_V: f64 = 0.15;
const FULL_TAIL_C: f64 = 0.05;
const FULL_DWELL_S: f64 = 60.0;
/// Once a warning has begun, the value must come back by so much.
const WARNING_BACK_V: f64 = 0.02;
const WARNING_BACK_K: f64 = 1.0;
/// Requests to the charger as a Pylontech makes them (CAN protocol low voltage V1.3, frame 0x35C): from and until
/// which state of charge, and days without a full charge.
const FORCE_CHARGE_1_SOC: (f64, f64) = (0.15, 0.19);
const FORCE_CHARGE_2_SOC: (f64, f64) = (0.09, 0.13);
const FULL_CHARGE_SOC: f64 = 0.97;
const FULL_CHARGE_DUE_S: f64 = 30.0 * 86_400.0;

/// How a BMS is set up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BmsSpec {
    /// Charge voltage limit of the pack in V.
    pub charge_voltage_limit_v: f64,
    /// Discharge voltage limit of the pack in V.
    pub discharge_voltage_limit_v: f64,
    /// Largest charge current in A.
    pub max_charge_current_a: f64,
    /// Largest discharge current in A.
    pub max_discharge_current_a: f64,
    /// Lowers the current limits toward the ends of voltage and temperature; otherwise they are constant.
    pub tapers: bool,
    /// Capacity that the counter believes in, in Ah.
    pub nominal_ah: f64,
    /// State of charge that the counter starts with, a fraction.
    pub soc: f64,
    /// Relative error of the counter's current: +0.01 counts one part in a hundred too much.
    pub soc_gain_error: f64,
    /// State of health that it reports, in %.
    pub soh_percent: f64,
}

/// What the BMS allows at this moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Highest voltage a charger may hold, in V.
    pub charge_voltage_v: f64,
    /// Lowest voltage a load may draw down to, in V.
    pub discharge_voltage_v: f64,
    /// Largest charge current in A.
    pub charge_current_a: f64,
    /// Largest discharge current in A, positive.
    pub discharge_current_a: f64,
}

/// What the BMS asks of the charger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// Charge now: nearly empty.
    pub force_charge_1: bool,
    /// Charge now: about to switch off.
    pub force_charge_2: bool,
    /// A full charge is due.
    pub full_charge: bool,
}

/// The state of one BMS.
#[derive(Debug, Clone)]
pub struct Bms {
    spec: BmsSpec,
    chemistry: &'static Chemistry,
    soc: f64,
    full_for_s: f64,
    since_full_s: f64,
    high_v: Trip,
    low_v: Trip,
    hot: Trip,
    cold: Trip,
    charge_current: Trip,
    discharge_current: Trip,
    warnings: AlarmSet,
    protections: AlarmSet,
    requests: Requests,
    limits: Limits,
}

impl Bms {
    /// A BMS that has just started.
    pub fn new(spec: BmsSpec, chemistry: &'static Chemistry) -> Self {
        let limits = Limits {
            charge_voltage_v: spec.charge_voltage_limit_v,
            discharge_voltage_v: spec.discharge_voltage_limit_v,
            charge_current_a: spec.max_charge_current_a,
            discharge_current_a: spec.max_discharge_current_a,
        };
        Self {
            spec,
            chemistry,
            soc: spec.soc.clamp(0.0, 1.0),
            full_for_s: 0.0,
            since_full_s: 0.0,
            high_v: Trip::default(),
            low_v: Trip::default(),
            hot: Trip::default(),
            cold: Trip::default(),
            charge_current: Trip::default(),
            discharge_current: Trip::default(),
            warnings: AlarmSet::default(),
            protections: AlarmSet::default(),
            requests: Requests::default(),
            limits,
        }
    }

    /// How it is set up.
    pub fn spec(&self) -> &BmsSpec {
        &self.spec
    }

    /// State of charge by its counter, a fraction from 0 to 1.
    pub fn soc(&self) -> f64 {
        self.soc
    }

    /// Puts the counter at this fraction.
    pub fn set_soc(&mut self, soc: f64) {
        self.soc = soc.clamp(0.0, 1.0);
    }

    /// What it warns of.
    pub fn warnings(&self) -> AlarmSet {
        self.warnings
    }

    /// What it has tripped for.
    pub fn protections(&self) -> AlarmSet {
        self.protections
    }

    /// What it asks for.
    pub fn requests(&self) -> Requests {
        self.requests
    }

    /// What it allows.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Takes new readings, `dt_s` after the last ones, and sets the transistors.
    pub fn observe(&mut self, readings: &Readings, switches: &mut Switches, dt_s: f64) {
        self.guard(readings, dt_s);
        switches.charge_on = !(self.high_v.tripped()
            || self.hot.tripped()
            || self.cold.tripped()
            || self.charge_current.tripped());
        switches.discharge_on =
            !(self.low_v.tripped() || self.hot.tripped() || self.discharge_current.tripped());
        self.count(readings, dt_s);
        self.request(dt_s);
        self.limit(readings, switches);
    }

    fn guard(&mut self, readings: &Readings, dt_s: f64) {
        let guard = &self.chemistry.guard;
        let (lowest_v, highest_v) = readings.cell_range_v().unwrap_or((f64::NAN, f64::NAN));
        let (coldest_c, hottest_c) = readings.temperature_range_c().unwrap_or((f64::NAN, f64::NAN));
        let current_a = readings.current_a.unwrap_or(0.0);
        let (charge_a, discharge_a) = (self.spec.max_charge_current_a, self.spec.max_discharge_current_a);

        let safe = Release::WhenSafe;
        self.high_v = self.high_v.next(
            highest_v >= guard.high_v[1],
            TRIP_DELAY_S,
            safe(highest_v <= guard.high_v[2]),
            dt_s,
        );
        self.low_v =
            self.low_v.next(lowest_v <= guard.low_v[1], TRIP_DELAY_S, safe(lowest_v >= guard.low_v[2]), dt_s);
        self.hot =
            self.hot.next(hottest_c > guard.hot_c[1], TRIP_DELAY_S, safe(hottest_c <= guard.hot_c[2]), dt_s);
        self.cold = self.cold.next(
            coldest_c < guard.cold_c[1],
            TRIP_DELAY_S,
            safe(coldest_c >= guard.cold_c[2]),
            dt_s,
        );
        let off = Release::After(OVER_CURRENT_OFF_S);
        let over = |trip: Trip, a: f64, limit_a: f64| {
            trip.next(a > OVER_CURRENT_FACTOR * limit_a, OVER_CURRENT_DELAY_S, off, dt_s)
        };
        self.charge_current = over(self.charge_current, current_a, charge_a);
        self.discharge_current = over(self.discharge_current, -current_a, discharge_a);

        // A warning has one threshold to come and a lower one to go.
        let warned = self.warnings;
        let above = |alarm, value: f64, limit: f64, back: f64| {
            value >= if warned.has(alarm) { limit - back } else { limit }
        };
        for (alarm, on) in [
            (Alarm::HighVoltage, above(Alarm::HighVoltage, highest_v, guard.high_v[0], WARNING_BACK_V)),
            (Alarm::LowVoltage, above(Alarm::LowVoltage, -lowest_v, -guard.low_v[0], WARNING_BACK_V)),
            (
                Alarm::HighTemperature,
                above(Alarm::HighTemperature, hottest_c, guard.hot_c[0], WARNING_BACK_K),
            ),
            (
                Alarm::LowTemperature,
                above(Alarm::LowTemperature, -coldest_c, -guard.cold_c[0], WARNING_BACK_K),
            ),
            (Alarm::ChargeCurrent, above(Alarm::ChargeCurrent, current_a, 1.05 * charge_a, 0.05 * charge_a)),
            (
                Alarm::DischargeCurrent,
                above(Alarm::DischargeCurrent, -current_a, 1.05 * discharge_a, 0.05 * discharge_a),
            ),
            (Alarm::Internal, readings.incomplete()),
        ] {
            self.warnings.set(alarm, on);
        }
        for (alarm, on) in [
            (Alarm::HighVoltage, self.high_v.tripped()),
            (Alarm::LowVoltage, self.low_v.tripped()),
            (Alarm::HighTemperature, self.hot.tripped()),
            (Alarm::LowTemperature, self.cold.tripped()),
            (Alarm::ChargeCurrent, self.charge_current.tripped()),
            (Alarm::DischargeCurrent, self.discharge_current.tripped()),
            (Alarm::Internal, readings.incomplete()),
        ] {
            self.protections.set(alarm, on);
        }
    }

    fn count(&mut self, readings: &Readings, dt_s: f64) {
        let current_a = readings.current_a.unwrap_or(0.0);
        let counted_ah = current_a * (1.0 + self.spec.soc_gain_error) * dt_s / 3_600.0;
        self.soc = (self.soc + counted_ah / self.spec.nominal_ah).clamp(0.0, 1.0);

        let at_top = readings.pack_v >= self.spec.charge_voltage_limit_v - FULL_WITHIN_V
            && current_a.abs() <= FULL_TAIL_C * self.spec.nominal_ah;
        self.full_for_s = if at_top { self.full_for_s + dt_s } else { 0.0 };
        if self.high_v.tripped() || self.full_for_s >= FULL_DWELL_S {
            self.soc = 1.0;
        } else if self.low_v.tripped() {
            self.soc = 0.0;
        }
    }

    fn request(&mut self, dt_s: f64) {
        let held = |on: bool, (from, until): (f64, f64)| self.soc <= if on { until } else { from };
        let was = self.requests;
        self.since_full_s = if self.soc >= FULL_CHARGE_SOC { 0.0 } else { self.since_full_s + dt_s };
        self.requests = Requests {
            force_charge_1: held(was.force_charge_1, FORCE_CHARGE_1_SOC),
            force_charge_2: held(was.force_charge_2, FORCE_CHARGE_2_SOC),
            full_charge: self.since_full_s > FULL_CHARGE_DUE_S,
        };
    }

    fn limit(&mut self, readings: &Readings, switches: &Switches) {
        let (mut charge, mut discharge) = (1.0f64, 1.0f64);
        if self.spec.tapers {
            let taper = &self.chemistry.taper;
            if let Some((lowest_v, highest_v)) = readings.cell_range_v() {
                charge = charge.min(taper.charge_over_v.at(highest_v));
                discharge = discharge.min(taper.discharge_over_v.at(lowest_v));
            }
            for temperature_c in
                readings.temperature_range_c().into_iter().flat_map(|(low, high)| [low, high])
            {
                charge = charge.min(taper.charge_over_c.at(temperature_c));
                discharge = discharge.min(taper.discharge_over_c.at(temperature_c));
            }
        }
        // What cannot flow is not allowed: the limit follows the switch.
        let of = |maximum: f64, factor: f64, possible: bool| if possible { maximum * factor } else { 0.0 };
        self.limits.charge_current_a = of(self.spec.max_charge_current_a, charge, switches.may_charge());
        self.limits.discharge_current_a =
            of(self.spec.max_discharge_current_a, discharge, switches.may_discharge());
    }
}
