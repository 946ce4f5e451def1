//! The rules of blocks and of what is read in them.

use std::ops::RangeInclusive;

use service_kit::config::{Check, Findings};

use super::In;
use super::common::span;
use crate::profile::kind::Type;
use crate::profile::names::{self, STATES};
use crate::profile::point::{BitsPoint, Block, EnumPoint, Point};
use crate::profile::scalar::Every;

/// Registers of a string, at most.
const LONGEST_STRING: u16 = 64;
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
            if point.short && !point.kind.is_signed() {
                findings.refuse("short", point.kind.name(), "s32 or s64");
            }
            if point.range.is_none() {
                let why = "its words may be read at different times, and then make a wild number";
                findings.refuse("words_at", why, "range with it");
            }
        }
        if point.short && point.words_at.is_none() {
            findings.refuse("short", "one place", "words_at with it");
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
                    let raw = if *raw < 0 { raw.to_string() } else { format!("{raw:#x}") };
                    let what = format!("{raw} in {}", point.kind.name());
                    findings.refuse("invalid", what, "raw values of the type");
                }
            }
        } else if !point.invalid.is_empty() {
            findings.refuse("invalid", format!("raw values of {}", point.kind.name()), "none for this type");
        }
        if let Some((low, high)) = point.range
            && (low.is_nan() || high.is_nan() || low >= high)
        {
            findings.refuse("range", format!("{low} to {high}"), "the smaller value first");
        } else {
            self.check_reach(findings);
        }
        self.check_live(findings);
    }
}

impl In<'_, Point> {
    /// That there are values inside of the range. With a power of ten of its own nobody knows how far they go.
    fn check_reach(&self, findings: &mut Findings) {
        let point = self.part;
        let Some((low, high)) = point.range else { return };
        let (Some((least, most)), None, None, None) =
            (point.kind.limits(), point.scale_addr, &point.scale_from, &point.sign_from)
        else {
            return;
        };
        let (least, most) = point.mask.map_or((least, most), |mask| (0, largest(mask)));
        let ends = [least, most].map(|raw| raw as f64 * point.scale + point.offset);
        let (first, last) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        if point.expr.is_none() && (high < first || low > last) {
            let what = format!("{low} to {high}, of values of {first} to {last}");
            findings.refuse("range", what, "values that the registers can say");
        }
    }

    /// That what changes all the time is not read only once.
    fn check_live(&self, findings: &mut Findings) {
        let point = self.part;
        let table = self.profile.table(point.table);
        let is_of = |block: &&Block| match point.addr {
            Some(_) if !point.model.is_empty() => point.model.iter().any(|id| block.model.contains(id)),
            Some(addr) => self.profile.has(block, table, addr),
            None => false,
        };
        let is_once = self.profile.block.iter().find(is_of).is_some_and(|block| block.every == Every::Once);
        if is_once && names::is_live(&point.name) {
            let what = format!("{} is in a block that is read once", point.name);
            findings.refuse("addr", what, "a block with a time in every");
        }
    }
}

/// The largest number that bits can say.
pub(super) fn largest(mask: u64) -> i128 {
    i128::from(mask >> mask.trailing_zeros().min(63))
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
        for raw in point.alarm.0.keys().filter(|raw| !point.map.0.contains_key(raw)) {
            findings.refuse("alarm", format!("{raw:#x} has no word"), "raw values of the map");
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
        let first = i128::from(point.first_bit);
        let bits = first..first + i128::from(point.count) * 16;
        let said = |bit: &i128| format!("bit {bit} of {} to {}", bits.start, bits.end - 1);
        for bit in point.alarm.0.keys().filter(|bit| !bits.contains(bit)) {
            findings.refuse("alarm", said(bit), "bits that the registers have");
        }
        for bit in point.text.0.keys().filter(|bit| !bits.contains(bit)) {
            findings.refuse("text", said(bit), "bits that the registers have");
        }
    }
}
