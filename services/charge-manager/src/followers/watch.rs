//! What was done with the last limits.

use std::time::Duration;

use super::{FleetMemory, Stage, current_a};
use crate::input::{Class, Inverters};
use crate::name::Name;
use crate::notes::Note;
use crate::settings::Settings;
use crate::tick::Tick;

/// A share is kept free so long for a follower that is gone: it holds its last limits for 10 s and needs 2 s to 0.
const RESERVED_S: f64 = 12.0;
/// Response of whatever cannot be seen, s: the slowest known.
const UNSEEN_RESPONSE_S: f64 = 12.0;
/// The lever of last resort lies so far below the voltage of the pack, V.
const LEVER_BELOW_V: f64 = 0.1;

/// What was done with the last limits.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) stage: Stage,
    /// What takes too much.
    pub(crate) who: Option<Name>,
    /// The charge voltage must be at most this, V.
    pub(crate) lever_v: Option<f64>,
    /// The bank is discharged with more than it may.
    pub(crate) over_discharged: bool,
    /// A follower would draw the battery down to a lower charge voltage.
    pub(crate) draws_down: bool,
    pub(crate) notes: Vec<Note>,
}

/// The bank as its devices are judged by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    pub(crate) now: Duration,
    /// The limits that were published last, A.
    pub(crate) told_charge_a: f64,
    pub(crate) told_discharge_a: f64,
    pub(crate) current_a: f64,
    pub(crate) bus_v: Option<f64>,
}

/// Judges what was done with the last limits.
pub(crate) fn watch(
    around: &Inverters,
    memory: &mut FleetMemory,
    bank: Watch,
    settings: &Settings,
    tick: Tick,
) -> Watched {
    let mut watched = Watched::default();
    for device in &around.devices {
        watched.draws_down |= device.class == Class::Follower && device.draws_down;
        let known = memory.devices.entry(device.service.clone()).or_default();
        known.gone.reset();
        if device.class != Class::Follower {
            continue;
        }
        if let Some(current_a) = current_a(device, bank.now) {
            let taken_a = current_a.max(0.0);
            known.obedience.step(known.charge.get(), taken_a, device.response_s, settings, tick);
        }
        if known.obedience.disobeys() {
            watched.who.get_or_insert_with(|| device.label.clone());
            watched.notes.push(Note::Overrun { who: device.label.clone() });
        }
    }
    let present = |name: &Name| around.devices.iter().any(|device| device.service == *name);
    memory.devices.retain(|name, known| present(name) || known.gone.step(true, tick.elapsed_s) <= RESERVED_S);

    let slowest_s = around.devices.iter().map(|device| device.response_s).fold(0.0, f64::max);
    let response_s = if around.devices.is_empty() { UNSEEN_RESPONSE_S } else { slowest_s };
    let (charge_a, discharge_a) = (bank.current_a.max(0.0), (-bank.current_a).max(0.0));
    memory.charging.step(bank.told_charge_a, charge_a, response_s, settings, tick);
    memory.discharging.step(bank.told_discharge_a, discharge_a, response_s, settings, tick);
    watched.over_discharged = memory.discharging.disobeys();

    let shares_a: f64 = memory.devices.values().map(|known| known.charge.get()).sum();
    let nothing_left = shares_a + memory.victron_charge.get() <= 0.0;
    let over = memory.charging.is_over();
    let overrun = memory.charging.disobeys() || (over && watched.who.is_some());
    watched.stage = memory.escalation.step(overrun, over, nothing_left, settings, tick);
    if overrun && watched.who.is_none() {
        let who = Name::from("a charger");
        watched.notes.push(Note::Overrun { who: who.clone() });
        watched.who = Some(who);
    }
    if watched.stage >= Stage::Voltage {
        watched.lever_v = bank.bus_v.map(|bus_v| bus_v - LEVER_BELOW_V);
    }
    watched
}
