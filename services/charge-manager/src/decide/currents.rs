//! The currents of the bank: what the members allow at their shares, what else limits it, and what of it is published.

use super::bank::{Bank, inside};
use super::data::Data;
use crate::cell_law::Disobeyed;
use crate::input::Site;
use crate::limit::{Limit, least};
use crate::members::{self, Allowed, Carried};
use crate::membership::{Roster, Unit};
use crate::memory::Memory;
use crate::output::{Circumstances, Pace};
use crate::reasons::Reason;
use crate::settings::{FloorAction, Key, Settings};
use crate::sharing::{self, Carrier, Share, ShareMemory};
use crate::soc::Soc;
use crate::state::{Because, State};
use crate::tick::Tick;
use crate::validate::Freshness;

/// How far the state of charge must come back before a curve over it allows more, %.
const SOC_PLAY: f64 = 1.0;

/// How the members share the current.
pub(super) fn shares(
    units: &mut [Unit],
    roster: &Roster,
    memory: &mut Memory,
    settings: &Settings,
    tick: Tick,
) -> Vec<Share> {
    let near_full_v = settings.get(Key::NearFullVoltage);
    let carrier = |unit: &Unit| Carrier {
        capacity_ah: unit.sound.capacity_ah,
        current_a: unit.sound.current_a.unwrap_or(0.0),
        fresh: unit.sound.freshness == Freshness::Fresh && !unit.sound.odd,
        near_full: unit.sound.top_v().is_some_and(|v| v > near_full_v),
    };
    let carriers: Vec<Carrier> = inside(units, roster).map(carrier).collect();
    let members = units.iter_mut().enumerate().filter(|(index, _)| roster.inside.contains(index));
    let mut memories: Vec<&mut ShareMemory> = members.map(|(_, unit)| &mut unit.memory.share).collect();
    sharing::step(&carriers, &mut memories, &mut memory.bank.sharing, roster.apart, settings, tick)
}

/// What each member allows, in the order of the roster.
pub(super) fn allowed(
    units: &mut [Unit],
    roster: &Roster,
    shares: &[Share],
    disobeyed: bool,
    memory: &Memory,
    settings: &Settings,
    tick: Tick,
) -> Vec<Allowed> {
    let before = (memory.bank.charge.kept_by(), memory.bank.discharge.kept_by());
    let cvl_v = memory.bank.voltage.get().filter(|_| disobeyed);
    let mut all = Vec::with_capacity(roster.inside.len());
    for (index, share) in roster.inside.iter().zip(shares) {
        let Some(unit) = units.get_mut(*index) else { continue };
        let disobeyed = cvl_v.map(|cvl_v| Disobeyed { cvl_v });
        all.push(members::allowed(unit, *share, disobeyed, before, settings, tick));
    }
    all
}

/// What else there is to go by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) bank: &'a Bank,
    pub(super) data: &'a Data,
    pub(super) soc: &'a Soc,
    pub(super) site: &'a Site,
    pub(super) frozen: Option<&'a Reason>,
    pub(super) windows_apart: bool,
}

/// A current, with everything that was asked about it.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) published: Limit,
    pub(super) limiters: Vec<Limit>,
    /// What the bank takes or gives when nothing limits it, A.
    pub(super) maximum_a: f64,
}

/// The charge and the discharge current of the bank.
#[expect(clippy::too_many_arguments, reason = "everything that limits a current comes together here")]
pub(super) fn decide(
    units: &[Unit],
    roster: &Roster,
    shares: &[Share],
    allowed: &[Allowed],
    rules: Rules<'_>,
    memory: &mut Memory,
    settings: &Settings,
    tick: Tick,
) -> (Current, Current) {
    let whole = Whole { units, roster, shares, allowed };
    let charge_maximum_a = whole.maximum_a(1.0);
    let discharge_maximum_a = whole.maximum_a(-1.0);

    let charge_rules = charge_rules(rules, charge_maximum_a, memory, settings);
    let discharge_rules = discharge_rules(rules, discharge_maximum_a, memory, settings, tick);
    let hard_a = |sign: f64, rules: &[Limit]| {
        let all = whole.limits(sign, true).into_iter().map(|limit| limit.value);
        Some(all.chain(rules.iter().map(|limit| limit.value)).fold(f64::INFINITY, f64::min))
    };
    let (hard_charge_a, hard_discharge_a) = (hard_a(1.0, &charge_rules), hard_a(-1.0, &discharge_rules));
    let mut charge = whole.limits(1.0, false);
    charge.extend(charge_rules);
    let mut discharge = whole.limits(-1.0, false);
    discharge.extend(discharge_rules);

    let user_a = user_charge_a(rules.site, settings).unwrap_or(f64::INFINITY);
    let state = memory.bank.phase.state;
    let waits = matches!(state, State::Start | State::NoData);
    let no_data = matches!(rules.data, Data::None { .. } | Data::Never);
    let pace = Pace {
        maximum_a: charge_maximum_a.min(user_a.max(1.0)),
        rise_per_s: settings.get(Key::ChargeRise) / 100.0,
        zero_dwell_s: settings.get(Key::ZeroDwell),
        least: settings.get(Key::LeastAfterZero) / 100.0,
        step: settings.get(Key::CurrentStep) / 100.0,
        rise_dwell_s: settings.get(Key::RiseDwell),
    };
    let now = Circumstances {
        no_data,
        waiting: waits || no_data,
        frozen: rules.frozen,
        back_at_once: false,
        hard_a: hard_charge_a,
    };
    let bank = &mut memory.bank;
    let charge = finish(charge, rules, &mut bank.charge, now, pace, tick);

    let user_a = settings.above_zero(Key::MaxDischargeCurrent).unwrap_or(f64::INFINITY);
    let pace = Pace {
        maximum_a: discharge_maximum_a.min(user_a.max(1.0)),
        rise_per_s: settings.get(Key::DischargeRise) / 100.0,
        zero_dwell_s: 0.0,
        least: 0.0,
        ..pace
    };
    let now = Circumstances {
        waiting: no_data,
        back_at_once: *rules.data == Data::Live,
        hard_a: hard_discharge_a,
        ..now
    };
    let discharge = finish(discharge, rules, &mut bank.discharge, now, pace, tick);
    (charge, discharge)
}

