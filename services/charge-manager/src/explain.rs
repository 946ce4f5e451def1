//! Why the current is what it is, in five lines.

use std::fmt::Write;

use crate::decision::{Decision, Explained};
use crate::membership::Standing;

impl Decision {
    /// Five lines: voltage, charge, discharge, batteries, chargers.
    #[must_use]
    pub fn explain(&self) -> [String; 5] {
        let amps = |limit: Option<f64>| limit.map_or("no limit yet".to_owned(), |a| format!("{a:.1} A"));
        let volts = self.bank.charge_voltage_v.map_or("no limit yet".to_owned(), |v| format!("{v:.2} V"));
        [
            format!(
                "{}: charge voltage {volts}, {}{}",
                self.mode,
                self.voltage.reason,
                next(&self.voltage, "V")
            ),
            format!(
                "charge at most {}, {}{}",
                amps(self.bank.charge_current_a),
                self.charge.reason,
                next(&self.charge, "A")
            ),
            format!(
                "discharge at most {}, {}{}",
                amps(self.bank.discharge_current_a),
                self.discharge.reason,
                next(&self.discharge, "A")
            ),
            self.batteries_line(),
            self.chargers_line(),
        ]
    }

    fn batteries_line(&self) -> String {
        let mut line = "batteries:".to_owned();
        for battery in &self.batteries {
            let label = &battery.label;
            // Writing to a string cannot fail.
            let _ = match battery.standing {
                Standing::Member => write!(
                    line,
                    " {label} {:.0} % of the current, own limits {:.1} A and {:.1} A;",
                    100.0 * battery.share,
                    battery.charge_a,
                    battery.discharge_a
                ),
                Standing::Monitor => write!(line, " {label} measures the bank;"),
                Standing::Ignored => write!(line, " {label} is ignored;"),
                Standing::Waiting => write!(line, " {label} is awaited;"),
                Standing::Silent => write!(line, " {label} is silent;"),
                Standing::Open { by_v, .. } => write!(line, " {label} is not connected ({by_v:+.2} V);"),
            };
        }
        line.trim_end_matches(';').to_owned()
    }

    fn chargers_line(&self) -> String {
        let mut line = "chargers:".to_owned();
        for share in &self.shares {
            let may_a = share.limits.charge_current_a.unwrap_or(0.0);
            let taken =
                share.taken_a.map_or("takes an unknown current".to_owned(), |a| format!("takes {a:.1} A"));
            let disobeys = if share.disobeys { ", does not obey" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(line, " {} may push {may_a:.1} A, {taken}{disobeys};", share.label);
        }
        let dvcc_a = self.dvcc.charge_current_a.unwrap_or(0.0);
        let _ = write!(line, " Victron devices may push {dvcc_a:.1} A;");
        if self.uncontrolled_a > 0.05 {
            let _ = write!(line, " nobody controls {:.1} A", self.uncontrolled_a);
        }
        line.trim_end_matches(';').to_owned()
    }
}

/// The limiter that would come next.
fn next(explained: &Explained, unit: &str) -> String {
    let cause = explained.reason.cause().id();
    let next = explained.limiters.iter().find(|limit| limit.reason.id() != cause);
    next.map_or(String::new(), |limit| format!("; next {:.1} {unit}, {}", limit.value, limit.reason))
}
