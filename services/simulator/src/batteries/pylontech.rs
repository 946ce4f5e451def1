//! Pylontech low-voltage batteries: "CAN-Bus-protocol PYLON low voltage" V1.3 (2019-03-01).
//!
//! 500 kbit/s, little-endian, every frame once a second. Strings behind an LV-HUB add 0x1000 times their address to
//! the identifier, which makes it a 29-bit one from address 1 on. Lengths and order are those of recorded packs.

use super::Dialect;
use crate::can::Frame;
use crate::plant::alarms::{Alarm, AlarmSet};
use crate::report::Report;

/// The dialect.
pub static PYLONTECH_LV: Dialect =
    Dialect { name: "pylontech_lv", max_strings: 8, keep_alive_id: 0x305, encode };

fn encode(report: &Report) -> Vec<Frame> {
    let address = u32::from(report.address & 7);
    let frame = |id: u32, bytes: &[u8]| Frame::new(id + 0x1000 * address, address > 0, bytes);
    vec![
        frame(0x359, &alarms(report)),
        frame(0x351, &limits(report)),
        frame(0x355, &state(report)),
        frame(0x356, &measurements(report)),
        frame(0x35C, &requests(report)),
        frame(0x35E, &manufacturer(report)),
    ]
}

/// 0x351: charge voltage, charge current, discharge current, discharge voltage; tenths of V and A.
fn limits(report: &Report) -> [u8; 8] {
    let limits = report.limits;
    let charge_a = if report.charge_enabled { limits.charge_current_a } else { 0.0 };
    let discharge_a = if report.discharge_enabled { limits.discharge_current_a } else { 0.0 };
    let [v0, v1] = unsigned(limits.charge_voltage_v, 0.1);
    let [c0, c1] = signed(charge_a, 0.1);
    let [d0, d1] = signed(discharge_a, 0.1);
    let [l0, l1] = unsigned(limits.discharge_voltage_v, 0.1);
    [v0, v1, c0, c1, d0, d1, l0, l1]
}

/// 0x355: state of charge, state of health; whole percent.
fn state(report: &Report) -> [u8; 4] {
    let [c0, c1] = unsigned(report.soc_percent, 1.0);
    let [h0, h1] = unsigned(report.soh_percent, 1.0);
    [c0, c1, h0, h1]
}

/// 0x356: voltage in hundredths, current (+ charges) and temperature in tenths.
fn measurements(report: &Report) -> [u8; 6] {
    let [v0, v1] = signed(report.voltage_v, 0.01);
    let [c0, c1] = signed(report.current_a, 0.1);
    let [t0, t1] = signed(report.temperature_c, 0.1);
    [v0, v1, c0, c1, t0, t1]
}

/// 0x359: two bytes of protections, two of alarms, number of modules, "PN".
fn alarms(report: &Report) -> [u8; 7] {
    let [p0, p1] = complaint(report.protections);
    let [a0, a1] = complaint(report.warnings);
    [p0, p1, a0, a1, report.modules, b'P', b'N']
}

/// The two bytes have the same layout for protections and for alarms; the internal fault is "system error" in the
/// one and "internal communication fail" in the other, both bit 3.
fn complaint(set: AlarmSet) -> [u8; 2] {
    let bit = |alarm, bit: u8| u8::from(set.has(alarm)) << bit;
    [
        bit(Alarm::DischargeCurrent, 7)
            | bit(Alarm::LowTemperature, 4)
            | bit(Alarm::HighTemperature, 3)
            | bit(Alarm::LowVoltage, 2)
            | bit(Alarm::HighVoltage, 1),
        bit(Alarm::Internal, 3) | bit(Alarm::ChargeCurrent, 0),
    ]
}

/// 0x35C: enables and requests, second byte unused.
fn requests(report: &Report) -> [u8; 2] {
    let asked = report.requests;
    let flags = [
        (report.charge_enabled, 7),
        (report.discharge_enabled, 6),
        (asked.force_charge_1, 5),
        (asked.force_charge_2, 4),
        (asked.full_charge, 3),
    ];
    [flags.into_iter().map(|(on, bit)| u8::from(on) << bit).sum(), 0]
}

/// 0x35E: eight characters, filled with spaces.
fn manufacturer(report: &Report) -> [u8; 8] {
    let mut name = [b' '; 8];
    for (to, from) in name.iter_mut().zip(report.manufacturer.bytes()) {
        *to = from;
    }
    name
}

// A number that does not fit is sent as the nearest that does; one that is none, as 0.
fn unsigned(value: f64, unit: f64) -> [u8; 2] {
    ((value / unit).round() as u16).to_le_bytes()
}

fn signed(value: f64, unit: f64) -> [u8; 2] {
    ((value / unit).round() as i16).to_le_bytes()
}
