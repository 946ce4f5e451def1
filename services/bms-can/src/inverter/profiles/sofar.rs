//! Sofar HYD-ES low voltage: its "Low voltage BMS general CAN protocol" V2.1 is Pylontech's set in standard frames.

use super::pylontech_lv;
use crate::inverter::profile::{Model, Profile, Proof, Window, Zero};

/// The profile. Limits of 0 are reported to be ignored, and full never to be shown (Battery-Emulator:
/// Software/src/inverter/SOFAR-CAN.cpp caps at 99 %): the least step of current stands for 0.
pub(super) static PROFILE: Profile = Profile {
    name: "sofar",
    title: "Sofar low voltage",
    source: "Sofar, low voltage BMS general CAN protocol V2.1, by its title; dalathegreat/Battery-Emulator",
    zero: Zero::Ignored(0.1),
    window: Window { most_soc_pct: 99.0, ..pylontech_lv::WINDOW },
    models: &[Model { name: "Sofar HYD-ES LV", setting: "CAN, Pylontech", proof: Proof::Unverified }],
    ..pylontech_lv::BASE
};
