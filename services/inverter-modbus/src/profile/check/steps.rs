//! The rules of sequences of writes.

use service_kit::config::Findings;

use super::In;
use super::common::span;
use crate::profile::kind::Type;
use crate::profile::scalar::{Table, Time};
use crate::profile::write::{Given, Step};
impl<T> In<'_, T> {
    pub(super) fn check_step(&self, findings: &mut Findings, key: &str, step: &Step) {
        let count = span(step.kind, None);
        if u32::from(step.addr) + u32::from(count) > 0x1_0000 || step.kind == Type::String {
            findings.refuse(
                key,
                format!("{} at {}", step.kind.name(), step.addr),
                "a number inside the address space",
            );
        }
        if !is_writable_table(step.table) {
            findings.refuse(key, format!("the table {} cannot be written", step.table), "holding or coil");
        }
        if step.scale == 0.0 {
            findings.refuse(key, "a scale of 0", "another number");
        }
        self.check_mask(findings, step.kind, step.mask);
        self.check_model(findings, &step.model);
        self.check_scale_from(findings, step.scale_from.as_ref());
        if let Given::Made(expr) = &step.value {
            let mut needed = Vec::new();
            expr.names(&mut needed);
            needed.retain(|name| name != "value");
            self.check_needed(findings, key, &needed);
        }
        if let (Given::Number(number), Some((low, high))) = (&step.value, step.kind.limits()) {
            let raw = number / step.scale;
            if raw < low as f64 || raw > high as f64 {
                findings.refuse(
                    key,
                    format!("{number} in {}", step.kind.name()),
                    "a value that the type holds",
                );
            }
        }
    }

    pub(super) fn check_steps(&self, findings: &mut Findings, key: &str, steps: &[Step], may_restore: bool) {
        for (index, step) in steps.iter().enumerate() {
            self.check_step(findings, key, step);
            if step.join && index == 0 {
                findings.refuse(key, "join at the first step", "join from the second step on");
            }
            if step.join && index > 0 && steps.get(index - 1).is_some_and(|before| before.once != step.once) {
                findings.refuse(key, "once with only a part of a request", "once with all that is joined");
            }
            if step.value == Given::Saved && !may_restore {
                findings.refuse(key, "\"saved\"", "\"saved\" only in release");
            }
        }
        for pair in steps.windows(2) {
            if let [before, after] = pair
                && after.join
                && (u32::from(before.addr) + u32::from(span(before.kind, None)) != u32::from(after.addr)
                    || (&before.model, before.instance) != (&after.model, after.instance))
            {
                let what = format!("{} does not follow {}", after.addr, before.addr);
                findings.refuse(key, what, "joined steps at adjacent addresses");
            }
        }
    }
}

/// That what a device forgets is repeated in time.
pub(super) fn check_times(findings: &mut Findings, refresh: Option<Time>, watchdog: Option<Time>) {
    if let (Some(refresh), Some(watchdog)) = (refresh, watchdog)
        && refresh.0 * 2 > watchdog.0
    {
        findings.refuse("refresh", "more than half of watchdog", "a time in which it can be late once");
    }
}

pub(super) fn is_writable_table(table: Table) -> bool {
    matches!(table, Table::Holding | Table::Coil)
}