fn finish(
    mut limiters: Vec<Limit>,
    rules: Rules<'_>,
    out: &mut crate::output::CurrentOut,
    now: Circumstances<'_>,
    pace: Pace,
    tick: Tick,
) -> Current {
    let limit = match rules.data {
        Data::Live => least(&limiters, out.kept_by()),
        // The last limit stands for a moment.
        Data::Held => out.get().map(|last_a| Limit::new(last_a, out.kept_by().clone())),
        Data::None { .. } | Data::Never => None,
    };
    let limit = limit.unwrap_or_else(|| Limit::new(0.0, rules.data.reason()));
    let published = out.step(&limit, now, pace, tick);
    limiters.sort_by(|a, b| a.value.total_cmp(&b.value));
    Current { published, limiters, maximum_a: pace.maximum_a }
}

/// All members in both directions.
#[derive(Clone, Copy)]
struct Whole<'a> {
    units: &'a [Unit],
    roster: &'a Roster,
    shares: &'a [Share],
    allowed: &'a [Allowed],
}

impl Whole<'_> {
    fn in_direction(&self, sign: f64) -> Vec<(&Unit, Share, &Allowed)> {
        let members = self.roster.inside.iter().zip(self.shares).zip(self.allowed);
        members
            .filter(|(_, own)| if sign > 0.0 { own.charges } else { own.discharges })
            .filter_map(|((index, share), own)| Some((self.units.get(*index)?, *share, own)))
            .collect()
    }

    /// The limits that the members set together; 0 where none lets the current through. `hard`: without the control of the
    /// cells.
    fn limits(&self, sign: f64, hard: bool) -> Vec<Limit> {
        let members = self.in_direction(sign);
        if members.is_empty() {
            let off = inside(self.units, self.roster)
                .map(|unit| Limit::new(0.0, Reason::BmsOff { member: unit.sound.label.clone() }));
            return off.take(1).collect();
        }
        let current_a = |unit: &Unit| sign * unit.sound.current_a.unwrap_or(0.0);
        let total_a: f64 = members.iter().map(|(unit, ..)| current_a(unit)).sum();
        let others_a = inside(self.units, self.roster).map(current_a).sum::<f64>() - total_a;
        let part: f64 = members.iter().map(|(unit, ..)| unit.memory.share.share).sum();
        let all = members.len() == self.roster.inside.len() || self.roster.apart;
        let carried: Vec<Carried<'_>> = members
            .iter()
            .map(|(unit, share, own)| {
                let (s, circulating_a) = match (all, sign > 0.0) {
                    (true, true) => (share.s, share.c_charge_a),
                    (true, false) => (share.s, -share.c_discharge_a),
                    // Only some carry this direction: their shares are those of the rest.
                    (false, _) => {
                        let s = (share.s / part.max(1e-9)).min(1.0);
                        (s, current_a(unit) - s * total_a)
                    }
                };
                Carried {
                    limit: match (sign > 0.0, hard) {
                        (true, false) => &own.charge,
                        (true, true) => &own.hard_charge,
                        (false, false) => &own.discharge,
                        (false, true) => &own.hard_discharge,
                    },
                    s,
                    circulating_a,
                    guard: share.guard,
                    current_a: current_a(unit),
                    label: &unit.sound.label,
                }
            })
            .collect();
        members::of_bank(&carried, others_a)
    }

    fn maximum_a(&self, sign: f64) -> f64 {
        let own = |own: &Allowed| if sign > 0.0 { own.charge_maximum_a } else { own.discharge_maximum_a };
        let able: f64 = self.in_direction(sign).iter().map(|(.., allowed)| own(allowed)).sum();
        if able > 0.0 { able } else { self.allowed.iter().map(own).sum::<f64>().max(1.0) }
    }
}

