//! Whether a set of settings makes sense as a whole.

use std::fmt;

use super::{Key, MOST_WINDOWS, Settings};

/// Why a set is refused: every mistake, each a sentence. The old set stays in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The sentences.
    pub sentences: Vec<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences.join(" "))
    }
}

/// Room for what a sum of decimal fractions loses.
const ROUNDING: f64 = 1e-9;
/// Between two control targets.
const CEILING_TO_SOFT_V: f64 = 0.020;
const SOFT_TO_STOP_V: f64 = 0.030;
/// From what the data sheet forbids.
const BELOW_HIGHEST_V: f64 = 0.050;
const ABOVE_LOWEST_V: f64 = 0.100;
/// Between the state of charge that ends a charge and the one that begins the next.
const CAP_TO_REBULK: f64 = 5.0;

/// Checks a set, and the numbers that are to be changed against their ranges.
pub(super) fn check(settings: &Settings, changes: &[(Key, f64)]) -> Result<(), Refusal> {
    let mut sentences = Vec::new();
    ranges(settings, changes, &mut sentences);
    orders(settings, &mut sentences);
    windows(settings, &mut sentences);
    if sentences.is_empty() { Ok(()) } else { Err(Refusal { sentences }) }
}

fn ranges(settings: &Settings, changes: &[(Key, f64)], sentences: &mut Vec<String>) {
    for &(key, value) in changes {
        let spec = key.spec();
        let unit = spec.unit.text();
        if Settings::of(settings.chemistry()).some(key).is_none() {
            let name = settings.chemistry().nature().name;
            sentences.push(format!("{} means nothing to {name}.", spec.name));
        } else if !(spec.min..=spec.max).contains(&value) {
            sentences.push(format!(
                "{} must be from {} to {} {unit}, not {value} {unit}.",
                spec.name, spec.min, spec.max
            ));
        }
    }
}

/// What must be so for two numbers of a set.
struct Order {
    low: Key,
    high: Key,
    /// How far apart they must be at least.
    apart: f64,
    because: &'static str,
}

const fn order(low: Key, high: Key, apart: f64, because: &'static str) -> Order {
    Order { low, high, apart, because }
}

use Key as K;

/// A set is inconsistent where one of these is not so.
static ORDERS: &[Order] = &[
    order(K::StorageVoltage, K::FloatVoltage, 0.0, "storage is the lower voltage"),
    order(K::FloatVoltage, K::AbsorptionVoltage, 0.001, "float must end the charge that absorption finishes"),
    order(K::AbsorptionVoltage, K::BalanceVoltage, 0.0, "balancing works at the higher voltage"),
    order(K::BalanceVoltage, K::CellCeiling, 0.0, "the ceiling would cut balancing short"),
    order(K::AbsorptionVoltage, K::CellCeiling, 0.001, "the ceiling would cut absorption short"),
    order(
        K::CellCeiling,
        K::CellSoftMaximum,
        CEILING_TO_SOFT_V,
        "the two controls would work against each other",
    ),
    order(K::CellSoftMaximum, K::CellStop, SOFT_TO_STOP_V, "control must act before the stop does"),
    order(K::CellStopRelease, K::CellStop, 0.001, "a stop needs a way back"),
    order(K::DischargeStop, K::DischargeRelease, 0.001, "a stop needs a way back"),
    order(
        K::ForceChargeBelow,
        K::DischargeStop,
        0.0,
        "charging is forced when ending the discharge was not enough",
    ),
    order(K::RecoveryBelow, K::DischargeStop, 0.0, "recovery ends where discharging may begin"),
    order(K::NeverChargeBelow, K::RecoveryBelow, 0.0, "recovery is for cells that can be charged at all"),
    order(K::RebulkVoltage, K::FloatVoltage, 0.001, "float would end at once"),
    order(K::TailZeroVoltage, K::TailFullVoltage, 0.001, "the tail current rises with the voltage"),
    order(K::AbsorptionMinimum, K::AbsorptionMaximum, 0.0, "a minimum is at most the maximum"),
    order(K::FullChargeWarning, K::FullChargeDue, 0.0, "the warning comes first"),
    order(K::VoltageFallStep, K::VoltageRiseStep, 0.0, "the voltage would creep up on noise"),
];

