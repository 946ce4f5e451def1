//! Batteries for SMA Sunny Island: SMA technical information on external batteries (FSS-ConnectingBat); lengths, names
//! and chemistry as jaedog/SMAVenusDriver sends them. No other frame is allowed on that bus. 0xFFFF and 0x8000 are marks
//! for a value that is not there.

use super::bytes::{frame, signed, text, unsigned, words};
use super::pylontech::{limits, measurements};
use super::victron::{fine_state, info, pairs};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::Alarm;
use crate::report::Report;

/// The dialect.
pub(super) static SMA_BMS: Dialect =
    Dialect { name: "sma_bms", manufacturer: "BATRIUM", inverter: sunny_island, encode, ..COMMON };

/// Lithium ion, in the numbers of SMA.
const CHEMISTRY: [u8; 2] = [0x03, 0x04];
const NO_TEMPERATURE: [u8; 2] = i16::MIN.to_le_bytes();

fn encode(report: &Report) -> Vec<Frame> {
    let [v0, v1, c0, c1, _, _] = measurements(report, 0.01);
    let [t0, t1] =
        if report.temperature_c.is_nan() { NO_TEMPERATURE } else { signed(report.temperature_c, 0.1) };
    vec![
        frame(0x351, &limits(report)),
        frame(0x355, &fine_state(report)),
        frame(0x356, &[v0, v1, c0, c1, t0, t1]),
        frame(0x35A, &pairs(report, &Alarm::ALL, 0)),
        frame(0x35E, &text(&report.manufacturer, 0, b' ')),
        frame(0x35F, &info(report, CHEMISTRY, report.installed_ah)),
    ]
}

/// The two status frames of a Sunny Island that every display reads: in 0x305 the battery as it measures it (its current
/// is positive when it discharges), in 0x306 its health, that an external BMS decides (10), that it works (1), no error.
fn sunny_island(report: &Report) -> Vec<Frame> {
    let battery = words([
        unsigned(report.voltage_v, 0.1),
        signed(-report.current_a, 0.1),
        signed(report.temperature_c, 0.1),
        unsigned(report.soc_percent, 0.1),
    ]);
    let state = words([
        unsigned(report.soh_percent, 1.0),
        [10, 1],
        unsigned(0.0, 1.0),
        unsigned(report.limits.charge_voltage_v, 0.1),
    ]);
    vec![frame(0x305, &battery), frame(0x306, &state)]
}
