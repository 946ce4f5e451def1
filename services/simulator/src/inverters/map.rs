//! What a simulated inverter needs of a profile of `inverter-modbus`: where its quantities stand and how they are written
//! there. Read here once more, and only this much, so that an inverter and its driver do not agree by sharing a mistake.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::uart::ParityBit;

/// The registers of a function code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// Read with 3, written with 6 and 16.
    Holding,
    /// Read with 4.
    Input,
}

/// A number in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// One register.
    #[default]
    U16,
    /// One register, two's complement.
    S16,
    /// High byte.
    U8h,
    /// Low byte.
    U8l,
    /// High byte, two's complement.
    S8h,
    /// Low byte, two's complement.
    S8l,
    /// Two registers.
    U32,
    /// Two registers, two's complement.
    S32,
    /// Four registers.
    U64,
    /// Four registers, two's complement.
    S64,
    /// Two registers, IEEE 754.
    F32,
    /// Four registers, IEEE 754.
    F64,
    /// ASCII.
    String,
    /// A power of ten.
    Sf16,
    /// Kinds that no quantity of an inverter has.
    #[serde(other)]
    Other,
}

/// Which register of a wide number is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Words {
    /// The high one.
    #[default]
    Hl,
    /// The low one.
    Lh,
}

/// A profile, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub struct Profile {
    /// Its name.
    #[serde(default)]
    pub id: String,
    /// What it is: `hybrid`, `inverter`, `pvinverter` or `grid`.
    #[serde(default)]
    pub class: String,
    /// It never feeds in.
    #[serde(default)]
    pub offgrid: bool,
    /// Phases unless the configuration says otherwise.
    #[serde(default = "one")]
    pub phases: u8,
    /// The line.
    #[serde(default)]
    pub link: Link,
    /// How it is recognised.
    #[serde(default)]
    pub identify: Identify,
    /// Registers that are there.
    #[serde(default)]
    pub block: Vec<Block>,
    /// Quantities.
    #[serde(default)]
    pub point: Vec<Point>,
    /// States.
    #[serde(default, rename = "enum")]
    pub enums: Vec<Enum>,
    /// What can be set.
    #[serde(default)]
    pub write: Vec<Write>,
    /// What it can be told to do.
    #[serde(default)]
    pub mode: Vec<Mode>,
    /// It has a chain of models.
    #[serde(default)]
    pub sunspec: Option<SunSpec>,
}

/// The line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Link {
    /// Baud rates, the usual one first.
    pub rtu: Option<Rtu>,
    /// Units, the usual one first.
    pub units: Vec<u8>,
    /// Most registers in an answer.
    pub max_read: Option<u16>,
    /// It takes function 16 alone.
    pub write_function: WriteFunction,
    /// Where points stand that do not say so.
    pub table: Option<Table>,
    /// Order of the registers of points that do not say so.
    pub words: Words,
    /// What must never be read: the inverter would reset itself.
    pub forbidden: Vec<(u16, u16)>,
}

/// How a register is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteFunction {
    /// With function 6 or 16.
    #[default]
    #[serde(alias = "either")]
    Single,
    /// With function 16 alone.
    Multiple,
}

/// Where a set point is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persist {
    /// In memory that does not wear out.
    Ram,
    /// In memory that does.
    #[default]
    #[serde(alias = "eeprom")]
    Flash,
}

/// A serial line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Rtu {
    /// Baud rates.
    pub baud: Vec<u32>,
    /// Parity.
    pub parity: ParityBit,
    /// Stop bits, 1 without.
    pub stop: Option<u8>,
}

/// How a device is recognised.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Identify {
    /// Registers that are read.
    pub read: Vec<Block>,
    /// What they must hold.
    #[serde(rename = "match")]
    pub matches: Vec<Match>,
}

/// A register that tells the make.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Match {
    /// Its table.
    pub table: Option<Table>,
    /// Where.
    pub addr: u16,
    /// How many registers of text.
    pub count: u16,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// One of these.
    #[serde(rename = "in")]
    pub any_of: Vec<i64>,
    /// Within these.
    pub range: Option<(i64, i64)>,
    /// Text that begins so.
    pub prefix: Vec<String>,
    /// Any text.
    pub ascii: bool,
}

