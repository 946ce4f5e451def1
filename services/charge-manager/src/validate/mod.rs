//! What of a battery's data can be believed, and how old it is. Nothing behind this file looks at raw data.
//!
//! `cells` and `probes` judge sensors, `misses` and `frozen` what they have in common, `held` how long a last value stands,
//! `confirmed` what must not change by one wrong frame, `make` how the battery is made.

mod cells;
mod confirmed;
mod frozen;
mod held;
mod make;
mod misses;
mod probes;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use cells::Extreme;
use cells::{CellPicture, Cells, Sight};
use confirmed::Confirmed;
pub(crate) use held::STANDS_S;
use held::{Held, Standing};
use make::{capacity, cells_in_series};
use probes::Probes;
pub(crate) use probes::{HeatPicture, Spot};

use crate::input::Battery;
use crate::name::Name;
use crate::notes::Note;
use crate::settings::{Key, NoTemperature, Settings};
use crate::tick::{Tick, age_s};

/// Up to this age data are obeyed in both directions.
const FRESH_S: f64 = 3.0;
/// Beyond this no current is meant, A; also what two-byte fields of tenths show for "unknown".
const MOST_AMPS: f64 = 6_000.0;
/// A charge voltage limit must be within these parts of the pack voltage.
const CVL_OF_PACK: (f64, f64) = (0.5, 2.0);
/// Highest and lowest cell must embrace the mean of the pack within this, V per pack and part of it.
const EMBRACE_V: f64 = 0.5;
const EMBRACE_PART: f64 = 0.01;

/// The memory of one battery's data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct DataMemory {
    at: Option<Duration>,
    voltage: Held,
    current: Held,
    soc: Held,
    cvl: Held,
    ccl: Held,
    dcl: Held,
    highest: Held,
    lowest: Held,
    mosfet: Held,
    cells: Cells,
    embrace: misses::Misses,
    probes: Probes,
    capacity: Confirmed,
    health: Confirmed,
    in_series: Confirmed,
    inferred_cells: u32,
    had_cells: bool,
    had_probes: bool,
}

impl DataMemory {
    /// It has shown limits.
    pub(crate) fn has_limits(&self) -> bool {
        [self.cvl, self.ccl, self.dcl].into_iter().any(|held| held.last().is_some())
    }

    /// Forgets the origin of the clock: that of another process.
    pub(crate) fn forget_clock(&mut self) {
        self.at = None;
    }
}

/// How old the newest data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Freshness {
    /// Up to 3 s.
    Fresh,
    /// Up to 10 s: nothing is raised.
    Late,
    /// Older.
    Stale,
}

/// A limit of a BMS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RawLimit {
    /// The battery shows no limits at all.
    Unlimited,
    /// Its value.
    Is(f64),
    /// It shows other limits and not this one, or not any more.
    Missing,
}

impl RawLimit {
    pub(crate) fn value(self) -> Option<f64> {
        if let RawLimit::Is(value) = self { Some(value) } else { None }
    }
}

/// A battery's data, judged.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    pub(crate) service: Name,
    pub(crate) label: Name,
    pub(crate) age_s: f64,
    pub(crate) freshness: Freshness,
    /// Time since the sample before, when this is a new one.
    pub(crate) sample_s: Option<f64>,
    pub(crate) voltage_v: Option<f64>,
    pub(crate) current_a: Option<f64>,
    pub(crate) soc: Option<f64>,
    pub(crate) soh: Option<f64>,
    /// Cells in series.
    pub(crate) cells: u32,
    /// Capacity that is left of the installed one, Ah.
    pub(crate) capacity_ah: f64,
    pub(crate) highest: Option<Extreme>,
    pub(crate) lowest: Option<Extreme>,
    /// Mean of the cells, V.
    pub(crate) mean_v: Option<f64>,
    pub(crate) heat: HeatPicture,
    pub(crate) mosfet_c: Option<f64>,
    pub(crate) cvl: RawLimit,
    pub(crate) ccl: RawLimit,
    pub(crate) dcl: RawLimit,
    pub(crate) low_voltage_v: Option<f64>,
    /// It shows limits of any kind, or once did.
    pub(crate) has_limits: bool,
    pub(crate) may_charge: bool,
    pub(crate) may_discharge: bool,
    /// Something is missing or odd at this moment: nothing may rise.
    pub(crate) odd: bool,
    /// What is not to be trusted: little current.
    pub(crate) suspect: Option<Name>,
    /// What contradicts what: little current.
    pub(crate) contradicts: Option<&'static str>,
    pub(crate) notes: Vec<Note>,
}

