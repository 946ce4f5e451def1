//! Inverters that hang on a battery's busbar and know of it only what they are told on a CAN bus of their own: what they
//! make of the frames, how late they follow, and what they do when nobody tells them anything any more.
//!
//! They share nothing with the profiles of `bms-can`: the bytes are typed from the makers' documents once more.

mod port;
mod pylontech;
mod sunny_island;

use std::path::PathBuf;

use serde::Deserialize;
use service_kit::config::{Check, Findings};

use crate::can::Frame;
use crate::charger::{Charger, ChargerSpec};
use crate::day::Powers;
use crate::plant::bms::Limits;

pub(crate) use port::{Port, lock};
pub use port::{Shared, shared};

/// The table `[battery.hybrid]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HybridConfig {
    /// Where its CAN adapter appears: a link to its pseudo-terminal. `{n}` becomes the number of the battery.
    pub link: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// There is a grid.
    #[serde(default = "yes")]
    pub grid: bool,
    /// What the house takes, in W, where the current is not that of a day with a house and a sun of its own.
    #[serde(default = "load")]
    pub load_w: f64,
}

fn yes() -> bool {
    true
}

fn load() -> f64 {
    500.0
}

impl Check for HybridConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("load_w", self.load_w, 0.0..=50_000.0, "W");
    }
}

/// The kinds of inverters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One that reads Pylontech's frames.
    Pylontech,
    /// A cluster of two Sunny Islands.
    SunnyIsland,
}

/// Losses: W, and part of the battery's power.
const IDLE_W: f64 = 30.0;
const LOSS: f64 = 0.03;

/// What an inverter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works.
    Running,
    /// It waits until the battery's alarm is over.
    Standby,
    /// It is switched off, or has switched itself off with this error: somebody has to switch it on.
    Off(u16),
}

/// Powers in W at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flow {
    /// From the grid, negative into it.
    pub grid_w: f64,
    /// From the inverters towards the house.
    pub inverter_w: f64,
    /// From panels at the output: as much as can be used, where there is no grid to take the rest.
    pub sun_w: f64,
    /// Into the house.
    pub load_w: f64,
    /// Into the battery.
    pub battery_w: f64,
    /// Lost.
    pub loss_w: f64,
    /// Battery voltage in V.
    pub battery_v: f64,
    /// Battery current in A, positive while it charges.
    pub battery_a: f64,
}

/// An inverter.
#[derive(Debug)]
pub struct Hybrid {
    kind: Kind,
    grid: bool,
    load_w: f64,
    sun_w: f64,
    charger: Charger,
    time_s: f64,
    told: Option<(Limits, f64)>,
    soc_heard_s: f64,
    alarm: bool,
    state: State,
    flow: Flow,
}

impl Hybrid {
    /// One that has just been switched on and was told nothing yet.
    pub fn new(kind: Kind, grid: bool, load_w: f64) -> Hybrid {
        let spec = match kind {
            Kind::Pylontech => ChargerSpec::PYLONTECH,
            Kind::SunnyIsland => ChargerSpec::SMA,
        };
        Hybrid {
            kind,
            grid,
            load_w,
            sun_w: 0.0,
            charger: Charger::new(spec),
            time_s: 0.0,
            told: None,
            soc_heard_s: 0.0,
            alarm: false,
            state: State::Running,
            flow: Flow::default(),
        }
    }

    /// Takes in a frame of its battery.
    pub fn hear(&mut self, frame: &Frame) {
        match self.kind {
            Kind::Pylontech => pylontech::hear(self, frame),
            Kind::SunnyIsland => sunny_island::hear(self, frame),
        }
    }

    /// What it sends once a second.
    pub fn frames(&self) -> Vec<Frame> {
        match self.kind {
            Kind::Pylontech => pylontech::frames(),
            Kind::SunnyIsland => sunny_island::frames(self),
        }
    }

    /// What house and panels at its output do from now on.
    pub fn feed(&mut self, powers: Powers) {
        (self.sun_w, self.load_w) = (powers.sun_w, powers.house_w);
    }

    /// The current in A that it wants to flow after `dt_s` more seconds; `wanted_a` is what sun and tariff would like.
    pub fn current_a(&mut self, wanted_a: f64, bus_v: f64, bank_ohm: f64, dt_s: f64) -> f64 {
        self.time_s += dt_s;
        let limits = match self.kind {
            Kind::Pylontech => pylontech::limits(self),
            Kind::SunnyIsland => sunny_island::limits(self),
        };
        if self.state != State::Running {
            self.charger.step(0.0, NOTHING, bus_v, bank_ohm, dt_s);
            return 0.0;
        }
        if self.grid {
            return self.charger.step(wanted_a, limits, bus_v, bank_ohm, dt_s);
        }
        let surplus_w = self.sun_w - self.load_w - IDLE_W;
        let surplus_a = surplus_w.max(0.0) / (1.0 + LOSS) / bus_v.max(1.0);
        let charging_a = self.charger.step(surplus_a, limits, bus_v, bank_ohm, dt_s);
        if surplus_w >= 0.0 {
            // It raises its frequency, and the panels give no more than what can be used.
            return charging_a.clamp(0.0, surplus_a);
        }
        // An island takes what the house takes, whatever the limits are.
        surplus_w / (1.0 - LOSS) / bus_v.max(1.0)
    }

    /// What really flows.
    pub fn measure(&mut self, battery_v: f64, battery_a: f64) {
        let battery_w = battery_v * battery_a;
        if self.state != State::Running {
            self.flow = Flow { battery_w, battery_v, battery_a, loss_w: -battery_w, ..Flow::default() };
            return;
        }
        let loss_w = IDLE_W + LOSS * battery_w.abs();
        let flow = Flow { battery_w, battery_v, battery_a, ..Flow::default() };
        self.flow = if self.grid {
            let (inverter_w, load_w, sun_w) = (-battery_w - loss_w, self.load_w, self.sun_w);
            Flow { grid_w: load_w - sun_w - inverter_w, inverter_w, sun_w, load_w, loss_w, ..flow }
        } else {
            // What is there for the house; too much is not taken from the panels, too little is no light.
            let there_w = self.sun_w - battery_w - loss_w;
            let sun_w = self.sun_w - (there_w - self.load_w).clamp(0.0, self.sun_w);
            let load_w = (sun_w - battery_w - loss_w).max(0.0);
            let loss_w = sun_w - battery_w - load_w;
            Flow { inverter_w: load_w - sun_w, sun_w, load_w, loss_w, ..flow }
        };
    }

    /// What flows.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// What it does.
    pub fn state(&self) -> State {
        self.state
    }

    /// Somebody walks to the cellar and switches it on.
    pub fn switch_on(&mut self) {
        self.state = State::Running;
        self.soc_heard_s = self.time_s;
    }
}

/// Nothing is allowed.
const NOTHING: Limits = Limits {
    charge_voltage_v: 0.0,
    discharge_voltage_v: 0.0,
    charge_current_a: 0.0,
    discharge_current_a: 0.0,
};
