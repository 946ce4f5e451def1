//! Discover AES batteries behind a Lynk II gateway: ai-republic/bms-to-inverter issue 107 and
//! ryanpulley/DiscoverAEStoPylontech (BMS2Inverter.py). Voltage in tenths; 0x372 and 0x373 are versions; what never
//! changes comes every ten seconds. The 26 pairs of 0x35A follow each other without a gap, 11 for what is not supported.

use super::bytes::{frame, text, unsigned};
use super::pylontech::{limits, measurements, state};
use super::victron::{model, thirteen};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::Alarm;
use crate::report::Report;

/// The dialect.
pub(super) static DISCOVER: Dialect = Dialect {
    name: "discover",
    manufacturer: "DISCOVER",
    slow_ids: &[0x35E, 0x370, 0x371, 0x372, 0x373],
    voltage_step_v: 0.1,
    encode,
    ..COMMON
};

const SUPPORTED: [Alarm; 8] = [
    Alarm::HighVoltage,
    Alarm::LowVoltage,
    Alarm::HighTemperature,
    Alarm::LowTemperature,
    Alarm::HighTemperatureCharging,
    Alarm::LowTemperatureCharging,
    Alarm::DischargeCurrent,
    Alarm::ChargeCurrent,
];

fn encode(report: &Report) -> Vec<Frame> {
    let ([f0, f1], [r0, r1]) = (unsigned(report.installed_ah, 1.0), unsigned(report.remaining_ah, 1.0));
    let [major, minor] = report.names.firmware;
    let mut frames = vec![
        frame(0x351, &limits(report)),
        frame(0x354, &[f0, f1, r0, r1, 0, 0, 0, 0]),
        frame(0x355, &state(report)).resized(8),
        frame(0x356, &measurements(report, 0.1)).resized(8),
        frame(0x35A, &pairs(report)),
        frame(0x35E, &text(&report.manufacturer, 0, 0)),
    ];
    frames.extend(model(report));
    frames.extend([frame(0x372, &[0, 0, minor, major]), frame(0x373, &[1, 0, 0, 0])]);
    frames
}

fn pairs(report: &Report) -> [u8; 7] {
    let half = |set| u64::from(thirteen(set, &SUPPORTED, 0b11));
    let bits = half(report.protections) | half(report.warnings) << 26 | 0b1111 << 52;
    let [b0, b1, b2, b3, b4, b5, b6, _] = bits.to_le_bytes();
    [b0, b1, b2, b3, b4, b5, b6]
}