impl Sound {
    /// Voltage and current are there: the least of a member.
    pub(crate) fn complete(&self) -> bool {
        self.voltage_v.is_some() && self.current_a.is_some()
    }

    /// Complete, and not older than the last values stand.
    pub(crate) fn usable(&self) -> bool {
        self.complete() && self.freshness < Freshness::Stale
    }

    /// Highest cell, or where the cells are unknown the mean, V.
    pub(crate) fn top_v(&self) -> Option<f64> {
        self.highest.as_ref().map(|cell| cell.v).or(self.mean_v)
    }

    /// Lowest cell, or where the cells are unknown the mean, V.
    pub(crate) fn bottom_v(&self) -> Option<f64> {
        self.lowest.as_ref().map(|cell| cell.v).or(self.mean_v)
    }

    /// Cells in series.
    pub(crate) fn n(&self) -> f64 {
        f64::from(self.cells)
    }
}

/// Judges one battery.
pub(crate) fn look(
    battery: &Battery,
    settings: &Settings,
    memory: &mut DataMemory,
    now: Duration,
    tick: Tick,
) -> Sound {
    let nature = settings.chemistry().nature();
    let age_s = age_s(now, battery.at);
    let freshness = match age_s {
        age if age <= FRESH_S => Freshness::Fresh,
        age if age <= STANDS_S => Freshness::Late,
        _ => Freshness::Stale,
    };
    let sample_s = new_sample(battery, memory, freshness);
    let elapsed_s = tick.elapsed_s;
    let mut notes = Vec::new();

    let current =
        memory.current.step(battery.current_a.filter(|a| a.is_finite() && a.abs() <= MOST_AMPS), elapsed_s);
    let soc = memory.soc.step(battery.soc_percent.filter(|soc| (0.0..=100.0).contains(soc)), elapsed_s);
    let soh = battery.soh_percent.filter(|soh| *soh > 0.0 && *soh <= 100.0);
    // What is installed is shown, what is left of it decides.
    let healthy = memory.health.step(soh, true, tick.dt_s).unwrap_or(100.0) / 100.0;
    let capacity_ah = capacity(battery, settings, memory, tick, &mut notes) * healthy;

    let cells = cells_in_series(battery, settings, memory, tick, &mut notes);
    let n = f64::from(cells);
    let (low_v, high_v) = nature.believable_v;
    let pack_v = battery.voltage_v.filter(|v| (n * low_v..=n * high_v).contains(v));
    let voltage = memory.voltage.step(pack_v, elapsed_s);

    let shows = |limit: Option<f64>| limit.is_some_and(f64::is_finite);
    let raw = battery.limits;
    let shows_limits =
        [raw.charge_voltage_v, raw.charge_current_a, raw.discharge_current_a].into_iter().any(shows);
    let cvl = raw.charge_voltage_v.filter(|cvl| {
        let range = voltage.value().map_or((1.0, MOST_AMPS), |v| (v * CVL_OF_PACK.0, v * CVL_OF_PACK.1));
        *cvl > 0.0 && (range.0..=range.1).contains(cvl)
    });
    let amps = |limit: Option<f64>| limit.filter(|a| (0.0..MOST_AMPS).contains(a));
    let cvl = memory.cvl.step(cvl, elapsed_s);
    let ccl = memory.ccl.step(amps(raw.charge_current_a), elapsed_s);
    let dcl = memory.dcl.step(amps(raw.discharge_current_a), elapsed_s);
    let has_limits = shows_limits || memory.has_limits();

    let sight = Sight {
        sample_s,
        pack_v: voltage.value(),
        current_a: current.value(),
        capacity_ah,
        believable_v: nature.believable_v,
    };
    let picture = cell_picture(battery, memory, sight, n, elapsed_s);
    let heat = memory.probes.look(&battery.temperatures, sample_s, elapsed_s);
    memory.had_probes |= !heat.lost;
    let mosfet = memory.mosfet.step(battery.mosfet_c.filter(|c| (-40.0..=150.0).contains(c)), elapsed_s);

    if let Some(what) =
        heat.invalid.clone().or_else(|| heat.frozen.clone()).or_else(|| picture.suspect.clone())
    {
        notes.push(Note::BadSensor { who: battery.label.clone(), what });
    }
    let contradicts = picture.contradicts.then_some("cells and pack voltage");
    if let Some(what) = contradicts {
        notes.push(Note::Contradiction { who: battery.label.clone(), what });
    }
    heat_notes(battery, settings, &heat, &mut notes);

    let missing =
        [voltage, current, cvl, ccl, dcl].into_iter().any(Standing::is_missing) || memory.in_series.is_odd();
    let limit = |standing: Standing| match (standing.value(), standing, has_limits) {
        (Some(value), _, _) => RawLimit::Is(value),
        (None, Standing::Never, false) => RawLimit::Unlimited,
        _ => RawLimit::Missing,
    };
    let mean_v = picture.mean_v.or_else(|| voltage.value().map(|v| v / n));
    Sound {
        service: battery.service.clone(),
        label: battery.label.clone(),
        age_s,
        freshness,
        sample_s,
        voltage_v: voltage.value(),
        current_a: current.value(),
        soc: soc.value(),
        soh,
        cells,
        capacity_ah,
        highest: picture.highest,
        lowest: picture.lowest,
        mean_v,
        suspect: picture.suspect.or_else(|| heat.frozen.clone()),
        odd: missing || picture.odd || heat.odd || freshness > Freshness::Fresh,
        heat,
        mosfet_c: mosfet.value(),
        // A battery that never showed a voltage limit beside its currents has none to give.
        cvl: if cvl == Standing::Never { RawLimit::Unlimited } else { limit(cvl) },
        ccl: limit(ccl),
        dcl: limit(dcl),
        low_voltage_v: raw
            .low_voltage_v
            .filter(|v| voltage.value().is_none_or(|pack_v| *v > 0.0 && *v < pack_v * 1.5)),
        has_limits,
        may_charge: battery.may_charge != Some(false),
        may_discharge: battery.may_discharge != Some(false),
        contradicts,
        notes,
    }
}

