//! The rules of a profile that types cannot say.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use service_kit::config::{Check, Findings};

use super::expr::{Condition, Expr};
use super::kind::Type;
use super::names::{self, STATES, UNITS};
use super::point::{BitsPoint, Block, EnumPoint, Point};
use super::scalar::{Table, Time};
use super::write::{Field, Given, Match, ModeSpec, ReadSpec, Step, WritePoint};
use super::{Profile, SCHEMA};

/// Registers of a string, at most.
const LONGEST_STRING: u16 = 64;

/// A part of the profile, with the whole of it.
struct In<'p, T> {
    part: &'p T,
    profile: &'p Profile,
}

fn each<'p, T>(parts: &'p [T], profile: &'p Profile) -> Vec<In<'p, T>> {
    parts.iter().map(|part| In { part, profile }).collect()
}

impl Check for Profile {
    fn check(&self, findings: &mut Findings) {
        findings.within("schema", self.schema, SCHEMA..=SCHEMA, "");
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 40 || !self.id.chars().all(is_id) {
            findings.refuse("id", format!("{:?}", self.id), "1 to 40 small letters, digits and -");
        }
        if self.models.is_empty() {
            findings.refuse("models", "there is none", "at least one");
        }
        findings.within("phases", self.phases, 1..=3, "");
        findings.inside("link", &self.link);
        if let Some(identify) = &self.identify {
            let checked = IdentifyIn { profile: self, identify };
            findings.inside("identify", &checked);
        }
        if let Some(sunspec) = &self.sunspec {
            if sunspec.bases.is_empty() {
                findings.refuse("sunspec", "no base", "bases = [40000, 50000, 0]");
            }
            if let Some(both) = sunspec.any.iter().find(|id| sunspec.none.contains(id)) {
                findings.refuse("sunspec", format!("{both} in any and in none"), "a model in one of them");
            }
        }
        findings.each("block", &each(&self.block, self));
        findings.each("point", &each(&self.point, self));
        findings.each("enum", &each(&self.words, self));
        findings.each("bits", &each(&self.bits, self));
        findings.each("write", &each(&self.write, self));
        findings.each("mode", &each(&self.mode, self));
        self.check_blocks(findings);
        self.check_loops(findings);
    }
}

impl Profile {
    /// All names that can be read.
    fn readable(&self) -> impl Iterator<Item = &str> {
        let points = self.point.iter().map(|point| point.name.as_str());
        let words = self.words.iter().map(|point| point.name.as_str());
        points.chain(words).chain(self.bits.iter().map(|point| point.name.as_str()))
    }

    fn is_readable(&self, name: &str) -> bool {
        self.readable().any(|known| known == name)
    }

    /// Whether a block reads all of `count` registers from `addr` on.
    fn is_read(&self, table: Table, addr: u16, count: u16) -> bool {
        let wanted = u32::from(addr)..u32::from(addr) + u32::from(count);
        wanted.into_iter().all(|register| {
            self.block.iter().any(|block| {
                let (Some(first), Some(count)) = (block.addr, block.count) else { return false };
                let last = u32::from(first) + u32::from(count);
                self.table(block.table) == table && (u32::from(first)..last).contains(&register)
            })
        })
    }

    fn check_blocks(&self, findings: &mut Findings) {
        let mut ranges: Vec<(Table, u32, u32)> = Vec::new();
        for block in self.block.iter().filter(|block| block.when.is_none()) {
            let (Some(addr), Some(count)) = (block.addr, block.count) else { continue };
            let (table, first) = (self.table(block.table), u32::from(addr));
            let end = first + u32::from(count);
            if let Some((_, other, last)) =
                ranges.iter().find(|(there, from, to)| *there == table && first < *to && *from < end)
            {
                let what = format!("{table} {first} to {} and {other} to {} overlap", end - 1, last - 1);
                findings.refuse("block", what, "every register in one block");
            }
            ranges.push((table, first, end));
        }
    }

