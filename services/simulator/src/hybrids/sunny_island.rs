//! A cluster of two Sunny Islands with an external BMS: SMA, FSS-ConnectingBat, technical information; what it says of
//! itself beyond 0x305 to 0x307 as jaedog/SMAVenusDriver: dbus-sma/dbus-sma.py has found out.

use super::{Hybrid, State};
use crate::can::Frame;
use crate::plant::bms::Limits;

/// Without 0x355, or 0x351, for so long.
const TIMEOUT_S: f64 = 60.0;
/// ExtBMSTimeout.
const TIMEOUT: u16 = 952;
/// The battery's alarm 12: BMS internal.
const BMS_INTERNAL: u16 = 931;
/// What holds until it is told something, and again when 0x351 has timed out.
const DEFAULTS: Limits = Limits {
    charge_voltage_v: 54.0,
    discharge_voltage_v: 41.0,
    charge_current_a: 0.0,
    discharge_current_a: 0.0,
};

pub(super) fn hear(hybrid: &mut Hybrid, frame: &Frame) {
    match (frame.id, frame.data()) {
        (0x351, &[v0, v1, c0, c1, d0, d1, l0, l1]) => {
            let volts = |bytes: [u8; 2], low: f64, high: f64| {
                let volts = f64::from(u16::from_le_bytes(bytes)) / 10.0;
                (low..=high).contains(&volts).then_some(volts)
            };
            let amps = |bytes: [u8; 2]| {
                let amps = f64::from(i16::from_le_bytes(bytes)) / 10.0;
                (0.0..=1200.0).contains(&amps).then_some(amps)
            };
            // What is out of range is dropped without a word: the last good value stays.
            let last = hybrid.told.map_or(DEFAULTS, |(limits, _)| limits);
            let limits = Limits {
                charge_voltage_v: volts([v0, v1], 41.0, 63.0).unwrap_or(last.charge_voltage_v),
                discharge_voltage_v: volts([l0, l1], 41.0, 48.0).unwrap_or(last.discharge_voltage_v),
                charge_current_a: amps([c0, c1]).unwrap_or(last.charge_current_a),
                discharge_current_a: amps([d0, d1]).unwrap_or(last.discharge_current_a),
            };
            hybrid.told = Some((limits, hybrid.time_s));
        }
        (0x355, &[s0, s1, ..]) if u16::from_le_bytes([s0, s1]) <= 100 => hybrid.soc_heard_s = hybrid.time_s,
        // Pairs: 01 raises, 10 clears, 00 and 11 change nothing.
        (0x35A, &[_, _, pairs, ..]) => match pairs >> 6 {
            1 => hybrid.alarm = true,
            2 => hybrid.alarm = false,
            _ => {}
        },
        (0x35C, &[1, 0, 0, 0]) => hybrid.switch_on(),
        (0x35C, &[2, 0, 0, 0]) => hybrid.state = State::Off(0),
        _ => {}
    }
}

pub(super) fn limits(hybrid: &mut Hybrid) -> Limits {
    let is_off = matches!(hybrid.state, State::Off(_));
    if !is_off {
        let is_silent = hybrid.time_s - hybrid.soc_heard_s > TIMEOUT_S;
        hybrid.state = match (is_silent, hybrid.alarm) {
            // Its state of charge counts as 0 % then, and it switches off completely.
            (true, _) => State::Off(TIMEOUT),
            (false, true) => State::Standby,
            (false, false) => State::Running,
        };
    }
    match hybrid.told {
        Some((limits, at_s)) if hybrid.time_s - at_s <= TIMEOUT_S => limits,
        _ => DEFAULTS,
    }
}

/// Volts of each line.
const LINE_V: f64 = 120.0;

pub(super) fn frames(hybrid: &Hybrid) -> Vec<Frame> {
    let flow = hybrid.flow;
    let is_on = hybrid.state == State::Running;
    // Master and slave share; powers count in steps of 100 W.
    let hundreds = |watts: f64| ((watts / 2.0 / 100.0).round() as i16).to_le_bytes();
    let tenths = |value: f64| ((value * 10.0).round() as i16).to_le_bytes();
    let lines = |id: u32, watts: f64| {
        let [low, high] = hundreds(watts);
        Frame::new(id, false, &[low, high, low, high, 0, 0, 0, 0])
    };
    let volts = |id: u32, is_there: bool| {
        let ([low, high], [f0, f1]) =
            if is_there { (tenths(LINE_V), 6000_u16.to_le_bytes()) } else { ([0; 2], [0; 2]) };
        Frame::new(id, false, &[low, high, low, high, 0, 0, f0, f1])
    };
    let ([v0, v1], [a0, a1]) = (tenths(flow.battery_v), tenths(-flow.battery_a));
    let (operating, error) = match hybrid.state {
        State::Running => (1, 0),
        State::Standby => (4, BMS_INTERNAL),
        State::Off(error) => (if error == 0 { 0 } else { 4 }, error),
    };
    let [e0, e1] = error.to_le_bytes();
    let relays = u8::from(is_on && hybrid.grid) << 7 | u8::from(hybrid.grid) << 6;
    vec![
        lines(0x300, flow.grid_w),
        lines(0x301, flow.inverter_w),
        volts(0x304, is_on && (hybrid.grid || flow.load_w > 0.0)),
        Frame::new(0x305, false, &[v0, v1, a0, a1, 230, 0, 0xF4, 0x01]),
        Frame::new(0x306, false, &[100, 0, 10, operating, e0, e1, 0x1C, 0x02]),
        Frame::new(0x307, false, &[0, 0, relays, 0, 0, 0, 0, 0]),
        volts(0x309, hybrid.grid),
    ]
}
