//! What a battery tells the bus about itself, before any protocol puts it into frames.

use crate::plant::alarms::AlarmSet;
use crate::plant::bms::{Limits, Requests};
use crate::plant::module::Module;

/// One string of modules as its master reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Name of the maker.
    pub manufacturer: String,
    /// Number of the string behind a hub, from 0.
    pub address: u8,
    /// Modules in parallel.
    pub modules: u8,
    /// Voltage in V.
    pub voltage_v: f64,
    /// Current in A, positive charges.
    pub current_a: f64,
    /// Temperature in °C.
    pub temperature_c: f64,
    /// State of charge in %.
    pub soc_percent: f64,
    /// State of health in %.
    pub soh_percent: f64,
    /// What is allowed.
    pub limits: Limits,
    /// May it be charged at all?
    pub charge_enabled: bool,
    /// May it be discharged at all?
    pub discharge_enabled: bool,
    /// What it asks for.
    pub requests: Requests,
    /// What it warns of.
    pub warnings: AlarmSet,
    /// What it has switched off for.
    pub protections: AlarmSet,
    /// Lowest and highest cell voltage in V.
    pub cells_v: Option<(f64, f64)>,
}

impl Report {
    /// What the master of these modules reports: currents and current limits add up, the strictest voltage limit
    /// counts, and every complaint is passed on.
    pub fn of(modules: &[Module], manufacturer: &str, address: u8) -> Self {
        let count = modules.len().max(1) as f64;
        let mean = |value: &dyn Fn(&Module) -> f64| modules.iter().map(value).sum::<f64>() / count;
        let all =
            |set: fn(&Module) -> AlarmSet| modules.iter().map(set).fold(AlarmSet::default(), AlarmSet::union);
        let temperatures = modules.iter().filter_map(|module| module.readings().mean_temperature_c());
        let ranges = || modules.iter().filter_map(|module| module.readings().cell_range_v());
        let requests = || modules.iter().map(Module::requests);
        Self {
            manufacturer: manufacturer.to_owned(),
            address,
            modules: u8::try_from(modules.len()).unwrap_or(u8::MAX),
            voltage_v: mean(&|module| module.readings().pack_v),
            current_a: modules.iter().filter_map(|module| module.readings().current_a).sum(),
            temperature_c: temperatures.reduce(f64::max).unwrap_or(f64::NAN),
            soc_percent: 100.0 * mean(&|module| module.bms.soc()),
            soh_percent: mean(&|module| module.bms.spec().soh_percent),
            limits: limits(modules),
            charge_enabled: modules.iter().any(|module| module.switches.may_charge()),
            discharge_enabled: modules.iter().any(|module| module.switches.may_discharge()),
            requests: Requests {
                force_charge_1: requests().any(|asked| asked.force_charge_1),
                force_charge_2: requests().any(|asked| asked.force_charge_2),
                full_charge: requests().any(|asked| asked.full_charge),
            },
            warnings: all(Module::warnings),
            protections: all(Module::protections),
            cells_v: ranges().reduce(|(low, high), (l, h)| (low.min(l), high.max(h))),
        }
    }
}

/// What modules in parallel allow together.
pub fn limits(modules: &[Module]) -> Limits {
    modules.iter().map(Module::limits).fold(
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
