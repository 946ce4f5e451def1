//! The bank as one battery.

use super::bank::{Bank, inside};
use crate::decision::Picture;
use crate::input::Battery;
use crate::membership::{Roster, Standing, Unit};
use crate::settings::{Key, Settings};
use crate::soc::Soc;
use crate::validate::Sound;

/// Where a charger wants to know no temperature, °C.
const MILD_C: f64 = 25.0;
/// A current that empties the bank, A.
const EMPTIES_A: f64 = -0.5;

/// Puts the members together.
pub(super) fn of(
    units: &[Unit],
    roster: &Roster,
    soc: &Soc,
    bank: &Bank,
    batteries: &[&Battery],
    settings: &Settings,
) -> Picture {
    let members: Vec<&Sound> = inside(units, roster).map(|unit| &unit.sound).collect();
    let monitor = roster.monitor.and_then(|index| units.get(index)).map(|unit| &unit.sound);
    let current_a = match monitor.and_then(|monitor| monitor.current_a) {
        Some(measured_a) => Some(measured_a),
        None => (!members.is_empty()).then_some(bank.current_a),
    };
    let remaining_ah = soc.shown.map(|soc| soc / 100.0 * bank.capacity_ah);
    let floor_ah = settings.get(Key::FloorSoc) / 100.0 * bank.capacity_ah;
    let time_to_go_s = match (remaining_ah, current_a) {
        (Some(ah), Some(a)) if a < EMPTIES_A => Some((ah - floor_ah).max(0.0) / -a * 3_600.0),
        _ => None,
    };
    let cell = |of: fn(&Sound) -> Option<(f64, String)>, best: fn(f64, f64) -> f64| {
        members.iter().filter_map(|sound| of(sound)).reduce(|a, b| if best(a.0, b.0) == a.0 { a } else { b })
    };
    let coldest = cell(coldest, f64::min);
    let hottest = cell(hottest, f64::max);
    let temperature_c = match (&coldest, &hottest) {
        // The chargers are to know what is farther from mild.
        (Some((low, _)), Some((high, _))) if MILD_C - low > high - MILD_C => Some(*low),
        (_, Some((high, _))) => Some(*high),
        _ => None,
    };
    let (soh_ah, known_ah) = members.iter().fold((0.0, 0.0), |(sum, ah), sound| match sound.soh {
        Some(soh) => (sum + soh * sound.capacity_ah, ah + sound.capacity_ah),
        None => (sum, ah),
    });
    let count = |what: fn(&Sound) -> bool| members.iter().filter(|sound| what(sound)).count() as u32;
    let offline = roster
        .standings
        .iter()
        .filter(|standing| matches!(standing, Standing::Silent | Standing::Open { .. } | Standing::Waiting));
    let balancing = inside(units, roster)
        .filter_map(|unit| batteries.iter().find(|battery| battery.service == unit.sound.service)?.balancing)
        .reduce(|a, b| a || b);
    Picture {
        voltage_v: bank.bus_v,
        current_a,
        temperature_c,
        soc: soc.shown,
        soh: (known_ah > 0.0).then(|| soh_ah / known_ah),
        installed_ah: bank.capacity_ah,
        remaining_ah,
        time_to_go_s,
        highest_cell: cell(highest_cell, f64::max),
        lowest_cell: cell(lowest_cell, f64::min),
        coldest,
        hottest,
        cells_in_series: members.iter().map(|sound| sound.cells).min(),
        online: members.len() as u32,
        offline: offline.count() as u32,
        blocking_charge: count(|sound| !sound.may_charge),
        blocking_discharge: count(|sound| !sound.may_discharge),
        balancing,
        without_soc: soc.without.clone(),
    }
}

fn highest_cell(sound: &Sound) -> Option<(f64, String)> {
    sound.highest.as_ref().map(|cell| (cell.v, format!("{}: {}", sound.label, cell.id)))
}

fn lowest_cell(sound: &Sound) -> Option<(f64, String)> {
    sound.lowest.as_ref().map(|cell| (cell.v, format!("{}: {}", sound.label, cell.id)))
}

fn coldest(sound: &Sound) -> Option<(f64, String)> {
    sound.heat.coldest.as_ref().map(|spot| (spot.celsius, format!("{}: {}", sound.label, spot.probe)))
}

fn hottest(sound: &Sound) -> Option<(f64, String)> {
    sound.heat.hottest.as_ref().map(|spot| (spot.celsius, format!("{}: {}", sound.label, spot.probe)))
}
