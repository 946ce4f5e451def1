//! A profile in one device: where its registers really stand, and what its maker adds to it.

use std::collections::BTreeMap;

use super::image::{Image, places};
use super::layout;
use super::makers::{Maker, maker};
use super::map::{Profile, Type, Words, Write};
use super::quantities::Build;
use super::set_points::Plate;

/// The register list of one device.
#[derive(Debug)]
pub struct Sheet {
    /// What the profile says.
    pub profile: Profile,
    /// What the maker's firmware does beyond that.
    pub maker: &'static Maker,
    /// Phases, trackers, rated power.
    pub build: Build,
    /// Where models begin.
    pub starts: BTreeMap<u16, u16>,
}

impl Sheet {
    /// Puts the registers of a profile into an image. `models` is the chain of a SunSpec device.
    #[must_use]
    pub fn new(profile: Profile, build: Build, models: &[u16], image: &mut Image) -> Self {
        let starts = layout::lay_out(&profile, models, image);
        let maker = maker(&profile.id);
        Self { profile, maker, build, starts }
    }

    /// The register at an offset of a model, or at a fixed place; `None` where the device has no such model.
    #[must_use]
    pub fn at(&self, models: &[u16], addr: u16) -> Option<u16> {
        if models.is_empty() {
            return Some(addr);
        }
        let (model, start) = models.iter().find_map(|model| Some((*model, *self.starts.get(model)?)))?;
        (addr < layout::length(model)? + 2).then_some(start + addr)
    }

    /// Where the registers of a set point stand, the high one first; empty for a sequence, and where it is missing.
    #[must_use]
    pub fn places_of(&self, write: &Write) -> Vec<u16> {
        let first = write.addr.and_then(|addr| self.at(&write.model, addr));
        first.map(|first| self.places(first, write.kind, write.words)).unwrap_or_default()
    }

    /// Where the registers of a number stand, the high one first.
    #[must_use]
    pub fn places(&self, first: u16, kind: Type, words: Option<Words>) -> Vec<u16> {
        places(first, kind.registers(), words.unwrap_or(self.profile.link.words))
    }

    /// What it can do, with this battery.
    #[must_use]
    pub fn plate(&self, amps: f64, volts: f64) -> Plate {
        Plate { rated_w: self.build.rated_w, amps, volts, phases: self.build.phases.into() }
    }
}

/// The power of ten that a simulated SunSpec device has for a unit.
#[must_use]
pub fn usual_exponent(unit: &str) -> i16 {
    match unit {
        "V" | "%" => -1,
        "A" | "Hz" => -2,
        _ => 0,
    }
}
