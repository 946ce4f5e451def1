//! The registry of profiles. A new one is a file here and a line in [`PROFILES`].

mod byd_lv;
mod deye_lv;
mod goodwe_lv;
mod growatt_lv;
mod luxpower;
mod pylontech_hv;
mod pylontech_lv;
mod sma_sunny_island;
mod sofar;
mod sol_ark;
mod solis;
mod victron;

use super::Profile;

/// All profiles.
pub static PROFILES: &[&Profile] = &[
    &pylontech_lv::PROFILE,
    &sma_sunny_island::PROFILE,
    &victron::PROFILE,
    &byd_lv::PROFILE,
    &sol_ark::PROFILE,
    &deye_lv::PROFILE,
    &goodwe_lv::PROFILE,
    &luxpower::PROFILE,
    &solis::PROFILE,
    &sofar::PROFILE,
    &growatt_lv::PROFILE,
    &pylontech_hv::PROFILE,
    &pylontech_hv::DEYE,
];

/// The profile of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().copied().find(|profile| profile.name == name)
}