    /// Expressions that need themselves.
    fn check_loops(&self, findings: &mut Findings) {
        let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut add = |name, expr: Option<&Expr>, when: Option<&Condition>, scale: Option<&String>| {
            let list = needs.entry(name).or_default();
            if let Some(expr) = expr {
                expr.names(list);
            }
            if let Some(when) = when {
                when.names(list);
            }
            list.extend(scale.cloned());
        };
        for point in &self.point {
            add(&point.name, point.expr.as_ref(), point.when.as_ref(), point.scale_from.as_ref());
        }
        for point in &self.words {
            add(&point.name, None, point.when.as_ref(), None);
        }
        for point in &self.bits {
            add(&point.name, None, point.when.as_ref(), None);
        }
        // What needs only what is settled is settled.
        let mut settled: Vec<&str> = Vec::new();
        loop {
            let more: Vec<&str> = needs
                .iter()
                .filter(|(name, list)| {
                    !settled.contains(name)
                        && list.iter().all(|need| {
                            settled.contains(&need.as_str()) || !needs.contains_key(need.as_str())
                        })
                })
                .map(|(name, _)| *name)
                .collect();
            if more.is_empty() {
                break;
            }
            settled.extend(more);
        }
        if let Some(name) = needs.keys().find(|name| !settled.contains(name)) {
            findings.refuse("point", format!("{name} needs itself"), "expressions without a circle");
        }
    }
}

/// The registers of a field, if it is plain.
fn span(kind: Type, count: Option<u16>) -> u16 {
    kind.registers().or(count).unwrap_or(1)
}

