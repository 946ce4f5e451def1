//! What a battery allows, measures, reports and asks for.

use serde::Serialize;

use super::Flags;

/// Luxpower 0x300.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InverterCommand {
    /// Byte 0 bit 0: the battery shall shut down.
    pub battery_shutdown: bool,
}

/// What the battery allows.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Limits {
    /// Charge voltage limit, V. A 0 on the wire is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_voltage_limit_v: Option<f64>,
    /// Charge current limit, A, never negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_current_limit_a: Option<f64>,
    /// Discharge current limit, A, never negative, also where the wire has a minus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discharge_current_limit_a: Option<f64>,
    /// Discharge voltage limit, V. A 0 on the wire is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discharge_voltage_limit_v: Option<f64>,
}

/// How full, how old.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Soc {
    /// State of charge, %, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soc_pct: Option<u8>,
    /// State of health, %, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soh_pct: Option<u8>,
    /// State of charge in steps of 0.01 %, where the sender has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soc_hires_pct: Option<f64>,
    /// Highest cell, mV (Luxpower).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_max_mv: Option<u16>,
    /// Lowest cell, mV (Luxpower).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_min_mv: Option<u16>,
    /// Cycles (Pytes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u16>,
}

/// What the battery measures.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Measurements {
    /// Pack voltage, V.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voltage_v: Option<f64>,
    /// Current, A, positive while charging.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_a: Option<f64>,
    /// Temperature, °C; which one is the sender's choice, mostly the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// Hottest cell, °C (Luxpower, Growatt).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_max_c: Option<f64>,
    /// Coldest cell, °C (Luxpower).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_min_c: Option<f64>,
    /// Cycles (JBD).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u16>,
}

/// An alarm frame of single bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Protection {
    /// The bits.
    #[serde(flatten)]
    pub flags: Flags,
    /// Modules in parallel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module_count: Option<u8>,
    /// Whether the letters `PN` follow the module count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pn_marker: Option<bool>,
    /// Capacity of the bank, Ah (Luxpower).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_ah: Option<u16>,
    /// Maker's code (Growatt).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer_code: Option<[u8; 2]>,
    /// Cells (Growatt).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_count: Option<u8>,
}

/// What the battery asks for and permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Requests {
    /// Charging is permitted; if not, the charge limit counts as 0.
    pub charge_enable: bool,
    /// Discharging is permitted; if not, the discharge limit counts as 0.
    pub discharge_enable: bool,
    /// Forced charge 1, in the numbering of the sender's own protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_charge_1: Option<bool>,
    /// Forced charge 2, in the numbering of the sender's own protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_charge_2: Option<bool>,
    /// It has long not been full and wants to be, to correct its count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_charge_request: Option<bool>,
    /// Charge now (Pytes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_immediately: Option<bool>,
    /// Modules that refuse to be charged (Pytes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_blocking_charge: Option<u8>,
    /// Modules that refuse to be discharged (Pytes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_blocking_discharge: Option<u8>,
    /// Cycles (Luxpower).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u16>,
}

/// 0x360.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChargeRequest {
    /// Byte 0 is 0xFF: charge at once.
    pub charge_immediately: bool,
}
