//! The messages that profiles share: what is told, in the words of a dialect.

use super::Told;
use crate::battery::Level;
use crate::frame::{CanId, Frame};
use crate::message::{
    Alarms, BatteryInfo, CellExtremes, Condition, Flags, InstalledCapacity, Label, LabelName, Limits,
    Measurements, Message, Modules, Pair, Protection, Requests, Severity, Soc, Text,
};
use crate::protocols::{Decoded, Protocol};

/// 0x351.
pub(super) fn limits(told: &Told, _: &Protocol) -> Option<Message> {
    Some(Message::Limits(Limits {
        charge_voltage_limit_v: Some(told.charge_voltage_v),
        charge_current_limit_a: Some(told.charge_current_a),
        discharge_current_limit_a: Some(told.discharge_current_a),
        discharge_voltage_limit_v: told.discharge_voltage_v,
    }))
}

/// 0x355 in whole per cent. Rounded down: 100 is told when it is full.
pub(super) fn soc(told: &Told, _: &Protocol) -> Option<Message> {
    Some(Message::Soc(whole_soc(told)))
}

/// 0x355 with hundredths of a per cent besides.
pub(super) fn fine_soc(told: &Told, _: &Protocol) -> Option<Message> {
    let fine = (told.measured.soc_pct * 100.0).floor() / 100.0;
    Some(Message::Soc(Soc { soc_hires_pct: Some(fine), ..whole_soc(told) }))
}

/// State of charge and of health in whole per cent. A health that nobody tells is a good one: 0 would be a dead battery.
pub(super) fn whole_soc(told: &Told) -> Soc {
    let soh = told.measured.soh_pct.unwrap_or(100.0).clamp(0.0, 100.0);
    Soc {
        soc_pct: Some(told.measured.soc_pct.floor() as u8),
        soh_pct: Some(soh.round() as u8),
        ..Soc::default()
    }
}

/// 0x356.
pub(super) fn measurements(told: &Told, _: &Protocol) -> Option<Message> {
    Some(Message::Measurements(Measurements {
        temperature_c: told.measured.temperature_c,
        ..volts_and_amps(told)
    }))
}

/// Voltage and current.
pub(super) fn volts_and_amps(told: &Told) -> Measurements {
    Measurements {
        voltage_v: Some(told.measured.voltage_v),
        current_a: Some(told.measured.current_a),
        ..Measurements::default()
    }
}

/// 0x359 with the letters "PN".
pub(super) fn protection(told: &Told, dialect: &Protocol) -> Option<Message> {
    Some(Message::Protection(Protection {
        flags: flags(told, dialect, 0x359)?,
        module_count: Some(modules(told) as u8),
        pn_marker: Some(true),
        ..Protection::default()
    }))
}

/// Modules in parallel: at least one.
pub(super) fn modules(told: &Told) -> u16 {
    told.measured.modules.unwrap_or(1).clamp(1, 255)
}

/// The faults on the bits that the dialect has in frame `id`. One that has no bit of its own goes to the nearest.
pub(super) fn flags(told: &Told, dialect: &Protocol, id: u32) -> Option<Flags> {
    let blank = Frame::new(CanId::standard(id)?, &[0; 8])?;
    let Decoded::Good(reading) = dialect.decode(&blank) else { return None };
    let Message::Protection(Protection { flags: blank, .. }) = reading.message else { return None };
    let has = |condition, severity| blank.iter().any(|(flag, _)| flag.means() == Some((condition, severity)));
    let mut set = Vec::new();
    for condition in Condition::ALL {
        let severity = match told.measured.faults.level(condition) {
            Level::Ok => continue,
            Level::Warning => Severity::Warning,
            Level::Alarm => Severity::Alarm,
        };
        set.extend(
            stand_ins(condition).into_iter().find(|near| has(*near, severity)).map(|near| (near, severity)),
        );
    }
    let mut flags = Flags::default();
    for (flag, _) in blank.iter() {
        flags.report(flag, flag.means().is_some_and(|means| set.contains(&means)));
    }
    Some(flags)
}

/// A condition, and what says nearly the same where a dialect has no word for it.
fn stand_ins(condition: Condition) -> [Condition; 3] {
    use Condition as C;
    match condition {
        C::HighChargeTemperature => [condition, C::HighTemperature, C::BmsInternal],
        C::LowChargeTemperature => [condition, C::LowTemperature, C::BmsInternal],
        C::ShortCircuit => [condition, C::HighDischargeCurrent, C::BmsInternal],
        _ => [condition, condition, C::BmsInternal],
    }
}

