//! How a battery says how it is.

use super::Device;
use crate::faults::Fault;
use crate::plant::alarms::AlarmSet;
use crate::report::{Report, limits};

impl Device {
    /// One line about it all, for people.
    pub fn status(&self) -> String {
        let bank = &self.parts.bank;
        let modules = bank.modules();
        let soc =
            modules.iter().map(|module| module.pack.mean_soc()).sum::<f64>() / modules.len().max(1) as f64;
        let reports = self.reports();
        let limits = limits(modules);
        let names = |sets: &dyn Fn(&Report) -> AlarmSet| {
            let set = reports.iter().map(sets).fold(AlarmSet::default(), AlarmSet::union);
            let names: Vec<&str> = set.iter().map(|alarm| alarm.name()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(" ") }
        };
        let cells = reports.iter().filter_map(|report| report.cells_v).map(|cells| (cells.low, cells.high));
        let (lowest_v, highest_v) =
            cells.reduce(|(low, high), (l, h)| (low.min(l), high.max(h))).unwrap_or((f64::NAN, f64::NAN));
        let faults: Vec<&str> = self.parts.faults.active().map(Fault::name).collect();
        format!(
            "{:.0} s: {:.2} V {:+.1} A, charge {:.1} %, cells {lowest_v:.3} to {highest_v:.3} V; allows {:.1} V \
             {:.1} A in {:.1} A out; protections {}; warnings {}; faults {}; speaks {}; adapter {}{}; {} keep-alives, the last \
             at {:.0} s; {} bytes sent, {} lines dropped",
            self.time_s,
            bank.bus_v(),
            bank.current_a(),
            100.0 * soc,
            limits.charge_voltage_v,
            limits.charge_current_a,
            limits.discharge_current_a,
            names(&|report| report.protections),
            names(&|report| report.warnings),
            if faults.is_empty() { "none".to_owned() } else { faults.join(" ") },
            self.parts.dialect.name,
            if self.plugged() { "plugged in" } else { "unplugged" },
            if self.adapter.is_open() { ", open" } else { ", closed" },
            self.keep_alives,
            self.last_keep_alive_s,
            self.outbox.sent(),
            self.outbox.dropped(),
        )
    }
}
