//! The frames of a Sunny Island.

use serde::Serialize;

use crate::frame::{CanId, Frame};

/// What one frame says. Master and slaves are the lines 1 to 3.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Status {
    /// 0x300: active power at the external connection (grid or generator), 100 W, positive from there.
    ExternalPower {
        /// Line 1, W.
        external_power_l1_w: i32,
        /// Line 2, W.
        external_power_l2_w: i32,
    },
    /// 0x301: active power of the inverters, 100 W, positive towards the loads.
    InverterPower {
        /// Line 1, W.
        inverter_power_l1_w: i32,
        /// Line 2, W.
        inverter_power_l2_w: i32,
    },
    /// 0x304.
    Output {
        /// Line 1, V.
        output_voltage_l1_v: f64,
        /// Line 2, V.
        output_voltage_l2_v: f64,
        /// Line 3, V (not seen in the field).
        output_voltage_l3_v: f64,
        /// Frequency, Hz.
        output_frequency_hz: f64,
    },
    /// 0x305.
    Battery {
        /// Voltage, V.
        battery_voltage_v: f64,
        /// Current of the cluster, A, positive while charging (on the wire positive while discharging).
        battery_current_a: f64,
        /// Temperature, °C: the battery's own, sent back.
        battery_temperature_c: f64,
        /// State of charge, %.
        soc_pct: f64,
    },
    /// 0x306.
    State {
        /// State of health, %.
        soh_pct: u16,
        /// Charging procedure; 10 with an external BMS.
        charging_procedure: u8,
        /// 0 none, 1 operating, 3 warning, 4 failure.
        operating_state: u8,
        /// Number of the active error or warning, 0 without one.
        error_number: u16,
        /// Charge voltage that it aims at, V.
        charge_voltage_setpoint_v: f64,
    },
    /// 0x307, byte 2.
    Relays {
        /// The relay to grid or generator is closed.
        external_relay_closed: bool,
        /// The voltage there is good.
        external_voltage_valid: bool,
    },
    /// 0x308: power of all loads, 100 W.
    Load {
        /// W.
        load_power_w: i32,
    },
    /// 0x309.
    External {
        /// Line 1, V.
        external_voltage_l1_v: f64,
        /// Line 2, V.
        external_voltage_l2_v: f64,
        /// Line 3, V.
        external_voltage_l3_v: f64,
        /// Frequency, Hz.
        external_frequency_hz: f64,
    },
}

/// The ids of [`Status`].
pub(super) const IDS: [u32; 8] = [0x300, 0x301, 0x304, 0x305, 0x306, 0x307, 0x308, 0x309];

/// What a frame says; `None` if it is none of these, or too short.
#[must_use]
pub fn decode(frame: &Frame) -> Option<Status> {
    if frame.is_remote() || CanId::standard(frame.id().number()) != Some(frame.id()) {
        return None;
    }
    let data = frame.data();
    let unsigned = |at: usize| Some(u16::from_le_bytes([*data.get(at)?, *data.get(at + 1)?]));
    let signed = |at: usize| unsigned(at).map(|raw| raw as i16);
    let hundreds = |at: usize| signed(at).map(|raw| i32::from(raw) * 100);
    let tenths = |at: usize| signed(at).map(|raw| f64::from(raw) / 10.0);
    let hertz = |at: usize| unsigned(at).map(|raw| f64::from(raw) / 100.0);
    Some(match frame.id().number() {
        0x300 => {
            Status::ExternalPower { external_power_l1_w: hundreds(0)?, external_power_l2_w: hundreds(2)? }
        }
        0x301 => {
            Status::InverterPower { inverter_power_l1_w: hundreds(0)?, inverter_power_l2_w: hundreds(2)? }
        }
        0x304 => Status::Output {
            output_voltage_l1_v: tenths(0)?,
            output_voltage_l2_v: tenths(2)?,
            output_voltage_l3_v: tenths(4)?,
            output_frequency_hz: hertz(6)?,
        },
        0x305 => Status::Battery {
            battery_voltage_v: f64::from(unsigned(0)?) / 10.0,
            // 0.0 and not -0.0.
            battery_current_a: 0.0 - tenths(2)?,
            battery_temperature_c: tenths(4)?,
            soc_pct: f64::from(unsigned(6)?) / 10.0,
        },
        0x306 => Status::State {
            soh_pct: unsigned(0)?,
            charging_procedure: *data.get(2)?,
            operating_state: *data.get(3)?,
            error_number: unsigned(4)?,
            charge_voltage_setpoint_v: f64::from(unsigned(6)?) / 10.0,
        },
        0x307 => Status::Relays {
            external_relay_closed: data.get(2)? & 0x80 != 0,
            external_voltage_valid: data.get(2)? & 0x40 != 0,
        },
        0x308 => Status::Load { load_power_w: hundreds(0)? },
        0x309 => Status::External {
            external_voltage_l1_v: tenths(0)?,
            external_voltage_l2_v: tenths(2)?,
            external_voltage_l3_v: tenths(4)?,
            external_frequency_hz: hertz(6)?,
        },
        _ => return None,
    })
}
