//! What the state of the bank goes by, and its next state.

use super::bank::{Bank, inside};
use super::data::Data;
use crate::cvl::state_cell_v;
use crate::full;
use crate::input::{Battery, Site};
use crate::members::Allowed;
use crate::membership::{Roster, Unit};
use crate::memory::Memory;
use crate::reasons::Reason;
use crate::settings::{Key, Settings};
use crate::soc::Soc;
use crate::state::{Because, Sight, State};
use crate::tick::Tick;
use crate::validate::Freshness;

/// How long a low cell makes a battery empty, s, and at what current, part of the capacity.
const EMPTY_S: f64 = 60.0;
const EMPTY_C: f64 = 0.2;
/// A battery that shows more than this has been full for its own purposes, %.
const FULL_BY_BMS: f64 = 97.0;
/// A battery that asks for a full charge has got one when the last was no longer ago than this; so has the user, s.
const ASKED_AGAIN_S: f64 = 24.0 * 3_600.0;
const WISHED_AGAIN_S: f64 = 600.0;
const DAY_S: f64 = 86_400.0;
/// A lead-acid battery of 12 V is absorbed the longer the emptier it began: hours below each voltage (Victron SmartSolar
/// manual, adaptive absorption).
const ABSORB_12V: [(f64, f64); 3] = [(11.9, 6.0), (12.2, 4.0), (12.6, 2.0)];
const ABSORB_12V_LEAST_H: f64 = 1.0;
/// A current in which cells are compared, part of the capacity, where the tail current is not more.
const COMPARED_C: f64 = 0.02;
/// The limit is not what keeps the current small when it is so many times the tail current.
const FREE: f64 = 2.0;

/// What is around the bank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) batteries: &'a [&'a Battery],
    pub(super) site: &'a Site,
    pub(super) soc: &'a Soc,
    pub(super) bank: &'a Bank,
}

/// Looks at everything that the state goes by.
#[expect(clippy::too_many_arguments, reason = "the state goes by everything")]
pub(super) fn see(
    units: &mut [Unit],
    roster: &Roster,
    allowed: &[Allowed],
    data: &Data,
    around: Around<'_>,
    memory: &mut Memory,
    settings: &Settings,
    tick: Tick,
) -> Sight {
    let Around { batteries, site, soc, bank } = around;
    let smoothed_c = allowed.iter().filter_map(|own| own.smoothed_c).reduce(f64::max);
    let (target_cell_v, _) = state_cell_v(State::Absorption, smoothed_c, settings);
    let (reached, full, below_v) = follow_members(units, roster, site, target_cell_v, memory, settings, tick);
    let protects = allowed.iter().filter(|own| own.charges).find_map(|own| own.cells.protects.clone());
    if let Some(reason) = &protects {
        memory.bank.protected_by = reason.clone();
    }
    let members = || inside(units, roster);
    let asking = |what: fn(&Battery) -> bool| {
        members().any(|unit| {
            batteries.iter().any(|battery| battery.service == unit.sound.service && what(battery))
        })
    };
    let history = &memory.history;
    let since_full_s = history.since_full_s.unwrap_or(f64::INFINITY);
    let full_due = history.days_since_full() >= settings.get(Key::FullChargeDue)
        || (site.wants_full_charge && since_full_s >= WISHED_AGAIN_S)
        || (asking(|battery| battery.asks_for_full_charge) && since_full_s >= ASKED_AGAIN_S);
    let older = |since_s: Option<f64>, days: f64| since_s.is_some_and(|s| s >= days * DAY_S);
    let balance_due = site.wants_balance || older(history.since_balanced_s, settings.get(Key::FullChargeDue));
    let equalise_every = settings.some(Key::EqualiseEvery).filter(|days| *days > 0.0);
    let equalise_due =
        site.wants_equalisation || equalise_every.is_some_and(|days| older(history.since_equalised_s, days));
    let below_force = settings
        .some(Key::ForceChargeBelow)
        .is_some_and(|force_v| bank.bottom_v.is_some_and(|v| v < force_v));
    Sight {
        data: matches!(data, Data::Live | Data::Held),
        healthy: *data == Data::Live && members().all(|unit| unit.sound.freshness == Freshness::Fresh),
        protect: protects.is_some(),
        reached,
        below_v,
        full,
        balanced: balanced(units, roster, settings),
        balance_due,
        equalise_due,
        full_due,
        soc: soc.shown,
        top_v: bank.top_v,
        mean_v: bank.mean_v,
        current_c: bank.current_c(),
        below_force,
        empty: allowed.iter().any(|own| own.cells.is_empty),
        asked: site.wants_charge || asking(|battery| battery.asks_for_charge),
        hottest_c: bank.hottest_c,
        absorption_most_s: adaptive_s(memory.bank.bulk_began_v, settings),
    }
}

