//! A report in one line of `key=value` words, for people and for tests.

use std::fmt::{self, Display, Formatter};

use super::{Extremes, Report, count};
use crate::plant::alarms::AlarmSet;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { names, limits, modules, requests, .. } = self;
        write!(f, "string={} manufacturer={:?}", self.address, self.manufacturer)?;
        write!(f, " model={:?} family={:?} serial={:?}", names.model, names.family, names.serial)?;
        let [major, minor] = names.firmware;
        write!(f, " firmware={major}.{minor}")?;
        write!(f, " voltage_v={:.3} current_a={:.2}", self.voltage_v, self.current_a)?;
        write!(f, " temperature_c={:.2}", self.temperature_c)?;
        write!(f, " soc_percent={:.3} soh_percent={:.1}", self.soc_percent, self.soh_percent)?;
        write!(f, " charge_voltage_limit_v={:.2}", limits.charge_voltage_v)?;
        write!(f, " charge_current_limit_a={:.2}", self.charge_current_limit_a())?;
        write!(f, " discharge_current_limit_a={:.2}", self.discharge_current_limit_a())?;
        write!(f, " discharge_voltage_limit_v={:.2}", limits.discharge_voltage_v)?;
        for (name, on) in [
            ("charge_enabled", self.charge_enabled),
            ("discharge_enabled", self.discharge_enabled),
            ("force_charge_1", requests.force_charge_1),
            ("force_charge_2", requests.force_charge_2),
            ("full_charge", requests.full_charge),
        ] {
            write!(f, " {name}={}", u8::from(on))?;
        }
        extremes(f, "cell", "v", self.cells_v)?;
        extremes(f, "temperature", "c", self.cells_c)?;
        write!(f, " modules_online={}", count(modules.online))?;
        write!(f, " modules_offline={}", count(modules.offline))?;
        write!(f, " modules_blocking_charge={}", count(modules.blocking_charge))?;
        write!(f, " modules_blocking_discharge={}", count(modules.blocking_discharge))?;
        write!(f, " cells_in_series={}", self.cells_in_series)?;
        write!(f, " installed_ah={:.2} remaining_ah={:.3}", self.installed_ah, self.remaining_ah)?;
        write!(f, " charged_kwh={:.3} discharged_kwh={:.3}", self.charged_kwh, self.discharged_kwh)?;
        write!(f, " cycles={:.2}", self.cycles)?;
        complaints(f, "protections", self.protections)?;
        complaints(f, "warnings", self.warnings)
    }
}

fn extremes(f: &mut Formatter<'_>, of: &str, unit: &str, found: Option<Extremes>) -> fmt::Result {
    let Some(Extremes { low, low_at, high, high_at }) = found else { return Ok(()) };
    write!(f, " lowest_{of}_{unit}={low:.3} lowest_{of}={}", low_at.label())?;
    write!(f, " highest_{of}_{unit}={high:.3} highest_{of}={}", high_at.label())
}

fn complaints(f: &mut Formatter<'_>, kind: &str, set: AlarmSet) -> fmt::Result {
    let names: Vec<&str> = set.iter().map(|alarm| alarm.name()).collect();
    write!(f, " {kind}={}", if names.is_empty() { "none".to_owned() } else { names.join(",") })
}
