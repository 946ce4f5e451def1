//! What a battery tells the bus about itself, before any protocol puts it into frames.

mod gather;
mod words;

pub use gather::limits;

use crate::plant::alarms::AlarmSet;
use crate::plant::bms::{Limits, Requests};

/// One string of modules as its master reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Name of the maker.
    pub manufacturer: String,
    /// What else it is called.
    pub names: Names,
    /// Number of the string behind a hub, from 0.
    pub address: u8,
    /// Modules in parallel.
    pub modules: Modules,
    /// Cells in series.
    pub cells_in_series: u8,
    /// Its cells are nickel manganese cobalt, otherwise lithium iron phosphate.
    pub is_ternary: bool,
    /// Voltage in V.
    pub voltage_v: f64,
    /// Current in A, positive charges.
    pub current_a: f64,
    /// Temperature in °C.
    pub temperature_c: f64,
    /// State of charge in %.
    pub soc_percent: f64,
    /// State of health in %.
    pub soh_percent: f64,
    /// Capacity of all its modules in Ah.
    pub installed_ah: f64,
    /// What is left in Ah.
    pub remaining_ah: f64,
    /// Energy that fits in, in kWh.
    pub rated_kwh: f64,
    /// Energy put in since it was made, in kWh.
    pub charged_kwh: f64,
    /// Energy taken out since it was made, in kWh.
    pub discharged_kwh: f64,
    /// Charge cycles since it was made.
    pub cycles: f64,
    /// What is allowed.
    pub limits: Limits,
    /// May it be charged at all?
    pub charge_enabled: bool,
    /// May it be discharged at all?
    pub discharge_enabled: bool,
    /// What it asks for.
    pub requests: Requests,
    /// What it warns of.
    pub warnings: AlarmSet,
    /// What it has switched off for.
    pub protections: AlarmSet,
    /// Lowest and highest cell voltage in V.
    pub cells_v: Option<Extremes>,
    /// Lowest and highest temperature in °C.
    pub cells_c: Option<Extremes>,
    /// Each cell of the first module in V.
    pub first_module_v: Vec<Option<f64>>,
}

/// What a battery is called, besides its maker. All text is ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Name of the model, at most 16 characters.
    pub model: String,
    /// Name of the product family, at most 8 characters.
    pub family: String,
    /// Serial number, at most 16 characters.
    pub serial: String,
    /// Version of the firmware, the more significant number first.
    pub firmware: [u8; 2],
}

/// Sets of modules: bit n stands for module n of the string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modules {
    /// Heard by the master.
    pub online: u64,
    /// Not heard by the master.
    pub offline: u64,
    /// Online, and not to be charged.
    pub blocking_charge: u64,
    /// Online, and not to be discharged.
    pub blocking_discharge: u64,
}

/// The lowest and the highest of a kind of reading, and where they were taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    /// The lowest.
    pub low: f64,
    /// Where it is.
    pub low_at: Place,
    /// The highest.
    pub high: f64,
    /// Where it is.
    pub high_at: Place,
}

/// A cell or a sensor, both counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Module of the string.
    pub module: u8,
    /// Cell or sensor of the module.
    pub cell: u8,
}

impl Report {
    /// Charge current limit in A: none where charging is not allowed at all.
    pub fn charge_current_limit_a(&self) -> f64 {
        if self.charge_enabled { self.limits.charge_current_a } else { 0.0 }
    }

    /// Discharge current limit in A: none where discharging is not allowed at all.
    pub fn discharge_current_limit_a(&self) -> f64 {
        if self.discharge_enabled { self.limits.discharge_current_a } else { 0.0 }
    }

    /// Number of a cell counted through all modules from 1, at most 255.
    pub fn cell_number(&self, at: Place) -> u8 {
        at.module.saturating_mul(self.cells_in_series).saturating_add(at.cell).saturating_add(1)
    }
}

/// How many modules are in a set.
pub fn count(set: u64) -> u8 {
    // At most 64.
    set.count_ones() as u8
}

impl Place {
    /// As most makers print it: module and cell with two digits each, counted from 1.
    pub fn label(self) -> String {
        format!("{:02}{:02}", u16::from(self.module) + 1, u16::from(self.cell) + 1)
    }
}
