//! What the bank warns of, and what the user should know.

use super::bank::{Bank, inside};
use crate::alarms::{Alarm, Alarms, Level};
use crate::followers::{Stage, Watched};
use crate::input::{Battery, Inverters};
use crate::limit::Limit;
use crate::members::Allowed;
use crate::membership::{Roster, Standing, Unit};
use crate::memory::Memory;
use crate::name::Name;
use crate::notes::Note;
use crate::reasons::Reason;
use crate::settings::{Key, Settings};
use crate::soc::Soc;
use crate::state::{Because, State};
use crate::tick::Tick;

/// A silence longer than this is an alarm, shorter a warning, s.
const SILENCE_ALARMS_S: f64 = 30.0;
/// A battery steers its own float when its limit has been so far below its highest, V per cell, for so long, s.
const OWN_FLOAT_V: f64 = 0.05;
const OWN_FLOAT_S: f64 = 60.0;
/// The monitor and the members differ: A, and part of the current, for so long, s.
const DIFFERS_A: f64 = 5.0;
const DIFFERS_PART: f64 = 0.05;
const DIFFERS_S: f64 = 30.0;

/// Everything that there is to warn of.
pub(super) struct Shown<'a> {
    pub(super) units: &'a [Unit],
    pub(super) batteries: &'a [&'a Battery],
    pub(super) roster: &'a Roster,
    pub(super) allowed: &'a [Allowed],
    pub(super) watched: &'a Watched,
    pub(super) soc: &'a Soc,
    pub(super) bank: &'a Bank,
    pub(super) state: State,
    pub(super) charge: &'a Limit,
    pub(super) floor: bool,
    pub(super) apart: Option<&'a (Name, Name)>,
    pub(super) inverters: &'a Inverters,
}

/// The alarms of the bank: those of its members, and its own.
pub(super) fn alarms(shown: &Shown<'_>) -> Alarms {
    let mut alarms = Alarms::default();
    for (battery, standing) in shown.batteries.iter().zip(&shown.roster.standings) {
        if matches!(standing, Standing::Member | Standing::Silent) {
            alarms.merge(&battery.alarms);
        }
    }
    let mut raise = |so: bool, alarm: Alarm, level: Level| {
        if so {
            alarms.raise(alarm, level);
        }
    };
    let members = || inside(shown.units, shown.roster).map(|unit| &unit.sound);
    let any = |what: fn(&Allowed) -> bool| shown.allowed.iter().any(what);
    raise(shown.floor, Alarm::LowSoc, Level::Warning);
    raise(any(|own| own.cells.protects.is_some()), Alarm::HighCellVoltage, Level::Alarm);
    raise(any(|own| own.cells.is_empty), Alarm::LowCellVoltage, Level::Warning);
    raise(any(|own| own.cells.is_dead), Alarm::LowCellVoltage, Level::Alarm);
    raise(any(|own| own.circulates), Alarm::HighChargeCurrent, Level::Warning);
    let stopped = shown.charge.value <= 0.0;
    let cause = shown.charge.reason.cause();
    raise(stopped && matches!(cause, Reason::Cold { .. }), Alarm::LowChargeTemperature, Level::Warning);
    raise(stopped && matches!(cause, Reason::Hot { .. }), Alarm::HighChargeTemperature, Level::Warning);
    raise(stopped && matches!(cause, Reason::Mosfet { .. }), Alarm::HighInternalTemperature, Level::Warning);
    let broken = members().any(|sound| sound.heat.invalid.is_some() || sound.heat.frozen.is_some());
    raise(broken, Alarm::BatteryTemperatureSensor, Level::Warning);
    raise(members().any(|sound| sound.suspect.is_some()), Alarm::InternalFailure, Level::Warning);
    raise(members().any(|sound| sound.contradicts.is_some()), Alarm::InternalFailure, Level::Alarm);
    raise(shown.apart.is_some(), Alarm::InternalFailure, Level::Alarm);
    let open = shown.roster.standings.iter().any(|standing| matches!(standing, Standing::Open { .. }));
    raise(open, Alarm::Contactor, Level::Warning);
    raise(shown.roster.loss, Alarm::ParallelBmsLost, Level::Warning);
    if let Some((_, age_s)) = shown.roster.stopped_by {
        let level = if age_s > SILENCE_ALARMS_S { Level::Alarm } else { Level::Warning };
        raise(true, Alarm::BmsCable, level);
    }
    raise(shown.watched.stage >= Stage::Overrun, Alarm::HighChargeCurrent, Level::Warning);
    raise(shown.watched.stage >= Stage::Voltage, Alarm::HighChargeCurrent, Level::Alarm);
    raise(shown.watched.over_discharged, Alarm::HighDischargeCurrent, Level::Alarm);
    alarms
}

