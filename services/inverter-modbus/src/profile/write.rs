//! What is written: set points, sequences of writes, ways of running; and how a device is recognised.

mod field;
mod identify;
mod mode;
mod step;

use serde::Deserialize;

pub use field::Field;
pub use identify::{Identify, Match, ReadSpec, SunSpec};
pub use mode::{MODE, Mode, ModeSpec, ON_OFF};
pub use step::{Given, Step};

use super::expr::Condition;
use super::kind::{Type, Words};
use super::scalar::{Table, Time, holding, one, yes};

/// A set point.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WritePoint {
    /// What it is: see [`names`](super::names).
    pub name: String,
    /// As of a point.
    #[serde(default)]
    pub model: Vec<u16>,
    /// As of a point.
    #[serde(default)]
    pub instance: u16,
    /// Where.
    #[serde(default = "holding")]
    pub table: Table,
    /// Address of the (first) register; `sequence` does without.
    #[serde(default)]
    pub addr: Option<u16>,
    /// What the registers hold.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Order of the registers; the link says it otherwise.
    #[serde(default)]
    pub words: Option<Words>,
    /// value = raw * scale + offset
    #[serde(default = "one")]
    pub scale: f64,
    /// See `scale`.
    #[serde(default)]
    pub offset: f64,
    /// As of a point.
    #[serde(default)]
    pub scale_addr: Option<u16>,
    /// As of a point.
    #[serde(default)]
    pub scale_from: Option<String>,
    /// The bits that are written; the others stay as they are.
    #[serde(default)]
    pub mask: Option<u64>,
    /// Smallest value; without it and `map` the point cannot be written.
    #[serde(default)]
    pub min: Option<f64>,
    /// Largest value.
    #[serde(default)]
    pub max: Option<f64>,
    /// The point whose value is another upper limit.
    #[serde(default)]
    pub max_from: Option<String>,
    /// Steps between values.
    #[serde(default)]
    pub step: Option<f64>,
    /// Unit of the value.
    #[serde(default)]
    pub unit: Option<String>,
    /// Words instead of numbers.
    #[serde(default)]
    pub map: Option<std::collections::BTreeMap<String, i64>>,
    /// Where the device keeps it.
    #[serde(default)]
    pub persist: Persist,
    /// Least time between two writes, s; otherwise as `persist` says.
    #[serde(default)]
    pub every_s: Option<u64>,
    /// A smaller change is not worth a write.
    #[serde(default)]
    pub deadband: f64,
    /// The registers show what was written.
    #[serde(default = "yes")]
    pub readback: bool,
    /// Other registers show it.
    #[serde(default)]
    pub readback_at: Option<Field>,
    /// A point shows it.
    #[serde(default)]
    pub readback_from: Option<String>,
    /// What must be written before.
    #[serde(default)]
    pub unlock: Vec<Step>,
    /// What is written instead of one register.
    #[serde(default)]
    pub sequence: Vec<Step>,
    /// What is written when nobody wants it any more.
    #[serde(default)]
    pub release: Vec<Step>,
    /// It is written again so often while it is wanted.
    #[serde(default)]
    pub refresh: Option<Time>,
    /// After this time without a write the device forgets it.
    #[serde(default)]
    pub watchdog: Option<Time>,
    /// Only while this holds.
    #[serde(default)]
    pub when: Option<Condition>,
    /// Why it is not certain.
    #[serde(default)]
    pub unverified: Option<String>,
    /// For people.
    #[serde(default)]
    pub note: Option<String>,
}

/// Where a device keeps what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persist {
    /// Volatile: written as often as needed.
    Ram,
    /// Memory that wears out: written seldom.
    #[default]
    #[serde(alias = "eeprom")]
    Flash,
}
