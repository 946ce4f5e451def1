//! Lead-acid batteries, which have no cells to look at, and shunts, which have nothing but a current.

use std::time::Duration;

use charge_manager::input::{Battery, BmsLimits, Inverters, Now, Probe};
use charge_manager::settings::{Chemistry, Key};
use charge_manager::{Because, Decision, Memory, Settings, State, decide};
use simulator::charger::ChargerSpec;
use simulator::plant::sensors::Noise;
use simulator::profile::Profile;

use crate::invariants::{Invariants, Seen};
use crate::packs;
use crate::rig::{Device, Rig};

const CELLS: f64 = 24.0;
const CAPACITY_AH: f64 = 200.0;
const OHM: f64 = 0.012;

/// A battery of 24 cells on a charger that obeys: rest voltage, resistance, and a limit to what it can take that falls the
/// fuller it is; what is more becomes gas and voltage.
struct Lead {
    settings: Settings,
    memory: Memory,
    invariants: Invariants,
    decision: Option<Decision>,
    now_s: f64,
    soc: f64,
    celsius: f64,
    volts: f64,
    amps: f64,
    /// What the charger can give; negative for a load.
    wants_a: f64,
}

impl Lead {
    fn new(chemistry: Chemistry, soc: f64, celsius: f64) -> Lead {
        Lead {
            settings: Settings::of(chemistry),
            memory: Memory::default(),
            invariants: Invariants::default(),
            decision: None,
            now_s: 1_000.0,
            soc,
            celsius,
            volts: CELLS * 2.05,
            amps: 0.0,
            wants_a: 60.0,
        }
    }

    fn voltage_at(&self, amps: f64) -> f64 {
        let rest = 1.94 + 0.19 * self.soc;
        let takes_a = CAPACITY_AH / 5.0 * (-(self.soc - 0.8) / 0.07).exp() + CAPACITY_AH / 200.0;
        // Beyond what it takes the voltage climbs to gassing and past it.
        let gassing = 0.30 * (amps / takes_a).clamp(0.0, 1.5);
        CELLS * (rest + gassing) + OHM * amps
    }

    fn step(&mut self, dt_s: f64) {
        self.now_s += dt_s;
        let at = Duration::from_secs_f64(self.now_s);
        let battery = Battery {
            service: "com.victronenergy.battery.lead".into(),
            label: "lead".into(),
            at,
            connected: true,
            voltage_v: Some(self.volts),
            current_a: Some(self.amps),
            soc_percent: Some(100.0 * self.soc.min(1.0)),
            capacity_ah: Some(CAPACITY_AH),
            cells_in_series: Some(CELLS as u32),
            temperatures: vec![Probe { name: "T1".into(), celsius: Some(self.celsius) }],
            limits: BmsLimits::default(),
            gives_way: true,
            ..Battery::default()
        };
        let now = Now { monotonic: at, wall: None };
        let (batteries, inverters) = ([battery], Inverters::default());
        let before = self.memory.clone();
        let decision = decide(now, &batteries, &inverters, &self.settings, &mut self.memory);
        let seen = Seen {
            now,
            batteries: &batteries,
            inverters: &inverters,
            settings: &self.settings,
            memory: &before,
        };
        self.invariants.check(&seen, &decision);
        let limits = decision.bank;
        let most_a = self.wants_a.min(limits.charge_current_a.unwrap_or(0.0));
        self.amps = if self.wants_a < 0.0 {
            self.wants_a.max(-limits.discharge_current_a.unwrap_or(0.0))
        } else {
            let cvl_v = limits.charge_voltage_v.unwrap_or(0.0);
            let (mut low, mut high) = (0.0, most_a);
            for _ in 0..40 {
                let middle = 0.5 * (low + high);
                if self.voltage_at(middle) <= cvl_v { low = middle } else { high = middle }
            }
            low
        };
        self.volts = self.voltage_at(self.amps);
        let efficiency = if self.amps > 0.0 { 0.9 } else { 1.0 };
        self.soc = (self.soc + efficiency * self.amps * dt_s / 3_600.0 / CAPACITY_AH).clamp(0.0, 1.0);
        self.decision = Some(decision);
    }

    fn run_until(&mut self, most_s: f64, dt_s: f64, so: impl Fn(&Lead) -> bool) -> Option<f64> {
        let from_s = self.now_s;
        while self.now_s - from_s < most_s {
            self.step(dt_s);
            if so(self) {
                return Some(self.now_s - from_s);
            }
        }
        None
    }

