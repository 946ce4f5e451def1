//! The rules of what is written.

use service_kit::config::{Check, Findings};

use super::In;
use super::common::span;
use super::points::largest;
use super::steps::{check_times, is_writable_table};
use crate::profile::kind::Type;
use crate::profile::names::{self};
use crate::profile::write::{ModeSpec, WritePoint};
impl Check for In<'_, WritePoint> {
    fn check(&self, findings: &mut Findings) {
        let write = self.part;
        let name = &write.name;
        match names::write_unit(name) {
            None if names::is_extra(name) => {}
            None => findings.unknown_word("name", name, names::known_writes()),
            Some(known) => {
                if let Some(unit) = write.unit.as_ref().filter(|unit| *unit != known) {
                    findings.refuse("unit", format!("{name} in {unit}"), format!("{known:?}"));
                }
            }
        }
        let same = |other: &&WritePoint| other.name == *name;
        if write.when.is_none()
            && write.model.is_empty()
            && self.profile.write.iter().filter(same).count() > 1
        {
            findings.refuse("name", format!("{name} stands here twice"), "once, or with `when` each");
        }
        self.check_when(findings, write.when.as_ref());
        self.check_model(findings, &write.model);
        self.check_scale_from(findings, write.scale_from.as_ref());
        self.check_mask(findings, write.kind, write.mask);
        if !is_writable_table(write.table) {
            findings.refuse("table", write.table.to_string(), "holding or coil");
        }
        if write.addr.is_some() != write.sequence.is_empty() {
            findings.refuse("name", "it needs a place", "addr or sequence, not both");
        }
        if write.kind == Type::String {
            findings.refuse("type", "string", "a number");
        }
        if !write.scale.is_finite() || write.scale == 0.0 {
            findings.refuse("scale", "a scale of 0", "another number");
        }
        self.check_values(findings);
        self.check_steps(findings, "unlock", &write.unlock, false);
        self.check_steps(findings, "sequence", &write.sequence, false);
        self.check_steps(findings, "release", &write.release, true);
        check_times(findings, write.refresh, write.watchdog);
        for (key, point) in [("max_from", &write.max_from), ("readback_from", &write.readback_from)] {
            self.check_needed(findings, key, point.as_slice());
        }
        if let Some(addr) = write.addr {
            let overlap = |other: &&WritePoint| {
                let (Some(there), true) = (other.addr, other.name != *name) else { return false };
                let (mine, theirs) = (span(write.kind, None), span(other.kind, None));
                let meet = u32::from(addr) < u32::from(there) + u32::from(theirs)
                    && u32::from(there) < u32::from(addr) + u32::from(mine);
                let both = write.mask.zip(other.mask).is_none_or(|(one, another)| one & another != 0);
                meet && both && other.table == write.table && other.model == write.model
            };
            if let Some(other) = self.profile.write.iter().find(overlap) {
                findings.refuse(
                    "addr",
                    format!("{} is written there too", other.name),
                    "another place, or masks",
                );
            }
        }
    }
}

impl In<'_, WritePoint> {
    fn check_values(&self, findings: &mut Findings) {
        let write = self.part;
        if write.map.is_some() == (write.min.is_some() || write.max.is_some())
            || write.min.is_some() != write.max.is_some()
        {
            findings.refuse(
                "name",
                format!("the values of {} are unknown", write.name),
                "min and max, or map",
            );
            return;
        }
        if let (Some(min), Some(max)) = (write.min, write.max)
            && (min.is_nan() || max.is_nan() || min > max)
        {
            findings.refuse("min", format!("{min} to {max}"), "the smaller value first");
        }
        if write.step.is_some_and(|step| step.is_nan() || step <= 0.0) {
            findings.refuse("step", "no step", "a number above 0");
        }
        let Some((low, high)) = write.kind.limits() else { return };
        let (low, high) = write.mask.map_or((low, high), |mask| (0, largest(mask)));
        let held = match write.mask {
            Some(mask) => format!("the bits {mask:#06x} of {}", write.kind.name()),
            None => write.kind.name().to_owned(),
        };
        for (key, value) in [("min", write.min), ("max", write.max)] {
            let raw = value.map(|value| ((value - write.offset) / write.scale).round());
            if let Some(raw) = raw.filter(|raw| *raw < low as f64 || *raw > high as f64)
                && write.sequence.is_empty()
                && write.scale_addr.is_none()
            {
                findings.refuse(key, format!("raw {raw} in {held}"), "a value that they hold");
            }
        }
        for (word, raw) in write.map.iter().flatten() {
            if !(low..=high).contains(&i128::from(*raw)) {
                findings.refuse("map", format!("{word} is {raw} in {held}"), "raw values of the type");
            }
        }
    }
}

impl Check for In<'_, ModeSpec> {
    fn check(&self, findings: &mut Findings) {
        let mode = self.part;
        if mode.sequence.is_empty() {
            findings.refuse("sequence", "nothing is written", "at least one step");
        }
        self.check_model(findings, &mode.model);
        self.check_when(findings, mode.when.as_ref());
        self.check_steps(findings, "sequence", &mode.sequence, false);
        self.check_steps(findings, "release", &mode.release, true);
        let mut needed = Vec::new();
        if let Some(active) = &mode.active {
            active.names(&mut needed);
        }
        self.check_needed(findings, "active", &needed);
        if mode.name.has_power() && mode.max.is_none() {
            findings.refuse("max", "no limit", "the largest power in W");
        }
        let (min, max) = (mode.min.unwrap_or(0.0), mode.max.unwrap_or(f64::INFINITY));
        if min.is_nan() || max.is_nan() || min > max {
            findings.refuse("min", format!("{min} to {max}"), "the smaller value first");
        }
        if mode.name.has_power() && mode.release.is_empty() {
            let what = format!("{} has no end", mode.name.key());
            findings.refuse("release", what, "what is written when nobody wants it any more");
        }
        let is_conditional = mode.when.is_some() || !mode.model.is_empty();
        if !is_conditional && self.profile.mode.iter().filter(|other| other.name == mode.name).count() > 1 {
            let what = "this mode stands here twice";
            findings.refuse("name", what, "each mode once, or with `when` or `model` each");
        }
        check_times(findings, mode.refresh, mode.watchdog);
    }
}
