//! The part of a scenario about the current: who wants it, and who obeys.

use std::ops::RangeInclusive;

use serde::Deserialize;
use service_kit::config::{Check, Findings};

use crate::charger::ChargerSpec;
use crate::day::Weather;

const AMPS: RangeInclusive<f64> = -10_000.0..=10_000.0;

/// What the world wants to flow. Positive charges.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CurrentConfig {
    /// Always the same, in A.
    ConstantA(f64),
    /// One after the other.
    Steps(StepsConfig),
    /// Sun and house.
    Day(DayConfig),
}

impl Default for CurrentConfig {
    fn default() -> Self {
        Self::ConstantA(0.0)
    }
}

/// Currents one after the other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepsConfig {
    /// Begin again after so many s.
    #[serde(default)]
    pub repeat_s: Option<f64>,
    /// The steps, in rising order.
    pub step: Vec<StepConfig>,
}

/// One step.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// From this moment in s.
    pub at_s: f64,
    /// This current in A.
    pub current_a: f64,
}

/// Sun and house.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayConfig {
    /// Kind of day.
    pub weather: Weather,
    /// Peak power of the panels in kW.
    #[serde(default = "default_pv_kwp")]
    pub pv_kwp: f64,
    /// Factor on everything that the house takes.
    #[serde(default = "normal_load")]
    pub load: f64,
    /// Hour of the day at the start.
    #[serde(default)]
    pub starts_at_h: f64,
    /// Hours at which an electric car draws 11 kW for ten minutes.
    #[serde(default)]
    pub vehicle_at_h: Vec<f64>,
}

/// What carries the current, and how it obeys.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChargerConfig {
    /// Age of the limits that it obeys in s.
    pub dead_time_s: f64,
    /// Time constant with which its current follows in s.
    pub lag_s: f64,
    /// Step of the voltage that it can be told in V; 0 for none.
    pub voltage_step_v: f64,
    /// Step of the current that it can be told in A; 0 for none.
    pub current_step_a: f64,
    /// Error of its own voltmeter in V.
    pub meter_offset_v: f64,
    /// Heeds the charge voltage limit.
    pub obeys_voltage: bool,
    /// Heeds the current limits.
    pub obeys_current: bool,
    /// Draws the battery down to a charge voltage below its own.
    pub discharges_to_limit: bool,
    /// What it adds to the charge voltage limit in V.
    pub above_voltage_v: f64,
    /// Error of its own current measurement in %: positive pushes more than it was told.
    pub current_gain_error_percent: f64,
    /// Pushes at least this much whatever it is told, in A.
    pub least_charge_a: f64,
    /// How long it ignores a lower charge current limit in s.
    pub ignores_reductions_for_s: f64,
    /// How fast its current can rise in A/s; 0 for at once.
    pub rise_a_per_s: f64,
}

impl Default for ChargerConfig {
    fn default() -> Self {
        Self {
            dead_time_s: 2.0,
            lag_s: 2.0,
            voltage_step_v: 0.1,
            current_step_a: 0.1,
            meter_offset_v: 0.0,
            obeys_voltage: true,
            obeys_current: true,
            discharges_to_limit: false,
            above_voltage_v: 0.0,
            current_gain_error_percent: 0.0,
            least_charge_a: 0.0,
            ignores_reductions_for_s: 0.0,
            rise_a_per_s: 0.0,
        }
    }
}

impl ChargerConfig {
    /// As the charger wants it.
    pub fn spec(self) -> ChargerSpec {
        ChargerSpec {
            dead_time_s: self.dead_time_s,
            lag_s: self.lag_s,
            voltage_step_v: self.voltage_step_v,
            current_step_a: self.current_step_a,
            meter_offset_v: self.meter_offset_v,
            obeys_voltage: self.obeys_voltage,
            obeys_current: self.obeys_current,
            discharges_to_limit: self.discharges_to_limit,
            above_voltage_v: self.above_voltage_v,
            current_gain_error: self.current_gain_error_percent / 100.0,
            least_charge_a: self.least_charge_a,
            ignores_reductions_for_s: self.ignores_reductions_for_s,
            rise_a_per_s: self.rise_a_per_s,
        }
    }
}

impl Check for CurrentConfig {
    fn check(&self, findings: &mut Findings) {
        match self {
            Self::ConstantA(current_a) => findings.within("constant_a", *current_a, AMPS, "A"),
            Self::Steps(steps) => findings.inside("steps", steps),
            Self::Day(day) => findings.inside("day", day),
        }
    }
}

impl Check for StepsConfig {
    fn check(&self, findings: &mut Findings) {
        if let Some(repeat_s) = self.repeat_s {
            findings.within("repeat_s", repeat_s, 1.0..=1e7, "s");
        }
        findings.each("step", &self.step);
        if !self.step.iter().is_sorted_by(|a, b| a.at_s <= b.at_s) {
            findings.refuse("step", "not in rising order of at_s", "each step later than the one before");
        }
    }
}

impl Check for StepConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("at_s", self.at_s, 0.0..=1e7, "s");
        findings.within("current_a", self.current_a, AMPS, "A");
    }
}

impl Check for DayConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("pv_kwp", self.pv_kwp, 0.0..=1_000.0, "kW");
        findings.within("load", self.load, 0.0..=100.0, "");
        findings.within("starts_at_h", self.starts_at_h, 0.0..=24.0, "h");
        if !self.vehicle_at_h.iter().all(|hour| (0.0..=24.0).contains(hour)) {
            findings.refuse("vehicle_at_h", "no hour of a day", "hours from 0 to 24");
        }
    }
}

impl Check for ChargerConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("dead_time_s", self.dead_time_s, 0.0..=300.0, "s");
        findings.within("lag_s", self.lag_s, 0.0..=300.0, "s");
        findings.within("voltage_step_v", self.voltage_step_v, 0.0..=5.0, "V");
        findings.within("current_step_a", self.current_step_a, 0.0..=50.0, "A");
        findings.within("meter_offset_v", self.meter_offset_v, -5.0..=5.0, "V");
        findings.within("above_voltage_v", self.above_voltage_v, 0.0..=5.0, "V");
        findings.within("current_gain_error_percent", self.current_gain_error_percent, -50.0..=50.0, "%");
        findings.within("least_charge_a", self.least_charge_a, 0.0..=100.0, "A");
        findings.within("ignores_reductions_for_s", self.ignores_reductions_for_s, 0.0..=3_600.0, "s");
        findings.within("rise_a_per_s", self.rise_a_per_s, 0.0..=1_000.0, "A/s");
    }
}

fn default_pv_kwp() -> f64 {
    5.0
}

fn normal_load() -> f64 {
    1.0
}
