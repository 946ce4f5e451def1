//! What the cells of one member allow.
//!
//! Charge: `i = I + (soft − V̂) / R̂`, V̂ being where the highest cell will be in five seconds. Written as
//! `(soft − OCV)/R̂ + I·(1 − R/R̂)` it feeds the current back with a gain of 1 − R/R̂: stable for any delay of a charger
//! as long as R̂ is more than half of the true resistance, and without overshoot when it is more than the whole. A curve of
//! current over cell voltage has a gain of its slope times R, far above 1 with the curves in use, and hunts.

use serde::{Deserialize, Serialize};

use crate::filter::{LowPass, Since};
use crate::limit::Limit;
use crate::reasons::Reason;
use crate::resistance::Resistance;
use crate::settings::{Key, Settings};
use crate::tick::Tick;
use crate::validate::{Extreme, Sound};

/// Time constant of the slope of the highest cell, s.
const SLOPE_S: f64 = 3.3;
/// How long all cells must be back until charging goes on after a stop; how long for discharging, s.
const RELEASED_S: f64 = 30.0;
const LOW_RELEASED_S: f64 = 60.0;
/// The discharge law aims so far above the stop, V.
const ABOVE_STOP_V: f64 = 0.050;
/// Where no cell is seen, so much of the pack is kept in reserve, V.
const PACK_MARGIN_V: f64 = 0.1;

/// What is remembered of a member's cells.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct CellMemory {
    last_v: Option<f64>,
    slope: LowPass,
    resistance: Resistance,
    stopped: bool,
    back: Since,
    recovering: bool,
    low_stopped: bool,
    low_back: Since,
}

/// What a member has been allowed, as its chargers may still be following it, A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Followed {
    pub(crate) charge_a: f64,
    pub(crate) discharge_a: f64,
}

/// Room above what was allowed until a current is more than that: part of it, and A.
const ROOM: f64 = 1.1;
const ROOM_A: f64 = 1.0;

/// A charger that holds more than the charge voltage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Disobeyed {
    /// The charge voltage of this member, V.
    pub(crate) cvl_v: f64,
}

/// What the cells of a member allow.
#[derive(Debug)]
pub(crate) struct CellLimits {
    pub(crate) charge: Vec<Limit>,
    pub(crate) discharge: Vec<Limit>,
    /// What charging is stopped for, for the sake of a cell.
    pub(crate) protects: Option<Reason>,
    /// Lowest cell at or below the discharge stop, and not yet back.
    pub(crate) is_empty: bool,
    /// A cell is too far down ever to be charged.
    pub(crate) is_dead: bool,
}

/// The limits that the cells of one member set.
pub(crate) fn step(
    sound: &Sound,
    memory: &mut CellMemory,
    followed: Followed,
    disobeyed: Option<Disobeyed>,
    settings: &Settings,
    tick: Tick,
) -> CellLimits {
    let mut limits = CellLimits {
        charge: Vec::new(),
        discharge: Vec::new(),
        protects: None,
        is_empty: false,
        is_dead: false,
    };
    let coldest_c = sound.heat.coldest.as_ref().map(|spot| spot.celsius);
    let ohm = memory.resistance.ohm(sound.capacity_ah, coldest_c, settings);
    if let (Some(top), Some(current_a)) = (top(sound), sound.current_a) {
        learn(sound, memory, &top, current_a);
        // A current beyond the limits, or a lie about one, earns no higher limit.
        let current_a = current_a.min(ROOM * followed.charge_a + ROOM_A);
        charge(sound, memory, &top, current_a, ohm, disobeyed, settings, tick, &mut limits);
    }
    if let (Some(bottom), Some(current_a)) = (bottom(sound), sound.current_a) {
        recovery(sound, memory, &bottom, settings, &mut limits);
        let current_a = current_a.max(-(ROOM * followed.discharge_a + ROOM_A));
        discharge(sound, memory, &bottom, current_a, ohm, settings, tick, &mut limits);
    }
    limits
}

/// Learns the slope and the resistance of the highest cell from a new sample.
fn learn(sound: &Sound, memory: &mut CellMemory, top: &Extreme, current_a: f64) {
    let Some(sample_s) = sound.sample_s else { return };
    if let (Some(last_v), true) = (memory.last_v, sample_s > 0.0) {
        memory.slope.step((top.v - last_v) / sample_s, sample_s, SLOPE_S);
    }
    memory.last_v = Some(top.v);
    memory.resistance.learn(top.v, current_a, sound.capacity_ah, sample_s);
}