fn new_sample(battery: &Battery, memory: &mut DataMemory, freshness: Freshness) -> Option<f64> {
    let since_s = match memory.at {
        Some(before) if battery.at <= before => return None,
        Some(before) => (battery.at - before).as_secs_f64().min(STANDS_S),
        None => 0.0,
    };
    if freshness == Freshness::Stale {
        return None;
    }
    memory.at = Some(battery.at);
    Some(since_s)
}

/// The cells, each or only the extremes.
fn cell_picture(
    battery: &Battery,
    memory: &mut DataMemory,
    sight: Sight,
    n: f64,
    elapsed_s: f64,
) -> CellPicture {
    let mut picture = memory.cells.look(&battery.cells_v, sight);
    if picture.shown == 0 {
        let (low_v, high_v) = sight.believable_v;
        let usable = |v: Option<f64>| v.filter(|v| (low_v..=high_v).contains(v));
        let highest = memory.highest.step(usable(battery.highest_cell_v), elapsed_s);
        let lowest = memory.lowest.step(usable(battery.lowest_cell_v), elapsed_s);
        let id = |id: &Option<Name>, standing: &str| id.clone().unwrap_or_else(|| standing.into());
        let extreme = |standing: Standing, id: Name| standing.value().map(|v| Extreme { v, id });
        picture.highest = extreme(highest, id(&battery.highest_cell_id, "highest cell"));
        picture.lowest = extreme(lowest, id(&battery.lowest_cell_id, "lowest cell"));
        picture.odd |= highest.is_missing() || lowest.is_missing();
        if let (Some(high), Some(low), Some(pack_v)) = (highest.value(), lowest.value(), sight.pack_v) {
            let room_v = EMBRACE_V.max(EMBRACE_PART * pack_v);
            let embraces = n * low <= pack_v + room_v && pack_v <= n * high + room_v && low <= high;
            if let Some(sample_s) = sight.sample_s {
                memory.embrace.step(!embraces, sample_s);
            }
            picture.odd |= !embraces;
            picture.contradicts |= memory.embrace.invalid();
        }
    }
    // Cells that were there and are no more are like one bad sensor.
    let has = picture.highest.is_some() && picture.lowest.is_some();
    if memory.had_cells && !has {
        picture.suspect.get_or_insert_with(|| "cell voltage".into());
    }
    memory.had_cells |= has;
    picture
}

fn heat_notes(battery: &Battery, settings: &Settings, heat: &HeatPicture, notes: &mut Vec<Note>) {
    if let (Some(coldest), Some(hottest)) = (&heat.coldest, &heat.hottest) {
        let by_k = hottest.celsius - coldest.celsius;
        if by_k > settings.get(Key::SensorsDiffer) {
            notes.push(Note::SensorsDiffer { who: battery.label.clone(), by_k });
        }
    }
    if heat.lost {
        let assumed_c = match settings.plan().no_temperature {
            NoTemperature::Assume => Some(settings.get(Key::AssumedTemperature)),
            NoTemperature::Release => Some(25.0),
            NoTemperature::Forbid => None,
        };
        notes.push(Note::NoTemperature { who: battery.label.clone(), assumed_c });
    }
}
