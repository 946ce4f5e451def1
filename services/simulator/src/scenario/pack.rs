//! The part of a scenario about one module: cells, wires, BMS.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};
use service_kit::config::{Check, Findings};

use crate::named::named;
use crate::plant::balancer::Balancer;
use crate::plant::chemistry::{CHEMISTRIES, Chemistry, LFP};

/// Cells and wires of a module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PackConfig {
    /// Chemistry of the cells.
    pub chemistry: &'static Chemistry,
    /// Cells in series.
    pub cells: usize,
    /// Capacity in Ah.
    pub capacity_ah: f64,
    /// State of charge at the start in %.
    pub soc_percent: f64,
    /// Temperature of cells and surroundings at the start in °C.
    pub temperature_c: f64,
    /// Resistance of wires, fuse and switches in Ω.
    pub harness_ohm: f64,
    /// Standard deviation of the cells' capacities in %.
    pub capacity_spread_percent: f64,
    /// Standard deviation of the cells' charge in % of the capacity.
    pub soc_spread_percent: f64,
    /// Standard deviation of the cells' resistances in %.
    pub resistance_spread_percent: f64,
    /// Standard deviation of the modules' resistances in %.
    pub module_spread_percent: f64,
    /// The circuit alone: no hysteresis, no heat, no losses of charge.
    pub ideal_cells: bool,
    /// How it evens out its cells.
    pub balancer: BalancerConfig,
    /// Cells that differ from the others.
    pub odd_cell: Vec<OddCellConfig>,
}

impl Default for PackConfig {
    fn default() -> Self {
        Self {
            chemistry: &LFP,
            cells: 16,
            capacity_ah: 280.0,
            soc_percent: 50.0,
            temperature_c: 25.0,
            harness_ohm: 0.001,
            capacity_spread_percent: 1.0,
            soc_spread_percent: 0.2,
            resistance_spread_percent: 5.0,
            module_spread_percent: 5.0,
            ideal_cells: false,
            balancer: BalancerConfig::Passive { bleed_a: 0.15, duty: 1.0 },
            odd_cell: Vec::new(),
        }
    }
}

/// How a pack evens out its cells.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BalancerConfig {
    /// Not at all.
    None,
    /// By resistors.
    Passive {
        /// Current in A.
        bleed_a: f64,
        /// Part of the time.
        duty: f64,
    },
    /// From the highest cell to the lowest.
    Active {
        /// Current in A.
        current_a: f64,
        /// Part that arrives.
        efficiency: f64,
    },
}

impl BalancerConfig {
    /// As the plant wants it.
    pub fn balancer(self) -> Balancer {
        match self {
            Self::None => Balancer::None,
            Self::Passive { bleed_a, duty } => Balancer::Passive { bleed_a, duty },
            Self::Active { current_a, efficiency } => Balancer::Active { current_a, efficiency },
        }
    }
}

/// A cell that differs from the others, in every battery of this kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OddCellConfig {
    /// Module, counted through all strings, from 0.
    #[serde(default)]
    pub module: usize,
    /// Cell, from 0.
    pub cell: usize,
    /// Its capacity in % of the others'.
    #[serde(default = "hundred")]
    pub capacity_percent: f64,
    /// Its charge minus that of the others, in %.
    #[serde(default)]
    pub soc_offset_percent: f64,
    /// Its resistances in % of the others'.
    #[serde(default = "hundred")]
    pub resistance_percent: f64,
}

/// BMS of a module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BmsConfig {
    /// Charge voltage limit in V; otherwise that of the chemistry.
    pub charge_voltage_limit_v: Option<f64>,
    /// Discharge voltage limit in V; otherwise that of the chemistry.
    pub discharge_voltage_limit_v: Option<f64>,
    /// Largest charge current in A; otherwise half the capacity per hour.
    pub max_charge_current_a: Option<f64>,
    /// Largest discharge current in A; otherwise half the capacity per hour.
    pub max_discharge_current_a: Option<f64>,
    /// Lowers the limits toward the ends of voltage and temperature.
    pub tapers: bool,
    /// State of charge that its counter starts with in %; otherwise the truth.
    pub soc_percent: Option<f64>,
    /// Error of its counter in %.
    pub soc_gain_error_percent: f64,
    /// State of health in %.
    pub soh_percent: f64,
    /// Energy that its counter starts with, put into the module, in kWh.
    pub charged_kwh: f64,
    /// Energy that its counter starts with, taken out of the module, in kWh.
    pub discharged_kwh: f64,
    /// Charge cycles that its counter starts with.
    pub cycles: f64,
    /// Measures with the noise and steps of a common BMS, otherwise the truth.
    pub noise: bool,
}

