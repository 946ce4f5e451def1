//! The rules that several kinds of parts share: names, places, conditions.

use service_kit::config::Findings;

use super::In;
use crate::profile::expr::Condition;
use crate::profile::kind::Type;
use crate::profile::names::{self, UNITS};
use crate::profile::scalar::Table;
/// The registers of a field, if it is plain.
pub(super) fn span(kind: Type, count: Option<u16>) -> u16 {
    kind.registers().or(count).unwrap_or(1)
}

impl<T> In<'_, T> {
    pub(super) fn check_name(
        &self,
        findings: &mut Findings,
        name: &str,
        unit: Option<&String>,
        is_number: bool,
    ) {
        if let Some(unit) = unit
            && !UNITS.contains(&unit.as_str())
        {
            findings.unknown_word("unit", unit, UNITS.iter().copied());
        }
        if names::is_private(name) || names::is_extra(name) {
            return;
        }
        match names::point_unit(name) {
            None => findings.unknown_word("name", name, names::known_points()),
            Some("-") => {}
            Some(_) if !is_number => {
                findings.refuse("name", format!("{name} is a number"), "a point for it, not words or bits");
            }
            Some(known) => {
                if let Some(unit) = unit.filter(|unit| *unit != known) {
                    findings.refuse("unit", format!("{name} in {unit}"), format!("{known:?}"));
                }
            }
        }
    }

    pub(super) fn check_when(&self, findings: &mut Findings, when: Option<&Condition>) {
        let mut needed = Vec::new();
        if let Some(when) = when {
            when.names(&mut needed);
        }
        self.check_needed(findings, "when", &needed);
    }

    pub(super) fn check_needed(&self, findings: &mut Findings, key: &str, needed: &[String]) {
        for name in needed.iter().filter(|name| !self.profile.is_readable(name)) {
            findings.refuse(key, format!("no point is called {name}"), "a point of this profile");
        }
    }

    pub(super) fn check_model(&self, findings: &mut Findings, model: &[u16]) {
        if !model.is_empty() && self.profile.sunspec.is_none() {
            findings.refuse("model", "this profile has no [sunspec]", "addr alone");
        }
    }

    /// That registers are read by a block, can be read at all, and lie inside the address space.
    pub(super) fn check_place(
        &self,
        findings: &mut Findings,
        key: &str,
        place: (Table, u16, u16),
        is_modelled: bool,
    ) {
        let (table, addr, count) = place;
        if u32::from(addr) + u32::from(count) > 0x1_0000 {
            findings.refuse(key, format!("{count} registers from {addr} on"), "addresses of up to 65535");
        } else if is_modelled {
            // The chain tells where the model is.
        } else if self.profile.link.forbids(table, addr, count) {
            findings.refuse(key, format!("{table} {addr} is forbidden"), "an address outside of forbidden");
        } else if let Some(missing) = self.profile.unread(table, addr, count) {
            let whole =
                if count > 1 { format!(", of {addr} to {}", addr + (count - 1)) } else { String::new() };
            findings.refuse(
                key,
                format!("no block reads {table} {missing}{whole}"),
                "an address inside a block",
            );
        }
    }

    /// That what gives a power of ten is one.
    pub(super) fn check_scale_from(&self, findings: &mut Findings, name: Option<&String>) {
        let Some(name) = name else { return };
        if !self.profile.point.iter().any(|known| known.name == *name && known.kind == Type::Sf16) {
            findings.refuse("scale_from", format!("{name} is no scale factor"), "a point of type sf16");
        }
    }

    /// That a name with several entries has conditions to choose by.
    pub(super) fn check_alternatives(&self, findings: &mut Findings, name: &str, is_conditional: bool) {
        if !is_conditional && self.profile.readable().filter(|known| *known == name).count() > 1 {
            findings.refuse(
                "name",
                format!("{name} stands here twice"),
                "once, or with `when` or `model` each",
            );
        }
    }

    pub(super) fn check_mask(&self, findings: &mut Findings, kind: Type, mask: Option<u64>) {
        if let Some(mask) = mask
            && (kind.bits() == 0 || mask == 0 || (kind.bits() < 64 && mask >> kind.bits() != 0))
        {
            findings.refuse("mask", format!("{mask:#x} for {}", kind.name()), "bits that the type has");
        }
    }
}
