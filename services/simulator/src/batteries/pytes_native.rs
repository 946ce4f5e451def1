//! Pytes when it is set to no inverter: hoylabs/OpenDTU-OnBattery (src/battery/pytes/Provider.cpp), and the frames,
//! lengths and order of the pack recorded in its issue 1188. What nobody has understood (0x407, 0x40C, 0x40D, the date in
//! 0x40B) is not sent, or 0.

use super::bytes::{frame, long, signed, unsigned, words};
use super::pylontech::{limits, measurements};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::Alarm;
use crate::report::{Extremes, Place, Report, count};

/// The dialect.
pub(super) static PYTES_NATIVE: Dialect =
    Dialect { name: "pytes_native", manufacturer: "PYTES", encode, ..COMMON };

/// A current in A from which on it calls itself charging or discharging.
const FLOWS_A: f64 = 1.0;

fn encode(report: &Report) -> Vec<Frame> {
    let mut frames = vec![frame(0x400, &limits(report))];
    if let Some(found) = report.cells_v {
        frames.push(frame(0x401, &extremes(unsigned(found.high, 0.001), unsigned(found.low, 0.001), found)));
    }
    if let Some(found) = report.cells_c {
        frames.push(frame(0x402, &extremes(signed(found.high, 0.1), signed(found.low, 0.1), found)));
    }
    let ([f0, f1, f2, f3], [r0, r1, r2, r3]) =
        (long(report.installed_ah, 0.001), long(report.remaining_ah, 0.001));
    let ([c0, c1, c2, c3], [d0, d1, d2, d3]) =
        (long(report.charged_kwh, 0.1), long(report.discharged_kwh, 0.1));
    let modules = report.modules;
    frames.extend([
        frame(0x403, &complaints(report).to_le_bytes()).resized(8),
        frame(
            0x404,
            &words([
                unsigned(report.soc_percent, 1.0),
                unsigned(report.soh_percent, 1.0),
                [0, 0],
                unsigned(report.cycles.floor(), 1.0),
            ]),
        ),
        frame(0x405, &measurements(report, 0.01)).resized(8),
        frame(0x406, &failures(report).to_le_bytes()).resized(8),
        frame(0x408, &switches(report)),
        frame(0x409, &[f0, f1, f2, f3, r0, r1, r2, r3]),
        frame(0x40A, report.manufacturer.as_bytes()),
        frame(0x40B, &[0, 0, 0, 0, 0, 0, count(modules.online), count(modules.offline)]),
        frame(0x41E, &[c0, c1, c2, c3, d0, d1, d2, d3]),
    ]);
    frames
}

/// Highest and lowest, then the places of both: cell and module, from 0.
fn extremes(high: [u8; 2], low: [u8; 2], found: Extremes) -> [u8; 8] {
    let place = |at: Place| [at.cell, at.module];
    words([high, low, place(found.high_at), place(found.low_at)])
}

/// The first of the two words of 0x403.
fn complaints(report: &Report) -> u32 {
    let (acted, warned) = (report.protections, report.warnings);
    [
        (0, acted.has(Alarm::HighVoltage)),
        (1, warned.has(Alarm::HighVoltage)),
        (3, warned.has(Alarm::LowVoltage)),
        (4, acted.has(Alarm::LowVoltage)),
        (8, acted.has(Alarm::HighTemperature)),
        (9, warned.has(Alarm::HighTemperature)),
        (11, warned.has(Alarm::LowTemperature)),
        (12, acted.has(Alarm::LowTemperature)),
        (17, acted.has(Alarm::DischargeCurrent)),
        (19, acted.has(Alarm::ChargeCurrent)),
        (21, warned.has(Alarm::DischargeCurrent)),
        (22, warned.has(Alarm::ChargeCurrent)),
        (26, report.current_a > FLOWS_A),
        (27, report.current_a < -FLOWS_A),
    ]
    .into_iter()
    .fold(0, |bits, (bit, is_set)| bits | u32::from(is_set) << bit)
}

fn failures(report: &Report) -> u32 {
    u32::from(report.protections.has(Alarm::Internal)) << 15
}

/// 0x408: may be charged, may be discharged, wants to be charged now, two bytes unknown, and a bit for each of the first
/// eight modules that refuses to be charged or to be discharged.
fn switches(report: &Report) -> [u8; 7] {
    let asked = report.requests;
    let [charge, ..] = report.modules.blocking_charge.to_le_bytes();
    let [discharge, ..] = report.modules.blocking_discharge.to_le_bytes();
    [
        u8::from(report.charge_enabled),
        u8::from(report.discharge_enabled),
        u8::from(asked.force_charge_1 || asked.force_charge_2),
        0,
        0,
        charge,
        discharge,
    ]
}
