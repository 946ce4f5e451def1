//! Solis low-voltage hybrids with a Pylontech setting.

use super::pylontech_lv;
use crate::inverter::profile::{Model, Profile, Proof};

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "solis",
    title: "Solis low voltage",
    source: "Solis' lists of compatible batteries name Pylontech",
    models: &[Model {
        name: "Solis RHI LV, S5-EH1P, S6 LV",
        setting: "CAN, PYLON",
        proof: Proof::Unverified,
    }],
    ..pylontech_lv::BASE
};
