//! The charge voltage of the bank: the least of what its members want, below what each of them allows.

use super::bank::{Bank, inside};
use super::data::Data;
use crate::cvl::{self, BaseSight, MemberVoltage};
use crate::followers::{Stage, Watched};
use crate::input::Site;
use crate::limit::Limit;
use crate::members::Allowed;
use crate::membership::{Roster, Unit};
use crate::memory::{BankMemory, Memory};
use crate::name::Name;
use crate::reasons::Reason;
use crate::settings::{Key, Settings};
use crate::state::State;
use crate::tick::Tick;

/// With less charge current than this part of the capacity no charger holds any voltage.
const CHARGES_C: f64 = 0.02;
/// What a charger may be above the charge voltage while it feeds into the grid, V.
const FEED_IN_V: f64 = 0.4;
/// A charger holds the voltage again when it has been so far below it for so long.
const OBEYS_V: f64 = 0.3;
const OBEYS_S: f64 = 60.0;
/// A lever never goes below this part of the pack's voltage.
const LEVER_OF_PACK: f64 = 0.9;
/// The lever against current between batteries lies so far below the busbar, V.
const LEVER_BELOW_V: f64 = 0.1;

/// Whether a charger holds more than the charge voltage.
pub(super) fn disobeyed(
    bank: &Bank,
    memory: &mut BankMemory,
    feed_in: bool,
    settings: &Settings,
    tick: Tick,
) -> bool {
    let (Some(cvl_v), Some(bus_v)) = (memory.voltage.get(), bank.bus_v) else { return false };
    let room_v = settings.get(Key::DisobeyVoltage) + if feed_in { FEED_IN_V } else { 0.0 };
    let over = bus_v > cvl_v + room_v && bank.current_c() > CHARGES_C;
    let disobey = &mut memory.disobey;
    let over_s = disobey.over.step(over, tick.dt_s);
    let under_s = disobey.under.step(bus_v < cvl_v - OBEYS_V, tick.dt_s);
    disobey.on = over_s >= settings.get(Key::DisobeyTime) || (disobey.on && under_s < OBEYS_S);
    disobey.on
}

/// What the voltage is made from beside the members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sees<'a> {
    pub(super) bank: &'a Bank,
    pub(super) data: &'a Data,
    pub(super) watched: &'a Watched,
    pub(super) site: &'a Site,
    pub(super) frozen: bool,
}

/// The charge voltage of the bank.
#[derive(Debug)]
pub(super) struct Voltage {
    pub(super) published_v: Option<f64>,
    /// As it were without a lever, V.
    pub(super) unlevered_v: Option<f64>,
    /// What nothing that is sent may exceed, V.
    pub(super) cap_v: f64,
    pub(super) reason: Reason,
    pub(super) limiters: Vec<Limit>,
    /// Two members whose voltages have nothing in common.
    pub(super) apart: Option<(Name, Name)>,
}

/// Decides the charge voltage.
pub(super) fn decide(
    units: &mut [Unit],
    roster: &Roster,
    allowed: &[Allowed],
    sees: Sees<'_>,
    memory: &mut Memory,
    settings: &Settings,
    tick: Tick,
) -> Voltage {
    let state = memory.bank.phase.state;
    if *sees.data != Data::Live {
        return without_data(sees, &mut memory.bank, settings, tick);
    }
    let smoothed_c = allowed.iter().filter_map(|own| own.smoothed_c).reduce(f64::max);
    let base = cvl::base(
        BaseSight {
            state,
            smoothed_c,
            bus_cell_v: sees.bank.mean_v,
            cells: sees.bank.most_cells(),
            draws_down: sees.watched.draws_down,
        },
        &mut memory.bank.base,
        settings,
        tick,
    );
    let any_charges = allowed.iter().any(|own| own.charges);
    let mut wishes = Vec::new();
    let mut caps = Vec::new();
    for (index, own) in roster.inside.iter().zip(allowed) {
        let Some(unit) = units.get_mut(*index) else { continue };
        let member = cvl::member(&unit.sound, &mut unit.memory.trim, &base, settings);
        if own.charges || !any_charges {
            caps.push(member.cap.clone());
            wishes.push(floored(member, state));
        }
    }
    let user_v = [settings.above_zero(Key::MaxChargeVoltage), sees.site.system_charge_voltage_v];
    for limit_v in user_v.into_iter().flatten().filter(|v| *v > 0.0) {
        caps.push(Limit::new(limit_v, Reason::CvlUser { limit_v }));
    }
    let lowest = |limits: &[Limit]| limits.iter().map(|limit| limit.value).fold(f64::INFINITY, f64::min);
    let (wish_v, cap_v) = (lowest(&wishes), lowest(&caps));
    let unlevered_v = Some(wish_v.min(cap_v)).filter(|v| v.is_finite());
    let mut levers = levers(units, roster, allowed, sees);
    // A lever only goes down: one that followed the voltage up would give way to what it is there to stop.
    let before_v = memory.bank.lever_v.filter(|_| !levers.is_empty()).unwrap_or(f64::INFINITY);
    levers.iter_mut().for_each(|lever| lever.value = lever.value.min(before_v));
    let lever_v = lowest(&levers);
    memory.bank.lever_v = Some(lever_v).filter(|v| v.is_finite());

    let out = &mut memory.bank.voltage;
    let wanted_v = wish_v.min(cap_v);
    if !(wanted_v.is_finite() && wanted_v > 0.0) {
        return without_data(sees, &mut memory.bank, settings, tick);
    }
    let careful =
        wishes.iter().any(|limit| limit.value <= wanted_v && matches!(limit.reason, Reason::CvlCell { .. }));
    let published_v = out.step(wanted_v, cap_v.min(lever_v), sees.frozen, careful, settings, tick);
    let mut limiters = wishes;
    limiters.extend(caps.into_iter().filter(|limit| limit.reason != Reason::None || limit.value < wish_v));
    limiters.extend(levers);
    limiters.sort_by(|a, b| a.value.total_cmp(&b.value));
    let reason = reason(published_v, &limiters, settings);
    let apart = windows_apart(units, roster, settings);
    Voltage { published_v: Some(published_v), unlevered_v, cap_v, reason, limiters, apart }
}

