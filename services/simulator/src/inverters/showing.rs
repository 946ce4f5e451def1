//! The registers that show what flows.

use std::collections::BTreeSet;

use super::image::{self, Image};
use super::map::{Point, Table, Type, number};
use super::plant::Plant;
use super::quantities::{state_words, value};
use super::sheet::{Sheet, usual_exponent};

impl Sheet {
    /// Shows what flows in the registers that nobody can write; `is_set` are the others.
    pub fn show(&self, plant: &Plant, image: &mut Image, is_set: &BTreeSet<u16>) {
        for point in &self.profile.point {
            if let Some(value) = value(&point.name, plant, self.build) {
                self.show_point(point, value, image, is_set);
            }
        }
        for one in self.profile.enums.iter().filter(|one| one.name == "state") {
            let words = state_words(plant.state()).iter();
            let raw = words.filter_map(|word| {
                one.map.iter().filter(|(_, named)| named == word).filter_map(|(key, _)| number(key)).min()
            });
            if let (Some(raw), Some(addr)) = (raw.into_iter().next(), self.at(&one.model, one.addr)) {
                let words = image::registers(one.kind, raw as f64);
                let places = self.places(addr, one.kind, None);
                image.set_all(self.profile.table(one.table), &places, &words);
            }
        }
    }

    fn show_point(&self, point: &Point, value: f64, image: &mut Image, is_set: &BTreeSet<u16>) {
        let table = self.profile.table(point.table);
        let places: Vec<u16> = match point.addr.and_then(|addr| self.at(&point.model, addr)) {
            Some(first) => self.places(first, point.kind, point.words),
            // The low one is named first.
            None => point.words_at.iter().rev().copied().collect(),
        };
        if places.is_empty() || places.iter().any(|place| table == Table::Holding && is_set.contains(place)) {
            return;
        }
        let mut raw = (value - point.offset) / point.scale.unwrap_or(1.0);
        if let Some(scale_addr) = point.scale_addr.and_then(|addr| self.at(&point.model, addr)) {
            let exponent = usual_exponent(&point.unit);
            image.set(table, scale_addr, exponent.cast_unsigned());
            raw /= 10_f64.powi(exponent.into());
        }
        if let Some(sign) = &point.sign_from {
            let wanted = if raw < 0.0 { -1.0 } else { 1.0 };
            let key =
                sign.map.iter().find(|(_, meaning)| **meaning == wanted).and_then(|(key, _)| number(key));
            if let Some(key) = key.and_then(|key| u16::try_from(key).ok()) {
                image.set_bits(self.profile.table(sign.table), sign.addr, sign.mask.unwrap_or(u16::MAX), key);
            }
            raw = raw.abs();
        }
        let Some(first) = places.first().copied() else { return };
        let low = |raw: f64| (raw.round().clamp(-32_768.0, 65_535.0) as i32 & 0xFFFF) as u16;
        match (point.kind, point.mask) {
            (Type::U8h | Type::S8h, _) => image.set_bits(table, first, 0xFF00, low(raw) & 0xFF),
            (Type::U8l | Type::S8l, _) => image.set_bits(table, first, 0x00FF, low(raw) & 0xFF),
            (_, Some(mask)) => image.set_bits(table, first, mask, low(raw)),
            (Type::String | Type::Other, _) => {}
            (kind, None) => image.set_all(table, &places, &image::registers(kind, raw)),
        }
    }

    /// A SunSpec device marks what it does not have, by the type of each point.
    pub fn not_implemented(&self, image: &mut Image) {
        for point in self.profile.point.iter().filter(|point| !point.model.is_empty()) {
            let Some(first) = point.addr.and_then(|addr| self.at(&point.model, addr)) else {
                continue;
            };
            let words: &[u16] = match point.kind {
                Type::S16 => &[0x8000],
                Type::S32 => &[0x8000, 0],
                Type::F32 => &[0x7FC0, 0],
                _ => continue,
            };
            let places: Vec<u16> = (first..).take(words.len()).collect();
            if !self.starts.values().any(|start| *start == first) {
                image.set_all(Table::Holding, &places, words);
            }
            if let Some(scale_addr) = point.scale_addr.and_then(|addr| self.at(&point.model, addr)) {
                image.set(Table::Holding, scale_addr, usual_exponent(&point.unit).cast_unsigned());
            }
        }
    }
}
