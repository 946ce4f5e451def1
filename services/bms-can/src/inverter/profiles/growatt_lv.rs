//! Growatt SPF and SPH low voltage: "Growatt BMS CAN-Bus-protocol-low-voltage" rev. 04, big-endian, and only as an answer
//! to 0x301.

use std::time::Duration;

use super::pylontech_lv;
use crate::frame::{CanId, Frame};
use crate::inverter::Told;
use crate::inverter::profile::{KeepAlive, Model, Profile, Proof, Rhythm, Say, say};
use crate::inverter::says;
use crate::message::{
    Capacity, Extremes, Limits, LimitsAndState, Measurements, MeasurementsAndSoc, Message, PackActivity,
    PackState, Protection, Requests, RequestsAndExtremes, Soc,
};
use crate::protocols::Protocol;

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "growatt_lv",
    title: "Growatt low voltage",
    source: "Growatt, BMS CAN-Bus-protocol low voltage, rev. 04",
    dialect: "growatt_lv",
    rhythm: Rhythm::Asked { asks, every: Duration::from_secs(1), sets: &[FRAMES] },
    keep_alive: KeepAlive { ids: &[0x301], ..pylontech_lv::KEEP_ALIVE },
    models: &[Model {
        name: "Growatt SPF 5000, SPF 6000, SPH LV",
        setting: "CAN, L52 or lithium",
        proof: Proof::Documented("Growatt, BMS CAN-Bus-protocol low voltage, rev. 04"),
    }],
    ..pylontech_lv::BASE
};

fn asks(frame: &Frame) -> Option<usize> {
    (Some(frame.id()) == CanId::standard(0x301)).then_some(0)
}

const FRAMES: &[Say] = &[
    say(0x311, limits),
    say(0x312, |told, dialect| {
        Some(Message::Protection(Protection {
            flags: says::flags(told, dialect, 0x312)?,
            module_count: Some(says::modules(told) as u8),
            ..Protection::default()
        }))
    }),
    say(0x313, measurements),
    say(0x314, capacity),
    say(0x319, requests),
];

/// The flow of current that counts as charging or discharging, A.
const FLOW_A: f64 = 0.5;

fn limits(told: &Told, _: &Protocol) -> Option<Message> {
    let activity = match told.measured.current_a {
        amps if amps > FLOW_A => PackActivity::Charging,
        amps if amps < -FLOW_A => PackActivity::Discharging,
        _ => PackActivity::Standby,
    };
    Some(Message::LimitsAndState(LimitsAndState {
        limits: Limits {
            charge_voltage_limit_v: Some(told.charge_voltage_v),
            charge_current_limit_a: Some(told.charge_current_a),
            discharge_current_limit_a: Some(told.discharge_current_a),
            discharge_voltage_limit_v: None,
        },
        state: PackState {
            state: activity,
            error_valid: true,
            balanced: false,
            sleeping: false,
            discharge_output: told.may_discharge,
            charge_output: told.may_charge,
            terminal_open: false,
            master_box_mode: 0,
            inverter_state: activity,
        },
    }))
}

fn measurements(told: &Told, _: &Protocol) -> Option<Message> {
    let hottest = told.measured.cells_c.map(|(_, max)| max).or(told.measured.temperature_c);
    let Soc { soc_pct, soh_pct, .. } = says::whole_soc(told);
    Some(Message::MeasurementsAndSoc(MeasurementsAndSoc {
        measurements: Measurements { temperature_max_c: hottest, ..says::volts_and_amps(told) },
        soc: Soc { soc_pct, soh_pct, ..Soc::default() },
        unsafe_flag: Some(false),
    }))
}

fn capacity(told: &Told, _: &Protocol) -> Option<Message> {
    // 10 mAh in a word: more than 655 Ah do not fit, and are left out.
    let full = told.measured.capacity_ah?;
    Some(Message::Capacity(Capacity {
        capacity_full_ah: full,
        capacity_remaining_ah: Some(full * told.measured.soc_pct / 100.0),
        cell_delta_mv: told.measured.cells_v.map(|(min, max)| says::millivolts(max - min)),
        cycles: told.measured.cells_v.and(told.measured.cycles),
    }))
}

fn requests(told: &Told, _: &Protocol) -> Option<Message> {
    let (min, max) = told.measured.cells_v?;
    Some(Message::RequestsAndExtremes(RequestsAndExtremes {
        requests: Requests { full_charge_request: None, ..says::asked(told) },
        chemistry_raw: 0,
        extremes: Extremes {
            cell_max_mv: Some(says::millivolts(max)),
            cell_min_mv: Some(says::millivolts(min)),
            ..Extremes::default()
        },
        protect_pack_id: None,
    }))
}
