//! Sol-Ark low voltage, BMS Lithium Batt 00: "Sol-Ark CAN Bus Protocol" V1.3. All packs in one stream, every frame eight
//! bytes, 0x356 in tenths of a volt.

use std::time::Duration;

use super::pylontech_lv;
use crate::inverter::profile::{Model, Profile, Proof, Rhythm, Say, Silence, say};
use crate::inverter::says;
use crate::message::LabelName;

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "sol_ark",
    title: "Sol-Ark low voltage",
    source: "Sol-Ark, CAN bus protocol, V1.3",
    dialect: "sol_ark",
    rhythm: Rhythm::Cycle {
        every: Duration::from_secs(1),
        gap: Duration::from_millis(20),
        at_least: Duration::from_millis(500),
        at_most: Duration::from_millis(2500),
        frames: FRAMES,
    },
    silence: Silence {
        by_hand: Some("a Sol-Ark stops at the loss of its battery only with BMS_Err_Stop switched on"),
        ..pylontech_lv::SILENCE
    },
    models: &[Model {
        name: "Sol-Ark 5K, 8K, 12K, 15K LV",
        setting: "BMS Lithium Batt 00",
        proof: Proof::Documented("Sol-Ark, CAN bus protocol, V1.3"),
    }],
    ..pylontech_lv::BASE
};

const FRAMES: &[Say] = &[
    say(0x359, says::protection),
    say(0x351, says::limits),
    say(0x355, says::soc),
    say(0x356, says::measurements),
    say(0x35C, says::requests),
    say(0x35E, |_, _| says::label(LabelName::Manufacturer, "PYLON")),
    say(0x379, says::capacity),
];