/// The pairs of 0x35A that BYD's healthy packs show as supported (tests/captures/byd_lv.log).
const SUPPORTED: [Condition; 8] = [
    Condition::HighVoltage,
    Condition::LowVoltage,
    Condition::HighTemperature,
    Condition::LowTemperature,
    Condition::HighDischargeCurrent,
    Condition::HighChargeCurrent,
    Condition::BmsInternal,
    Condition::CellImbalance,
];

/// 0x35A. Every supported pair says that it is well or that it is not, from the first frame on: a pair that went back to
/// `00` would leave a Sunny Island's alarm latched.
pub(super) fn alarms(told: &Told, _: &Protocol) -> Option<Message> {
    let mut alarms = Alarms::all(Some(Pair::NotSupported));
    for condition in SUPPORTED {
        for severity in [Severity::Alarm, Severity::Warning] {
            alarms.set(condition, severity, Some(Pair::Ok));
        }
    }
    for condition in Condition::ALL {
        let severity = match told.measured.faults.level(condition) {
            Level::Ok => continue,
            Level::Warning => Severity::Warning,
            Level::Alarm => Severity::Alarm,
        };
        if let Some(near) = stand_ins(condition).into_iter().find(|near| SUPPORTED.contains(near)) {
            alarms.set(near, severity, Some(Pair::Active));
        }
    }
    Some(Message::Alarms(alarms))
}

/// 0x35A as Victron has it: the battery is on line.
pub(super) fn alarms_and_status(told: &Told, dialect: &Protocol) -> Option<Message> {
    let Some(Message::Alarms(mut alarms)) = alarms(told, dialect) else { return None };
    alarms.system_status = Some(Pair::Ok);
    Some(Message::Alarms(alarms))
}

/// 0x35C.
pub(super) fn requests(told: &Told, _: &Protocol) -> Option<Message> {
    Some(Message::Requests(asked(told)))
}

/// What the battery permits and asks for. It asks for nothing that it does not permit.
pub(super) fn asked(told: &Told) -> Requests {
    Requests {
        charge_enable: told.may_charge,
        discharge_enable: told.may_discharge,
        force_charge_1: Some(told.may_charge && told.measured.asks_charge),
        force_charge_2: Some(false),
        full_charge_request: Some(told.may_charge && told.measured.asks_full_charge),
        ..Requests::default()
    }
}

/// A text frame.
pub(super) fn label(name: LabelName, text: &str) -> Option<Message> {
    Some(Message::Label(Label { name, text: Text::new(text.as_bytes()) }))
}

/// 0x35F: type, version, capacity.
pub(super) fn info(told: &Told, battery_type_raw: u16, version_bytes: [u8; 2]) -> Option<Message> {
    let capacity_ah = told.measured.capacity_ah.map_or(0.0, |ah| ah.clamp(0.0, 65_535.0)).round() as u16;
    Some(Message::BatteryInfo(BatteryInfo {
        battery_type_raw,
        version_bytes,
        capacity_ah: Some(capacity_ah),
    }))
}

/// 0x372.
pub(super) fn module_states(told: &Told, _: &Protocol) -> Option<Message> {
    let online = modules(told);
    let if_not = |permitted: bool| Some(if permitted { 0 } else { online });
    Some(Message::Modules(Modules {
        modules_online: Some(online),
        modules_blocking_charge: if_not(told.may_charge),
        modules_blocking_discharge: if_not(told.may_discharge),
        modules_offline: Some(0),
    }))
}

/// 0x373; not sent while no cell is known.
pub(super) fn cells(told: &Told, _: &Protocol) -> Option<Message> {
    let (min_v, max_v) = told.measured.cells_v?;
    let cells_c = told.measured.cells_c.or(told.measured.temperature_c.map(|c| (c, c)));
    Some(Message::CellExtremes(CellExtremes {
        cell_min_mv: millivolts(min_v),
        cell_max_mv: millivolts(max_v),
        temperature_min_c: cells_c.map(|(min, _)| min.round() as i16),
        temperature_max_c: cells_c.map(|(_, max)| max.round() as i16),
    }))
}

/// A cell's voltage as frames count it.
pub(super) fn millivolts(volts: f64) -> u16 {
    (volts * 1000.0).round().clamp(0.0, 65_535.0) as u16
}

/// 0x379; not sent while no capacity is known.
pub(super) fn capacity(told: &Told, _: &Protocol) -> Option<Message> {
    let ah = told.measured.capacity_ah?.round().clamp(0.0, 65_535.0) as u16;
    Some(Message::InstalledCapacity(InstalledCapacity { installed_capacity_ah: ah }))
}