/// The user's limit of the charge current, A.
fn user_charge_a(site: &Site, settings: &Settings) -> Option<f64> {
    let system_a = site.system_charge_current_a.filter(|a| *a >= 0.0);
    settings.above_zero(Key::MaxChargeCurrent).into_iter().chain(system_a).reduce(f64::min)
}

/// What limits the charge of the bank beside its members.
fn charge_rules(rules: Rules<'_>, maximum_a: f64, memory: &mut Memory, settings: &Settings) -> Vec<Limit> {
    let mut limits = Vec::new();
    let phase = memory.bank.phase;
    let trickle_a = settings.get(Key::TrickleRate) * rules.bank.capacity_ah;
    if let Some(limit_a) = user_charge_a(rules.site, settings) {
        // Forced charge is more than a wish.
        let least_a = if phase.state == State::Forced { trickle_a } else { 0.0 };
        limits.push(Limit::new(limit_a.max(least_a), Reason::User { limit: limit_a }));
    }
    let zero = |reason: Reason| Limit::new(0.0, reason);
    if let (Some(curve), Some(soc)) = (&settings.plan().charge_over_soc, rules.soc.shown) {
        // At 0 A chargers stop feeding what else there is; full is a matter of the voltage.
        let soc = memory.bank.soc_high.high(soc, SOC_PLAY);
        let value = (curve.at(soc) * maximum_a).max(trickle_a);
        limits.push(Limit::new(value, Reason::SocHigh { soc }));
    }
    match phase.state {
        State::Start => limits.push(zero(Reason::Starting { who: None })),
        State::NoData => limits.push(zero(rules.data.reason())),
        State::Protect => limits.push(zero(memory.bank.protected_by.clone())),
        State::Balance => {
            let spread_mv = match (rules.bank.top_v, rules.bank.bottom_v) {
                (Some(top_v), Some(bottom_v)) => 1_000.0 * (top_v - bottom_v),
                _ => 0.0,
            };
            limits.push(Limit::new(trickle_a, Reason::Balance { spread_mv }));
        }
        State::Equalise => {
            let value =
                settings.get(Key::EqualiseRate) * settings.get(Key::ChargeRate) * rules.bank.capacity_ah;
            limits.push(Limit::new(value, Reason::Equalise));
        }
        State::Float | State::Storage if phase.because == Because::SocCap => {
            let soc = rules.soc.shown.unwrap_or(0.0);
            if soc >= settings.get(Key::MaxSoc) - 1.0 {
                limits.push(Limit::new(trickle_a, Reason::SocHigh { soc }));
            }
        }
        State::Bulk | State::Absorption | State::Float | State::Storage | State::Forced => {}
    }
    if rules.windows_apart {
        limits.push(zero(Reason::Mismatch { what: "batteries without a charge voltage in common".into() }));
    }
    limits
}

/// How far above the floor discharging may go on, and after how long.
fn floor(rules: Rules<'_>, memory: &mut Memory, settings: &Settings, tick: Tick) -> Option<Reason> {
    let floor = settings.get(Key::FloorSoc);
    let bank = &mut memory.bank;
    let since_s = bank.floor_since.step(bank.floor_on, tick.dt_s);
    let Some(soc) = rules.soc.for_floor else {
        bank.floor_on = false;
        return None;
    };
    let back =
        soc >= floor + settings.get(Key::FloorRelease) && since_s >= settings.get(Key::FloorDwell) * 60.0;
    // A floor of 0 is none: the cells end the discharge.
    bank.floor_on = floor > 0.0 && (soc <= floor || (bank.floor_on && !back));
    bank.floor_on.then_some(Reason::Floor { soc, floor })
}

/// What limits the discharge of the bank beside its members.
fn discharge_rules(
    rules: Rules<'_>,
    maximum_a: f64,
    memory: &mut Memory,
    settings: &Settings,
    tick: Tick,
) -> Vec<Limit> {
    let mut limits = Vec::new();
    if let Some(limit_a) = settings.above_zero(Key::MaxDischargeCurrent) {
        limits.push(Limit::new(limit_a, Reason::User { limit: limit_a }));
    }
    if let (Some(curve), Some(soc)) = (&settings.plan().discharge_over_soc, rules.soc.for_floor) {
        // A little is left for the way to the floor, or it would never be reached.
        let soc = memory.bank.soc_low.low(soc, SOC_PLAY);
        let part = curve.at(soc - settings.get(Key::FloorSoc)).max(settings.get(Key::LeastAfterZero) / 100.0);
        let value = part * maximum_a;
        limits.push(Limit::new(value, Reason::SocLow { soc }));
    }
    let at_floor = floor(rules, memory, settings, tick);
    if let (Some(reason), FloorAction::Limit) = (at_floor, settings.plan().floor_action) {
        limits.push(Limit::new(0.0, reason));
    }
    limits
}
