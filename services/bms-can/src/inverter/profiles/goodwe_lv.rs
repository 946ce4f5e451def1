//! Goodwe ES, EM, BP, SBP low voltage: "BMS Protocol (CAN) for Li Residential Series" V1.0. 0x356 in tenths of a volt.

use std::time::Duration;

use super::pylontech_lv;
use crate::inverter::Told;
use crate::inverter::profile::{Model, Profile, Proof, Rhythm, Say, say};
use crate::inverter::says;
use crate::message::{Extremes, LabelName, Message, Protection, RatedEnergy, Requests};
use crate::protocols::Protocol;

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "goodwe_lv",
    title: "Goodwe low voltage",
    source: "Goodwe, BMS Protocol (CAN) for Li Residential Series, V1.0",
    dialect: "goodwe_lv",
    rhythm: Rhythm::Cycle {
        every: Duration::from_secs(1),
        gap: Duration::from_millis(20),
        at_least: Duration::from_millis(500),
        at_most: Duration::from_millis(2500),
        frames: FRAMES,
    },
    models: &[Model {
        name: "Goodwe ES, EM, BP, SBP LV",
        setting: "CAN, default lithium battery",
        proof: Proof::Documented("Goodwe, BMS Protocol (CAN) for Li Residential Series, V1.0"),
    }],
    ..pylontech_lv::BASE
};

const FRAMES: &[Say] = &[
    say(0x359, |told, dialect| {
        let flags = says::flags(told, dialect, 0x359)?;
        Some(Message::Protection(Protection { flags, ..Protection::default() }))
    }),
    say(0x351, says::limits),
    say(0x355, says::soc),
    say(0x356, says::measurements),
    say(0x35C, |told, _| {
        Some(Message::Requests(Requests {
            force_charge_2: None,
            full_charge_request: None,
            ..says::asked(told)
        }))
    }),
    say(0x35E, |_, _| says::label(LabelName::Manufacturer, "BUSBAR")),
    say(0x399, energy),
    say(0x3DA, cells),
];

/// At the voltage of the moment: the rated one is not known, and the inverter only shows it.
fn energy(told: &Told, _: &Protocol) -> Option<Message> {
    let rated_energy_kwh = told.measured.capacity_ah? * told.measured.voltage_v / 1000.0;
    Some(Message::RatedEnergy(RatedEnergy { rated_energy_kwh }))
}

fn cells(told: &Told, _: &Protocol) -> Option<Message> {
    let (min, max) = told.measured.cells_v?;
    Some(Message::Extremes(Extremes {
        cell_max_mv: Some(says::millivolts(max)),
        cell_min_mv: Some(says::millivolts(min)),
        ..Extremes::default()
    }))
}
