//! A model of device as data: one TOML file. [`parse`] reads it and finds what is wrong with it, with lines.
//!
//! - [`scalar`], [`kind`], [`expr`]: the values that stand in it
//! - [`link`]: how the device is reached; [`point`]: what is read; [`write`](mod@write): what is written
//! - [`names`]: what a point may be called
//! - `check`: the rules between them
//! - [`builtin`]: the profiles that come with the program

pub mod builtin;
mod check;
pub mod expr;
pub mod kind;
pub mod link;
pub mod names;
pub mod page;
pub mod point;
pub mod scalar;
pub mod write;

use std::ops::RangeInclusive;

use serde::Deserialize;
use service_kit::config::{self, ConfigErrors};

use kind::{Sentinels, Words};
use link::LinkSpec;
use point::{BitsPoint, Block, EnumPoint, Point};
use scalar::Table;
use write::{Identify, ModeSpec, Step, SunSpec, WritePoint};

/// The version of the format.
pub const SCHEMA: u32 = 1;
/// The SunSpec models of meters (sunspec/models: json/).
const METERS: RangeInclusive<u16> = 201..=214;

/// A model of device.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Version of the format: [`SCHEMA`].
    pub schema: u32,
    /// Its name in configurations: small letters, digits and `-`.
    pub id: String,
    /// Its name for people; otherwise maker and first model.
    #[serde(default)]
    pub title: Option<String>,
    /// Who makes it.
    pub make: String,
    /// The models that have these registers.
    pub models: Vec<String>,
    /// What it is.
    pub class: Class,
    /// Lines; the point `phases` knows better.
    #[serde(default = "one_line")]
    pub phases: u8,
    /// It can never feed in.
    #[serde(default)]
    pub offgrid: bool,
    /// Raw values that mean "no data" everywhere.
    #[serde(default)]
    pub sentinels: Sentinels,
    /// Where the registers are documented in public.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Wiring, and what to set at the device.
    #[serde(default)]
    pub note: Option<String>,
    /// How it is reached.
    pub link: LinkSpec,
    /// How it is recognised.
    #[serde(default)]
    pub identify: Option<Identify>,
    /// It has a chain of models instead of fixed addresses.
    #[serde(default)]
    pub sunspec: Option<SunSpec>,
    /// What is read together.
    #[serde(default)]
    pub block: Vec<Block>,
    /// Numbers, texts and times.
    #[serde(default)]
    pub point: Vec<Point>,
    /// Words.
    #[serde(default, rename = "enum")]
    pub words: Vec<EnumPoint>,
    /// Faults and warnings.
    #[serde(default)]
    pub bits: Vec<BitsPoint>,
    /// Set points.
    #[serde(default)]
    pub write: Vec<WritePoint>,
    /// Ways of running.
    #[serde(default)]
    pub mode: Vec<ModeSpec>,
}

/// What a device is on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Inverter and charger with a battery: `multi` and `acsystem`.
    Hybrid,
    /// Inverter at a battery, without an input.
    Inverter,
    /// Inverter at solar panels.
    PvInverter,
    /// Meter.
    Grid,
}

impl Profile {
    /// Its name for people.
    #[must_use]
    pub fn title(&self) -> String {
        self.title.clone().unwrap_or_else(|| {
            let model = self.models.first().map_or("", String::as_str);
            format!("{} {model}", self.make).trim_end().to_owned()
        })
    }

    /// What a device of it is called that says its model: by its maker too, whom a chain of models names with it.
    #[must_use]
    pub fn product(&self, model: Option<&str>) -> String {
        match model.filter(|model| !model.is_empty()) {
            Some(model) if self.sunspec.is_some() => model.to_owned(),
            Some(model) => format!("{} {model}", self.make),
            None => self.title(),
        }
    }

    /// The table of a field that says `table`.
    #[must_use]
    pub fn table(&self, table: Option<Table>) -> Table {
        table.unwrap_or(self.link.table)
    }

    /// The order of registers of a field that says `words`.
    #[must_use]
    pub fn order(&self, words: Option<Words>) -> Words {
        words.unwrap_or(self.link.words)
    }

    /// Whether anything tells its devices from others. Otherwise whatever answers is taken for one.
    #[must_use]
    pub fn tells_devices(&self) -> bool {
        self.identify.as_ref().is_some_and(|identify| !identify.matches.is_empty())
            || self.sunspec.as_ref().is_some_and(|sunspec| !sunspec.any.is_empty())
    }

    /// Whether it has the power of a meter or current transformer at the grid: what `publish_grid` shows.
    #[must_use]
    pub fn has_meter(&self) -> bool {
        self.point.iter().any(|point| names::is_meter_power(&point.name))
    }

    /// Leaves out the meters in the chain of models, which nobody wants shown.
    pub fn leave_out_meters(&mut self) {
        let is_meter = |model: &[u16]| !model.is_empty() && model.iter().all(|id| METERS.contains(id));
        self.block.retain(|block| !is_meter(&block.model));
        self.point.retain(|point| !is_meter(&point.model));
    }

    /// Every write of every sequence of it.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let writes = self.write.iter().flat_map(|write| [&write.unlock, &write.sequence, &write.release]);
        let modes = self.mode.iter().flat_map(|mode| [&mode.sequence, &mode.release]);
        writes.chain(modes).flatten()
    }

    /// How many of its facts are marked as unverified.
    #[must_use]
    pub fn unverified(&self) -> usize {
        let points = self.point.iter().map(|point| point.unverified.is_some());
        let words = self.words.iter().map(|point| point.unverified.is_some());
        let bits = self.bits.iter().map(|point| point.unverified.is_some());
        let writes = self.write.iter().map(|point| point.unverified.is_some());
        let modes = self.mode.iter().map(|mode| mode.unverified.is_some());
        let identify = self.identify.iter().map(|identify| identify.unverified.is_some());
        points.chain(words).chain(bits).chain(writes).chain(modes).chain(identify).filter(|is| *is).count()
    }
}

/// Reads a profile. `file` only names it in errors.
///
/// # Errors
/// Everything that is wrong with it, as far as it can be found in one go.
pub fn parse(text: &str, file: &str) -> Result<Profile, ConfigErrors> {
    config::parse(text, file, [])
}

#[cfg(test)]
pub(crate) mod tests;

fn one_line() -> u8 {
    1
}
