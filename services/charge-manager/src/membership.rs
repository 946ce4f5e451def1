//! Which batteries are the bank, who comes and who goes.
//!
//! A member is out in the tick that sees it go. What becomes of the others then depends on why it went: a service that is
//! gone from the bus leaves the others to go on; a battery that is silent while its cells may carry current stops the bank.
//! A service that is back within ten seconds has not been away. A battery that is electrically open takes no part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::filter::Since;
use crate::input::Battery;
use crate::memory::MemberMemory;
use crate::name::Name;
use crate::notes::Note;
use crate::settings::{Key, LostMember, Role, Settings};
use crate::tick::Tick;
use crate::validate::{Freshness, STANDS_S, Sound};

/// Names of what shows a bank itself, or what is no battery of its own.
const NO_BATTERIES: [&str; 3] = ["com.victronenergy.battery.busbar", "aggregat", "virtual"];
/// No current to speak of, A.
const NO_CURRENT_A: f64 = 0.2;
/// A current that only a closed contactor lets through, A.
const CURRENT_A: f64 = 0.5;
/// How long a battery carries nothing until its contactor counts as open, s.
const OPEN_AFTER_S: f64 = 10.0;
/// Part of the capacity of the bank in A that must flow meanwhile; less than half of it to connect a battery.
const BANK_FLOWS_C: f64 = 0.1;
const BANK_RESTS_C: f64 = 0.05;
/// How long a battery that is gone stays in memory and in the notes, s.
const REMEMBERED_S: f64 = 24.0 * 3_600.0;
/// How long its loss is an alarm, s.
const LOSS_ALARMS_S: f64 = 600.0;
/// Most batteries that are remembered.
const MOST_REMEMBERED: usize = 64;
/// Resistance of a cell on the way to the busbar is taken so many times its own for what flows when a battery closes.
const JOIN_CURRENT_PART: f64 = 0.5;

/// Where a battery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Not in the bank as yet, or no more.
    #[default]
    Outside,
    /// In the bank.
    Inside,
    /// Its contactor is open.
    Open,
}

/// What is remembered of a battery's place.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct PlaceMemory {
    pub(crate) place: Place,
    /// It was in the bank when it was last heard of, and has been unusable since.
    silent: bool,
    /// Time without usable data, s.
    unusable: Since,
    still: Since,
    near: Since,
    flowing: Since,
    pub(crate) charge_set: bool,
    pub(crate) discharge_set: bool,
    pub(crate) sets_known: bool,
    /// It has been in the bank.
    pub(crate) was_member: bool,
}

/// A battery with its memory, during one decision.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) sound: Sound,
    pub(crate) role: Role,
    pub(crate) connected: bool,
    pub(crate) memory: MemberMemory,
}

/// Where a battery is, for the user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// In the bank.
    Member,
    /// Measures the bank.
    Monitor,
    /// Nothing to the bank.
    Ignored,
    /// Its data are awaited.
    Waiting,
    /// Its data are too old or incomplete.
    Silent,
    /// Its contactor is open.
    Open {
        /// Its voltage less that of the busbar, V.
        by_v: f64,
        /// It may be connected now.
        may_close: bool,
    },
}

/// The bank of this moment.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// Indices of the members in the bank.
    pub(crate) inside: Vec<usize>,
    /// Index of the monitor.
    pub(crate) monitor: Option<usize>,
    /// Where each battery is.
    pub(crate) standings: Vec<Standing>,
    /// A member that went in this tick.
    pub(crate) left: Option<Name>,
    /// A member that came in this tick.
    pub(crate) joined: Option<Name>,
    /// A member for which the bank stops, and for how long it has been silent.
    pub(crate) stopped_by: Option<(Name, f64)>,
    /// A loss that is worth an alarm.
    pub(crate) loss: bool,
    /// Members at voltages that cannot be one busbar: any of them may be alone on it.
    pub(crate) apart: bool,
    pub(crate) notes: Vec<Note>,
}

/// Says of each battery what it is to the bank.
pub(crate) fn assign_roles(
    units: &mut [Unit],
    batteries: &[&Battery],
    absent: &BTreeMap<Name, MemberMemory>,
    settings: &Settings,
) {
    let limits_on_the_bus = units
        .iter()
        .zip(batteries)
        .any(|(unit, battery)| unit.sound.has_limits && role(battery, true, true, settings) != Role::Ignore);
    let bank_has_limits = limits_on_the_bus
        || absent.values().any(|memory| memory.place.was_member && memory.data.has_limits());
    for (unit, battery) in units.iter_mut().zip(batteries) {
        unit.role = role(battery, unit.sound.has_limits, bank_has_limits, settings);
    }
}

