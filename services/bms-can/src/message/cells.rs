//! Single cells, and the highest and lowest of them.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Highest and lowest cell and temperature.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Extremes {
    /// Hottest cell, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_max_c: Option<f64>,
    /// Coldest cell, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_min_c: Option<f64>,
    /// Highest cell, mV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_max_mv: Option<u16>,
    /// Lowest cell, mV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_min_mv: Option<u16>,
    /// Number of the highest cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_max_index: Option<u8>,
    /// Number of the lowest cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_min_index: Option<u8>,
    /// Number of the hottest sensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_max_index: Option<u8>,
    /// Number of the coldest sensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_min_index: Option<u8>,
    /// Places of the highest and the lowest value, as Pytes counts them. Not printed: the coding is not published.
    #[serde(skip)]
    pub locations: Option<[u16; 2]>,
}

/// Where the extremes are: module, cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ExtremeLocations {
    /// Of the hottest cell.
    pub temperature_max_loc: [u8; 2],
    /// Of the coldest cell.
    pub temperature_min_loc: [u8; 2],
    /// Of the highest cell.
    pub cell_max_loc: [u8; 2],
    /// Of the lowest cell.
    pub cell_min_loc: [u8; 2],
}

/// 0x373.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CellExtremes {
    /// Lowest cell, mV.
    pub cell_min_mv: u16,
    /// Highest cell, mV.
    pub cell_max_mv: u16,
    /// Coldest cell, °C (the wire counts kelvins, 273 to 0 °C).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_min_c: Option<i16>,
    /// Hottest cell, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_max_c: Option<i16>,
}

/// Four cell voltages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cells {
    /// The number of the first, from 1.
    pub first: u8,
    /// mV; `None` for a cell that is not there (0 on the wire, or beyond a short frame).
    pub voltages_mv: [Option<u16>; 4],
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (number, voltage) in (u16::from(self.first)..).zip(self.voltages_mv) {
            if let Some(voltage) = voltage {
                map.serialize_entry(&format_args!("cell_{number}_mv"), &voltage)?;
            }
        }
        map.end()
    }
}
