//! BYD low voltage (B-Box LV, Revov): the frames, lengths and supported alarms of a recorded pack (`tests/captures/`).

use super::bytes::{frame, text};
use super::pylontech::{limits, measurements, state};
use super::victron::{info, pairs};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::Alarm;
use crate::report::Report;

/// The dialect.
pub(super) static BYD_LV: Dialect = Dialect { name: "byd_lv", manufacturer: "BYD", encode, ..COMMON };

const SUPPORTED: [Alarm; 8] = [
    Alarm::HighVoltage,
    Alarm::LowVoltage,
    Alarm::HighTemperature,
    Alarm::LowTemperature,
    Alarm::DischargeCurrent,
    Alarm::ChargeCurrent,
    Alarm::Internal,
    Alarm::Imbalance,
];

fn encode(report: &Report) -> Vec<Frame> {
    vec![
        frame(0x351, &limits(report)),
        // The fine state of charge is there and not filled in.
        frame(0x355, &state(report)).resized(6),
        frame(0x356, &measurements(report, 0.01)),
        frame(0x35A, &pairs(report, &SUPPORTED, 0)),
        frame(0x35E, &text(&report.manufacturer, 0, 0)),
        frame(0x35F, &info(report, *b"Li", 0.0)),
    ]
}