fn reason(published_v: f64, limiters: &[Limit], settings: &Settings) -> Reason {
    match limiters.first() {
        Some(first) if published_v + settings.get(Key::VoltageRiseStep) + 1e-9 >= first.value => {
            first.reason.clone()
        }
        Some(first) => first.reason.clone().rising(),
        None => Reason::None,
    }
}

/// The control never goes below storage; what starts or has no data holds the voltage of the pack, wherever that is.
fn floored(member: MemberVoltage, state: State) -> Limit {
    let MemberVoltage { wish, floor_v, .. } = member;
    if matches!(state, State::Start | State::NoData) || wish.value >= floor_v {
        return wish;
    }
    Limit::new(floor_v, wish.reason)
}

/// What is left when a current cannot be told to stop: a voltage just below that of the pack.
fn levers(units: &[Unit], roster: &Roster, allowed: &[Allowed], sees: Sees<'_>) -> Vec<Limit> {
    let mut levers = Vec::new();
    let Some(bus_v) = sees.bank.bus_v else { return levers };
    if let Some(lever_v) = sees.watched.lever_v.filter(|_| sees.watched.stage >= Stage::Voltage) {
        let who = sees.watched.who.clone().unwrap_or_default();
        let reason = Reason::Overrun { who, current_a: sees.bank.current_a };
        levers.push(Limit::new(lever_v.max(LEVER_OF_PACK * bus_v), reason));
    }
    let members: Vec<&Unit> = inside(units, roster).collect();
    if let Some(to) = members.iter().zip(allowed).find(|(_, own)| own.circulates).map(|(unit, _)| unit) {
        let most_giving = members.iter().min_by(|a, b| {
            let amps = |unit: &Unit| unit.sound.current_a.unwrap_or(0.0);
            amps(a).total_cmp(&amps(b))
        });
        let from = most_giving.map(|unit| unit.sound.label.clone()).unwrap_or_default();
        let reason = Reason::Circulating { from, to: to.sound.label.clone() };
        levers.push(Limit::new(bus_v - LEVER_BELOW_V, reason));
    }
    levers
}

/// Members with so different numbers of cells that what fills one ruins the other.
fn windows_apart(units: &[Unit], roster: &Roster, settings: &Settings) -> Option<(Name, Name)> {
    let by_cells = |a: &&Unit, b: &&Unit| a.sound.cells.cmp(&b.sound.cells);
    let fewest = inside(units, roster).min_by(by_cells)?;
    let most = inside(units, roster).max_by(by_cells)?;
    let highest_v = fewest.sound.n() * settings.get(Key::AbsorptionVoltage);
    let apart = most.sound.n() * settings.get(Key::StorageVoltage) > highest_v;
    apart.then(|| (fewest.sound.label.clone(), most.sound.label.clone()))
}

/// The last voltage is held for a moment; then it is that of the pack, and never more than before.
fn without_data(sees: Sees<'_>, memory: &mut BankMemory, settings: &Settings, tick: Tick) -> Voltage {
    let last_v = memory.voltage.get();
    let pack_v = sees.bank.bus_v.or(memory.last_bus_v).filter(|v| *v > 0.0 && v.is_finite());
    let wish_v = match (sees.data, last_v, pack_v) {
        (Data::Never, ..) => None,
        (Data::None { .. }, Some(last_v), Some(pack_v)) => Some(pack_v.min(last_v)),
        (_, last_v, pack_v) => last_v.or(pack_v),
    };
    let published_v = wish_v.map(|wish_v| memory.voltage.step(wish_v, wish_v, true, false, settings, tick));
    Voltage {
        published_v,
        unlevered_v: published_v,
        cap_v: published_v.unwrap_or(0.0),
        reason: sees.data.reason(),
        limiters: Vec::new(),
        apart: None,
    }
}
