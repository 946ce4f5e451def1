//! The charge of the bank as a state machine: one state for the whole bank, one pure transition.
//!
//! Charging is a state of the bank, not the presence of current: at night it stays where it is.
//!
//! `phase` is the transition with its clocks.

mod phase;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use phase::Phase;

/// What the bank is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum State {
    /// Waiting for data of all members to be healthy.
    #[default]
    Start,
    /// Charging toward the absorption voltage.
    Bulk,
    /// Holding the absorption voltage until full.
    Absorption,
    /// Holding the balance voltage with little current.
    Balance,
    /// Full; holding the float voltage.
    Float,
    /// Full and unused for long; holding the storage voltage.
    Storage,
    /// Lead-acid only: evening out the cells.
    Equalise,
    /// Charging is forced.
    Forced,
    /// Charging is stopped to protect a battery.
    Protect,
    /// No data.
    NoData,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Start => "starting",
            State::Bulk => "bulk",
            State::Absorption => "absorption",
            State::Balance => "balancing",
            State::Float => "float",
            State::Storage => "storage",
            State::Equalise => "equalising",
            State::Forced => "forced charge",
            State::Protect => "protecting",
            State::NoData => "no data",
        })
    }
}

/// Why the bank is in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Because {
    /// Nothing particular.
    #[default]
    Usual,
    /// It is full.
    Full,
    /// The time of absorption ran out.
    TimedOut,
    /// The user's cap of the state of charge.
    SocCap,
    /// It was so before the manager started.
    Remembered,
    /// It was used: charge is missing.
    Discharged,
    /// A full charge is due or asked for.
    FullChargeDue,
    /// An absorption that is repeated in storage.
    Repeated,
}

impl Because {
    /// In words, to follow the state; empty for nothing particular.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Because::Usual => "",
            Because::Full => "full",
            Because::TimedOut => "absorption timed out",
            Because::SocCap => "cap of the state of charge",
            Because::Remembered => "as before the restart",
            Because::Discharged => "charge is missing",
            Because::FullChargeDue => "full charge due",
            Because::Repeated => "repeated",
        }
    }
}

/// What the transition is made from, all of this moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Sight {
    /// There are data to decide with.
    pub(crate) data: bool,
    /// All members are fresh.
    pub(crate) healthy: bool,
    /// A battery must not be charged.
    pub(crate) protect: bool,
    /// The absorption voltage is reached, or a cell is as high as it may be.
    pub(crate) reached: bool,
    /// Absorption voltage less that of the bank, V.
    pub(crate) below_v: f64,
    /// All members are full.
    pub(crate) full: bool,
    /// The cells are even; none where they cannot be compared now.
    pub(crate) balanced: Option<bool>,
    /// Balancing is due or asked for.
    pub(crate) balance_due: bool,
    /// An equalisation is due or asked for.
    pub(crate) equalise_due: bool,
    /// A full charge is due or asked for.
    pub(crate) full_due: bool,
    /// State of charge, %.
    pub(crate) soc: Option<f64>,
    /// Highest cell or mean, V.
    pub(crate) top_v: Option<f64>,
    /// Mean cell, V.
    pub(crate) mean_v: Option<f64>,
    /// Current of the bank in parts of its capacity.
    pub(crate) current_c: f64,
    /// Lowest cell is below the voltage at which charging is forced.
    pub(crate) below_force: bool,
    /// Lowest cell is not yet back above the discharge stop.
    pub(crate) empty: bool,
    /// A battery or the user asks to be charged now.
    pub(crate) asked: bool,
    /// Hottest temperature, °C.
    pub(crate) hottest_c: Option<f64>,
    /// Longest absorption, s, where a rule beside the setting knows one.
    pub(crate) absorption_most_s: Option<f64>,
}