#[expect(clippy::too_many_arguments, reason = "one half of `step`")]
fn charge(
    sound: &Sound,
    memory: &mut CellMemory,
    top: &Extreme,
    current_a: f64,
    (ohm, least_ohm): (f64, f64),
    disobeyed: Option<Disobeyed>,
    settings: &Settings,
    tick: Tick,
    limits: &mut CellLimits,
) {
    let (Some(soft_v), Some(ceiling_v)) =
        (settings.some(Key::CellSoftMaximum), settings.some(Key::CellCeiling))
    else {
        return;
    };
    let seen = sound.highest.is_some();
    let margin_v = if seen { 0.0 } else { PACK_MARGIN_V / sound.n() };
    let aim_v = if disobeyed.is_some() { ceiling_v } else { soft_v } - margin_v;
    let ahead_s = settings.get(Key::PredictionTime);
    let ahead_v = top.v + ahead_s * memory.slope.get().unwrap_or(0.0).max(0.0);
    // More resistance than is certain may make the way up slower, never the way down.
    let toward = |headroom_v: f64| current_a + headroom_v / if headroom_v > 0.0 { ohm } else { least_ohm };
    let reason = || Reason::CellHigh { member: sound.label.clone(), cell: top.id.clone(), v: top.v };
    limits.charge.push(Limit::new(toward(aim_v - ahead_v), reason()));
    if let (Some(Disobeyed { cvl_v }), Some(pack_v)) = (disobeyed, sound.voltage_v) {
        limits.charge.push(Limit::new(toward((cvl_v - pack_v) / sound.n()), reason()));
    }

    let (stop_v, release_v) = (settings.get(Key::CellStop), settings.get(Key::CellStopRelease));
    let back_s = memory.back.step(top.v <= release_v, tick.dt_s);
    memory.stopped = top.v >= stop_v || (memory.stopped && back_s < RELEASED_S);
    if memory.stopped {
        let reason = Reason::CellStop { member: sound.label.clone(), until_v: release_v };
        limits.charge.push(Limit::new(0.0, reason.clone()));
        limits.protects = Some(reason);
    }
}

/// Deep discharge: little current, or none at all.
fn recovery(
    sound: &Sound,
    memory: &mut CellMemory,
    bottom: &Extreme,
    settings: &Settings,
    limits: &mut CellLimits,
) {
    let (Some(below_v), Some(never_v)) =
        (settings.some(Key::RecoveryBelow), settings.some(Key::NeverChargeBelow))
    else {
        return;
    };
    let until_v = settings.get(Key::DischargeStop) + ABOVE_STOP_V;
    memory.recovering = bottom.v < below_v || (memory.recovering && bottom.v < until_v);
    if memory.recovering {
        let reason = Reason::Recover { member: sound.label.clone(), v: bottom.v };
        limits.charge.push(Limit::new(settings.get(Key::TrickleRate) * sound.capacity_ah, reason));
    }
    if bottom.v < never_v {
        limits.is_dead = true;
        let reason = Reason::NeverCharge { member: sound.label.clone(), v: bottom.v };
        limits.charge.push(Limit::new(0.0, reason.clone()));
        limits.protects = Some(reason);
    }
}

#[expect(clippy::too_many_arguments, reason = "one half of `step`")]
fn discharge(
    sound: &Sound,
    memory: &mut CellMemory,
    bottom: &Extreme,
    current_a: f64,
    (ohm, least_ohm): (f64, f64),
    settings: &Settings,
    tick: Tick,
    limits: &mut CellLimits,
) {
    let stop_v = settings.get(Key::DischargeStop);
    let headroom_v = bottom.v - (stop_v + ABOVE_STOP_V);
    let value = -current_a + headroom_v / if headroom_v > 0.0 { ohm } else { least_ohm };
    let reason = || Reason::CellLow { member: sound.label.clone(), cell: bottom.id.clone(), v: bottom.v };
    limits.discharge.push(Limit::new(value, reason()));

    let back_s = memory.low_back.step(bottom.v >= settings.get(Key::DischargeRelease), tick.dt_s);
    memory.low_stopped = bottom.v <= stop_v || (memory.low_stopped && back_s < LOW_RELEASED_S);
    limits.is_empty = memory.low_stopped;
    if memory.low_stopped {
        limits.discharge.push(Limit::new(0.0, reason()));
    }
}

/// The highest cell, or the mean where no cell is seen.
pub(crate) fn top(sound: &Sound) -> Option<Extreme> {
    sound.highest.clone().or_else(|| mean(sound))
}

/// The lowest cell, or the mean where no cell is seen.
pub(crate) fn bottom(sound: &Sound) -> Option<Extreme> {
    sound.lowest.clone().or_else(|| mean(sound))
}

fn mean(sound: &Sound) -> Option<Extreme> {
    sound.mean_v.map(|v| Extreme { v, id: "mean".into() })
}