impl<T> In<'_, T> {
    fn check_name(&self, findings: &mut Findings, name: &str, unit: Option<&String>, is_number: bool) {
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

    fn check_when(&self, findings: &mut Findings, when: Option<&Condition>) {
        let mut needed = Vec::new();
        if let Some(when) = when {
            when.names(&mut needed);
        }
        self.check_needed(findings, "when", &needed);
    }

    fn check_needed(&self, findings: &mut Findings, key: &str, needed: &[String]) {
        for name in needed.iter().filter(|name| !self.profile.is_readable(name)) {
            findings.refuse(key, format!("no point is called {name}"), "a point of this profile");
        }
    }

    fn check_model(&self, findings: &mut Findings, model: &[u16]) {
        if !model.is_empty() && self.profile.sunspec.is_none() {
            findings.refuse("model", "this profile has no [sunspec]", "addr alone");
        }
    }

    /// That registers are read by a block, can be read at all, and lie inside the address space.
    fn check_place(&self, findings: &mut Findings, key: &str, place: (Table, u16, u16), is_modelled: bool) {
        let (table, addr, count) = place;
        if u32::from(addr) + u32::from(count) > 0x1_0000 {
            findings.refuse(key, format!("{count} registers from {addr} on"), "addresses of up to 65535");
        } else if is_modelled {
            // The chain tells where the model is.
        } else if self.profile.link.forbids(table, addr, count) {
            findings.refuse(key, format!("{table} {addr} is forbidden"), "an address outside of forbidden");
        } else if !self.profile.is_read(table, addr, count) {
            findings.refuse(key, format!("no block reads {table} {addr}"), "an address inside a block");
        }
    }

    /// That what gives a power of ten is one.
    fn check_scale_from(&self, findings: &mut Findings, name: Option<&String>) {
        let Some(name) = name else { return };
        if !self.profile.point.iter().any(|known| known.name == *name && known.kind == Type::Sf16) {
            findings.refuse("scale_from", format!("{name} is no scale factor"), "a point of type sf16");
        }
    }

    /// That a name with several entries has conditions to choose by.
    fn check_alternatives(&self, findings: &mut Findings, name: &str, is_conditional: bool) {
        if !is_conditional && self.profile.readable().filter(|known| *known == name).count() > 1 {
            findings.refuse(
                "name",
                format!("{name} stands here twice"),
                "once, or with `when` or `model` each",
            );
        }
    }

    fn check_mask(&self, findings: &mut Findings, kind: Type, mask: Option<u64>) {
        if let Some(mask) = mask
            && (kind.bits() == 0 || mask == 0 || (kind.bits() < 64 && mask >> kind.bits() != 0))
        {
            findings.refuse("mask", format!("{mask:#x} for {}", kind.name()), "bits that the type has");
        }
    }

    fn check_step(&self, findings: &mut Findings, key: &str, step: &Step) {
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

    fn check_steps(&self, findings: &mut Findings, key: &str, steps: &[Step], may_restore: bool) {
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
fn check_times(findings: &mut Findings, refresh: Option<Time>, watchdog: Option<Time>) {
    if let (Some(refresh), Some(watchdog)) = (refresh, watchdog)
        && refresh.0 * 2 > watchdog.0
    {
        findings.refuse("refresh", "more than half of watchdog", "a time in which it can be late once");
    }
}

fn is_writable_table(table: Table) -> bool {
    matches!(table, Table::Holding | Table::Coil)
}

impl Check for In<'_, Block> {
    fn check(&self, findings: &mut Findings) {
        let block = self.part;
        self.check_when(findings, block.when.as_ref());
        self.check_model(findings, &block.model);
        let place = (block.addr, block.count);
        let (Some(addr), Some(count)) = place else {
            if block.model.is_empty() || place != (None, None) {
                findings.refuse("addr", "addr and count are needed", "addr and count, or model");
            }
            return;
        };
        if !block.model.is_empty() {
            findings.refuse("model", "model with addr and count", "one or the other");
        }
        if count == 0 || u32::from(addr) + u32::from(count) > 0x1_0000 {
            findings.refuse(
                "count",
                format!("{count} registers from {addr} on"),
                "1 and more, up to address 65535",
            );
        } else if self.profile.link.forbids(self.profile.table(block.table), addr, count) {
            findings.refuse("addr", "the block touches a forbidden range", "addresses outside of forbidden");
        }
    }
}

impl Check for In<'_, Point> {
    fn check(&self, findings: &mut Findings) {
        let point = self.part;
        let is_number = point.kind != Type::String;
        self.check_name(findings, &point.name, point.unit.as_ref(), is_number);
        self.check_alternatives(findings, &point.name, point.when.is_some() || !point.model.is_empty());
        self.check_when(findings, point.when.as_ref());
        self.check_model(findings, &point.model);
        self.check_mask(findings, point.kind, point.mask);
        let ways = [point.addr.is_some(), point.words_at.is_some(), point.expr.is_some()];
        if ways.into_iter().filter(|is| *is).count() != 1 {
            findings.refuse("name", "it needs a place", "one of addr, words_at and expr");
        }
        if (point.kind == Type::String) != point.count.is_some() && point.expr.is_none() {
            findings.refuse("count", "count is for strings, which need it", "type = \"string\" with count");
        }
        if let Some(count) = point.count {
            findings.within("count", count, 1..=LONGEST_STRING, "registers");
        }
        if !point.scale.is_finite() || point.scale == 0.0 || !point.offset.is_finite() {
            findings.refuse("scale", "a scale of 0", "another number");
        }
        let (table, is_modelled) = (self.profile.table(point.table), !point.model.is_empty());
        if let Some(addr) = point.addr {
            self.check_place(findings, "addr", (table, addr, span(point.kind, point.count)), is_modelled);
        }
        if let Some(words) = &point.words_at {
            if point.kind.registers() != u16::try_from(words.len()).ok() || words.len() < 2 {
                let what = format!("{} addresses for {}", words.len(), point.kind.name());
                findings.refuse("words_at", what, "an address for each register of the type");
            }
            for addr in words {
                self.check_place(findings, "words_at", (table, *addr, 1), is_modelled);
            }
            if point.range.is_none() {
                let why = "its words may be read at different times, and then make a wild number";
                findings.refuse("words_at", why, "range with it");
            }
        }
        if let Some(expr) = &point.expr {
            let mut needed = Vec::new();
            expr.names(&mut needed);
            self.check_needed(findings, "expr", &needed);
        }
        if let Some(scale_addr) = point.scale_addr {
            self.check_place(findings, "scale_addr", (table, scale_addr, 1), is_modelled);
        }
        self.check_scale_from(findings, point.scale_from.as_ref());
        if let Some(sign) = &point.sign_from {
            let place = (sign.table.unwrap_or(table), sign.addr, 1);
            self.check_place(findings, "sign_from", place, is_modelled);
            if sign.map.0.is_empty() || sign.map.0.values().any(|sign| ![1.0, -1.0, 0.0].contains(sign)) {
                findings.refuse("sign_from", "a sign is missing", "1, -1 or 0 for each value in map");
            }
        }
        if let Some((low, high)) = point.kind.limits() {
            let allowed: RangeInclusive<i128> = low..=high;
            for raw in point.invalid.iter().filter(|raw| !allowed.contains(raw)) {
                // 0x8000 is how everybody writes the smallest s16.
                let wraps = point.kind.is_signed() && (0..=2 * high + 1).contains(raw);
                if !wraps {
                    findings.refuse(
                        "invalid",
                        format!("{raw:#x} in {}", point.kind.name()),
                        "raw values of the type",
                    );
                }
            }
        } else if !point.invalid.is_empty() {
            findings.refuse("invalid", format!("raw values of {}", point.kind.name()), "none for this type");
        }
        if let Some((low, high)) = point.range
            && (low.is_nan() || high.is_nan() || low >= high)
        {
            findings.refuse("range", format!("{low} to {high}"), "the smaller value first");
        }
    }
}

impl Check for In<'_, EnumPoint> {
    fn check(&self, findings: &mut Findings) {
        let point = self.part;
        self.check_name(
            findings,
            &point.name,
            None,
            point.name != "state" && names::point_unit(&point.name) == Some(""),
        );
        self.check_alternatives(findings, &point.name, point.when.is_some() || !point.model.is_empty());
        self.check_when(findings, point.when.as_ref());
        self.check_model(findings, &point.model);
        self.check_mask(findings, point.kind, point.mask);
        let place = (self.profile.table(point.table), point.addr, span(point.kind, None));
        self.check_place(findings, "addr", place, !point.model.is_empty());
        let Some((low, high)) = point.kind.limits() else {
            findings.refuse("type", point.kind.name(), "a whole number");
            return;
        };
        if point.map.0.is_empty() {
            findings.refuse("map", "no words", "a word for each value");
        }
        for raw in point.map.0.keys().filter(|raw| !(low..=high).contains(*raw)) {
            findings.refuse("map", format!("{raw:#x} in {}", point.kind.name()), "raw values of the type");
        }
        if point.name == "state" {
            for word in point.map.0.values().filter(|word| !STATES.contains(&word.as_str())) {
                findings.unknown_word("map", word, STATES.iter().copied());
            }
        }
    }
}