/// Registers in a row.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Block {
    /// Their table.
    pub table: Option<Table>,
    /// The first.
    pub addr: Option<u16>,
    /// How many.
    pub count: u16,
}

/// A quantity.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: Option<Table>,
    /// Where, or in the model.
    pub addr: Option<u16>,
    /// Where its registers stand, the lowest first.
    pub words_at: Vec<u16>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Order of its registers.
    pub words: Option<Words>,
    /// Value of a step.
    pub scale: Option<f64>,
    /// Value of 0.
    pub offset: f64,
    /// Its bits.
    pub mask: Option<u16>,
    /// Another register holds the sign.
    pub sign_from: Option<Sign>,
    /// The power of ten, in the same model.
    pub scale_addr: Option<u16>,
    /// Models that have it.
    pub model: Vec<u16>,
    /// Unit.
    pub unit: String,
}

/// The register that holds a sign.
#[derive(Debug, Clone, Deserialize)]
pub struct Sign {
    /// Its table.
    pub table: Option<Table>,
    /// Where.
    pub addr: u16,
    /// Its bits.
    pub mask: Option<u16>,
    /// Raw value and sign.
    pub map: BTreeMap<String, f64>,
}

/// A state.
#[derive(Debug, Clone, Deserialize)]
pub struct Enum {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: Option<Table>,
    /// Where, or in the model.
    pub addr: u16,
    /// Its type.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Raw value and word.
    pub map: BTreeMap<String, String>,
    /// Models that have it.
    #[serde(default)]
    pub model: Vec<u16>,
}

/// What can be set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Write {
    /// Its name.
    pub name: String,
    /// Where, without a sequence.
    pub addr: Option<u16>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Order of its registers.
    pub words: Option<Words>,
    /// Value of a step.
    pub scale: Option<f64>,
    /// Value of 0.
    pub offset: f64,
    /// Its bits.
    pub mask: Option<u16>,
    /// Words for raw values.
    pub map: BTreeMap<String, i64>,
    /// What is written one after the other.
    pub sequence: Vec<Step>,
    /// What is written first.
    pub unlock: Vec<Step>,
    /// What is written at the end.
    pub release: Vec<Step>,
    /// Models that have it.
    pub model: Vec<u16>,
    /// The power of ten, in the same model.
    pub scale_addr: Option<u16>,
    /// Unit.
    pub unit: String,
    /// Smallest value.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
    /// Where it is kept.
    pub persist: Persist,
}

/// One register of a sequence, in the model of its set point.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Where, or in the model.
    pub addr: u16,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Models that have it.
    pub model: Vec<u16>,
}

/// What it can be told to do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Mode {
    /// Where it is kept.
    pub persist: Persist,
    /// What is written one after the other.
    pub sequence: Vec<Step>,
    /// What is written at the end.
    pub release: Vec<Step>,
}

/// A chain of models.
#[derive(Debug, Clone, Deserialize)]
pub struct SunSpec {
    /// Where it may begin.
    pub bases: Vec<u16>,
}

impl Type {
    /// Registers; a text says so itself.
    #[must_use]
    pub fn registers(self) -> u16 {
        match self {
            Type::U32 | Type::S32 | Type::F32 => 2,
            Type::U64 | Type::S64 | Type::F64 => 4,
            _ => 1,
        }
    }
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// What the parser says.
    pub fn parse(text: &str) -> Result<Profile, String> {
        toml::from_str(text).map_err(|error| error.to_string().replace('\n', " "))
    }

    /// The table of what does not name one.
    #[must_use]
    pub fn table(&self, named: Option<Table>) -> Table {
        named.or(self.link.table).unwrap_or(Table::Holding)
    }
}

/// A key of a map: decimal, or hexadecimal with 0x.
#[must_use]
pub fn number(key: &str) -> Option<i64> {
    match key.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => key.parse().ok(),
    }
}

fn one() -> u8 {
    1
}
