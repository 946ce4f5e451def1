//! The rules of how a device is recognised.

use service_kit::config::{Check, Findings};

use super::common::span;
use super::points::largest;
use crate::profile::Profile;
use crate::profile::kind::Type;
use crate::profile::scalar::Table;
use crate::profile::write::{Field, Identify, Match, ReadSpec};
/// How a device is recognised, with the whole profile.
pub(super) struct IdentifyIn<'p> {
    pub(super) profile: &'p Profile,
    pub(super) identify: &'p Identify,
}

impl Check for IdentifyIn<'_> {
    fn check(&self, findings: &mut Findings) {
        let (profile, identify) = (self.profile, self.identify);
        let has_chain = profile.sunspec.as_ref().is_some_and(|sunspec| !sunspec.any.is_empty());
        if (identify.read.is_empty() || identify.matches.is_empty()) && !has_chain {
            findings.refuse("read", "nothing tells the device", "at least one read and one match");
        }
        for read in &identify.read {
            let ReadSpec { table, addr, count } = *read;
            if count == 0 || count > profile.link.max_read {
                findings.refuse(
                    "read",
                    format!("{count} registers"),
                    format!("1 to {}", profile.link.max_read),
                );
            } else if profile.link.forbids(profile.table(table), addr, count) {
                findings.refuse("read", format!("{addr} is forbidden"), "addresses outside of forbidden");
            }
        }
        let covered = |table: Option<Table>, addr: u16, count: u16| {
            identify.read.iter().any(|read| {
                profile.table(read.table) == profile.table(table)
                    && read.addr <= addr
                    && u32::from(addr) + u32::from(count) <= u32::from(read.addr) + u32::from(read.count)
            })
        };
        for part in &identify.matches {
            check_match(part, findings);
            if !covered(part.table, part.addr, span(part.kind, part.count)) {
                findings.refuse("match", format!("nothing reads {}", part.addr), "addresses inside of read");
            }
        }
        let fields = [
            ("serial", &identify.serial),
            ("model", &identify.model),
            ("firmware", &identify.firmware),
            ("rated_power", &identify.rated_power),
        ];
        for (key, field) in fields {
            let Some(Field { table, addr, kind, count, map, .. }) = field else { continue };
            let place = (profile.table(*table), *addr, span(*kind, *count));
            if profile.link.forbids(place.0, place.1, place.2) {
                findings.refuse(key, format!("{addr} is forbidden"), "an address outside of forbidden");
            }
            if (*kind == Type::String) != count.is_some() {
                findings.refuse(key, "count is for strings, which need it", "type = \"string\" with count");
            }
            if key != "model" && !map.0.is_empty() {
                findings.refuse(key, "names for numbers", "map in model only");
            }
            let is_held = |raw: &i128| kind.limits().is_some_and(|(low, high)| (low..=high).contains(raw));
            for raw in map.0.keys().filter(|raw| !is_held(raw)) {
                findings.refuse(key, format!("{raw:#x} in {}", kind.name()), "raw values of the type");
            }
        }
    }
}

fn check_match(part: &Match, findings: &mut Findings) {
    let is_text = part.prefix.is_some() || part.ascii.is_some();
    let ways = [part.one_of.is_some(), part.range.is_some(), part.prefix.is_some(), part.ascii.is_some()];
    if ways.into_iter().filter(|is| *is).count() != 1 {
        findings.refuse("match", "what must hold is not clear", "one of in, range, prefix and ascii");
    }
    let (low, high) = match part.mask {
        Some(mask) => (0, largest(mask)),
        None => part.kind.limits().unwrap_or((i128::MIN, i128::MAX)),
    };
    let range = part.range.iter().flat_map(|(first, last)| [first, last]);
    for raw in part.one_of.iter().flatten().chain(range).filter(|raw| !(low..=high).contains(raw)) {
        let raw = if *raw < 0 { raw.to_string() } else { format!("{raw:#x}") };
        findings.refuse(
            "match",
            format!("{raw} in {}", part.kind.name()),
            "raw values that the registers hold",
        );
    }
    if is_text != part.count.is_some() {
        findings.refuse("match", "count is for prefix and ascii, which need it", "count = REGISTERS");
    }
}
