//! The loop: a bank, chargers that are told what the decision says, and what is measured of a run.

use std::time::Duration;

use charge_manager::input::{Battery, BmsLimits, Class, Inverter, Inverters, Now, Probe, Site, Wall};
use charge_manager::settings::Key;
use charge_manager::{Decision, Memory, Name, Settings, State, decide};
use simulator::charger::{Charger, ChargerSpec};
use simulator::plant::bank::Bank;
use simulator::plant::bms::Limits;
use simulator::plant::module::Module;
use simulator::profile::Profile;

use crate::invariants::{Invariants, Seen};
use crate::packs::{CAPACITY_AH, CELLS};

/// One charger or inverter of the rig.
pub(crate) struct Device {
    pub(crate) charger: Charger,
    pub(crate) wants: Profile,
    pub(crate) facts: Inverter,
    /// What it was told last, and how long ago the manager last said anything.
    told: Option<Limits>,
    silent_s: f64,
    pub(crate) last_wanted_a: f64,
}

impl Device {
    pub(crate) fn new(name: &str, class: Class, spec: ChargerSpec, wants: Profile) -> Device {
        let facts = Inverter {
            service: Name::from(format!("com.victronenergy.multi.{name}")),
            label: name.into(),
            class,
            at: Duration::ZERO,
            current_a: None,
            charge_rating_a: None,
            discharge_rating_a: None,
            response_s: (spec.dead_time_s + spec.lag_s).max(5.0),
            current_step_a: spec.current_step_a,
            draws_down: spec.discharges_to_limit,
            own_voltmeter: true,
            from_ac: false,
        };
        Device { charger: Charger::new(spec), wants, facts, told: None, silent_s: 0.0, last_wanted_a: 0.0 }
    }

    pub(crate) fn follower(spec: ChargerSpec, wants_a: f64) -> Device {
        Device::new("a", Class::Follower, spec, Profile::Constant(wants_a))
    }
}

/// What was measured.
#[derive(Debug, Default, Clone)]
pub(crate) struct Measured {
    pub(crate) highest_v: f64,
    pub(crate) lowest_v: f64,
    pub(crate) above_360_s: f64,
    /// Seconds in which a member carried more than it may by over 1 A, later than twice the response after a reduction.
    pub(crate) over_current_s: f64,
    pub(crate) changes: u32,
    pub(crate) rises: u32,
    pub(crate) text_changes: u32,
    pub(crate) states: Vec<(f64, State)>,
    last_reduction_s: f64,
}

pub(crate) type Tamper = Box<dyn FnMut(f64, &mut Vec<Battery>)>;

/// The rig.
pub(crate) struct Rig {
    pub(crate) bank: Bank,
    pub(crate) devices: Vec<Device>,
    /// What flows beside the devices, positive into the bank, A.
    pub(crate) load_a: f64,
    pub(crate) site: Site,
    pub(crate) settings: Settings,
    pub(crate) memory: Memory,
    pub(crate) now_s: f64,
    pub(crate) wall_unix_s: i64,
    pub(crate) dt_s: f64,
    pub(crate) tamper: Option<Tamper>,
    pub(crate) manager_runs: bool,
    pub(crate) decision: Option<Decision>,
    pub(crate) measured: Measured,
    pub(crate) invariants: Invariants,
}

impl Rig {
    pub(crate) fn new(bank: Bank, devices: Vec<Device>) -> Rig {
        let measured = Measured { lowest_v: f64::INFINITY, ..Measured::default() };
        Rig {
            bank,
            devices,
            load_a: 0.0,
            site: Site::default(),
            settings: Settings::default(),
            memory: Memory::default(),
            now_s: 1_000.0,
            wall_unix_s: 1_794_787_200,
            dt_s: 1.0,
            tamper: None,
            manager_runs: true,
            decision: None,
            measured,
            invariants: Invariants::default(),
        }
    }

    pub(crate) fn set(&mut self, changes: &[(Key, f64)]) {
        self.settings = self.settings.with(changes).unwrap();
    }

    pub(crate) fn decision(&self) -> &Decision {
        self.decision.as_ref().unwrap()
    }

    pub(crate) fn state(&self) -> State {
        self.decision().state
    }

    pub(crate) fn ccl(&self) -> f64 {
        self.decision().bank.charge_current_a.unwrap_or(f64::NAN)
    }

    pub(crate) fn dcl(&self) -> f64 {
        self.decision().bank.discharge_current_a.unwrap_or(f64::NAN)
    }

