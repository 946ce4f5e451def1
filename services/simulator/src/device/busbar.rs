//! Who carries the current of a battery, and what that makes of it.

use super::Device;
use crate::converter;
use crate::hybrids::lock;
use crate::inverters::plant::Pack;
use crate::plant::bank::Bank;
use crate::report::limits;

impl Device {
    /// Lets the current flow for so long.
    pub(super) fn flow(&mut self, dt_s: f64) {
        let parts = &mut self.parts;
        let bus_v = parts.bank.bus_v();
        let wanted_a = parts.profile.wanted_a(self.time_s, dt_s, bus_v);
        let obeyed_a = match (&self.inverter, &parts.hybrid, &mut parts.charger) {
            (Some(inverter), ..) => converter::lock(inverter).draw(pack(&parts.bank), dt_s),
            (None, Some(hybrid), _) => {
                let mut hybrid = lock(hybrid);
                if let Some(powers) = parts.profile.powers() {
                    hybrid.feed(powers);
                }
                hybrid.current_a(wanted_a, bus_v, parts.bank.resistance_ohm(), dt_s)
            }
            (None, None, Some(charger)) => {
                let limits = limits(parts.bank.modules());
                charger.step(wanted_a, limits, bus_v, parts.bank.resistance_ohm(), dt_s)
            }
            (None, None, None) => wanted_a,
        };
        parts.bank.step(self.imposed_a.unwrap_or(obeyed_a), dt_s);
        let (volts, amps) = (parts.bank.bus_v(), parts.bank.current_a());
        if let Some(inverter) = &self.inverter {
            converter::lock(inverter).measure(volts, amps);
        } else if let Some(hybrid) = &parts.hybrid {
            lock(hybrid).measure(volts, amps);
        }
    }
}

/// What an inverter sees of a bank.
fn pack(bank: &Bank) -> Pack {
    let modules = bank.modules();
    let capacity_ah: f64 = modules.iter().map(|module| module.pack.capacity_ah()).sum();
    let charge_ah: f64 =
        modules.iter().map(|module| module.pack.mean_soc() * module.pack.capacity_ah()).sum();
    let first = modules.first().and_then(|module| module.pack.cells().first());
    let celsius = first.map_or(25.0, |cell| cell.temperature_c());
    Pack {
        volts: bank.bus_v(),
        amps: bank.current_a(),
        ohm: bank.resistance_ohm(),
        soc: if capacity_ah > 0.0 { charge_ah / capacity_ah } else { 0.0 },
        capacity_ah,
        celsius,
    }
}
