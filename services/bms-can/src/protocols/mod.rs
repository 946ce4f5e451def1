//! The registry of dialects. A new one is a file here, written like its data sheet, and a line in [`PROTOCOLS`]; layouts
//! that it shares with others are in `layouts`.

mod byd_lv;
mod deye_lv;
mod discover;
mod ecoworthy_ext;
mod gates;
mod goodwe_lv;
mod growatt_lv;
mod layouts;
mod le_family;
mod luxpower;
mod payload;
mod pylontech_lv;
mod pytes;
mod pytes_native;
mod sma_bms;
mod sol_ark;
mod table;
mod traffic;
mod victron;

pub use gates::Refusal;
pub use payload::{Order, Reader, Writer};
pub use table::{Addressing, Decoded, Layout, Profile, Protocol, Reading, Refused, Rest, Row, row};
pub use traffic::{Mark, Traffic};

/// All dialects. Where two fit the same traffic equally well, the earlier one is meant.
pub static PROTOCOLS: &[&Protocol] = &[
    &pylontech_lv::PROTOCOL,
    &victron::PROTOCOL,
    &byd_lv::PROTOCOL,
    &sma_bms::PROTOCOL,
    &pytes::PROTOCOL,
    &pytes_native::PROTOCOL,
    &sol_ark::PROTOCOL,
    &deye_lv::PROTOCOL,
    &luxpower::PROTOCOL,
    &goodwe_lv::PROTOCOL,
    &discover::PROTOCOL,
    &growatt_lv::PROTOCOL,
    &ecoworthy_ext::PROTOCOL,
];

/// The dialect of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.name == name)
}
