//! Messages that only Growatt's frames have: they join what others send apart.

use serde::Serialize;

use super::{Extremes, Limits, Measurements, Requests, Soc};

/// Growatt 0x311: limits, and what the pack does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LimitsAndState {
    /// Bytes 0 to 5.
    #[serde(flatten)]
    pub limits: Limits,
    /// Bytes 6 and 7.
    #[serde(flatten)]
    pub state: PackState,
}

/// Growatt 0x311 bytes 6 and 7 ("Growatt BMS CAN-Bus-protocol-low-voltage" rev. 04, table 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PackState {
    /// Bits 0 and 1.
    pub state: PackActivity,
    /// Bit 2: the error bytes count.
    pub error_valid: bool,
    /// Bit 3.
    pub balanced: bool,
    /// Bit 4.
    pub sleeping: bool,
    /// Bit 5. Some senders leave it 0 while discharging is allowed; 0x319 is the word to follow.
    pub discharge_output: bool,
    /// Bit 6. As bit 5.
    pub charge_output: bool,
    /// Bit 7.
    pub terminal_open: bool,
    /// Bits 8 and 9: 0 alone, 1 parallel, 2 ready for parallel.
    pub master_box_mode: u8,
    /// Bits 10 and 11: what the inverter is meant to do.
    pub inverter_state: PackActivity,
}

/// What a Growatt pack does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PackActivity {
    /// 0.
    SoftStart,
    /// 1.
    Standby,
    /// 2.
    Charging,
    /// 3.
    Discharging,
}

/// Growatt 0x313.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasurementsAndSoc {
    /// Bytes 0 to 5.
    #[serde(flatten)]
    pub measurements: Measurements,
    /// Byte 6 and bits 0 to 6 of byte 7.
    #[serde(flatten)]
    pub soc: Soc,
    /// Bit 7 of byte 7: the battery is no longer safe to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsafe_flag: Option<bool>,
}

/// Growatt 0x319.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RequestsAndExtremes {
    /// Bits 4 to 7 of byte 0.
    #[serde(flatten)]
    pub requests: Requests,
    /// Bits 0 and 1 of byte 0: 0 lithium iron phosphate, 1 ternary, 2 titanate.
    pub chemistry_raw: u8,
    /// Bytes 1 to 6.
    #[serde(flatten)]
    pub extremes: Extremes,
    /// Byte 7: the pack whose protection has acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protect_pack_id: Option<u8>,
}

/// Growatt 0x320.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Two letters, or two numbers, as the maker likes.
    pub manufacturer_code: [u8; 2],
    /// 1 to 9.
    pub hardware_version: u8,
    /// 1 to 9.
    pub software_version: u8,
}

/// Growatt 0x321.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UpdateStatus {
    /// Table 6 of the protocol; 0 while no update runs.
    pub update_status_raw: u8,
    /// 0 to 100.
    pub update_progress_pct: u8,
    /// The pack being updated.
    pub update_pack_id: u8,
    /// Packs already updated.
    pub update_done_count: u8,
}