    pub(crate) fn cvl(&self) -> f64 {
        self.decision().bank.charge_voltage_v.unwrap_or(f64::NAN)
    }

    /// What the bank has, truly and as it is shown, %.
    pub(crate) fn charge_and_soc(&self) -> (f64, f64) {
        (100.0 * self.module(0).pack.mean_soc(), self.decision().picture.soc.unwrap_or(f64::NAN))
    }

    pub(crate) fn charge_reason(&self) -> &'static str {
        self.decision().charge.reason.id()
    }

    pub(crate) fn module(&self, index: usize) -> &Module {
        &self.bank.modules()[index]
    }

    pub(crate) fn highest_v(&self) -> f64 {
        self.bank.modules().iter().map(|module| module.pack.highest_v()).fold(0.0, f64::max)
    }

    /// What the batteries show now.
    pub(crate) fn batteries(&mut self) -> Vec<Battery> {
        let now = Duration::from_secs_f64(self.now_s);
        let mut batteries: Vec<Battery> = self
            .bank
            .modules()
            .iter()
            .enumerate()
            .map(|(index, module)| battery(index, module, now))
            .collect();
        if let Some(tamper) = &mut self.tamper {
            tamper(self.now_s, &mut batteries);
        }
        batteries
    }

    pub(crate) fn now(&self) -> Now {
        let wall = Wall { unix_s: self.wall_unix_s, utc_offset_s: 0 };
        Now { monotonic: Duration::from_secs_f64(self.now_s), wall: Some(wall) }
    }

    /// One tick: the manager decides, the devices follow, the plant goes on.
    pub(crate) fn step(&mut self) {
        self.now_s += self.dt_s;
        self.wall_unix_s += self.dt_s.round() as i64;
        let batteries = self.batteries();
        let now = self.now();
        let devices: Vec<Inverter> = self.devices.iter().map(|device| device.facts.clone()).collect();
        let inverters = Inverters { devices, site: self.site.clone() };
        if self.manager_runs {
            let before = self.memory.clone();
            let decision = decide(now, &batteries, &inverters, &self.settings, &mut self.memory);
            let (batteries, inverters, settings) = (&batteries[..], &inverters, &self.settings);
            self.invariants.check(&Seen { now, batteries, inverters, settings, memory: &before }, &decision);
            self.measure_decision(&decision);
            self.decision = Some(decision);
        }
        let decision = self.decision.clone();
        let fresh = self.manager_runs;
        let count = self.devices.len().max(1) as f64;
        let (bus_v, ohm) = (self.bank.bus_v(), self.bank.resistance_ohm());
        let mut total_a = self.load_a;
        for device in &mut self.devices {
            let wanted_a = device.wants.wanted_a(self.now_s, self.dt_s, bus_v);
            device.last_wanted_a = wanted_a;
            device.listen(decision.as_ref().filter(|_| fresh), self.dt_s);
            let Some(told) = device.told else { continue };
            let current_a = device.charger.step(wanted_a, told, bus_v, ohm * count, self.dt_s);
            device.facts.at = Duration::from_secs_f64(self.now_s);
            device.facts.current_a = Some(current_a);
            total_a += current_a;
        }
        self.bank.step(total_a, self.dt_s);
        self.measure_plant();
    }

    pub(crate) fn run(&mut self, seconds: f64) {
        let steps = (seconds / self.dt_s).round() as usize;
        (0..steps).for_each(|_| self.step());
    }

    /// Runs until something is so, at most so long; the seconds it took.
    pub(crate) fn run_until(&mut self, most_s: f64, so: impl Fn(&Rig) -> bool) -> Option<f64> {
        let from_s = self.now_s;
        while self.now_s - from_s < most_s {
            self.step();
            if so(self) {
                return Some(self.now_s - from_s);
            }
        }
        None
    }

    /// Past the start, with the limits up.
    pub(crate) fn warm_up(&mut self) {
        self.run(140.0);
        self.measured = Measured { lowest_v: f64::INFINITY, ..Measured::default() };
        self.invariants.recount();
    }

    fn measure_decision(&mut self, decision: &Decision) {
        let limits = |decision: &Decision| {
            let limits = decision.bank;
            [limits.charge_current_a, limits.discharge_current_a, limits.charge_voltage_v]
        };
        if let Some(before) = &self.decision {
            for (index, (was, is)) in limits(before).into_iter().zip(limits(decision)).enumerate() {
                self.measured.changes += u32::from(was != is);
                self.measured.rises += u32::from(is > was);
                if is < was && index < 2 {
                    self.measured.last_reduction_s = self.now_s;
                }
            }
            let texts =
                |decision: &Decision| [decision.charge.words.clone(), decision.discharge.words.clone()];
            self.measured.text_changes += u32::from(texts(before) != texts(decision));
        }
        if self.measured.states.last().is_none_or(|(_, state)| *state != decision.state) {
            self.measured.states.push((self.now_s, decision.state));
        }
    }

    fn measure_plant(&mut self) {
        let highest_v = self.highest_v();
        let lowest_v = self.bank.modules().iter().map(|m| m.pack.lowest_v()).fold(f64::INFINITY, f64::min);
        let measured = &mut self.measured;
        measured.highest_v = measured.highest_v.max(highest_v);
        measured.lowest_v = measured.lowest_v.min(lowest_v);
        if highest_v > 3.60 {
            measured.above_360_s += self.dt_s;
        }
        let response_s = self.devices.iter().map(|device| device.facts.response_s).fold(5.0, f64::max);
        let settled = self.now_s - measured.last_reduction_s > 2.0 * response_s;
        let over = self.bank.modules().iter().any(|module| {
            let limits = module.limits();
            let a = module.pack.current_a();
            a > limits.charge_current_a + 1.0 || -a > limits.discharge_current_a + 1.0
        });
        if over && settled {
            measured.over_current_s += self.dt_s;
        }
    }
}

