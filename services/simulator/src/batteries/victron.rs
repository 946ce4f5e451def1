//! Batteries on a GX device's BMS-Can port, as JBD and many others send it: broglep/pylontech-victron-bms-canbus-reader
//! (can_messages.py), stuartpittaway/diyBMSv4ESP32 (victron_canbus.cpp), mr-manuel/venus-os_dbus-serialbattery
//! (lltjbd_can.py). All frames have eight bytes. Alarms are pairs of bits: 01 active, 10 not so, 00 not supported.

use super::bytes::{frame, long, signed, text, unsigned, words};
use super::pylontech::{limits, measurements, state};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::{Alarm, AlarmSet};
use crate::report::{Report, count};

/// The dialect.
pub(super) static VICTRON: Dialect = Dialect { name: "victron", manufacturer: "JBD", encode, ..COMMON };

fn encode(report: &Report) -> Vec<Frame> {
    let mut frames = vec![frame(0x351, &limits(report))];
    frames.extend(model(report));
    frames.extend([
        frame(0x35E, &text(&report.manufacturer, 0, 0)),
        frame(0x35A, &pairs(report, &Alarm::ALL, ONLINE)),
        frame(0x35F, &info(report, [0, 0], report.remaining_ah)),
        frame(0x355, &fine_state(report)).resized(8),
    ]);
    let [v0, v1, c0, c1, t0, t1] = measurements(report, 0.01);
    let [n0, n1] = unsigned(report.cycles.floor(), 1.0);
    frames.push(frame(0x356, &[v0, v1, c0, c1, t0, t1, n0, n1]));
    frames.extend(cells(report));
    frames.extend(life(report));
    frames
}

/// 0x370, 0x371: the model's name in two parts.
pub(crate) fn model(report: &Report) -> [Frame; 2] {
    let part = |skip| text(&report.names.model, skip, 0);
    [frame(0x370, &part(0)), frame(0x371, &part(8))]
}

/// 0x372 to 0x377: modules; lowest and highest cell and temperature, and the names of these four.
pub(super) fn cells(report: &Report) -> Vec<Frame> {
    let modules = report.modules;
    let number = |set| unsigned(f64::from(count(set)), 1.0);
    let mut frames = vec![frame(
        0x372,
        &words([
            number(modules.online),
            number(modules.blocking_charge),
            number(modules.blocking_discharge),
            number(modules.offline),
        ]),
    )];
    if let (Some(volts), Some(celsius)) = (report.cells_v, report.cells_c) {
        // Firmwares count 273 kelvins to 0 °C, not 273.15.
        let kelvin = |celsius: f64| unsigned(celsius + 273.0, 1.0);
        frames.push(frame(
            0x373,
            &words([
                unsigned(volts.low, 0.001),
                unsigned(volts.high, 0.001),
                kelvin(celsius.low),
                kelvin(celsius.high),
            ]),
        ));
        let places = [volts.low_at, volts.high_at, celsius.low_at, celsius.high_at];
        frames.extend((0x374..).zip(places).map(|(id, place)| frame(id, &text(&place.label(), 0, 0))));
    }
    frames
}

/// 0x378 to 0x382: energy, installed capacity, serial number, family.
pub(super) fn life(report: &Report) -> Vec<Frame> {
    let ([c0, c1, c2, c3], [d0, d1, d2, d3]) =
        (long(report.charged_kwh, 0.1), long(report.discharged_kwh, 0.1));
    vec![
        frame(0x378, &[c0, c1, c2, c3, d0, d1, d2, d3]),
        frame(0x379, &unsigned(report.installed_ah, 1.0)).resized(8),
        frame(0x380, &text(&report.names.serial, 0, 0)),
        frame(0x381, &text(&report.names.serial, 8, 0)),
        frame(0x382, &text(&report.names.family, 0, 0)),
    ]
}

/// 0x355 with the state of charge a second time, in hundredths of a percent; the whole percents are cut off, not rounded
/// (jaedog/SMAVenusDriver: 99 and 99.50).
pub(super) fn fine_state(report: &Report) -> [u8; 6] {
    let [_, _, h0, h1] = state(report);
    let ([c0, c1], [f0, f1]) =
        (unsigned(report.soc_percent.floor(), 1.0), unsigned(report.soc_percent, 0.01));
    [c0, c1, h0, h1, f0, f1]
}

/// 0x35F: type, version, capacity.
pub(super) fn info(report: &Report, kind: [u8; 2], capacity_ah: f64) -> [u8; 8] {
    words([kind, report.names.firmware, unsigned(capacity_ah, 1.0), signed(0.0, 1.0)])
}

/// Bits of byte 7 of 0x35A besides the imbalance: the system is online.
pub(super) const ONLINE: u8 = 0b10 << 2;

/// 0x35A: alarms from byte 0, warnings from byte 4; what is not `supported` stays 00.
pub(super) fn pairs(report: &Report, supported: &[Alarm], status: u8) -> [u8; 8] {
    let [a0, a1, a2, a3] = thirteen(report.protections, supported, 0b00).to_le_bytes();
    let [w0, w1, w2, w3] = thirteen(report.warnings, supported, 0b00).to_le_bytes();
    [a0, a1, a2, a3, w0, w1, w2, w3 | status]
}

/// Thirteen pairs of bits from the lowest on: the first is a general alarm, which nobody here raises.
pub(super) fn thirteen(set: AlarmSet, supported: &[Alarm], unsupported: u32) -> u32 {
    let places = [
        Alarm::HighVoltage,
        Alarm::LowVoltage,
        Alarm::HighTemperature,
        Alarm::LowTemperature,
        Alarm::HighTemperatureCharging,
        Alarm::LowTemperatureCharging,
        Alarm::DischargeCurrent,
        Alarm::ChargeCurrent,
        Alarm::Contactor,
        Alarm::ShortCircuit,
        Alarm::Internal,
        Alarm::Imbalance,
    ];
    places.into_iter().zip(1..).fold(unsupported, |bits, (alarm, place)| {
        let pair = match (supported.contains(&alarm), set.has(alarm)) {
            (false, _) => unsupported,
            (true, true) => 0b01,
            (true, false) => 0b10,
        };
        bits | pair << (2 * place)
    })
}