impl Default for BmsConfig {
    fn default() -> Self {
        Self {
            charge_voltage_limit_v: None,
            discharge_voltage_limit_v: None,
            max_charge_current_a: None,
            max_discharge_current_a: None,
            tapers: true,
            soc_percent: None,
            soc_gain_error_percent: 0.5,
            soh_percent: 100.0,
            charged_kwh: 0.0,
            discharged_kwh: 0.0,
            cycles: 0.0,
            noise: true,
        }
    }
}

impl Check for PackConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("cells", self.cells, 1..=32, "");
        findings.within("capacity_ah", self.capacity_ah, 1.0..=2_000.0, "Ah");
        findings.within("soc_percent", self.soc_percent, 0.0..=100.0, "%");
        findings.within("temperature_c", self.temperature_c, -40.0..=80.0, "°C");
        findings.within("harness_ohm", self.harness_ohm, 0.0..=1.0, "Ω");
        for (key, spread) in [
            ("capacity_spread_percent", self.capacity_spread_percent),
            ("soc_spread_percent", self.soc_spread_percent),
            ("resistance_spread_percent", self.resistance_spread_percent),
            ("module_spread_percent", self.module_spread_percent),
        ] {
            findings.within(key, spread, 0.0..=25.0, "%");
        }
        let (current_a, part) = match self.balancer {
            BalancerConfig::None => (0.0, 0.0),
            BalancerConfig::Passive { bleed_a, duty } => (bleed_a, duty),
            BalancerConfig::Active { current_a, efficiency } => (current_a, efficiency),
        };
        if !((0.0..=20.0).contains(&current_a) && (0.0..=1.0).contains(&part)) {
            findings.refuse("balancer", "out of range", "0 to 20 A, duty and efficiency 0 to 1");
        }
        findings.each("odd_cell", &self.odd_cell);
        if self.odd_cell.iter().any(|odd| odd.cell >= self.cells) {
            findings.refuse(
                "odd_cell",
                "there is no such cell",
                format!("cell 0 to {}", self.cells.max(1) - 1),
            );
        }
    }
}

impl Check for OddCellConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("capacity_percent", self.capacity_percent, 1.0..=200.0, "%");
        findings.within("soc_offset_percent", self.soc_offset_percent, -100.0..=100.0, "%");
        findings.within("resistance_percent", self.resistance_percent, 1.0..=10_000.0, "%");
    }
}

impl Check for BmsConfig {
    fn check(&self, findings: &mut Findings) {
        for (key, value, most, unit) in [
            ("charge_voltage_limit_v", self.charge_voltage_limit_v, 200.0, "V"),
            ("discharge_voltage_limit_v", self.discharge_voltage_limit_v, 200.0, "V"),
            ("max_charge_current_a", self.max_charge_current_a, 3_000.0, "A"),
            ("max_discharge_current_a", self.max_discharge_current_a, 3_000.0, "A"),
            ("soc_percent", self.soc_percent, 100.0, "%"),
        ] {
            if let Some(value) = value {
                findings.within(key, value, 0.0..=most, unit);
            }
        }
        findings.within("soc_gain_error_percent", self.soc_gain_error_percent, -20.0..=20.0, "%");
        findings.within("soh_percent", self.soh_percent, 0.0..=100.0, "%");
        findings.within("charged_kwh", self.charged_kwh, 0.0..=1e6, "kWh");
        findings.within("discharged_kwh", self.discharged_kwh, 0.0..=1e6, "kWh");
        findings.within("cycles", self.cycles, 0.0..=60_000.0, "");
    }
}

impl<'de> Deserialize<'de> for &'static Chemistry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        static NAMES: LazyLock<Vec<&str>> =
            LazyLock::new(|| CHEMISTRIES.iter().map(|chemistry| chemistry.name).collect());
        named(deserializer, &NAMES, CHEMISTRIES)
    }
}

fn hundred() -> f64 {
    100.0
}