    fn state(&self) -> State {
        self.decision.as_ref().unwrap().state
    }
}

#[test]
fn s33_the_voltage_of_lead_follows_its_temperature_within_its_window() {
    for (chemistry, celsius, cell_v) in [
        (Chemistry::Flooded, 5.0, 2.53),
        (Chemistry::Flooded, 40.0, 2.39),
        (Chemistry::Agm, 5.0, 2.45),
        (Chemistry::Agm, 40.0, 2.355),
        (Chemistry::Gel, 25.0, 2.37),
    ] {
        let mut lead = Lead::new(chemistry, 0.5, celsius);
        lead.run_until(900.0, 1.0, |_| false);
        let cvl_v = lead.decision.as_ref().unwrap().bank.charge_voltage_v.unwrap();
        assert!((cvl_v / CELLS - cell_v).abs() < 0.003, "{chemistry:?} at {celsius} °C: {}", cvl_v / CELLS);
    }
}

#[test]
fn s33_lead_is_absorbed_for_an_hour_at_least_floats_stores_after_a_day_and_repeats_weekly() {
    let mut lead = Lead::new(Chemistry::Agm, 0.6, 25.0);
    lead.run_until(12.0 * 3_600.0, 1.0, |lead| lead.state() == State::Absorption).unwrap();
    let absorbed_s = lead.run_until(12.0 * 3_600.0, 1.0, |lead| lead.state() == State::Float).unwrap();
    println!("absorbed for {:.1} h, {:?}", absorbed_s / 3_600.0, lead.decision.as_ref().unwrap().because);
    assert!(absorbed_s >= 3_600.0);
    let floated_s = lead.run_until(30.0 * 3_600.0, 5.0, |lead| lead.state() == State::Storage).unwrap();
    assert!((floated_s / 3_600.0 - 24.0).abs() < 0.1, "{floated_s}");
    let stored_s = lead.run_until(8.0 * 86_400.0, 5.0, |lead| lead.state() == State::Absorption).unwrap();
    assert!((stored_s / 86_400.0 - 7.0).abs() < 0.1, "{stored_s}");
    assert_eq!(lead.decision.as_ref().unwrap().because, Because::Repeated);
    let repeated_s = lead.run_until(3.0 * 3_600.0, 1.0, |lead| lead.state() == State::Float).unwrap();
    assert!(repeated_s <= 4_000.0, "{repeated_s}");
}

/// A bank that shows nothing but what a shunt measures, which is half an ampere wrong.
fn shunt_only(offset_a: f64) -> Rig {
    let bank = packs::bank(vec![packs::healthy(0.60)], Noise::NONE);
    let mut device = Device::follower(ChargerSpec::PYLONTECH, 0.0);
    // Half a day of sun and half a day of load: 39 % to and fro, full on every day.
    device.wants = Profile::Steps { steps: vec![(0.0, 30.0), (43_200.0, -9.0)], repeat_s: Some(86_400.0) };
    let mut rig = Rig::new(bank, vec![device]);
    rig.dt_s = 5.0;
    rig.tamper = Some(Box::new(move |_, batteries| {
        let battery = &mut batteries[0];
        battery.current_a = battery.current_a.map(|a| a + offset_a);
        (battery.soc_percent, battery.cells_v, battery.limits) = (None, Vec::new(), BmsLimits::default());
        battery.cells_in_series = None;
        battery.temperatures.clear();
    }));
    rig.set(&[(Key::CellsInSeries, 16.0), (Key::FloorSoc, 0.0)]);
    rig
}

#[test]
fn s32_a_shunt_that_is_half_an_ampere_wrong_is_found_out_by_full_charges() {
    let mut rig = shunt_only(0.5);
    let mut worst = [0.0f64; 4];
    let mut fulls = 0usize;
    for _ in 0..20 * 17_280 {
        rig.step();
        fulls += usize::from(rig.decision().became_full);
        let (truly, shown) = rig.charge_and_soc();
        let slot = &mut worst[fulls.min(3)];
        *slot = slot.max((truly - shown).abs());
    }
    println!(
        "{fulls} full charges; largest errors of the state of charge before, after the first, second, third: {worst:.1?} %"
    );
    assert!(fulls >= 4, "{fulls}");
    assert!(worst[1] < 5.0 && worst[2] < 5.0 && worst[3] < 3.0, "{worst:?}");
}