impl Check for In<'_, BitsPoint> {
    fn check(&self, findings: &mut Findings) {
        let point = self.part;
        self.check_name(findings, &point.name, None, false);
        self.check_alternatives(findings, &point.name, point.when.is_some() || !point.model.is_empty());
        self.check_when(findings, point.when.as_ref());
        self.check_model(findings, &point.model);
        findings.within("count", point.count, 1..=4, "registers");
        let place = (self.profile.table(point.table), point.addr, point.count.clamp(1, 4));
        self.check_place(findings, "addr", place, !point.model.is_empty());
        let bits = i128::from(point.count) * 16;
        for bit in point.alarm.0.keys().filter(|bit| !(0..bits).contains(*bit)) {
            findings.refuse("alarm", format!("bit {bit} of {bits}"), "bits that the registers have");
        }
        for bit in point.text.0.keys().filter(|bit| !(0..bits).contains(*bit)) {
            findings.refuse("text", format!("bit {bit} of {bits}"), "bits that the registers have");
        }
    }
}

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
        for (key, value) in [("min", write.min), ("max", write.max)] {
            let raw = value.map(|value| ((value - write.offset) / write.scale).round());
            if let Some(raw) = raw.filter(|raw| *raw < low as f64 || *raw > high as f64)
                && write.sequence.is_empty()
                && write.scale_addr.is_none()
            {
                findings.refuse(
                    key,
                    format!("raw {raw} in {}", write.kind.name()),
                    "a value that the type holds",
                );
            }
        }
        for (word, raw) in write.map.iter().flatten() {
            if !(low..=high).contains(&i128::from(*raw)) {
                findings.refuse(
                    "map",
                    format!("{word} is {raw} in {}", write.kind.name()),
                    "raw values of the type",
                );
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

struct IdentifyIn<'p> {
    profile: &'p Profile,
    identify: &'p super::write::Identify,
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
            let Some(Field { table, addr, kind, count, .. }) = field else { continue };
            let place = (profile.table(*table), *addr, span(*kind, *count));
            if profile.link.forbids(place.0, place.1, place.2) {
                findings.refuse(key, format!("{addr} is forbidden"), "an address outside of forbidden");
            }
            if (*kind == Type::String) != count.is_some() {
                findings.refuse(key, "count is for strings, which need it", "type = \"string\" with count");
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
    if is_text != part.count.is_some() {
        findings.refuse("match", "count is for prefix and ascii, which need it", "count = REGISTERS");
    }
}
