//! Temperatures that can be believed.
//!
//! A reading is a miss outside −40 to 85 °C, when it moves faster than 2 K/s, and when it is one of the numbers that a
//! broken or missing sensor shows while the others are far away. Three misses make a sensor invalid; until then its last
//! good reading stands, and afterwards for as long as nothing else is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::frozen::Frozen;
use super::misses::Misses;
use crate::input::Probe;
use crate::name::Name;

/// Most sensors of a battery that are looked at.
const MOST_PROBES: usize = 32;
const BELIEVABLE_C: (f64, f64) = (-40.0, 85.0);
/// What sensors show that are broken, shorted or not there.
const TELLTALE_C: [f64; 4] = [0.0, -40.0, 100.0, 85.0];
/// A telltale counts as one when the others are so far away, K.
const OTHERS_AWAY_K: f64 = 10.0;
const FASTEST_K_PER_S: f64 = 2.0;
/// Sensors show whole kelvins.
const STEP_K: f64 = 1.0;
const FROZEN_S: f64 = 24.0 * 3_600.0;
/// The others must have moved so far while one stood still, K.
const FROZEN_OTHERS_K: f64 = 5.0;
/// How long the last good reading of an invalid sensor counts beside the others, s.
const LAST_COUNTS_S: f64 = 3_600.0;

/// The memory of one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Memory {
    last_c: Option<f64>,
    last_age_s: f64,
    raw_c: Option<f64>,
    misses: Misses,
    frozen: Frozen,
    /// Lowest and highest mean of the others since the last change.
    others_c: Option<(f64, f64)>,
}

/// The memory of a battery's sensors.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Probes(BTreeMap<Name, Memory>);

/// A temperature and where it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spot {
    /// °C.
    pub(crate) celsius: f64,
    /// What it is that of.
    pub(crate) probe: Name,
}

/// What is known of the temperatures.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct HeatPicture {
    /// Coldest.
    pub(crate) coldest: Option<Spot>,
    /// Hottest.
    pub(crate) hottest: Option<Spot>,
    /// No sensor gives a good reading: what there is, is old or nothing.
    pub(crate) lost: bool,
    /// Something is odd at the moment: nothing may rise.
    pub(crate) odd: bool,
    /// An invalid sensor.
    pub(crate) invalid: Option<Name>,
    /// A frozen sensor.
    pub(crate) frozen: Option<Name>,
}

impl Probes {
    /// Judges all sensors of a battery; `sample_s` is the time since the sample before, when this is a new one.
    pub(crate) fn look(&mut self, raw: &[Probe], sample_s: Option<f64>, elapsed_s: f64) -> HeatPicture {
        let raw = raw.get(..raw.len().min(MOST_PROBES)).unwrap_or(raw);
        // A sensor that is no longer named is like one that shows nothing.
        let gone: Vec<Name> =
            self.0.keys().filter(|name| raw.iter().all(|probe| probe.name != **name)).cloned().collect();
        let missing = gone.into_iter().map(|name| Probe { name, celsius: None });
        let all: Vec<Probe> = raw.iter().cloned().chain(missing).take(MOST_PROBES).collect();
        self.0.retain(|name, _| all.iter().any(|probe| probe.name == *name));

        let mut picture = HeatPicture { lost: true, ..HeatPicture::default() };
        let mut old = Vec::new();
        for probe in &all {
            let usable = probe.celsius.filter(|c| (BELIEVABLE_C.0..=BELIEVABLE_C.1).contains(c));
            let others_c = mean_of_others(&all, &probe.name);
            let memory = self.0.entry(probe.name.clone()).or_default();
            memory.last_age_s += elapsed_s;
            let miss = memory.misses_with(usable, others_c, sample_s);
            if let Some(sample_s) = sample_s {
                memory.age(usable, miss, others_c, sample_s);
            }
            let invalid = memory.misses.invalid();
            if invalid && memory.last_c.is_some() {
                picture.invalid.get_or_insert_with(|| probe.name.clone());
            }
            if memory.frozen.is_on() {
                picture.frozen.get_or_insert_with(|| probe.name.clone());
            }
            let stands = if miss || invalid { memory.last_c } else { usable };
            picture.odd |= miss && !invalid && memory.last_c.is_some();
            let Some(celsius) = stands else { continue };
            let spot = Spot { celsius, probe: probe.name.clone() };
            if invalid {
                old.push((spot, memory.last_age_s));
            } else {
                picture.lost = false;
                picture.add(spot);
            }
        }
        for (spot, age_s) in old {
            if picture.lost || age_s <= LAST_COUNTS_S {
                picture.add(spot);
            }
        }
        picture
    }
}

impl HeatPicture {
    fn add(&mut self, spot: Spot) {
        if self.coldest.as_ref().is_none_or(|coldest| spot.celsius < coldest.celsius) {
            self.coldest = Some(spot.clone());
        }
        if self.hottest.as_ref().is_none_or(|hottest| spot.celsius > hottest.celsius) {
            self.hottest = Some(spot);
        }
    }
}

