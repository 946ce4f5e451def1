//! The other side of the bus: we are the battery, and an inverter that only talks to "its" BMS listens.
//!
//! - [`Profile`]: what a family of inverters expects, as data; one file each in `profiles`, listed in [`PROFILES`]
//! - [`Told`]: what of the battery is told, fitted to a profile; `says` turns it into the messages of the dialect
//! - `source`: the decision that is followed, and what the battery measures
//! - [`list()`]: the list of inverters, made from the profiles
//! - `procedure`: when to tell, when the safe set, when nothing; pure
//! - `rhythm`: which frame is due when; pure. `claim`: who is the battery on this bus; pure
//! - `partner`: whether the inverter is there · `station`: all of these, as the one that holds the bus
//! - [`sunny_island`]: what a Sunny Island cluster tells of itself
//! - `publish`: what it was told, what it does, since when and why, as items
//! - `system`: the control half of an inverter that tells of itself
//! - `vebus`: whether it may be shown as a vebus
//! - `run`: the loop around them

mod claim;
mod list;
mod partner;
mod procedure;
mod profile;
mod profiles;
mod publish;
mod rhythm;
pub(crate) mod run;
mod says;
mod source;
mod station;
pub mod sunny_island;
mod system;
#[cfg(test)]
mod tests;
mod told;
mod vebus;

pub use list::{UNSERVED, Unserved, list};
pub use profile::{
    KeepAlive, Model, Profile, Proof, Reports, Rhythm, Say, Silence, Then, What, Window, Zero,
};
pub use profiles::{PROFILES, by_name};
pub use told::{Facts, Faults, Measured, Told};
