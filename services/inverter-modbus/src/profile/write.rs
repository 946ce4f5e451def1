//! What is written: set points, sequences of writes, ways of running.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::expr::{Condition, Expr};
use super::kind::{Type, Words};
use super::point::one;
use super::scalar::{Table, Time};

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
}

/// One write of a sequence.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The SunSpec models in which it is; otherwise those of its set point. A device without them has no such sequence.
    #[serde(default)]
    pub model: Vec<u16>,
    /// Which of several such models in the chain, from 0.
    #[serde(default)]
    pub instance: u16,
    /// Address of the (first) register.
    pub addr: u16,
    /// Where.
    #[serde(default = "holding")]
    pub table: Table,
    /// What the registers hold.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Order of the registers; the link says it otherwise.
    #[serde(default)]
    pub words: Option<Words>,
    /// value = raw * scale
    #[serde(default = "one")]
    pub scale: f64,
    /// As of a point.
    #[serde(default)]
    pub scale_addr: Option<u16>,
    /// As of a point.
    #[serde(default)]
    pub scale_from: Option<String>,
    /// The bits that are written.
    #[serde(default)]
    pub mask: Option<u64>,
    /// What is written.
    pub value: Given,
    /// In one request with the step before.
    #[serde(default)]
    pub join: bool,
    /// Only at the beginning, not when it is repeated or gets another value: for memory that wears out.
    #[serde(default)]
    pub once: bool,
}

/// What a step writes.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// This.
    Number(f64),
    /// What is wanted.
    Wanted,
    /// Its magnitude.
    Magnitude,
    /// What stood there before.
    Saved,
    /// What stands there now: for devices that take only a whole block.
    Kept,
    /// A secret of the configuration, by name.
    Secret(String),
    /// Made of points, and of `value` for what is wanted.
    Made(Expr),
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl de::Visitor<'_> for Form {
            type Value = Given;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, \"value\", \"abs\", \"saved\", \"kept\", \"secret:NAME\", \"point:NAME\" or \"= EXPRESSION\"")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Given, E> {
                Ok(Given::Number(number as f64))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Given, E> {
                Ok(Given::Number(number as f64))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Given, E> {
                Ok(Given::Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Given, E> {
                if let Some(secret) = text.strip_prefix("secret:").filter(|name| !name.is_empty()) {
                    return Ok(Given::Secret(secret.to_owned()));
                }
                if let Some(point) = text.strip_prefix("point:").filter(|name| !name.is_empty()) {
                    return Ok(Given::Made(Expr::Point(point.to_owned())));
                }
                if let Some(expr) = text.strip_prefix('=') {
                    return Expr::parse(expr).map(Given::Made).map_err(E::custom);
                }
                match text {
                    "value" => Ok(Given::Wanted),
                    "abs" => Ok(Given::Magnitude),
                    "saved" => Ok(Given::Saved),
                    "kept" => Ok(Given::Kept),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// A way of running, the same for every make.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeSpec {
    /// Which.
    pub name: Mode,
    /// The SunSpec models in which its steps are that name none.
    #[serde(default)]
    pub model: Vec<u16>,
    /// Which of several such models in the chain, from 0.
    #[serde(default)]
    pub instance: u16,
    /// What is written.
    pub sequence: Vec<Step>,
    /// What is written when nobody wants it any more.
    #[serde(default)]
    pub release: Vec<Step>,
    /// It is the one in force.
    #[serde(default)]
    pub active: Option<Condition>,
    /// Smallest power of `charge` and `discharge`, W.
    #[serde(default)]
    pub min: Option<f64>,
    /// Largest.
    #[serde(default)]
    pub max: Option<f64>,
    /// Where the device keeps it.
    #[serde(default)]
    pub persist: Persist,
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

/// The ways of running that the bus offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It feeds the house from sun and battery before the grid.
    SelfConsumption,
    /// It rests, and the grid feeds the house.
    Sleep,
    /// It feeds the house without the grid.
    OffGrid,
    /// It charges the battery with a given power.
    Charge,
    /// It discharges the battery with a given power.
    Discharge,
    /// It is switched on.
    On,
    /// It is switched off.
    Off,
}

/// What the names of the writes of ways of running begin with, unlike those of set points.
pub const MODE: &str = "mode ";

impl Mode {
    /// The name of its writes among those of set points, and for people.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Mode::SelfConsumption => "mode self-consumption",
            Mode::Sleep => "mode sleep",
            Mode::OffGrid => "mode off-grid",
            Mode::Charge => "mode charge",
            Mode::Discharge => "mode discharge",
            Mode::On => "mode on",
            Mode::Off => "mode off",
        }
    }

    /// Whether it has a power.
    #[must_use]
    pub fn has_power(self) -> bool {
        matches!(self, Mode::Charge | Mode::Discharge)
    }
}

impl ModeSpec {
    /// Its writes as those of a set point, which is never shown.
    #[must_use]
    pub fn as_write(&self) -> WritePoint {
        WritePoint {
            name: self.name.key().to_owned(),
            model: self.model.clone(),
            instance: self.instance,
            table: Table::Holding,
            addr: None,
            kind: Type::default(),
            words: None,
            scale: 1.0,
            offset: 0.0,
            scale_addr: None,
            scale_from: None,
            mask: None,
            min: self.max.map(|_| self.min.unwrap_or(0.0)),
            max: self.max,
            max_from: None,
            step: None,
            unit: None,
            map: None,
            persist: self.persist,
            every_s: None,
            deadband: 0.0,
            readback: false,
            readback_at: None,
            readback_from: None,
            unlock: Vec::new(),
            sequence: self.sequence.clone(),
            release: self.release.clone(),
            refresh: self.refresh,
            watchdog: self.watchdog,
            when: self.when.clone(),
            unverified: None,
            note: None,
        }
    }
}

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

fn holding() -> Table {
    Table::Holding
}

fn yes() -> bool {
    true
}
