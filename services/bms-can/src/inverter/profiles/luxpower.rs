//! Luxpower SNA and LXP, EG4: "Luxpower Battery CANBUS Protocol" V04.2. 0x355 ends with two cell voltages, 0x356 with two
//! cell temperatures, 0x359 with the capacity.

use std::time::Duration;

use super::pylontech_lv;
use crate::inverter::Told;
use crate::inverter::profile::{KeepAlive, Model, Profile, Proof, Rhythm, Say, say};
use crate::inverter::says;
use crate::message::{LabelName, Measurements, Message, Protection, Requests, Soc};
use crate::protocols::Protocol;

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "luxpower",
    title: "Luxpower, EG4",
    source: "Luxpower, Battery CANBUS Protocol, version 04",
    dialect: "luxpower",
    rhythm: Rhythm::Cycle {
        every: Duration::from_secs(1),
        gap: Duration::from_millis(20),
        at_least: Duration::from_millis(500),
        at_most: Duration::from_millis(2500),
        frames: FRAMES,
    },
    keep_alive: KeepAlive { ids: &[0x300, 0x305], ..pylontech_lv::KEEP_ALIVE },
    models: &[
        Model {
            name: "Luxpower SNA, LXP",
            setting: "CAN, Lithium brand Luxpower",
            proof: Proof::Documented("Luxpower V04.2; ArminJo/JK-BMSToPylontechCAN pull 17"),
        },
        Model {
            name: "EG4 6000XP, 12000XP, 18kPV",
            setting: "CAN, Lithium brand EG4",
            proof: Proof::Unverified,
        },
    ],
    ..pylontech_lv::BASE
};

const FRAMES: &[Say] = &[
    say(0x359, protection),
    say(0x351, says::limits),
    say(0x355, soc),
    say(0x356, measurements),
    say(0x35C, |told, _| {
        Some(Message::Requests(Requests { cycles: told.measured.cycles, ..says::asked(told) }))
    }),
    say(0x35E, |_, _| says::label(LabelName::Manufacturer, "BUSBAR")),
    say(0x379, says::capacity),
];

fn protection(told: &Told, dialect: &Protocol) -> Option<Message> {
    Some(Message::Protection(Protection {
        flags: says::flags(told, dialect, 0x359)?,
        module_count: Some(says::modules(told) as u8),
        capacity_ah: told.measured.capacity_ah.map(|ah| ah.round().clamp(0.0, 65_535.0) as u16),
        ..Protection::default()
    }))
}

fn soc(told: &Told, _: &Protocol) -> Option<Message> {
    let (min, max) =
        told.measured.cells_v.map(|(min, max)| (says::millivolts(min), says::millivolts(max))).unzip();
    Some(Message::Soc(Soc { cell_max_mv: max, cell_min_mv: min, ..says::whole_soc(told) }))
}

fn measurements(told: &Told, _: &Protocol) -> Option<Message> {
    let cells_c = told.measured.cells_c.or(told.measured.temperature_c.map(|c| (c, c)));
    Some(Message::Measurements(Measurements {
        temperature_max_c: cells_c.map(|(_, max)| max),
        temperature_min_c: cells_c.map(|(min, _)| min),
        ..says::volts_and_amps(told)
    }))
}
