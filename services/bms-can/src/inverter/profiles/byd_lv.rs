//! Inverters with a setting for BYD's low-voltage batteries, as a BYD pack fills its frames (tests/captures/byd_lv.log).

use std::time::Duration;

use super::{pylontech_lv, victron};
use crate::inverter::profile::{Model, Profile, Proof, Reports, Rhythm, Say, Zero, say};
use crate::inverter::says;
use crate::message::LabelName;

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "byd_lv",
    title: "BYD low voltage",
    source: "a public capture of a BYD/Revov LV pack (tests/captures/byd_lv.log)",
    dialect: "byd_lv",
    rhythm: Rhythm::Cycle {
        every: Duration::from_secs(1),
        gap: Duration::from_millis(20),
        at_least: Duration::from_millis(500),
        at_most: Duration::from_millis(2500),
        frames: FRAMES,
    },
    keep_alive: victron::KEEP_ALIVE,
    window: pylontech_lv::WINDOW,
    zero: Zero::Obeyed,
    draws_down: false,
    soc_rise_pct_per_s: None,
    silence: pylontech_lv::SILENCE,
    response_s: 5.0,
    reports: Reports::Nothing,
    models: &[Model {
        name: "48 V inverters with a BYD B-Box LV setting",
        setting: "CAN, BYD",
        proof: Proof::Unverified,
    }],
};

const FRAMES: &[Say] = &[
    say(0x351, says::limits),
    say(0x355, says::soc),
    say(0x356, says::measurements),
    say(0x35A, says::alarms),
    say(0x35E, |_, _| says::label(LabelName::Manufacturer, "BYD")),
    say(0x35F, |told, _| says::info(told, u16::from_le_bytes(*b"Li"), [1, 2])),
];
