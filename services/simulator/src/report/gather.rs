//! How the master of a string makes one report of its modules.

use super::{Extremes, Modules, Names, Place, Report};
use crate::plant::alarms::{Alarm, AlarmSet};
use crate::plant::bms::{Limits, Requests};
use crate::plant::chemistry::NMC;
use crate::plant::module::Module;
use crate::plant::sensors::Readings;

impl Report {
    /// What the master of these modules reports of those that it hears: currents and current limits add up, the
    /// strictest voltage limit counts, and every complaint is passed on. A lost module is a complaint too. `None` if
    /// all are lost: then nobody speaks.
    pub fn of(modules: &[Module], manufacturer: &str, names: &Names, address: u8) -> Option<Self> {
        let heard: Vec<&Module> = modules.iter().filter(|module| !module.is_lost).collect();
        let first = heard.first()?;
        let count = heard.len() as f64;
        let sum = |value: &dyn Fn(&Module) -> f64| heard.iter().map(|module| value(module)).sum::<f64>();
        let mean = |value: &dyn Fn(&Module) -> f64| sum(value) / count;
        let all = |set: fn(&Module) -> AlarmSet| {
            heard.iter().map(|module| set(module)).fold(AlarmSet::default(), AlarmSet::union)
        };
        let temperatures = heard.iter().filter_map(|module| module.readings().mean_temperature_c());
        let requests = || heard.iter().map(|module| module.requests());
        let mut warnings = all(Module::warnings);
        warnings.set(Alarm::Internal, warnings.has(Alarm::Internal) || heard.len() < modules.len());
        let cells = first.pack.cells().len();
        let installed_ah = modules.iter().map(|module| module.bms.spec().nominal_ah).sum::<f64>();
        let half_full_v = cells as f64 * first.pack.chemistry().ocv_v.at(0.5);
        Some(Self {
            manufacturer: manufacturer.to_owned(),
            names: names.clone(),
            address,
            modules: Modules {
                online: set(modules, |module| !module.is_lost),
                offline: set(modules, |module| module.is_lost),
                blocking_charge: set(modules, |module| !module.is_lost && !module.switches.may_charge()),
                blocking_discharge: set(modules, |module| {
                    !module.is_lost && !module.switches.may_discharge()
                }),
            },
            cells_in_series: u8::try_from(cells).unwrap_or(u8::MAX),
            is_ternary: std::ptr::eq(first.pack.chemistry(), &NMC),
            voltage_v: mean(&|module| module.readings().pack_v),
            current_a: sum(&|module| module.readings().current_a.unwrap_or(0.0)),
            temperature_c: temperatures.reduce(f64::max).unwrap_or(f64::NAN),
            soc_percent: 100.0 * mean(&|module| module.bms.soc()),
            soh_percent: mean(&|module| module.bms.spec().soh_percent),
            installed_ah,
            remaining_ah: sum(&|module| module.bms.soc() * module.bms.spec().nominal_ah),
            rated_kwh: installed_ah * half_full_v / 1_000.0,
            charged_kwh: sum(&|module| module.counters.charged_kwh),
            discharged_kwh: sum(&|module| module.counters.discharged_kwh),
            cycles: mean(&|module| module.counters.cycles),
            limits: limits(modules),
            charge_enabled: heard.iter().any(|module| module.switches.may_charge()),
            discharge_enabled: heard.iter().any(|module| module.switches.may_discharge()),
            requests: Requests {
                force_charge_1: requests().any(|asked| asked.force_charge_1),
                force_charge_2: requests().any(|asked| asked.force_charge_2),
                full_charge: requests().any(|asked| asked.full_charge),
            },
            warnings,
            protections: all(Module::protections),
            cells_v: extremes(modules, |readings| &readings.cells_v),
            cells_c: extremes(modules, |readings| &readings.temperatures_c),
            first_module_v: first.readings().cells_v.clone(),
        })
    }
}

/// What those modules in parallel allow together that their master hears.
pub fn limits(modules: &[Module]) -> Limits {
    modules.iter().filter(|module| !module.is_lost).map(Module::limits).fold(
        Limits {
            charge_voltage_v: f64::INFINITY,
            discharge_voltage_v: 0.0,
            charge_current_a: 0.0,
            discharge_current_a: 0.0,
        },
        |sum, limits| Limits {
            charge_voltage_v: sum.charge_voltage_v.min(limits.charge_voltage_v),
            discharge_voltage_v: sum.discharge_voltage_v.max(limits.discharge_voltage_v),
            charge_current_a: sum.charge_current_a + limits.charge_current_a,
            discharge_current_a: sum.discharge_current_a + limits.discharge_current_a,
        },
    )
}

fn set(modules: &[Module], belongs: impl Fn(&Module) -> bool) -> u64 {
    modules.iter().take(64).enumerate().fold(0, |set, (n, module)| set | u64::from(belongs(module)) << n)
}

fn extremes(modules: &[Module], of: fn(&Readings) -> &Vec<Option<f64>>) -> Option<Extremes> {
    let mut found: Option<Extremes> = None;
    for (module, number) in modules.iter().zip(0..).filter(|(module, _)| !module.is_lost) {
        for (value, cell) in of(module.readings()).iter().zip(0..) {
            let (Some(value), at) = (*value, Place { module: number, cell }) else { continue };
            let range = found.get_or_insert(Extremes { low: value, low_at: at, high: value, high_at: at });
            if value < range.low {
                (range.low, range.low_at) = (value, at);
            }
            if value > range.high {
                (range.high, range.high_at) = (value, at);
            }
        }
    }
    found
}
