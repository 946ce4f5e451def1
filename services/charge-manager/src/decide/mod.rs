//! The decision: every part of this crate in its order, once.
//!
//! validate → membership → sharing → state of charge → what each member allows → state → voltage → currents → shares →
//! words. `bank` is what the members are together, `data` whether there is anything to decide with, `sight` what the state
//! goes by, `voltage` and `currents` the limits, `picture`, `warn` and `explain` what is shown, `warm` the wait after a
//! restart.

mod bank;
mod currents;
mod data;
mod explain;
mod picture;
mod sight;
mod voltage;
mod warm;
mod warn;

use crate::decision::{BatteryView, Decision, Limits};
use crate::followers::{self, Budget, Stage, Watch};
use crate::input::{Battery, Inverters, Now};
use crate::membership::{self, Standing, Unit};
use crate::memory::Memory;
use crate::name::Name;
use crate::settings::{Role, Settings};
use crate::state::State;
use crate::tick::Tick;
use crate::{validate, windows};

use bank::Bank;
use data::Data;

/// Most batteries and devices that are looked at.
const MOST: usize = 64;

/// Decides. Pure: the same moment, inputs, settings and memory give the same decision to the last bit, in whatever order
/// batteries and devices come.
pub fn decide(
    now: Now,
    batteries: &[Battery],
    inverters: &Inverters,
    settings: &Settings,
    memory: &mut Memory,
) -> Decision {
    let tick = memory.clock.advance(now.monotonic);
    memory.history.age(now, tick);
    let batteries = in_order(batteries);
    if let Some(who) = warm::still_missing(&batteries, now, memory, tick) {
        return warm::waiting(memory, who, tick);
    }
    let mut inverters = inverters.clone();
    inverters.devices.sort_by(|a, b| a.service.cmp(&b.service));
    inverters.devices.dedup_by(|later, earlier| later.service == earlier.service);
    inverters.devices.truncate(MOST);
    decide_in_order(now, tick, &batteries, &inverters, settings, memory)
}

/// By name. Of two with one name nobody knows which is true.
fn in_order(batteries: &[Battery]) -> Vec<&Battery> {
    let mut sorted: Vec<&Battery> = batteries.iter().collect();
    sorted.sort_by(|a, b| a.service.cmp(&b.service));
    let names: Vec<Name> = sorted.iter().map(|battery| battery.service.clone()).collect();
    sorted.retain(|battery| names.iter().filter(|name| **name == battery.service).count() == 1);
    sorted.truncate(MOST);
    sorted
}

