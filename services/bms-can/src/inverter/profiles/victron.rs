//! Victron GX devices and whoever else reads the "CAN-bus BMS" set: 0x35A and the frames up to 0x379, in the order of
//! jmibk/BMS-LIB-CAN-Victron: src/can_victron.cpp.

use std::time::Duration;

use super::pylontech_lv;
use crate::inverter::profile::{KeepAlive, Model, Profile, Proof, Reports, Rhythm, Say, Window, Zero, say};
use crate::inverter::says;
use crate::message::LabelName;

/// The profile. A GX acts when 0x351 is missing for 3 s.
pub(super) static PROFILE: Profile = Profile {
    name: "victron",
    title: "Victron CAN-bus BMS",
    source: "jmibk/BMS-LIB-CAN-Victron: src/can_victron.cpp",
    dialect: "victron",
    rhythm: Rhythm::Cycle {
        every: Duration::from_secs(1),
        gap: Duration::from_millis(20),
        at_least: Duration::from_millis(500),
        at_most: Duration::from_millis(2500),
        frames: FRAMES,
    },
    keep_alive: KEEP_ALIVE,
    window: Window { charge_v: (10.0, 64.0), discharge_v: Some((8.0, 60.0)), ..pylontech_lv::WINDOW },
    zero: Zero::Obeyed,
    draws_down: false,
    soc_rise_pct_per_s: None,
    silence: pylontech_lv::SILENCE,
    response_s: 5.0,
    reports: Reports::Nothing,
    models: &[Model {
        name: "Victron Multiplus/Quattro behind a GX device",
        setting: "BMS-Can port, profile CAN-bus BMS (500 kbit/s)",
        proof: Proof::Documented("jmibk/BMS-LIB-CAN-Victron, stuartpittaway/diyBMSv4ESP32"),
    }],
};

/// 0x305 comes each second, 0x307 with the name.
pub(super) const KEEP_ALIVE: KeepAlive = KeepAlive { ids: &[0x305, 0x307], ..pylontech_lv::KEEP_ALIVE };

const FRAMES: &[Say] = &[
    say(0x351, says::limits),
    say(0x35E, |_, _| says::label(LabelName::Manufacturer, "BUSBAR")),
    say(0x35A, says::alarms_and_status),
    say(0x372, says::module_states),
    say(0x35F, |told, _| says::info(told, 0, [0, 1])),
    say(0x355, says::fine_soc),
    say(0x356, says::measurements),
    say(0x373, says::cells),
    say(0x379, says::capacity),
];