fn orders(settings: &Settings, sentences: &mut Vec<String>) {
    for Order { low, high, apart, because } in ORDERS {
        let (Some(lower), Some(higher)) = (settings.some(*low), settings.some(*high)) else { continue };
        if lower + apart > higher + ROUNDING {
            let (low, high) = (low.spec(), high.spec());
            let (low_unit, high_unit) = (low.unit.text(), high.unit.text());
            let distance = if *apart >= 0.002 { format!("{apart} {low_unit} ") } else { String::new() };
            sentences.push(format!(
                "{} ({lower} {low_unit}) must be {distance}below {} ({higher} {high_unit}): {because}.",
                low.name, high.name
            ));
        }
    }
    let nature = settings.chemistry().nature();
    let highest = nature.highest_v - BELOW_HIGHEST_V;
    let top = if settings.chemistry().is_lead() { K::AbsorptionVoltage } else { K::CellStop };
    if settings.get(top) > highest + ROUNDING {
        let name = top.spec().name;
        sentences
            .push(format!("{name} must be at most {highest:.2} V for {}, by its data sheets.", nature.name));
    }
    let lowest = nature.lowest_v + ABOVE_LOWEST_V;
    if settings.get(K::DischargeStop) < lowest - ROUNDING {
        sentences.push(format!(
            "DischargeStop must be at least {lowest:.2} V for {}, by its data sheets.",
            nature.name
        ));
    }
    let (cap, rebulk) = (settings.get(K::MaxSoc), settings.get(K::RebulkSoc));
    if cap < 100.0 && rebulk > cap - CAP_TO_REBULK {
        sentences.push(format!(
            "RebulkSoc ({rebulk} %) must be {CAP_TO_REBULK} % below MaxSoc ({cap} %): the charge would never end."
        ));
    }
    let floor = settings.get(K::FloorSoc);
    let forced_until = floor + settings.get(K::ForceUntilAboveFloor);
    if forced_until > cap.min(rebulk) + ROUNDING {
        sentences.push(format!(
            "Forced charge would end at {forced_until} %, above RebulkSoc ({rebulk} %) or MaxSoc ({cap} %)."
        ));
    }
}

fn windows(settings: &Settings, sentences: &mut Vec<String>) {
    let windows = &settings.plan().windows;
    if windows.len() > MOST_WINDOWS {
        sentences.push(format!("There are {} windows; {MOST_WINDOWS} are the most.", windows.len()));
    }
    for (number, window) in windows.iter().enumerate() {
        let minutes = window.from_min < 1440 && window.until_min < 1440;
        let current = window.current_a.is_finite() && window.current_a >= 0.0;
        let soc = (0.0..=100.0).contains(&window.until_soc);
        if !(minutes && current && soc && window.days.contains(&true)) {
            sentences.push(format!(
                "Window {} needs a day, minutes from 0 to 1439, a current of 0 A or more and 0 to 100 %.",
                number + 1
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Chemistry, Source, Window};
    use super::*;

    #[test]
    fn the_defaults_of_every_chemistry_are_consistent() {
        for chemistry in Chemistry::ALL {
            assert_eq!(check(&Settings::of(chemistry), &[]), Ok(()), "{chemistry:?}");
        }
    }

    #[test]
    fn an_inconsistent_set_is_refused_with_a_sentence_for_each_mistake() {
        let settings = Settings::default();
        for (changes, words) in [
            (
                vec![(K::RebulkSoc, 88.0), (K::MaxSoc, 90.0)],
                "RebulkSoc (88 %) must be 5 % below MaxSoc (90 %)",
            ),
            (vec![(K::FloatVoltage, 3.45)], "FloatVoltage (3.45 V/cell) must be below AbsorptionVoltage"),
            (vec![(K::AbsorptionVoltage, 3.50)], "must be below CellCeiling"),
            (vec![(K::CellCeiling, 3.52)], "must be 0.02 V/cell below CellSoftMaximum"),
            (vec![(K::CellSoftMaximum, 3.56)], "must be 0.03 V/cell below CellStop"),
            (vec![(K::CellStop, 3.61)], "CellStop must be at most 3.60 V for LFP"),
            (vec![(K::DischargeStop, 2.55)], "DischargeStop must be at least 2.60 V for LFP"),
            (vec![(K::TailDwell, 5.0)], "TailDwell must be from 10 to 3600 s, not 5 s"),
            (vec![(K::TailDwell, f64::NAN)], "TailDwell must be from 10 to 3600 s"),
            (vec![(K::EqualiseEvery, 30.0)], "EqualiseEvery means nothing to LFP"),
            (vec![(K::FloorSoc, 88.0)], "Forced charge would end at 93 %"),
        ] {
            let refusal = settings.with(&changes).expect_err(words);
            assert!(refusal.to_string().contains(words), "{refusal}");
        }
    }

    #[test]
    fn several_changes_that_fit_together_are_taken_together() {
        let settings = Settings::default();
        let changes =
            [(K::AbsorptionVoltage, 3.42), (K::FloatVoltage, 3.36), (K::MaxSoc, 95.0), (K::RebulkSoc, 85.0)];
        let changed = settings.with(&changes).unwrap();
        assert_eq!(changed.get(K::AbsorptionVoltage), 3.42);
        assert_eq!(changed.get(K::CellCeiling), settings.get(K::CellCeiling));
    }

    #[test]
    fn a_window_without_a_day_is_refused() {
        let window = Window {
            source: Source::Grid,
            days: [false; 7],
            from_min: 0,
            until_min: 60,
            current_a: 10.0,
            until_soc: 80.0,
        };
        let refusal = Settings::default().planned(|plan| plan.windows.push(window)).unwrap_err();
        assert!(refusal.to_string().starts_with("Window 1 needs a day"), "{refusal}");
    }
}
