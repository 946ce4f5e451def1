//! How a device is recognised: by registers, or by its chain of models.

use serde::Deserialize;

use super::Field;
use crate::profile::kind::{Type, Words};
use crate::profile::scalar::Table;

/// How a device is recognised.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identify {
    /// What is read for it; a chain of models does without.
    #[serde(default)]
    pub read: Vec<ReadSpec>,
    /// What must hold, all of it.
    #[serde(default, rename = "match")]
    pub matches: Vec<Match>,
    /// Serial number.
    #[serde(default)]
    pub serial: Option<Field>,
    /// Model.
    #[serde(default)]
    pub model: Option<Field>,
    /// Firmware version.
    #[serde(default)]
    pub firmware: Option<Field>,
    /// Rated power, W.
    #[serde(default)]
    pub rated_power: Option<Field>,
    /// Why it is not certain.
    #[serde(default)]
    pub unverified: Option<String>,
}

/// Registers that are read once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadSpec {
    /// Where; the link says it otherwise.
    #[serde(default)]
    pub table: Option<Table>,
    /// First address.
    pub addr: u16,
    /// Registers.
    pub count: u16,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Where; the link says it otherwise.
    #[serde(default)]
    pub table: Option<Table>,
    /// Address of the (first) register.
    pub addr: u16,
    /// What the registers hold.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Order of the registers.
    #[serde(default)]
    pub words: Option<Words>,
    /// Registers of a string.
    #[serde(default)]
    pub count: Option<u16>,
    /// The low byte of each register is the first character.
    #[serde(default)]
    pub swap: bool,
    /// The bits that count.
    #[serde(default)]
    pub mask: Option<u64>,
    /// One of these raw values.
    #[serde(default, rename = "in")]
    pub one_of: Option<Vec<i128>>,
    /// A raw value between these.
    #[serde(default)]
    pub range: Option<(i128, i128)>,
    /// A string that begins so.
    #[serde(default)]
    pub prefix: Option<Vec<String>>,
    /// A string of printable characters.
    #[serde(default)]
    pub ascii: Option<bool>,
}

/// A chain of SunSpec models.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SunSpec {
    /// Where it may begin, in this order.
    pub bases: Vec<u16>,
    /// One of these models must be in it, unless the list is empty.
    #[serde(default)]
    pub any: Vec<u16>,
    /// None of these models may be in it.
    #[serde(default)]
    pub none: Vec<u16>,
}

impl SunSpec {
    /// Whether a device whose chain has these models is one of this profile.
    #[must_use]
    pub fn fits(&self, models: &[u16]) -> bool {
        let has = |ids: &[u16]| ids.iter().any(|id| models.contains(id));
        (self.any.is_empty() || has(&self.any)) && !has(&self.none)
    }
}