fn mean_of_others(all: &[Probe], name: &Name) -> Option<f64> {
    let others = all.iter().filter(|probe| probe.name != *name).filter_map(|probe| probe.celsius);
    let (sum, count) = others
        .filter(|c| (BELIEVABLE_C.0..=BELIEVABLE_C.1).contains(c))
        .fold((0.0, 0u32), |(sum, count), c| (sum + c, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

impl Memory {
    fn misses_with(&self, usable: Option<f64>, others_c: Option<f64>, sample_s: Option<f64>) -> bool {
        let Some(celsius) = usable else { return true };
        let telltale = TELLTALE_C.contains(&celsius)
            && self.raw_c == Some(celsius)
            && others_c.is_some_and(|others_c| (others_c - celsius).abs() > OTHERS_AWAY_K);
        // An invalid sensor is judged by its own newest readings, or it would never come back.
        let before_c = if self.misses.invalid() { self.raw_c } else { self.last_c };
        let most_k = FASTEST_K_PER_S * sample_s.unwrap_or(0.0).max(1.0) + STEP_K;
        telltale || before_c.is_some_and(|before_c| (celsius - before_c).abs() > most_k)
    }

    fn age(&mut self, usable: Option<f64>, miss: bool, others_c: Option<f64>, sample_s: f64) {
        let same = usable.is_some() && usable == self.raw_c;
        let seen =
            self.others_c.filter(|_| same).into_iter().flat_map(|(low, high)| [low, high]).chain(others_c);
        self.others_c = seen.fold(None, |range, c| {
            let (low, high) = range.unwrap_or((c, c));
            Some((low.min(c), high.max(c)))
        });
        let others_moved = self.others_c.is_some_and(|(low, high)| high - low > FROZEN_OTHERS_K);
        self.frozen.step(same, true, FROZEN_S, others_moved, sample_s);
        self.misses.step(miss, sample_s);
        self.raw_c = usable.or(self.raw_c);
        if !miss && !self.misses.invalid() {
            (self.last_c, self.last_age_s) = (usable, 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes(readings: &[f64]) -> Vec<Probe> {
        let name = |index| Name::from(format!("T{index}"));
        readings.iter().enumerate().map(|(i, &c)| Probe { name: name(i), celsius: Some(c) }).collect()
    }

    fn ends(picture: &HeatPicture) -> (f64, f64) {
        (picture.coldest.as_ref().unwrap().celsius, picture.hottest.as_ref().unwrap().celsius)
    }

    #[test]
    fn a_sensor_that_jumps_is_invalid_after_three_samples_and_the_others_count() {
        for wrong in [-40.0, 100.0, 60.0] {
            let mut memory = Probes::default();
            memory.look(&probes(&[20.0, 21.0, 20.0]), Some(1.0), 1.0);
            for _ in 0..2 {
                let picture = memory.look(&probes(&[20.0, wrong, 20.0]), Some(1.0), 1.0);
                assert_eq!(ends(&picture), (20.0, 21.0), "the last good reading stands");
                assert!(picture.odd && picture.invalid.is_none());
            }
            let picture = memory.look(&probes(&[20.0, wrong, 20.0]), Some(1.0), 1.0);
            assert_eq!(picture.invalid.as_deref(), Some("T1"));
            assert_eq!(ends(&picture), (20.0, 21.0));
            assert!(!picture.odd && !picture.lost);
        }
    }

    #[test]
    fn the_last_reading_of_the_only_sensor_stands_when_it_is_lost() {
        let mut memory = Probes::default();
        memory.look(&probes(&[-2.0]), Some(1.0), 1.0);
        let mut picture = HeatPicture::default();
        for _ in 0..20_000 {
            picture = memory.look(&[], Some(1.0), 1.0);
        }
        assert!(picture.lost);
        assert_eq!(ends(&picture), (-2.0, -2.0));
    }

    #[test]
    fn zero_degrees_is_believed_when_the_others_are_near() {
        let mut memory = Probes::default();
        for _ in 0..10 {
            let picture = memory.look(&probes(&[0.0, 1.0, 2.0]), Some(1.0), 1.0);
            assert_eq!(ends(&picture), (0.0, 2.0));
        }
    }

    #[test]
    fn a_sensor_that_stood_still_for_a_day_while_the_others_moved_is_frozen() {
        let mut memory = Probes::default();
        let mut frozen_at = None;
        for minute in 0..1_600 {
            let others = 15.0 + (f64::from(minute) / 100.0).round();
            if memory.look(&probes(&[15.0, others, others]), Some(60.0), 60.0).frozen.is_some() {
                frozen_at.get_or_insert(minute);
            }
        }
        assert_eq!(frozen_at, Some(1_440));
    }
}
