//! What seldom changes: identity, modules, energy, capacity.

use serde::Serialize;

/// 0x35F.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BatteryInfo {
    /// Chemistry, model or product id, as the sender likes.
    pub battery_type_raw: u16,
    /// Hardware version (SMA) or firmware version (Victron).
    pub version_bytes: [u8; 2],
    /// Capacity, or what is left of it, Ah; often 0 where it is not filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_ah: Option<u16>,
}

/// How many modules, and in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Modules {
    /// Present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_online: Option<u16>,
    /// Refusing to be charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_blocking_charge: Option<u16>,
    /// Refusing to be discharged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_blocking_discharge: Option<u16>,
    /// Missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_offline: Option<u16>,
}

/// Energy through the battery since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Energy {
    /// Charged, kWh.
    pub charged_energy_kwh: f64,
    /// Discharged, kWh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discharged_energy_kwh: Option<f64>,
}

/// 0x379.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InstalledCapacity {
    /// Of the whole bank, Ah.
    pub installed_capacity_ah: u16,
}

/// How much fits, how much is left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Capacity {
    /// When full, Ah.
    pub capacity_full_ah: f64,
    /// Left, Ah.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_remaining_ah: Option<f64>,
    /// Highest less lowest cell, mV (Growatt).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_delta_mv: Option<u16>,
    /// Cycles (Growatt).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u16>,
}

/// Goodwe 0x399.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatedEnergy {
    /// Of the whole bank, kWh.
    pub rated_energy_kwh: f64,
}

/// Discover 0x372.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FirmwareVersion {
    /// Most significant first.
    pub firmware_version: [u8; 4],
}

/// Discover 0x373.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProtocolVersion {
    /// 1 in all that was seen.
    pub protocol_version: u8,
}