/// Follows each member to full: whether the voltage is reached, whether all are full, and what is missing, V.
fn follow_members(
    units: &mut [Unit],
    roster: &Roster,
    site: &Site,
    target_cell_v: f64,
    memory: &Memory,
    settings: &Settings,
    tick: Tick,
) -> (bool, bool, f64) {
    let bank = &memory.bank;
    let charging = matches!(bank.phase.state, State::Absorption | State::Balance);
    let user_v = settings
        .above_zero(Key::MaxChargeVoltage)
        .into_iter()
        .chain(site.system_charge_voltage_v.filter(|v| *v > 0.0))
        .fold(f64::INFINITY, f64::min);
    let tails_a: f64 = inside(units, roster).map(|unit| full::tail_a(&unit.sound, settings)).sum();
    let by_cells =
        matches!(bank.charge.kept_by(), Reason::CellHigh { .. } | Reason::None | Reason::Balance { .. });
    let free = bank.charge.get().is_some_and(|limit_a| limit_a >= FREE * tails_a) || by_cells;
    let mild = !matches!(bank.charge.kept_by(), Reason::Cold { .. } | Reason::Hot { .. });
    let (mut reached, mut full, mut below_v) = (false, !roster.inside.is_empty(), f64::INFINITY);
    for index in &roster.inside {
        let Some(Unit { sound, memory, .. }) = units.get_mut(*index) else { continue };
        let cap_v = sound.cvl.value().unwrap_or(f64::INFINITY).min(user_v);
        let target_v = (sound.n() * target_cell_v).min(cap_v);
        reached |= full::reached(sound, target_v, settings);
        below_v = below_v.min(target_v - sound.voltage_v.unwrap_or(0.0));
        if charging {
            full::step(sound, &mut memory.full, target_v, free && mild, settings, tick);
        } else {
            memory.full = full::FullMemory::default();
        }
        full &= memory.full.full && sound.freshness == Freshness::Fresh;
    }
    let flows_out = inside(units, roster).map(|unit| unit.sound.current_a.unwrap_or(0.0)).sum::<f64>() < 0.0;
    (reached, full && !flows_out, below_v)
}

/// Whether the cells are even; none where they cannot be compared.
fn balanced(units: &[Unit], roster: &Roster, settings: &Settings) -> Option<bool> {
    let (from_v, spread_v) = (settings.some(Key::BalancedFrom)?, settings.some(Key::BalancedSpread)?);
    let mut even = None;
    for Unit { sound, .. } in inside(units, roster) {
        let (top, bottom) = (sound.highest.as_ref()?, sound.lowest.as_ref()?);
        let most_a = full::tail_a(sound, settings).max(COMPARED_C * sound.capacity_ah);
        let rests = sound.current_a.is_some_and(|a| a.abs() <= most_a);
        if top.v < from_v || !rests || sound.odd {
            return None;
        }
        even = Some(even.unwrap_or(true) && top.v - bottom.v <= spread_v);
    }
    even
}

/// The longest absorption of a lead-acid battery that began at this voltage per cell, s.
fn adaptive_s(began_v: Option<f64>, settings: &Settings) -> Option<f64> {
    let began_12v = 6.0 * began_v.filter(|_| settings.chemistry().is_lead())?;
    let hours = ABSORB_12V.iter().find(|(below_v, _)| began_12v < *below_v).map(|(_, hours)| *hours);
    Some(hours.unwrap_or(ABSORB_12V_LEAST_H) * 3_600.0)
}

/// Takes the next step of the state; whether the bank has become full in it. `told`: the state of charge is what batteries
/// say.
#[expect(clippy::too_many_arguments, reason = "the state moves everything")]
pub(super) fn advance(
    sight: &Sight,
    bank: &Bank,
    told: bool,
    data: &Data,
    memory: &mut Memory,
    units: &mut [Unit],
    settings: &Settings,
    tick: Tick,
) -> bool {
    let before = memory.bank.phase.state;
    // For a moment without data nothing changes.
    if *data != Data::Held {
        memory.bank.phase = memory.bank.phase.next(sight, settings, tick);
    }
    let state = memory.bank.phase.state;
    let because = memory.bank.phase.because;
    if before != state && state == State::Bulk {
        memory.bank.bulk_began_v = sight.mean_v;
    }
    let became_full = before == State::Absorption && because == Because::Full && state != before;
    if became_full {
        memory.history.full();
        memory.soc.full(bank.capacity_ah);
    }
    // As long as a charge goes on it may yet become a full one.
    let rests = matches!(state, State::Float | State::Storage);
    if told && rests && sight.soc.is_some_and(|soc| soc > FULL_BY_BMS) {
        memory.history.since_full_s = Some(0.0);
    }
    let first = memory.history.since_balanced_s.is_none();
    if first || sight.balanced == Some(true) {
        memory.history.since_balanced_s = Some(0.0);
    }
    if memory.history.since_equalised_s.is_none() || (before == State::Equalise && state == State::Float) {
        memory.history.since_equalised_s = Some(0.0);
    }
    empties(units, bank, memory, settings, tick);
    became_full
}

/// A cell that is low at little current makes the bank empty: an anchor of the own counter.
fn empties(units: &mut [Unit], bank: &Bank, memory: &mut Memory, settings: &Settings, tick: Tick) {
    let stop_v = settings.get(Key::DischargeStop);
    let mut empty = false;
    for Unit { sound, memory, .. } in units {
        let low = sound.bottom_v().is_some_and(|v| v <= stop_v);
        let little = sound.current_a.is_some_and(|a| a.abs() < EMPTY_C * sound.capacity_ah);
        empty |= memory.empty.step(low && little, tick.dt_s) >= EMPTY_S;
    }
    if empty && !memory.bank.was_empty {
        memory.history.full_discharges = memory.history.full_discharges.saturating_add(1);
        memory.soc.empty(bank.capacity_ah);
    }
    memory.bank.was_empty = empty;
}