/// What else the user should know.
pub(super) fn notes(shown: &Shown<'_>, memory: &mut Memory, settings: &Settings, tick: Tick) -> Vec<Note> {
    let mut notes = Vec::new();
    for (unit, standing) in shown.units.iter().zip(&shown.roster.standings) {
        if matches!(standing, Standing::Member) {
            notes.extend(unit.sound.notes.iter().cloned());
        }
    }
    notes.extend(shown.roster.notes.iter().cloned());
    notes.extend(shown.watched.notes.iter().cloned());
    if let Some((one, other)) = shown.apart {
        notes.push(Note::WindowsApart { one: one.clone(), other: other.clone() });
    }
    if let (true, Some(unit)) = (shown.roster.apart, inside(shown.units, shown.roster).next()) {
        notes.push(Note::VoltagesDiffer { who: unit.sound.label.clone() });
    }
    own_floats(shown, memory, settings, tick, &mut notes);
    monitor(shown, memory, tick, &mut notes);
    dvcc(shown, &mut notes);
    if shown.state == State::Float && memory.bank.phase.because == Because::TimedOut {
        notes.push(Note::AbsorptionTimedOut);
    }
    let days = memory.history.days_since_full();
    if days >= settings.get(Key::FullChargeWarning) {
        notes.push(Note::FullChargeDue { days });
    }
    if shown.state == State::Forced && shown.charge.value <= 0.0 {
        notes.push(Note::ForcedInVain);
    }
    notes.extend(shown.soc.uncertain.map(|by| Note::SocUncertain { by }));
    notes
}

/// Batteries that lower their limit near the end of a charge.
fn own_floats(
    shown: &Shown<'_>,
    memory: &mut Memory,
    settings: &Settings,
    tick: Tick,
    notes: &mut Vec<Note>,
) {
    let near_full = shown.bank.top_v.is_some_and(|v| v >= settings.get(Key::FloatVoltage));
    for unit in inside(shown.units, shown.roster) {
        let Some(cvl_v) = unit.sound.cvl.value() else { continue };
        let own = memory.bank.own_float.entry(unit.sound.service.clone()).or_default();
        own.highest_v = own.highest_v.max(cvl_v);
        let lowered = cvl_v < own.highest_v - OWN_FLOAT_V * unit.sound.n()
            && cvl_v < unit.sound.n() * settings.get(Key::AbsorptionVoltage);
        if own.lowered.step(lowered && near_full, tick.dt_s) >= OWN_FLOAT_S {
            notes.push(Note::OwnFloat { who: unit.sound.label.clone() });
        }
    }
    let present = |name: &Name| shown.units.iter().any(|unit| unit.sound.service == *name);
    memory.bank.own_float.retain(|name, _| present(name));
}

fn monitor(shown: &Shown<'_>, memory: &mut Memory, tick: Tick, notes: &mut Vec<Note>) {
    let monitor = shown.roster.monitor.and_then(|index| shown.units.get(index)).map(|unit| &unit.sound);
    let measured = monitor.and_then(|monitor| Some((monitor.label.clone(), monitor.current_a?)));
    let by_a = measured.as_ref().map_or(0.0, |(_, a)| a - shown.bank.current_a);
    let room_a = DIFFERS_A.max(DIFFERS_PART * shown.bank.current_a.abs());
    let for_s = memory.bank.monitor_differs.step(by_a.abs() > room_a, tick.dt_s);
    if let (Some((who, _)), true) = (measured, for_s >= DIFFERS_S) {
        notes.push(Note::MonitorDiffers { who, by_a });
    }
}

/// What keeps the limits from reaching Victron's devices.
fn dvcc(shown: &Shown<'_>, notes: &mut Vec<Note>) {
    let site = &shown.inverters.site;
    if site.dvcc == Some(false) {
        notes.push(Note::DvccOff);
    }
    if site.dvcc.is_none() {
        return;
    }
    let others = shown.batteries.iter().filter(|battery| !battery.gives_way);
    for battery in others.filter(|battery| battery.limits.charge_voltage_v.is_some()) {
        notes.push(Note::OtherBms { who: battery.label.clone() });
        let lower = battery.instance.zip(site.own_instance).filter(|(instance, own)| instance < own);
        if let Some((instance, _)) = lower {
            notes.push(Note::LowerInstance { who: battery.label.clone(), instance });
        }
    }
}
