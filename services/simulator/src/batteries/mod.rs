//! The protocols that a simulated battery can speak. A new one is a file here and a line in `DIALECTS`; what several
//! share is in the file of the first, and in `bytes`.
//!
//! The encoders are written from the makers' documents, on their own: they share nothing with any decoder of this
//! repository, so that the one can prove the other.

mod byd_lv;
mod bytes;
mod deye_lv;
mod discover;
mod ecoworthy_ext;
mod goodwe_lv;
mod growatt_lv;
mod luxpower;
mod pylontech;
mod pytes;
mod pytes_native;
mod sma_bms;
mod sol_ark;
mod victron;

pub use pylontech::PYLONTECH_LV;

pub(crate) use ecoworthy_ext::cells_in_370;
pub(crate) use victron::model as name_in_370;

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use crate::can::Frame;
use crate::named::named;
use crate::report::Report;

/// How a battery puts its report into frames.
#[derive(Debug)]
pub struct Dialect {
    /// The name in scenarios and commands.
    pub name: &'static str,
    /// What such batteries usually call their maker.
    pub manufacturer: &'static str,
    /// Strings that it can tell apart on one bus.
    pub max_strings: usize,
    /// Identifier of the inverter's sign of life.
    pub keep_alive_id: u32,
    /// What an inverter on the same bus sends in one cycle; the report is what it has measured and read.
    pub inverter: fn(&Report) -> Vec<Frame>,
    /// It sends nothing by itself, and everything once for each sign of life.
    pub is_polled: bool,
    /// Identifiers that come only with every tenth cycle.
    pub slow_ids: &'static [u32],
    /// Step of the pack voltage in V: 0.01 or 0.1.
    pub voltage_step_v: f64,
    /// The frames of one cycle, in the order in which they are sent.
    pub encode: fn(&Report) -> Vec<Frame>,
}

/// Every dialect that a scenario can name.
pub static DIALECTS: &[&Dialect] = &[
    &PYLONTECH_LV,
    &victron::VICTRON,
    &byd_lv::BYD_LV,
    &sma_bms::SMA_BMS,
    &pytes::PYTES,
    &pytes_native::PYTES_NATIVE,
    &sol_ark::SOL_ARK,
    &deye_lv::DEYE_LV,
    &luxpower::LUXPOWER,
    &goodwe_lv::GOODWE_LV,
    &discover::DISCOVER,
    &growatt_lv::GROWATT_LV,
    &ecoworthy_ext::ECOWORTHY_EXT,
];

/// What most have in common: a sign of life of eight zeros at 0x305, hundredths of a volt, every frame in every cycle.
const COMMON: Dialect = Dialect {
    name: "",
    manufacturer: "SIM",
    max_strings: 1,
    keep_alive_id: 0x305,
    inverter: |_| vec![Frame::new(0x305, false, &[0; 8])],
    is_polled: false,
    slow_ids: &[],
    voltage_step_v: 0.01,
    encode: |_| Vec::new(),
};

/// The dialect of that name.
pub fn by_name(name: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name == name)
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<'de> Deserialize<'de> for &'static Dialect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        static NAMES: LazyLock<Vec<&str>> =
            LazyLock::new(|| DIALECTS.iter().map(|dialect| dialect.name).collect());
        named(deserializer, &NAMES, DIALECTS)
    }
}
