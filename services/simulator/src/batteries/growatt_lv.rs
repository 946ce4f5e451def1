//! Batteries for Growatt SPF and SPH: "Growatt BMS CAN-Bus-protocol-low-voltage" rev. 04 (V1.04, 2019-02-22).
//!
//! Big-endian, and silent until the inverter asks with 0x301; then the whole set once. Cell voltages come from a single
//! module only. The clock in 0x320 stays 0: this battery has none.

use super::bytes::{byte, frame, signed, unsigned};
use super::pylontech::{Forced, requests};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::{Alarm, AlarmSet};
use crate::report::{Report, count};

/// The dialect.
pub(super) static GROWATT_LV: Dialect = Dialect {
    name: "growatt_lv",
    manufacturer: "GROWATT",
    keep_alive_id: 0x301,
    inverter: |_| vec![frame(0x301, &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88])],
    is_polled: true,
    encode,
    ..COMMON
};

/// A current in A from which on it calls itself charging or discharging.
const FLOWS_A: f64 = 1.0;

fn encode(report: &Report) -> Vec<Frame> {
    let mut frames = vec![
        frame(0x311, &limits(report)),
        frame(0x312, &alarms(report)),
        frame(0x313, &measurements(report)),
        frame(0x314, &capacity(report)),
    ];
    if count(report.modules.online) == 1 {
        frames.extend((0x315..).zip(cell_voltages(report)).map(|(id, cells)| frame(id, &cells)));
    }
    frames.extend([frame(0x319, &wishes(report)), frame(0x320, &product(report)), frame(0x321, &[0; 8])]);
    frames
}

/// The four words of a frame, the more significant byte first. The other encoders count from the less significant.
fn big_endian(words: [[u8; 2]; 4]) -> [u8; 8] {
    let [[b, a], [d, c], [f, e], [h, g]] = words;
    [a, b, c, d, e, f, g, h]
}

/// Charge voltage and the two currents in tenths, then what it does: bits 0 and 1, the same as bits 10 and 11 for the
/// inverter; 2 a fault counts; 5 and 6 the switches.
fn limits(report: &Report) -> [u8; 8] {
    let does: u16 = match report.current_a {
        flows if flows > FLOWS_A => 0b10,
        flows if flows < -FLOWS_A => 0b11,
        _ => 0b01,
    };
    let status = does
        | u16::from(report.protections != AlarmSet::default()) << 2
        | u16::from(report.discharge_enabled) << 5
        | u16::from(report.charge_enabled) << 6
        | does << 10;
    big_endian([
        unsigned(report.limits.charge_voltage_v, 0.1),
        unsigned(report.charge_current_limit_a(), 0.1),
        unsigned(report.discharge_current_limit_a(), 0.1),
        status.to_le_bytes(),
    ])
}

/// Two bytes of protections, two of warnings, modules, the maker's code, all cells. A voltage out of bounds is one of a
/// cell, a temperature without a direction one while discharging.
fn alarms(report: &Report) -> [u8; 8] {
    let bit = |set: AlarmSet, alarm, bit: u8| u8::from(set.has(alarm)) << bit;
    let first = |set| {
        bit(set, Alarm::DischargeCurrent, 7)
            | bit(set, Alarm::ChargeCurrent, 6)
            | bit(set, Alarm::HighVoltage, 4)
            | bit(set, Alarm::LowVoltage, 3)
    };
    let second = |set| {
        bit(set, Alarm::HighTemperature, 7)
            | bit(set, Alarm::HighTemperatureCharging, 6)
            | bit(set, Alarm::LowTemperature, 5)
            | bit(set, Alarm::LowTemperatureCharging, 4)
            | bit(set, Alarm::Imbalance, 2)
    };
    let (acted, warned) = (report.protections, report.warnings);
    let [code_0, code_1] = maker(report);
    let modules = count(report.modules.online);
    [
        first(acted) | bit(acted, Alarm::ShortCircuit, 5),
        second(acted) | bit(acted, Alarm::Internal, 3),
        first(warned),
        second(warned) | bit(warned, Alarm::Internal, 0),
        modules,
        code_0,
        code_1,
        modules.saturating_mul(report.cells_in_series).min(254),
    ]
}

/// Voltage in hundredths, current and highest temperature in tenths, state of charge and of health.
fn measurements(report: &Report) -> [u8; 8] {
    let hottest_c = report.cells_c.map_or(report.temperature_c, |cells| cells.high);
    big_endian([
        signed(report.voltage_v, 0.01),
        signed(report.current_a, 0.1),
        signed(hottest_c, 0.1),
        [byte(report.soh_percent).min(0x7F), byte(report.soc_percent)],
    ])
}

/// Left and full in 10 mAh, highest minus lowest cell in mV, cycles.
fn capacity(report: &Report) -> [u8; 8] {
    big_endian([
        unsigned(report.remaining_ah, 0.01),
        unsigned(report.installed_ah, 0.01),
        unsigned(report.cells_v.map_or(0.0, |cells| cells.high - cells.low), 0.001),
        unsigned(report.cycles.floor(), 1.0),
    ])
}

/// Sixteen cells in mV, 0 for what is not there.
fn cell_voltages(report: &Report) -> [[u8; 8]; 4] {
    let mut cells = report.first_module_v.iter().map(|cell| unsigned(cell.unwrap_or(0.0), 0.001));
    let mut next = || cells.next().unwrap_or_default();
    std::array::from_fn(|_| big_endian([next(), next(), next(), next()]))
}

/// Requests with the chemistry in bits 0 and 1, highest and lowest cell in mV with their numbers, and a pack that has
/// tripped (0: which one is not known here). There is no request for a full charge.
fn wishes(report: &Report) -> [u8; 8] {
    let flags = requests(report, Forced::Pylontech) & 0xF0 | u8::from(report.is_ternary);
    let Some(cells) = report.cells_v else { return [flags, 0, 0, 0, 0, 0, 0, 0] };
    let ([h0, h1], [l0, l1]) = (unsigned(cells.high, 0.001), unsigned(cells.low, 0.001));
    let (highest, lowest) = (report.cell_number(cells.high_at), report.cell_number(cells.low_at));
    [flags, h1, h0, l1, l0, highest, lowest, 0]
}

/// Maker, hardware and software version from 1 to 9, and a clock that is not there.
fn product(report: &Report) -> [u8; 8] {
    let [code_0, code_1] = maker(report);
    let [major, minor] = report.names.firmware.map(|version| version.clamp(1, 9));
    [code_0, code_1, major, minor, 0, 0, 0, 0]
}

/// The first two letters of the maker's name.
fn maker(report: &Report) -> [u8; 2] {
    let mut letters = report.manufacturer.bytes();
    [letters.next().unwrap_or_default(), letters.next().unwrap_or_default()]
}