impl Device {
    /// Takes what the manager says; without it holds for 10 s, then goes to 0 within 2 s.
    fn listen(&mut self, decision: Option<&Decision>, dt_s: f64) {
        let said = decision.and_then(|decision| {
            let limits = match self.facts.class {
                Class::Follower => decision
                    .shares
                    .iter()
                    .find(|share| share.service == self.facts.service)
                    .map(|share| share.limits)?,
                Class::Victron | Class::NonFollower => decision.dvcc,
            };
            Some(Limits {
                charge_voltage_v: limits.charge_voltage_v?,
                discharge_voltage_v: 44.0,
                charge_current_a: limits.charge_current_a?,
                discharge_current_a: limits.discharge_current_a?,
            })
        });
        if let Some(said) = said {
            (self.told, self.silent_s) = (Some(said), 0.0);
            return;
        }
        self.silent_s += dt_s;
        if let Some(told) = self.told.as_mut().filter(|_| self.silent_s > 10.0) {
            let left = (1.0 - (self.silent_s - 10.0) / 2.0).max(0.0);
            told.charge_current_a *= left;
            told.discharge_current_a *= left;
        }
    }
}

/// What a BMS with everything shows of a module.
pub(crate) fn battery(index: usize, module: &Module, now: Duration) -> Battery {
    let readings = module.readings();
    let limits = module.limits();
    let probe = |(number, celsius): (usize, &Option<f64>)| Probe {
        name: Name::from(format!("T{}", number + 1)),
        celsius: *celsius,
    };
    Battery {
        service: Name::from(format!("com.victronenergy.battery.pack{index}")),
        label: Name::from(format!("B{}", index + 1)),
        at: now,
        connected: true,
        voltage_v: Some(readings.pack_v),
        current_a: readings.current_a,
        soc_percent: Some(100.0 * module.bms.soc()),
        soh_percent: Some(100.0),
        capacity_ah: Some(module.bms.spec().nominal_ah),
        cells_in_series: Some(readings.cells_v.len() as u32),
        cells_v: readings.cells_v.clone(),
        temperatures: readings.temperatures_c.iter().enumerate().map(probe).collect(),
        limits: BmsLimits {
            charge_voltage_v: Some(limits.charge_voltage_v),
            charge_current_a: Some(limits.charge_current_a),
            discharge_current_a: Some(limits.discharge_current_a),
            low_voltage_v: Some(limits.discharge_voltage_v),
        },
        may_charge: Some(module.switches.may_charge()),
        may_discharge: Some(module.switches.may_discharge()),
        gives_way: true,
        ..Battery::default()
    }
}

/// One pack of 280 Ah with one follower that wants this much.
pub(crate) fn simple(pack: simulator::plant::pack::PackSpec, spec: ChargerSpec, wants_a: f64) -> Rig {
    use simulator::plant::sensors::Noise;
    assert!(pack.cells.len() == CELLS && pack.cells[0].capacity_ah <= CAPACITY_AH);
    Rig::new(crate::packs::bank(vec![pack], Noise::NONE), vec![Device::follower(spec, wants_a)])
}
