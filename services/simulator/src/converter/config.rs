//! A converter of the scenario.

use std::path::PathBuf;

use serde::Deserialize;
use service_kit::config::{Check, Findings};

use super::physics::{Model, Plant};

/// One converter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConverterConfig {
    /// Where it appears: a link to its pseudo-terminal.
    pub link: PathBuf,
    /// Where its battery appears; without it there is none.
    #[serde(default)]
    pub battery_link: Option<PathBuf>,
    /// Speed of the converter's line.
    #[serde(default = "converter_baud")]
    pub baud: u32,
    /// Speed of the battery's line.
    #[serde(default = "battery_baud")]
    pub battery_baud: u32,
    /// Replies come as fast as the lines carry them; otherwise at once.
    #[serde(default = "yes")]
    pub paced: bool,
    /// From the end of a request to the beginning of its reply.
    #[serde(default = "turnaround")]
    pub turnaround_ms: f64,
    /// Meters follow a set point by plain rules instead of physics.
    #[serde(default)]
    pub steps: bool,
    /// Voltage of the DC grid without load.
    #[serde(default = "grid_v")]
    pub grid_v: f64,
    /// Resistance of the DC grid.
    #[serde(default = "grid_ohm")]
    pub grid_ohm: f64,
    /// State of charge of the battery at the beginning, 0 to 100.
    #[serde(default = "half")]
    pub soc: f64,
    /// Capacity of the battery.
    #[serde(default = "capacity_ah")]
    pub capacity_ah: f64,
}

impl ConverterConfig {
    pub(super) fn model(&self) -> Model {
        if self.steps {
            return Model::Steps;
        }
        Model::Plant(Plant::new(self.grid_v, self.grid_ohm, self.soc / 100.0, self.capacity_ah))
    }
}

impl Check for ConverterConfig {
    fn check(&self, findings: &mut Findings) {
        for (key, baud) in [("baud", self.baud), ("battery_baud", self.battery_baud)] {
            findings.within(key, baud, 300..=1_000_000, "bit/s");
        }
        findings.within("turnaround_ms", self.turnaround_ms, 0.0..=1_000.0, "ms");
        findings.within("grid_v", self.grid_v, 0.0..=425.0, "V");
        findings.within("grid_ohm", self.grid_ohm, 0.01..=100.0, "ohm");
        findings.within("soc", self.soc, 0.0..=100.0, "%");
        findings.within("capacity_ah", self.capacity_ah, 1.0..=10_000.0, "Ah");
    }
}

fn converter_baud() -> u32 {
    19_200
}

fn battery_baud() -> u32 {
    9_600
}

fn yes() -> bool {
    true
}

fn turnaround() -> f64 {
    5.0
}

fn grid_v() -> f64 {
    349.5
}

fn grid_ohm() -> f64 {
    2.0
}

fn half() -> f64 {
    50.0
}

fn capacity_ah() -> f64 {
    100.0
}
