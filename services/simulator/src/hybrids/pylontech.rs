//! An inverter that reads Pylontech's frames (CAN bus protocol low voltage, V1.3).

use super::{Hybrid, NOTHING, State};
use crate::can::Frame;
use crate::plant::bms::Limits;

/// Without 0x351 for so long it shows the loss of its battery, and nothing flows.
const LOST_S: f64 = 10.0;

pub(super) fn hear(hybrid: &mut Hybrid, frame: &Frame) {
    match (frame.id, frame.data()) {
        (0x351, &[v0, v1, c0, c1, d0, d1, ..]) => {
            let tenths = |bytes: [u8; 2]| f64::from(i16::from_le_bytes(bytes)) / 10.0;
            let limits = Limits {
                charge_voltage_v: tenths([v0, v1]),
                discharge_voltage_v: 0.0,
                charge_current_a: tenths([c0, c1]),
                discharge_current_a: tenths([d0, d1]),
            };
            hybrid.told = Some((limits, hybrid.time_s));
        }
        // Table 2: system error.
        (0x359, &[_, protection, ..]) => hybrid.alarm = protection & 0x08 != 0,
        _ => {}
    }
}

pub(super) fn limits(hybrid: &mut Hybrid) -> Limits {
    hybrid.state = if hybrid.alarm { State::Standby } else { State::Running };
    match hybrid.told {
        Some((limits, at_s)) if hybrid.time_s - at_s <= LOST_S => limits,
        _ => NOTHING,
    }
}

/// The sign of life.
pub(super) fn frames() -> Vec<Frame> {
    vec![Frame::new(0x305, false, &[0; 8])]
}
