//! What can be wrong with a battery, and frame 0x35A that says so in pairs of bits.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Near a limit; nothing is switched off yet.
    Warning,
    /// Beyond a limit; the BMS has acted or is about to.
    Alarm,
}

/// What is wrong: the thirteen conditions of frame 0x35A, in the order of its bits. All other alarm frames are mapped
/// to these ([`Flag::means`](super::Flag::means)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Condition {
    /// Something, unspecified.
    General,
    /// Cell or pack voltage too high.
    HighVoltage,
    /// Cell or pack voltage too low.
    LowVoltage,
    /// Too hot: while discharging, or in any state where the sender does not tell.
    HighTemperature,
    /// Too cold: while discharging, or in any state where the sender does not tell.
    LowTemperature,
    /// Too hot to charge.
    HighChargeTemperature,
    /// Too cold to charge.
    LowChargeTemperature,
    /// Discharge current too high.
    HighDischargeCurrent,
    /// Charge current too high.
    HighChargeCurrent,
    /// A contactor or relay does not do what it should.
    Contactor,
    /// Short circuit.
    ShortCircuit,
    /// A fault inside the BMS, or between the modules.
    BmsInternal,
    /// Cells differ too much.
    CellImbalance,
}

impl Condition {
    /// All, in the order of the bits of 0x35A.
    pub const ALL: [Condition; 13] = [
        Condition::General,
        Condition::HighVoltage,
        Condition::LowVoltage,
        Condition::HighTemperature,
        Condition::LowTemperature,
        Condition::HighChargeTemperature,
        Condition::LowChargeTemperature,
        Condition::HighDischargeCurrent,
        Condition::HighChargeCurrent,
        Condition::Contactor,
        Condition::ShortCircuit,
        Condition::BmsInternal,
        Condition::CellImbalance,
    ];

    /// The keys of its two pairs, alarm and warning.
    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Condition::General => ("alarm_general", "warning_general"),
            Condition::HighVoltage => ("alarm_high_voltage", "warning_high_voltage"),
            Condition::LowVoltage => ("alarm_low_voltage", "warning_low_voltage"),
            Condition::HighTemperature => ("alarm_high_temperature", "warning_high_temperature"),
            Condition::LowTemperature => ("alarm_low_temperature", "warning_low_temperature"),
            Condition::HighChargeTemperature => {
                ("alarm_high_temperature_charge", "warning_high_temperature_charge")
            }
            Condition::LowChargeTemperature => {
                ("alarm_low_temperature_charge", "warning_low_temperature_charge")
            }
            Condition::HighDischargeCurrent => ("alarm_high_current", "warning_high_current"),
            Condition::HighChargeCurrent => ("alarm_high_charge_current", "warning_high_charge_current"),
            Condition::Contactor => ("alarm_contactor", "warning_contactor"),
            Condition::ShortCircuit => ("alarm_short_circuit", "warning_short_circuit"),
            Condition::BmsInternal => ("alarm_bms_internal", "warning_bms_internal"),
            Condition::CellImbalance => ("alarm_cell_imbalance", "warning_cell_imbalance"),
        }
    }
}

/// Two bits of 0x35A. SMA's technical information on external batteries reads them as two flags, low bit "arrive", high
/// bit "leave"; so a healthy, supported function is `10`, and `00` and `11` change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Pair {
    /// `00`: not supported, or no change.
    NotSupported,
    /// `01`: it is so.
    Active,
    /// `10`: it is not so.
    Ok,
    /// `11`: reserved; Discover sends it for what it does not support.
    Reserved,
}

impl Pair {
    /// The lowest two bits of `bits`.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Pair {
        match bits & 3 {
            0 => Pair::NotSupported,
            1 => Pair::Active,
            2 => Pair::Ok,
            _ => Pair::Reserved,
        }
    }

    /// As bits, 0 to 3.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self as u64
    }
}

/// `"not_supported"` (for `11` too), `"active"`, `"ok"`.
impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Pair::NotSupported | Pair::Reserved => "not_supported",
            Pair::Active => "active",
            Pair::Ok => "ok",
        })
    }
}

/// Frame 0x35A: an alarm and a warning pair for each condition. `None` is a pair that a short frame leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarms {
    alarms: [Option<Pair>; 13],
    warnings: [Option<Pair>; 13],
    /// Victron only: `01` offline, `10` online.
    pub system_status: Option<Pair>,
}

impl Alarms {
    /// All pairs the same, the system status not there.
    #[must_use]
    pub const fn all(pair: Option<Pair>) -> Alarms {
        Alarms { alarms: [pair; 13], warnings: [pair; 13], system_status: None }
    }

    /// The pair of one condition; `None` if the frame was too short to hold it.
    #[must_use]
    pub fn get(&self, condition: Condition, severity: Severity) -> Option<Pair> {
        let pairs = match severity {
            Severity::Alarm => &self.alarms,
            Severity::Warning => &self.warnings,
        };
        pairs.get(condition as usize).copied().flatten()
    }

    /// Sets the pair of one condition.
    pub fn set(&mut self, condition: Condition, severity: Severity, pair: Option<Pair>) {
        let pairs = match severity {
            Severity::Alarm => &mut self.alarms,
            Severity::Warning => &mut self.warnings,
        };
        if let Some(place) = pairs.get_mut(condition as usize) {
            *place = pair;
        }
    }
}

impl Serialize for Alarms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for severity in [Severity::Alarm, Severity::Warning] {
            for condition in Condition::ALL {
                let (alarm, warning) = condition.keys();
                if let Some(pair) = self.get(condition, severity) {
                    map.serialize_entry(if severity == Severity::Alarm { alarm } else { warning }, &pair)?;
                }
            }
        }
        if let Some(pair) = self.system_status {
            map.serialize_entry("system_status_pair", &pair)?;
        }
        map.end()
    }
}
