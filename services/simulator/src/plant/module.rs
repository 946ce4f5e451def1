//! A module: a pack, its switches, its sensors and its BMS. What one buys as one box.

use super::alarms::AlarmSet;
use super::bms::{Bms, BmsSpec, Limits, Requests};
use super::counters::Counters;
use super::pack::{Pack, PackSpec};
use super::rng::Rng;
use super::sensors::{Noise, Readings, Sensors};
use super::switches::Switches;

/// How a module is built.
#[derive(Debug, Clone)]
pub struct ModuleSpec {
    /// Cells and wires.
    pub pack: PackSpec,
    /// The BMS.
    pub bms: BmsSpec,
    /// How well it measures.
    pub noise: Noise,
}

/// One module of a bank.
#[derive(Debug, Clone)]
pub struct Module {
    /// Cells and wires.
    pub pack: Pack,
    /// What connects them with the busbar.
    pub switches: Switches,
    /// What the BMS sees.
    pub sensors: Sensors,
    /// What the BMS makes of it.
    pub bms: Bms,
    /// What it has counted in its life.
    pub counters: Counters,
    /// Defect: the master does not hear it.
    pub is_lost: bool,
}

impl Module {
    /// A module at rest, switches closed.
    pub fn new(spec: ModuleSpec, rng: Rng) -> Self {
        let bms = Bms::new(spec.bms, spec.pack.chemistry);
        let mut module = Self {
            pack: Pack::new(spec.pack),
            switches: Switches::default(),
            sensors: Sensors::new(spec.noise, rng),
            bms,
            counters: Counters::default(),
            is_lost: false,
        };
        module.observe(0.0);
        module
    }

    /// Lets a constant current flow for `dt_s` seconds; then the BMS looks and acts.
    pub fn step(&mut self, current_a: f64, dt_s: f64) {
        self.switches.step(dt_s);
        self.pack.step(current_a, dt_s);
        self.observe(dt_s);
    }

    /// The newest readings of its sensors.
    pub fn readings(&self) -> &Readings {
        self.sensors.readings()
    }

    /// What its BMS allows.
    pub fn limits(&self) -> Limits {
        self.bms.limits()
    }

    /// What its BMS warns of.
    pub fn warnings(&self) -> AlarmSet {
        self.bms.warnings()
    }

    /// What its BMS has tripped for.
    pub fn protections(&self) -> AlarmSet {
        self.bms.protections()
    }

    /// What its BMS asks for.
    pub fn requests(&self) -> Requests {
        self.bms.requests()
    }

    fn observe(&mut self, dt_s: f64) {
        let readings = self.sensors.measure(&self.pack);
        self.counters.count(readings, self.bms.spec().nominal_ah, dt_s);
        self.bms.observe(readings, &mut self.switches, dt_s);
    }
}