/// What a battery is to the bank, by its settings, its name and its items.
fn role(battery: &Battery, has_limits: bool, bank_has_limits: bool, settings: &Settings) -> Role {
    match settings.role(&battery.service) {
        Role::Automatic => {
            let name = battery.service.to_ascii_lowercase();
            if NO_BATTERIES.iter().any(|part| name.contains(part)) {
                Role::Ignore
            } else if has_limits || !bank_has_limits {
                Role::Member
            } else {
                Role::Monitor
            }
        }
        role => role,
    }
}

/// Sorts the batteries into the bank. `absent` are those in memory that are not on the bus.
pub(crate) fn sort(
    units: &mut [Unit],
    absent: &mut BTreeMap<Name, MemberMemory>,
    settings: &Settings,
    tick: Tick,
) -> Roster {
    let mut roster = Roster { standings: vec![Standing::Ignored; units.len()], ..Roster::default() };
    only_one_shunt(units, settings, &mut roster);
    let founding = !units.iter().any(|unit| unit.memory.place.place == Place::Inside)
        && !absent.values().any(|memory| memory.place.place == Place::Inside);
    let bus = Bus::of(units);

    for (index, unit) in units.iter_mut().enumerate() {
        let standing = match unit.role {
            Role::Monitor => {
                if unit.sound.usable() && roster.monitor.is_none() {
                    roster.monitor = Some(index);
                }
                Standing::Monitor
            }
            Role::Ignore => {
                unit.memory.place = PlaceMemory::default();
                Standing::Ignored
            }
            Role::Member | Role::Automatic => {
                place_member(index, unit, &bus, founding, settings, tick, &mut roster)
            }
        };
        if let Some(slot) = roster.standings.get_mut(index) {
            *slot = standing;
        }
    }
    mourn(absent, settings, tick, &mut roster);
    roster.apart = Bus::of(units).apart(settings);
    roster
}

/// Without any limits on the bus, one shunt speaks for the bank; more would count the same current twice. What the user has
/// made a member is one.
fn only_one_shunt(units: &mut [Unit], settings: &Settings, roster: &mut Roster) {
    let shunt = |unit: &&mut Unit| {
        unit.role == Role::Member
            && !unit.sound.has_limits
            && settings.role(&unit.sound.service) == Role::Automatic
    };
    let mut shunts = units.iter_mut().filter(shunt);
    let Some(first) = shunts.next() else { return };
    let taken = first.sound.label.clone();
    let mut several = false;
    for other in shunts {
        other.role = Role::Monitor;
        several = true;
    }
    if several {
        roster.notes.push(Note::ManyShunts { taken });
    }
}

fn place_member(
    index: usize,
    unit: &mut Unit,
    bus: &Bus,
    founding: bool,
    settings: &Settings,
    tick: Tick,
    roster: &mut Roster,
) -> Standing {
    let Unit { sound, connected, memory, .. } = unit;
    let place = &mut memory.place;
    let usable = sound.usable() && *connected;
    let unusable_s = place.unusable.step(!usable, tick.elapsed_s);
    if !usable {
        return place_silent(sound, place, *connected, unusable_s, settings, roster);
    }
    let was = place.place;
    let others_v = bus.others_v(index);
    let by_v = others_v.zip(sound.voltage_v).map_or(0.0, |(bus_v, v)| v - bus_v);
    let current_a = sound.current_a.unwrap_or(0.0);
    let open_v = settings.get(Key::OpenVoltage);
    let join_v = settings.get(Key::JoinVoltage) * sound.n() / 16.0;
    let still_s = place
        .still
        .step(current_a.abs() <= NO_CURRENT_A && by_v.abs() > open_v && bus.flows(BANK_FLOWS_C), tick.dt_s);
    let near_s = place.near.step(by_v.abs() <= join_v, tick.dt_s);
    let flowing_s = place.flowing.step(current_a.abs() > CURRENT_A, tick.dt_s);
    let healthy_s = settings.get(Key::HealthyTime);
    place.place = match was {
        Place::Inside if still_s >= OPEN_AFTER_S => Place::Open,
        Place::Inside => Place::Inside,
        _ if founding => Place::Inside,
        // Current through it, or the voltage of the busbar: it is connected.
        Place::Open if flowing_s > 0.0 || near_s >= healthy_s => Place::Inside,
        Place::Open => Place::Open,
        Place::Outside if by_v.abs() > open_v && current_a.abs() <= CURRENT_A => Place::Open,
        Place::Outside => Place::Inside,
    };
    if place.place == Place::Open {
        if was == Place::Inside {
            roster.left = Some(sound.label.clone());
        }
        let rests = !bus.flows(BANK_RESTS_C);
        let inrush_v = inrush_v(sound, settings);
        let may_close = rests && near_s >= healthy_s && by_v.abs() <= join_v.min(inrush_v);
        roster.notes.push(Note::NotConnected { who: sound.label.clone(), by_v, may_close });
        return Standing::Open { by_v, may_close };
    }
    // The first members of all found the bank, and one that was only silent has been in it all the time.
    if was != Place::Inside && !founding && !place.silent {
        roster.joined = Some(sound.label.clone());
    }
    (place.silent, place.was_member) = (false, true);
    roster.inside.push(index);
    Standing::Member
}

