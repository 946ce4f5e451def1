//! From a scenario to a battery.

use crate::charger::Charger;
use crate::command::{self, Action};
use crate::day::{Day, DaySpec};
use crate::device::{Device, Parts};
use crate::faults::Faults;
use crate::hybrids;
use crate::plant::bank::Bank;
use crate::plant::bms::BmsSpec;
use crate::plant::cell::Effects;
use crate::plant::counters::Counters;
use crate::plant::module::{Module, ModuleSpec};
use crate::plant::pack::{PackSpec, Spread};
use crate::plant::rng::Rng;
use crate::plant::sensors::Noise;
use crate::profile::Profile;
use crate::report::Names;
use crate::scenario::{BatteryConfig, CurrentConfig, Scenario};

/// Sequences of random numbers in one battery; each purpose has its own, so that one more draw here changes
/// nothing there.
const PURPOSES: u64 = 1_000_000;
const WEATHER: u64 = 1;
const GARBAGE: u64 = 2;
const MODULES: u64 = 10;
const CELLS: u64 = 0;
const SENSORS: u64 = 1;
const WIRES: u64 = 2;

/// The batteries of a scenario with what each is built from, in the order of their numbers.
pub fn devices(scenario: &Scenario) -> Vec<(BatteryConfig, Device)> {
    let build = |(number, config): (usize, BatteryConfig)| {
        let purpose = number as u64 * PURPOSES;
        let events = events(scenario, number);
        let device = device(&config, number, events, |part| Rng::new(scenario.seed, purpose + part));
        (config, device)
    };
    scenario.batteries().into_iter().enumerate().map(build).collect()
}

fn device(
    config: &BatteryConfig,
    number: usize,
    events: Vec<(f64, Action)>,
    rng: impl Fn(u64) -> Rng,
) -> Device {
    let modules = (0..config.strings * config.modules).map(|number| {
        let purpose = |part| MODULES + 10 * number as u64 + part;
        let mut module = Module::new(module(config, number, &rng, purpose), rng(purpose(SENSORS)));
        module.counters = Counters {
            charged_kwh: config.bms.charged_kwh,
            discharged_kwh: config.bms.discharged_kwh,
            cycles: config.bms.cycles,
        };
        module
    });
    Device::new(Parts {
        bank: Bank::new(modules.collect()),
        modules_per_string: config.modules,
        profile: profile(&config.current, rng(WEATHER)),
        charger: config.charger.map(|charger| Charger::new(charger.spec())),
        hybrid: config.hybrid.as_ref().map(hybrids::shared),
        dialect: config.protocol,
        manufacturer: config.manufacturer.clone(),
        names: Names {
            model: config.model.clone(),
            family: config.family.clone(),
            serial: config.serial.clone().unwrap_or_else(|| format!("SIM{number:09}")),
            firmware: config.firmware,
        },
        padded: config.padded,
        needs_keep_alive: config.needs_keep_alive,
        has_inverter: config.inverter,
        ambient_c: config.pack.temperature_c,
        transmit_reply: config.adapter.transmit_reply,
        buffer_bytes: config.adapter.buffer_bytes,
        events,
        faults: Faults::new(rng(GARBAGE)),
    })
}

fn module(
    config: &BatteryConfig,
    number: usize,
    rng: &impl Fn(u64) -> Rng,
    purpose: impl Fn(u64) -> u64,
) -> ModuleSpec {
    let (pack, bms) = (&config.pack, &config.bms);
    let effects = if pack.ideal_cells { Effects::NONE } else { Effects::ALL };
    let spread = Spread {
        capacity: pack.capacity_spread_percent / 100.0,
        soc: pack.soc_spread_percent / 100.0,
        resistance: pack.resistance_spread_percent / 100.0,
        self_discharge: if pack.ideal_cells { 0.0 } else { 0.01 / 3.0 },
    };
    let soc = pack.soc_percent / 100.0;
    let mut spec = PackSpec::even(pack.chemistry, pack.cells, pack.capacity_ah, soc, effects)
        .spread(spread, &mut rng(purpose(CELLS)));
    let wires = (1.0 + pack.module_spread_percent / 100.0 * rng(purpose(WIRES)).normal()).max(0.1);
    spec.harness_ohm = pack.harness_ohm * wires;
    spec.balancer = pack.balancer.balancer();
    spec.temperature_c = pack.temperature_c;
    for cell in &mut spec.cells {
        cell.r0_ohm *= wires;
        cell.r1_ohm *= wires;
    }
    for odd in pack.odd_cell.iter().filter(|odd| odd.module == number) {
        if let Some(cell) = spec.cells.get_mut(odd.cell) {
            cell.capacity_ah *= odd.capacity_percent / 100.0;
            cell.soc += odd.soc_offset_percent / 100.0;
            cell.r0_ohm *= odd.resistance_percent / 100.0;
            cell.r1_ohm *= odd.resistance_percent / 100.0;
        }
    }
    let cells = pack.cells as f64;
    ModuleSpec {
        pack: spec,
        bms: BmsSpec {
            charge_voltage_limit_v: bms
                .charge_voltage_limit_v
                .unwrap_or(cells * pack.chemistry.charge_voltage_v),
            discharge_voltage_limit_v: bms
                .discharge_voltage_limit_v
                .unwrap_or(cells * pack.chemistry.discharge_voltage_v),
            max_charge_current_a: bms.max_charge_current_a.unwrap_or(0.5 * pack.capacity_ah),
            max_discharge_current_a: bms.max_discharge_current_a.unwrap_or(0.5 * pack.capacity_ah),
            tapers: bms.tapers,
            nominal_ah: pack.capacity_ah,
            soc: bms.soc_percent.unwrap_or(pack.soc_percent) / 100.0,
            soc_gain_error: bms.soc_gain_error_percent / 100.0,
            soh_percent: bms.soh_percent,
        },
        noise: if bms.noise { Noise::TYPICAL } else { Noise::NONE },
    }
}

fn profile(current: &CurrentConfig, rng: Rng) -> Profile {
    match current {
        CurrentConfig::ConstantA(current_a) => Profile::Constant(*current_a),
        CurrentConfig::Steps(steps) => Profile::Steps {
            steps: steps.step.iter().map(|step| (step.at_s, step.current_a)).collect(),
            repeat_s: steps.repeat_s,
        },
        CurrentConfig::Day(day) => {
            let spec = DaySpec {
                weather: day.weather,
                pv_kwp: day.pv_kwp,
                load: day.load,
                starts_at_h: day.starts_at_h,
                vehicle_at_h: day.vehicle_at_h.clone(),
            };
            Profile::Day(Box::new(Day::new(spec, rng)))
        }
    }
}

/// What happens to one battery, sorted by time. Commands were checked with the scenario.
fn events(scenario: &Scenario, number: usize) -> Vec<(f64, Action)> {
    let parsed =
        scenario.event.iter().filter_map(|event| Some((event.at_s, command::parse(&event.command).ok()?)));
    let mut events: Vec<(f64, Action)> = parsed
        .filter(|(_, command)| command.battery.is_none_or(|battery| battery == number))
        .map(|(at_s, command)| (at_s, command.action))
        .collect();
    events.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    events
}
