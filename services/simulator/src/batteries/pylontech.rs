//! Pylontech low-voltage batteries: "CAN-Bus-protocol PYLON low voltage" V1.3 (2019-03-01).
//!
//! 500 kbit/s, little-endian, every frame once a second. Strings behind an LV-HUB add 0x1000 times their address to
//! the identifier, which makes it a 29-bit one from address 1 on. Lengths and order are those of recorded packs.

use super::bytes::{signed, text, unsigned, words};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::{Alarm, AlarmSet};
use crate::report::{Report, count};

/// The dialect.
pub static PYLONTECH_LV: Dialect =
    Dialect { name: "pylontech_lv", manufacturer: "PYLON", max_strings: 8, encode, ..COMMON };

fn encode(report: &Report) -> Vec<Frame> {
    frames(report, &limits(report))
}

/// The frames of one cycle with these bytes in 0x351.
pub(super) fn frames(report: &Report, limits: &[u8; 8]) -> Vec<Frame> {
    let address = u32::from(report.address & 7);
    let frame = |id: u32, bytes: &[u8]| Frame::new(id + 0x1000 * address, address > 0, bytes);
    vec![
        frame(0x359, &alarms(report)),
        frame(0x351, limits),
        frame(0x355, &state(report)),
        frame(0x356, &measurements(report, 0.01)),
        frame(0x35C, &[requests(report, Forced::Pylontech), 0]),
        frame(0x35E, &text(&report.manufacturer, 0, b' ')),
    ]
}

/// 0x351: charge voltage, charge current, discharge current, discharge voltage; tenths of V and A.
pub(super) fn limits(report: &Report) -> [u8; 8] {
    words([
        unsigned(report.limits.charge_voltage_v, 0.1),
        signed(report.charge_current_limit_a(), 0.1),
        signed(report.discharge_current_limit_a(), 0.1),
        unsigned(report.limits.discharge_voltage_v, 0.1),
    ])
}

/// 0x355: state of charge, state of health; whole percent.
pub(super) fn state(report: &Report) -> [u8; 4] {
    let ([c0, c1], [h0, h1]) = (unsigned(report.soc_percent, 1.0), unsigned(report.soh_percent, 1.0));
    [c0, c1, h0, h1]
}

/// 0x356: voltage in the dialect's steps, current (+ charges) and temperature in tenths.
pub(super) fn measurements(report: &Report, voltage_step_v: f64) -> [u8; 6] {
    let [v0, v1] = signed(report.voltage_v, voltage_step_v);
    let [c0, c1] = signed(report.current_a, 0.1);
    let [t0, t1] = signed(report.temperature_c, 0.1);
    [v0, v1, c0, c1, t0, t1]
}

/// 0x359: two bytes of protections, two of alarms, number of modules, "PN".
pub(super) fn alarms(report: &Report) -> [u8; 7] {
    let [p0, p1] = complaint(report.protections);
    let [a0, a1] = complaint(report.warnings);
    [p0, p1, a0, a1, count(report.modules.online), b'P', b'N']
}

/// The two bytes have the same layout for protections and for alarms; the internal fault is "system error" in the
/// one and "internal communication fail" in the other, both bit 3. What has no bit here is not told.
pub(super) fn complaint(set: AlarmSet) -> [u8; 2] {
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

/// Which bits of 0x35C ask for a forced charge 1 and 2.
pub(super) enum Forced {
    /// 5 and 4 (Pylontech V1.3 table 5).
    Pylontech,
    /// 4 and 5 (Sol-Ark V1.3 table 5, Luxpower V04 table 2).
    SolArk,
}

/// Byte 0 of 0x35C: enables and requests.
pub(super) fn requests(report: &Report, forced: Forced) -> u8 {
    let asked = report.requests;
    let (first, second) = match forced {
        Forced::Pylontech => (5, 4),
        Forced::SolArk => (4, 5),
    };
    u8::from(report.charge_enabled) << 7
        | u8::from(report.discharge_enabled) << 6
        | u8::from(asked.force_charge_1) << first
        | u8::from(asked.force_charge_2) << second
        | u8::from(asked.full_charge) << 3
}
