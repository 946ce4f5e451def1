//! When a member is full.

use serde::{Deserialize, Serialize};

use crate::filter::Since;
use crate::settings::{Key, Settings};
use crate::tick::Tick;
use crate::validate::{Freshness, Sound};

/// Near enough to a voltage: pack, and highest cell, V.
pub(crate) const NEAR_V: f64 = 0.15;
pub(crate) const NEAR_CEILING_V: f64 = 0.010;

/// What is remembered of a member on its way to full.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct FullMemory {
    dwell: Since,
    /// It has been found full in this charge.
    pub(crate) full: bool,
}

/// The current below which a member at its voltage is full, A.
pub(crate) fn tail_a(sound: &Sound, settings: &Settings) -> f64 {
    let most_a = settings.get(Key::TailCurrent) * sound.capacity_ah;
    let (Some(zero_v), Some(full_v)) =
        (settings.some(Key::TailZeroVoltage), settings.some(Key::TailFullVoltage))
    else {
        return most_a;
    };
    let top_v = sound.top_v().unwrap_or(0.0);
    most_a * ((top_v - zero_v) / (full_v - zero_v)).clamp(0.0, 1.0)
}

/// The voltage that charging aims at is reached, or a cell is as high as it may be.
pub(crate) fn reached(sound: &Sound, target_v: f64, settings: &Settings) -> bool {
    let pack = sound.voltage_v.is_some_and(|v| v >= target_v - NEAR_V);
    let ceiling_v = settings.some(Key::CellCeiling);
    let cell = matches!((&sound.highest, ceiling_v), (Some(top), Some(v)) if top.v >= v - NEAR_CEILING_V);
    pack || cell
}

/// Follows one member. `free`: nothing but the battery itself keeps the current small.
pub(crate) fn step(
    sound: &Sound,
    memory: &mut FullMemory,
    target_v: f64,
    free: bool,
    settings: &Settings,
    tick: Tick,
) {
    let tail_a = tail_a(sound, settings);
    let little = tail_a > 0.0 && sound.current_a.is_some_and(|a| (0.0..=tail_a).contains(&a));
    let fresh = sound.freshness == Freshness::Fresh && !sound.odd;
    let now = little && fresh && free && reached(sound, target_v, settings);
    memory.full |= memory.dwell.step(now, tick.dt_s) >= settings.get(Key::TailDwell);
}
