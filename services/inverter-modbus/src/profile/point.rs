//! What is read: blocks of registers, and the points in them.

use serde::Deserialize;

use super::expr::{Condition, Expr};
use super::kind::{Type, Words};
use super::scalar::{Every, Numbered, Table, one};

/// Registers that are read together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Where; the link says it otherwise.
    #[serde(default)]
    pub table: Option<Table>,
    /// First address; not with `model`.
    #[serde(default)]
    pub addr: Option<u16>,
    /// Registers; not with `model`.
    #[serde(default)]
    pub count: Option<u16>,
    /// How often.
    #[serde(default)]
    pub every: Every,
    /// A device that refuses it has no such registers.
    #[serde(default)]
    pub optional: bool,
    /// Only while this holds.
    #[serde(default)]
    pub when: Option<Condition>,
    /// The SunSpec models that are read so often, instead of addresses.
    #[serde(default)]
    pub model: Vec<u16>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// What it is: see [`names`](super::names).
    pub name: String,
    /// The SunSpec models in which it is; addresses then count from the head of the model.
    #[serde(default)]
    pub model: Vec<u16>,
    /// Which of several such models in the chain, from 0.
    #[serde(default)]
    pub instance: u16,
    /// Where; the link says it otherwise.
    #[serde(default)]
    pub table: Option<Table>,
    /// Address of the (first) register.
    #[serde(default)]
    pub addr: Option<u16>,
    /// Addresses of registers that are not adjacent, the lowest word first.
    #[serde(default)]
    pub words_at: Option<Vec<u16>>,
    /// Firmware may leave all but the lowest register of `words_at` at zero: what is out of `range` is then that one alone.
    #[serde(default)]
    pub short: bool,
    /// Made of other points.
    #[serde(default)]
    pub expr: Option<Expr>,
    /// What the registers hold.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Registers of a string.
    #[serde(default)]
    pub count: Option<u16>,
    /// Order of the registers; the link says it otherwise.
    #[serde(default)]
    pub words: Option<Words>,
    /// The low byte of each register is the first character.
    #[serde(default)]
    pub swap: bool,
    /// The bits that count.
    #[serde(default)]
    pub mask: Option<u64>,
    /// value = raw * scale + offset
    #[serde(default = "one")]
    pub scale: f64,
    /// See `scale`.
    #[serde(default)]
    pub offset: f64,
    /// The point with the power of ten by which the raw value is multiplied.
    #[serde(default)]
    pub scale_from: Option<String>,
    /// The register with it.
    #[serde(default)]
    pub scale_addr: Option<u16>,
    /// The raw value is a magnitude, and the sign is elsewhere.
    #[serde(default)]
    pub sign_from: Option<SignFrom>,
    /// Unit of the value.
    #[serde(default)]
    pub unit: Option<String>,
    /// Raw values that mean "no data".
    #[serde(default)]
    pub invalid: Vec<i128>,
    /// Values that can be.
    #[serde(default)]
    pub range: Option<(f64, f64)>,
    /// It counts up for ever.
    #[serde(default)]
    pub counter: Option<bool>,
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

/// Where the sign of a magnitude is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignFrom {
    /// Address of the register.
    pub addr: u16,
    /// Where; the point says it otherwise.
    #[serde(default)]
    pub table: Option<Table>,
    /// The bits that count.
    #[serde(default)]
    pub mask: Option<u64>,
    /// The sign for each value.
    pub map: Numbered<f64>,
}

/// A register whose values have words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumPoint {
    /// What it is.
    pub name: String,
    /// As of a point.
    #[serde(default)]
    pub model: Vec<u16>,
    /// As of a point.
    #[serde(default)]
    pub instance: u16,
    /// As of a point.
    #[serde(default)]
    pub table: Option<Table>,
    /// Address of the (first) register.
    pub addr: u16,
    /// What the registers hold.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// As of a point.
    #[serde(default)]
    pub words: Option<Words>,
    /// The bits that count.
    #[serde(default)]
    pub mask: Option<u64>,
    /// The word for each value.
    pub map: Numbered<String>,
    /// Values that are an alarm of the bus.
    #[serde(default)]
    pub alarm: Numbered<Alarm>,
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

/// Registers in which every bit says something.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitsPoint {
    /// What it is.
    pub name: String,
    /// As of a point.
    #[serde(default)]
    pub model: Vec<u16>,
    /// As of a point.
    #[serde(default)]
    pub instance: u16,
    /// As of a point.
    #[serde(default)]
    pub table: Option<Table>,
    /// Address of the first register.
    pub addr: u16,
    /// Registers, 1 to 4.
    #[serde(default = "one_register")]
    pub count: u16,
    /// Order of the registers; bit 0 is the lowest of the lowest.
    #[serde(default)]
    pub words: Option<Words>,
    /// The number of the first bit, for the texts and the alarms, and for the number of the fault.
    #[serde(default)]
    pub first_bit: u16,
    /// Bits that are an alarm of the bus.
    #[serde(default)]
    pub alarm: Numbered<Alarm>,
    /// What bits say, for people.
    #[serde(default)]
    pub text: Numbered<String>,
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

/// The alarms that the bus knows of an inverter: the last part of `/Alarms/...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Alarm {
    /// It is too hot.
    HighTemperature,
    /// The battery is too low.
    LowVoltage,
    /// The battery is too high.
    HighVoltage,
    /// The output is overloaded.
    Overload,
    /// The battery voltage has a ripple.
    Ripple,
    /// The output is shorted.
    ShortCircuit,
    /// The grid is gone.
    GridLost,
    /// The state of charge is low.
    LowSoc,
    /// The output voltage is low.
    LowVoltageAcOut,
    /// The output voltage is high.
    HighVoltageAcOut,
    /// The lines are in the wrong order.
    PhaseRotation,
}

fn one_register() -> u16 {
    1
}
