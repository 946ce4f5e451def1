//! From the registers that can be written to what the inverter is told.

use std::collections::BTreeMap;

use super::image::{self, Image};
use super::makers::View;
use super::map::{Table, Write};
use super::orders::Orders;
use super::set_points::{Plate, Told, at_first, mean};
use super::sheet::{Sheet, usual_exponent};
use super::sunspec;

/// When registers were written, on the clock of the device.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Its clock, in s.
    pub now_s: f64,
    /// When each was written last, in s.
    pub at_s: BTreeMap<u16, f64>,
}

impl Written {
    /// How long ago a register was written, in s; for ever where it never was.
    #[must_use]
    pub fn age_s(&self, register: u16) -> f64 {
        self.at_s.get(&register).map_or(f64::INFINITY, |at_s| self.now_s - at_s)
    }
}

impl Sheet {
    /// Makes the registers that can be written hold what they do in the beginning: nothing is forbidden.
    pub fn first_orders(&self, plate: &Plate, image: &mut Image) {
        for write in &self.profile.write {
            if let Some(at) = write.scale_addr.and_then(|addr| self.at(&write.model, addr)) {
                image.set(Table::Holding, at, usual_exponent(&write.unit).cast_unsigned());
            }
            let range = write.min.unwrap_or(f64::NEG_INFINITY)..=write.max.unwrap_or(f64::INFINITY);
            let first = at_first(&write.name, plate).clamp(*range.start(), *range.end());
            let raw = match write.map.get(if first == 0.0 { "off" } else { "on" }) {
                Some(word) => *word as f64,
                None => (first - write.offset) / self.step(write, image),
            };
            let places = self.places_of(write);
            match (write.mask, places.first()) {
                (Some(mask), Some(place)) => image.set_bits(Table::Holding, *place, mask, raw as u16),
                (..) => image.set_all(Table::Holding, &places, &image::registers(write.kind, raw)),
            }
        }
        for (model, offset, word) in sunspec::FIRST {
            if let Some(start) = self.starts.get(model) {
                image.set(Table::Holding, start + offset, *word);
            }
        }
        for (register, word) in self.maker.first {
            image.set(Table::Holding, *register, *word);
        }
    }

    /// What all that was written means.
    #[must_use]
    pub fn orders(&self, image: &Image, written: &Written, plate: Plate, soc: f64) -> Orders {
        let writes = &self.profile.write;
        let names: Vec<&str> = writes.iter().map(|write| write.name.as_str()).collect();
        let told = |name: &str| {
            let same = writes.iter().filter(|write| write.name == name);
            same.filter_map(|write| {
                let value = self.value_of(write, image)?;
                let ages = self.places_of(write).into_iter().map(|place| written.age_s(place));
                Some(Told { value, age_s: ages.fold(f64::INFINITY, f64::min) })
            })
            .next()
        };
        let mut orders = mean(&names, told, &plate);
        (self.maker.obey)(
            View { image, starts: &self.starts, written, plate, soc: 100.0 * soc },
            &mut orders,
        );
        orders
    }

    /// The value of a set point in its unit; words for on and off are 1 and 0.
    #[must_use]
    pub fn value_of(&self, write: &Write, image: &Image) -> Option<f64> {
        let places = self.places_of(write);
        let words: Option<Vec<u16>> = places.iter().map(|place| image.get(Table::Holding, *place)).collect();
        let words = words.filter(|words| !words.is_empty())?;
        let raw = match (write.mask, words.first()) {
            (Some(mask), Some(word)) => f64::from((word & mask) >> mask.trailing_zeros()),
            (..) => image::number(write.kind, &words),
        };
        if let Some(on) = write.map.get("on") {
            return Some(f64::from(u8::from(raw == *on as f64)));
        }
        Some(raw * self.step(write, image) + write.offset)
    }

    fn step(&self, write: &Write, image: &Image) -> f64 {
        let exponent = write.scale_addr.and_then(|addr| self.at(&write.model, addr));
        let exponent = exponent.and_then(|at| image.get(Table::Holding, at)).unwrap_or(0).cast_signed();
        write.scale.unwrap_or(1.0) * 10_f64.powi(exponent.into())
    }
}
