//! Batteries for Goodwe ES, EM, BP, SBP: "BMS Protocol (CAN) for Li Residential Series" V1.0.
//!
//! 0x359 has bits of its own, alarms in bytes 0 and 1, warnings in 2 and 3, and no number of modules. Bytes 2 to 4 of
//! 0x399 are not clear in the document and stay 0.

use super::bytes::{byte, frame, text, unsigned};
use super::pylontech::{limits, measurements, state};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::{Alarm, AlarmSet};
use crate::report::{Extremes, Place, Report};

/// The dialect.
pub(super) static GOODWE_LV: Dialect =
    Dialect { name: "goodwe_lv", manufacturer: "GOODWE", voltage_step_v: 0.1, encode, ..COMMON };

fn encode(report: &Report) -> Vec<Frame> {
    let mut frames = vec![
        frame(0x359, &alarms(report)),
        frame(0x351, &limits(report)),
        frame(0x355, &state(report)),
        frame(0x356, &measurements(report, 0.1)),
        frame(0x399, &unsigned(report.rated_kwh, 0.1)),
        frame(0x35C, &[requests(report)]),
        frame(0x35E, &text(&report.manufacturer, 0, b' ')),
    ];
    let number = |at| report.cell_number(at);
    if let Some(Extremes { low, low_at, high, high_at }) = report.cells_v {
        let ([h0, h1], [l0, l1]) = (unsigned(high, 0.001), unsigned(low, 0.001));
        frames.push(frame(0x3DA, &[h0, h1, l0, l1, number(high_at), number(low_at)]));
    }
    if let Some(Extremes { low, low_at, high, high_at }) = report.cells_c {
        frames.push(frame(0x3DB, &[offset(high), offset(low), sensor(high_at), sensor(low_at)]));
    }
    frames.into_iter().map(|frame| frame.resized(8)).collect()
}

/// Sensors count from 1 in each module.
fn sensor(at: Place) -> u8 {
    at.cell.saturating_add(1)
}

/// Whole degrees above −50 °C.
fn offset(celsius: f64) -> u8 {
    byte(celsius + 50.0)
}

fn alarms(report: &Report) -> [u8; 4] {
    let bit = |set: AlarmSet, alarm, bit: u8| u8::from(set.has(alarm)) << bit;
    let voltage_temperature_discharge = |set| {
        bit(set, Alarm::DischargeCurrent, 7)
            | bit(set, Alarm::LowTemperature, 4)
            | bit(set, Alarm::HighTemperature, 3)
            | bit(set, Alarm::LowVoltage, 2)
            | bit(set, Alarm::HighVoltage, 1)
    };
    let others = |set| {
        bit(set, Alarm::Imbalance, 4) | bit(set, Alarm::Internal, 3) | bit(set, Alarm::ChargeCurrent, 0)
    };
    let (acted, warned) = (report.protections, report.warnings);
    // Bit 0 of byte 0: a relay does not follow its command; there is no warning of that.
    let relay = bit(acted, Alarm::Contactor, 0);
    [
        voltage_temperature_discharge(acted) | relay,
        others(acted),
        voltage_temperature_discharge(warned),
        others(warned),
    ]
}

/// One bit for a forced charge, whichever of the two is asked for.
fn requests(report: &Report) -> u8 {
    let forced = report.requests.force_charge_1 || report.requests.force_charge_2;
    u8::from(report.charge_enabled) << 7 | u8::from(report.discharge_enabled) << 6 | u8::from(forced) << 5
}
