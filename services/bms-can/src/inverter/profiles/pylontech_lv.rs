//! Inverters with a "Pylontech" or "US2000/US3000" setting: "CAN bus protocol, PYLON low voltage" V1.3 (2019-03-01).

use std::time::Duration;

use crate::inverter::profile::{
    KeepAlive, Model, Profile, Proof, Reports, Rhythm, Say, Silence, Then, Window, Zero, say,
};
use crate::inverter::says;
use crate::message::LabelName;

/// The profile.
pub(super) static PROFILE: Profile = BASE;

/// What others are described by that differ in little from it.
pub(super) const BASE: Profile = Profile {
    name: "pylontech_lv",
    title: "Pylontech low voltage",
    source: "Pylontech, CAN bus protocol low voltage, V1.3",
    dialect: "pylontech_lv",
    rhythm: Rhythm::Cycle {
        every: Duration::from_secs(1),
        gap: Duration::from_millis(20),
        at_least: Duration::from_millis(500),
        at_most: Duration::from_millis(2500),
        frames: FRAMES,
    },
    keep_alive: KEEP_ALIVE,
    window: WINDOW,
    zero: Zero::Obeyed,
    draws_down: false,
    soc_rise_pct_per_s: None,
    silence: SILENCE,
    response_s: 5.0,
    reports: Reports::Nothing,
    models: &[
        Model {
            name: "Midnite AIO",
            setting: "CAN, Pylontech",
            proof: Proof::Documented("ryanpulley/DiscoverAEStoPylontech: README.md"),
        },
        Model {
            name: "Megarevo, Senergy, Hoymiles, AUXSOL, ETEK, HYPONTECH, INVT, EAST (48 V)",
            setting: "CAN, Pylontech",
            proof: Proof::Unverified,
        },
    ],
};

/// 0x305 comes each second.
pub(super) const KEEP_ALIVE: KeepAlive =
    KeepAlive { ids: &[0x305], extended: false, lost_after: Duration::from_secs(10) };

/// 48 V batteries. 0x356 has no mark for "no temperature", and 0 °C would stop charging.
pub(super) const WINDOW: Window = Window {
    charge_v: (40.0, 62.0),
    discharge_v: Some((36.0, 54.0)),
    most_a: 3000.0,
    most_soc_pct: 100.0,
    without_sensor_c: Some(25.0),
};

/// The inverter shows the loss of its battery when it hears nothing any more.
pub(super) const SILENCE: Silence =
    Silence { grace: Duration::from_secs(60), then: Then::Stop, by_hand: None };

/// In the order of Pylontech's own packs (tests/captures/pylontech_10modules.log).
pub(super) const FRAMES: &[Say] = &[
    say(0x359, says::protection),
    say(0x351, says::limits),
    say(0x355, says::soc),
    say(0x356, says::measurements),
    say(0x35C, says::requests),
    say(0x35E, |_, _| says::label(LabelName::Manufacturer, "PYLON")),
];
