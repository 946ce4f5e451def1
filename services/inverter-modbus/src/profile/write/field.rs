//! Registers outside of a point.

use serde::Deserialize;

use crate::profile::kind::{Type, Words};
use crate::profile::scalar::{Numbered, Table, one};

/// Registers outside of a point.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Where; the link says it otherwise.
    #[serde(default)]
    pub table: Option<Table>,
    /// Address of the (first) register.
    pub addr: u16,
    /// What the registers hold.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Registers of a string.
    #[serde(default)]
    pub count: Option<u16>,
    /// Order of the registers.
    #[serde(default)]
    pub words: Option<Words>,
    /// value = raw * scale + offset
    #[serde(default = "one")]
    pub scale: f64,
    /// See `scale`.
    #[serde(default)]
    pub offset: f64,
    /// The low byte of each register is the first character.
    #[serde(default)]
    pub swap: bool,
    /// The bits that count.
    #[serde(default)]
    pub mask: Option<u64>,
    /// The names that numbers stand for, of a model; a number without one is none.
    #[serde(default)]
    pub map: Numbered<String>,
}
