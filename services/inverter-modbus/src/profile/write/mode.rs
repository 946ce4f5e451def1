//! Ways of running: the same few for every make.

use serde::Deserialize;

use super::{Persist, Step, WritePoint};
use crate::profile::expr::Condition;
use crate::profile::kind::Type;
use crate::profile::scalar::{Table, Time};

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
/// The set point that switches a device on and off.
pub const ON_OFF: &str = "on_off";

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
