//! The protocols that a simulated battery can speak. A new one is a file here and a line in `DIALECTS`.
//!
//! The encoders are written from the makers' documents, on their own: they share nothing with any decoder of this
//! repository, so that the one can prove the other.

mod pylontech;

pub use pylontech::PYLONTECH_LV;

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use crate::can::Frame;
use crate::named::named;
use crate::report::Report;

/// How a battery puts its report into frames.
#[derive(Debug)]
pub struct Dialect {
    /// The name in scenarios.
    pub name: &'static str,
    /// Strings that it can tell apart on one bus.
    pub max_strings: usize,
    /// Identifier of the inverter's sign of life.
    pub keep_alive_id: u32,
    /// The frames of one cycle, in the order in which they are sent.
    pub encode: fn(&Report) -> Vec<Frame>,
}

/// Every dialect that a scenario can name.
pub static DIALECTS: &[&Dialect] = &[&PYLONTECH_LV];

impl<'de> Deserialize<'de> for &'static Dialect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        static NAMES: LazyLock<Vec<&str>> =
            LazyLock::new(|| DIALECTS.iter().map(|dialect| dialect.name).collect());
        named(deserializer, &NAMES, DIALECTS)
    }
}