/// A battery without usable data.
fn place_silent(
    sound: &Sound,
    place: &mut PlaceMemory,
    connected: bool,
    unusable_s: f64,
    settings: &Settings,
    roster: &mut Roster,
) -> Standing {
    if place.place == Place::Inside {
        place.place = Place::Outside;
        place.silent = true;
        roster.left = Some(sound.label.clone());
    }
    let age_s = sound.age_s.max(unusable_s);
    let waited = unusable_s > STANDS_S || sound.freshness == Freshness::Stale;
    // One that says itself that it is not connected, and was not a member, is only not there.
    if !place.silent && (!connected || !waited) {
        return Standing::Waiting;
    }
    let stops = settings.plan().silent_member == LostMember::StopBank && (place.silent || sound.has_limits);
    if stops && roster.stopped_by.is_none() {
        roster.stopped_by = Some((sound.label.clone(), age_s));
    }
    let who = sound.label.clone();
    match (sound.voltage_v, sound.current_a) {
        (None, _) if !place.silent => roster.notes.push(Note::Incomplete { who, what: "voltage" }),
        (_, None) if !place.silent => roster.notes.push(Note::Incomplete { who, what: "current" }),
        _ => roster.notes.push(Note::Lost { who, stops }),
    }
    roster.loss = true;
    Standing::Silent
}

/// Batteries that are in memory and not on the bus.
fn mourn(absent: &mut BTreeMap<Name, MemberMemory>, settings: &Settings, tick: Tick, roster: &mut Roster) {
    absent.retain(|_, memory| {
        let place = &mut memory.place;
        let gone_s = place.unusable.step(true, tick.elapsed_s);
        let inside = place.place == Place::Inside;
        if inside && gone_s <= tick.elapsed_s {
            roster.left = Some(memory.label.clone());
        }
        let rule = if place.silent { settings.plan().silent_member } else { settings.plan().gone_member };
        let stops = rule == LostMember::StopBank && (place.silent || inside);
        if stops && roster.stopped_by.is_none() && (place.silent || gone_s > STANDS_S) {
            roster.stopped_by = Some((memory.label.clone(), gone_s));
        }
        if !stops && gone_s > STANDS_S {
            place.place = Place::Outside;
        }
        roster.loss |= stops || gone_s <= LOSS_ALARMS_S;
        roster.notes.push(Note::Lost { who: memory.label.clone(), stops });
        stops || (memory.place.was_member && gone_s <= REMEMBERED_S)
    });
    while absent.len() > MOST_REMEMBERED {
        absent.pop_first();
    }
}

/// The largest difference of voltage at which what flows when the battery closes stays small, V.
fn inrush_v(sound: &Sound, settings: &Settings) -> f64 {
    let resistance_ohm = 2.0 * sound.n() * settings.get(Key::CellResistance) / 1_000.0 / sound.capacity_ah;
    let most_a = sound.ccl.value().unwrap_or(f64::INFINITY).min(sound.capacity_ah / 2.0);
    JOIN_CURRENT_PART * most_a * resistance_ohm
}

/// The busbar as its members see it.
struct Bus {
    /// Index, voltage and current of each member.
    members: Vec<(usize, f64, f64)>,
    capacity_ah: f64,
}

impl Bus {
    fn of(units: &[Unit]) -> Bus {
        let mut bus = Bus { members: Vec::new(), capacity_ah: 0.0 };
        for (index, unit) in units.iter().enumerate() {
            let inside = unit.memory.place.place == Place::Inside && unit.role == Role::Member;
            if let (true, Some(v), Some(a)) = (inside, unit.sound.voltage_v, unit.sound.current_a) {
                bus.members.push((index, v, a));
                bus.capacity_ah += unit.sound.capacity_ah;
            }
        }
        bus
    }

    /// Mean voltage of all members but one, V.
    fn others_v(&self, index: usize) -> Option<f64> {
        let others = self.members.iter().filter(|(other, ..)| *other != index);
        let (sum_v, count) = others.fold((0.0, 0u32), |(sum, count), (_, v, _)| (sum + v, count + 1));
        (count > 0).then(|| sum_v / f64::from(count))
    }

    /// A current beyond this part of the capacity flows.
    fn flows(&self, c: f64) -> bool {
        self.members.iter().map(|(.., a)| a).sum::<f64>().abs() > c * self.capacity_ah
    }

    fn apart(&self, settings: &Settings) -> bool {
        let far = |&(index, v, _): &(usize, f64, f64)| {
            self.others_v(index).is_some_and(|others_v| (v - others_v).abs() > settings.get(Key::OpenVoltage))
        };
        self.members.iter().any(far)
    }
}