fn decide_in_order(
    now: Now,
    tick: Tick,
    batteries: &[&Battery],
    inverters: &Inverters,
    settings: &Settings,
    memory: &mut Memory,
) -> Decision {
    // Who is there, and what of it can be believed.
    let mut absent = std::mem::take(&mut memory.members);
    let mut units: Vec<Unit> = batteries
        .iter()
        .map(|battery| {
            let mut own = absent.remove(&battery.service).unwrap_or_default();
            own.label = battery.label.clone();
            let sound = validate::look(battery, settings, &mut own.data, now.monotonic, tick);
            Unit { sound, role: Role::Automatic, connected: battery.connected, memory: own }
        })
        .collect();
    membership::assign_roles(&mut units, batteries, &absent, settings);
    let roster = membership::sort(&mut units, &mut absent, settings, tick);
    let data = data::judge(&roster, &units, &mut memory.bank, tick);

    // What the members are together, and what each of them allows.
    let bank = Bank::of(&units, &roster);
    let shares = currents::shares(&mut units, &roster, memory, settings, tick);
    let starts = matches!(memory.bank.phase.state, State::Start | State::NoData);
    let soc = bank::soc(&units, &roster, memory, starts, settings, tick);
    let disobeyed = voltage::disobeyed(&bank, &mut memory.bank, inverters.site.dc_feed_in, settings, tick);
    let allowed = currents::allowed(&mut units, &roster, &shares, disobeyed, memory, settings, tick);
    let watch = Watch {
        now: now.monotonic,
        told_charge_a: memory.bank.charge.get().unwrap_or(0.0),
        told_discharge_a: memory.bank.discharge.get().unwrap_or(0.0),
        current_a: bank.current_a,
        bus_v: bank.bus_v,
    };
    let watched = followers::watch(inverters, &mut memory.fleet, watch, settings, tick);

    // The state.
    let around = sight::Around { batteries, site: &inverters.site, soc: &soc, bank: &bank };
    let sight = sight::see(&mut units, &roster, &allowed, &data, around, memory, settings, tick);
    let became_full = sight::advance(&sight, &bank, soc.told, &data, memory, &mut units, settings, tick);
    let state = memory.bank.phase.state;

    // The limits.
    let frozen = data::frozen(&roster, &mut units, &allowed, &data, &mut memory.bank, settings, tick);
    let sees = voltage::Sees {
        bank: &bank,
        data: &data,
        watched: &watched,
        site: &inverters.site,
        frozen: frozen.is_some(),
    };
    let voltage = voltage::decide(&mut units, &roster, &allowed, sees, memory, settings, tick);
    let rules = currents::Rules {
        bank: &bank,
        data: &data,
        soc: &soc,
        site: &inverters.site,
        frozen: frozen.as_ref(),
        windows_apart: voltage.apart.is_some(),
    };
    let (charge, discharge) =
        currents::decide(&units, &roster, &shares, &allowed, rules, memory, settings, tick);
    let limits = match data {
        Data::Never => Limits::default(),
        _ => Limits {
            charge_voltage_v: voltage.published_v,
            charge_current_a: Some(charge.published.value),
            discharge_current_a: Some(discharge.published.value),
        },
    };

    // Who gets what of them.
    let must = state == State::Forced || (sight.full_due && settings.plan().full_charge_from_grid);
    let from_ac = windows::step(&inverters.site, now.wall, soc.shown, must, &mut memory.grid, settings, tick);
    let budget = Budget {
        now: now.monotonic,
        limits,
        unlevered_v: voltage.unlevered_v,
        levered: watched.lever_v.is_some(),
        cap_v: voltage.cap_v,
        current_a: bank.current_a,
        bus_v: bank.bus_v,
        top_v: bank.top_v,
        charging: matches!(state, State::Bulk | State::Absorption | State::Balance | State::Forced),
        ac_most_a: from_ac.most_a,
        charge_maximum_a: charge.maximum_a,
        discharge_maximum_a: discharge.maximum_a,
    };
    let divided = followers::divide(inverters, &mut memory.fleet, budget, watched.stage, settings, tick);
    bank::count(&units, &roster, &bank, memory);

    // What is shown.
    let shown = warn::Shown {
        units: &units,
        batteries,
        roster: &roster,
        allowed: &allowed,
        watched: &watched,
        soc: &soc,
        bank: &bank,
        state,
        charge: &charge.published,
        floor: memory.bank.floor_on,
        apart: voltage.apart.as_ref(),
        inverters,
    };
    let alarms = warn::alarms(&shown);
    let notes = warn::notes(&shown, memory, settings, tick);
    let picture = picture::of(&units, &roster, &soc, &bank, batteries, settings);
    let low_voltage_v = bank::low_voltage_v(&units, &roster, settings);
    let views = views(&units, &roster, &allowed);
    let members = views
        .iter()
        .filter(|view| view.standing == Standing::Member)
        .filter(|view| units.iter().any(|unit| unit.sound.service == view.service && unit.sound.has_limits))
        .map(|view| view.service.clone())
        .collect();
    let [charge, discharge, voltage] =
        explain::all(charge, discharge, voltage, &watched, bank.current_a, &mut memory.bank, tick);
    let mode = explain::mode(&mut memory.bank, tick);

    absent.extend(units.into_iter().map(|unit| (unit.sound.service, unit.memory)));
    memory.members = absent;
    Decision {
        state,
        because: memory.bank.phase.because,
        bank: limits,
        dvcc: divided.dvcc,
        low_voltage_v,
        shares: divided.shares,
        charge,
        discharge,
        voltage,
        mode,
        charge_request: state == State::Forced,
        full_charge_request: sight.full_due,
        ac_wanted: from_ac.wanted,
        alarms,
        notes,
        members,
        batteries: views,
        picture,
        uncontrolled_a: divided.uncontrolled_a,
        stage: watched.stage,
        open_contactor: watched.stage >= Stage::Disconnect && settings.plan().contactor_as_last_resort,
        became_full,
        history: memory.history,
    }
}

fn views(
    units: &[Unit],
    roster: &membership::Roster,
    allowed: &[crate::members::Allowed],
) -> Vec<BatteryView> {
    let view = |(index, unit): (usize, &Unit)| {
        let place = roster.inside.iter().position(|inside| *inside == index);
        let own = place.and_then(|place| allowed.get(place));
        BatteryView {
            service: unit.sound.service.clone(),
            label: unit.sound.label.clone(),
            standing: roster.standings.get(index).copied().unwrap_or(Standing::Ignored),
            share: if own.is_some() { unit.memory.share.share } else { 0.0 },
            charge_a: own.filter(|own| own.charges).map_or(0.0, |own| own.charge.value),
            discharge_a: own.filter(|own| own.discharges).map_or(0.0, |own| own.discharge.value),
        }
    };
    units.iter().enumerate().map(view).collect()
}
