//! What must hold in every tick of every run, whatever happens in it.

use std::collections::{BTreeMap, VecDeque};

use charge_manager::input::{Battery, Inverters, Now};
use charge_manager::settings::{FloorAction, Key};
use charge_manager::{Because, Decision, Memory, Settings, Standing, State, decide};

/// Rounding.
const ROUNDING: f64 = 1e-6;
/// How often the dear ones are checked, in ticks.
const DEAR: u64 = 61;

/// One tick as the manager saw it.
pub(crate) struct Seen<'a> {
    pub(crate) now: Now,
    pub(crate) batteries: &'a [Battery],
    pub(crate) inverters: &'a Inverters,
    pub(crate) settings: &'a Settings,
    /// Before the decision.
    pub(crate) memory: &'a Memory,
}

/// Follows a run.
#[derive(Default)]
pub(crate) struct Invariants {
    ticks: u64,
    last: Option<Decision>,
    last_s: f64,
    /// When each current last changed, and since when the charge current is at 0 for a cause.
    changed_s: [f64; 2],
    zero_s: Option<f64>,
    float_s: f64,
    was_full: bool,
    floor_zero: bool,
    without_member_s: f64,
    /// Changes of the last minute: moment, and whether it was a rise.
    changes: BTreeMap<&'static str, VecDeque<(f64, bool)>>,
    pub(crate) worst_changes_per_min: usize,
    pub(crate) worst_rises_per_min: usize,
    pub(crate) worst_words_per_min: usize,
}

impl Invariants {
    /// The manager was away: what it says does not follow from what it said.
    pub(crate) fn away(&mut self) {
        *self = Invariants { was_full: self.was_full, ..Invariants::default() };
    }

    /// Begins to count the changes anew.
    pub(crate) fn recount(&mut self) {
        self.changes.clear();
        (self.worst_changes_per_min, self.worst_rises_per_min, self.worst_words_per_min) = (0, 0, 0);
    }

    pub(crate) fn check(&mut self, seen: &Seen<'_>, decision: &Decision) {
        let now_s = seen.now.monotonic.as_secs_f64();
        self.ticks += 1;
        finite(decision);
        within_members(seen, decision);
        without_members(&mut self.without_member_s, now_s - self.last_s, decision);
        reasons(seen, decision);
        sharing(seen, decision);
        self.soc(seen, decision, now_s - self.last_s);
        self.floor(seen, decision);
        self.pace(seen, decision, now_s);
        if let Some(last) = self.last.take() {
            self.transition(&last, decision, now_s);
        }
        if self.ticks.is_multiple_of(DEAR) {
            same_again(seen, decision);
        }
        self.last = Some(decision.clone());
        self.last_s = now_s;
    }

    fn transition(&mut self, last: &Decision, decision: &Decision, now_s: f64) {
        let (from, to) = (last.state, decision.state);
        if to == State::Float && from != to {
            self.float_s = now_s;
        }
        // After a restart nothing is said until all members are back.
        let waits = |decision: &Decision| decision.bank.charge_current_a.is_none();
        if from == to || waits(last) || waits(decision) {
            return;
        }
        assert!(possible(from, to), "{from:?} to {to:?}");
        if (from, to) == (State::Float, State::Bulk) && decision.because != Because::FullChargeDue {
            assert!(now_s - self.float_s >= 899.0, "float left after {} s", now_s - self.float_s);
        }
    }

    fn soc(&mut self, seen: &Seen<'_>, decision: &Decision, dt_s: f64) {
        self.was_full |= decision.became_full;
        let Some(soc) = decision.picture.soc else { return };
        assert!((0.0..=100.0).contains(&soc));
        assert!(soc < 100.0 || self.was_full, "100 % without a full charge");
        let before = self.last.as_ref().filter(|last| !matches!(last.state, State::Start | State::NoData));
        if let Some(before) = before.and_then(|last| last.picture.soc) {
            assert!((soc - before).abs() <= 0.1 * dt_s + ROUNDING, "{before} % to {soc} %");
        }
        if decision.became_full {
            let current_a: f64 = seen.batteries.iter().filter_map(|battery| battery.current_a).sum();
            assert!(current_a >= 0.0, "full at {current_a} A");
        }
    }

    fn floor(&mut self, seen: &Seen<'_>, decision: &Decision) {
        let floor = seen.settings.get(Key::FloorSoc);
        let (Some(soc), Some(dcl_a)) = (decision.picture.soc, decision.bank.discharge_current_a) else {
            return;
        };
        if floor == 0.0
            || seen.settings.plan().floor_action != FloorAction::Limit
            || decision.state == State::Start
        {
            return;
        }
        if soc <= floor - ROUNDING {
            assert_eq!(dcl_a, 0.0, "{soc} %");
        }
        if self.floor_zero && dcl_a > 0.0 {
            assert!(soc >= floor + seen.settings.get(Key::FloorRelease) - ROUNDING, "{soc} %");
        }
        self.floor_zero = dcl_a == 0.0 && decision.discharge.reason.cause().id() == "floor";
    }

    /// How fast and how often the limits move.
    fn pace(&mut self, seen: &Seen<'_>, decision: &Decision, now_s: f64) {
        let limits = |decision: &Decision| {
            let bank = decision.bank;
            [bank.charge_current_a, bank.discharge_current_a, bank.charge_voltage_v]
        };
        let Some(last) = &self.last else { return };
        let capacity_ah: f64 = seen.batteries.iter().filter_map(|battery| battery.capacity_ah).sum();
        let speeds = [(Key::ChargeRise, Key::ChargeRate), (Key::DischargeRise, Key::DischargeRate)];
        let names = ["charge current", "discharge current", "charge voltage"];
        for (index, (was, is)) in limits(last).into_iter().zip(limits(decision)).enumerate() {
            let (Some(was), Some(is)) = (was, is) else { continue };
            if let Some(&(rise, rate)) = speeds.get(index) {
                let per_s = seen.settings.get(rise) / 100.0 * seen.settings.get(rate) * capacity_ah;
                let for_s = now_s - self.changed_s[index];
                let at_once = index == 1 && was == 0.0;
                assert!(
                    at_once || is <= was + per_s * for_s + ROUNDING,
                    "{} {was} A to {is} A after {for_s} s",
                    names[index]
                );
                if was != is {
                    self.changed_s[index] = now_s;
                }
            }
            if was != is {
                self.changes.entry(names[index]).or_default().push_back((now_s, is > was));
            }
        }
        let ccl_a = decision.bank.charge_current_a.unwrap_or(0.0);
        if ccl_a > 0.0 {
            let since_s = self.zero_s.take().map_or(f64::INFINITY, |zero_s| now_s - zero_s);
            assert!(since_s >= seen.settings.get(Key::ZeroDwell) - 1.0, "only {since_s} s at 0 A");
        } else if !matches!(decision.charge.reason.cause().id(), "zero-data" | "starting") {
            self.zero_s.get_or_insert(now_s);
        }
        let words = |decision: &Decision| {
            [
                decision.charge.words.clone(),
                decision.discharge.words.clone(),
                decision.voltage.words.clone(),
                decision.mode.clone(),
            ]
        };
        let texts = ["charge words", "discharge words", "voltage words", "mode words"];
        for ((was, is), name) in words(last).iter().zip(&words(decision)).zip(texts) {
            if was != is {
                self.changes.entry(name).or_default().push_back((now_s, false));
            }
        }
        for (name, times) in &mut self.changes {
            while times.front().is_some_and(|(at_s, _)| *at_s <= now_s - 60.0) {
                times.pop_front();
            }
            if name.ends_with("words") {
                assert!(times.len() <= 6, "{} changes of {name} in a minute", times.len());
                self.worst_words_per_min = self.worst_words_per_min.max(times.len());
                continue;
            }
            let rises = times.iter().filter(|(_, rise)| *rise).count();
            assert!(rises <= 12 && times.len() <= 60, "{rises} rises, {} changes of {name}", times.len());
            self.worst_changes_per_min = self.worst_changes_per_min.max(times.len());
            self.worst_rises_per_min = self.worst_rises_per_min.max(rises);
        }
    }
}

fn finite(decision: &Decision) {
    let limits = decision.shares.iter().map(|share| share.limits).chain([decision.bank, decision.dvcc]);
    for limits in limits {
        assert!(limits.charge_voltage_v.is_none_or(|v| v.is_finite() && v > 0.0), "{limits:?}");
        for a in [limits.charge_current_a, limits.discharge_current_a].into_iter().flatten() {
            assert!(a.is_finite() && a >= 0.0, "{limits:?}");
        }
    }
}

/// Batteries of the bank with what they show.
fn members<'a>(seen: &Seen<'a>, decision: &'a Decision) -> Vec<(&'a Battery, f64)> {
    let member = |battery: &'a Battery| {
        let view = decision.batteries.iter().find(|view| view.service == battery.service)?;
        (view.standing == Standing::Member).then_some((battery, view.share))
    };
    seen.batteries.iter().filter_map(member).collect()
}

/// No limit is beyond that of a member at its part of the current.
fn within_members(seen: &Seen<'_>, decision: &Decision) {
    let members = members(seen, decision);
    let valid = |limit: Option<f64>| limit.filter(|limit| (0.0..6_000.0).contains(limit));
    let bank_a: f64 = members.iter().filter_map(|(battery, _)| battery.current_a).sum();
    for charges in [true, false] {
        let sign = if charges { 1.0 } else { -1.0 };
        let limit = if charges { decision.bank.charge_current_a } else { decision.bank.discharge_current_a };
        let Some(limit_a) = limit.filter(|a| *a > 0.0) else { continue };
        let may = |battery: &Battery| {
            if charges { battery.may_charge } else { battery.may_discharge }.unwrap_or(true)
        };
        let part: f64 = members.iter().filter(|(battery, _)| may(battery)).map(|(_, share)| share).sum();
        for (battery, share) in members.iter().filter(|(battery, _)| may(battery)) {
            let raw = battery.limits;
            let own = valid(if charges { raw.charge_current_a } else { raw.discharge_current_a });
            let (Some(own_a), Some(current_a)) = (own, battery.current_a) else { continue };
            let circulating_a = if part > 1.0 - 1e-9 { sign * (current_a - share * bank_a) } else { 0.0 };
            let carries_a = share / part * limit_a + circulating_a;
            assert!(
                carries_a <= own_a + ROUNDING,
                "{}: {limit_a} A of the bank are {carries_a} A of {own_a} A",
                battery.label
            );
        }
    }
    if let Some(cvl_v) = decision.bank.charge_voltage_v {
        for (battery, _) in members {
            let pack_v = battery.voltage_v.unwrap_or(f64::NAN);
            let own_v = battery.limits.charge_voltage_v.filter(|v| *v > 0.5 * pack_v && *v < 2.0 * pack_v);
            let may = battery.may_charge.unwrap_or(true);
            assert!(!may || own_v.is_none_or(|own_v| cvl_v <= own_v + ROUNDING), "{cvl_v} V, {own_v:?}");
            let cells = f64::from(battery.cells_in_series.unwrap_or(16));
            assert!(!may || cvl_v <= cells * 2.85f64.max(3.50) + ROUNDING || cells < 15.0, "{cvl_v} V");
        }
        let user_v = seen.settings.above_zero(Key::MaxChargeVoltage);
        assert!(user_v.is_none_or(|user_v| cvl_v <= user_v + ROUNDING || decision.state == State::NoData));
    }
}

/// Without members nothing is allowed for longer than a moment is held and ramped down.
fn without_members(for_s: &mut f64, dt_s: f64, decision: &Decision) {
    let any = decision.batteries.iter().any(|view| view.standing == Standing::Member);
    *for_s = if any { 0.0 } else { *for_s + dt_s };
    if *for_s > 12.0 + dt_s {
        for a in [decision.bank.charge_current_a, decision.bank.discharge_current_a].into_iter().flatten() {
            assert_eq!(a, 0.0, "{for_s} s without a member");
        }
        let id = decision.charge.reason.cause().id();
        assert!(matches!(id, "zero-data" | "starting"), "{id}");
    }
}

/// A limit below the maximum has a reason, and the limiter that is named gives the number.
fn reasons(seen: &Seen<'_>, decision: &Decision) {
    for (charges, explained) in [(true, &decision.charge), (false, &decision.discharge)] {
        let limit = if charges { decision.bank.charge_current_a } else { decision.bank.discharge_current_a };
        // Without data it is on its way to 0.
        let Some(limit_a) = limit.filter(|_| explained.reason.id() != "zero-data") else { continue };
        let rate = seen.settings.get(if charges { Key::ChargeRate } else { Key::DischargeRate });
        let shown_ah: f64 = seen.batteries.iter().filter_map(|battery| battery.capacity_ah).sum();
        let step_a = seen.settings.get(Key::CurrentStep) / 100.0 * rate * shown_ah.max(100.0);
        if explained.reason.id() == "none" {
            let lowest = explained.limiters.iter().map(|limit| limit.value).fold(f64::INFINITY, f64::min);
            assert!(
                limit_a >= lowest.max(0.0) - step_a - ROUNDING && limit_a > 0.0,
                "{limit_a} A for no reason"
            );
        }
        let named = explained.limiters.iter().find(|limit| limit.reason == explained.reason);
        if let Some(named) = named {
            let value_a = named.value.max(0.0);
            assert!(limit_a <= value_a + step_a + ROUNDING, "{limit_a} A, {named:?}");
        }
    }
}

/// Parts add up, and shares are never more than there is.
fn sharing(seen: &Seen<'_>, decision: &Decision) {
    let parts: Vec<f64> = decision
        .batteries
        .iter()
        .filter(|view| view.standing == Standing::Member)
        .map(|view| view.share)
        .collect();
    if !parts.is_empty() {
        assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{parts:?}");
    }
    let Some(ccl_a) = decision.bank.charge_current_a else { return };
    let shared_a: f64 = decision.shares.iter().filter_map(|share| share.limits.charge_current_a).sum();
    let victron = seen.inverters.devices.iter().any(|d| d.class == charge_manager::input::Class::Victron);
    let victron_a = if victron { decision.dvcc.charge_current_a.unwrap_or(0.0) } else { 0.0 };
    let free_a = (ccl_a - decision.uncontrolled_a).max(0.0);
    assert!(shared_a + victron_a <= free_a + ROUNDING, "{shared_a} A and {victron_a} A of {free_a} A");
    for share in &decision.shares {
        let device = seen.inverters.devices.iter().find(|device| device.service == share.service);
        let rating_a = device.and_then(|device| device.charge_rating_a).unwrap_or(f64::INFINITY);
        assert!(share.limits.charge_current_a.is_none_or(|a| a <= rating_a + ROUNDING));
    }
}

/// The same decision again, in another order, and with a memory that was stored in between; and the same sample twice.
fn same_again(seen: &Seen<'_>, decision: &Decision) {
    let text = serde_json::to_string(seen.memory).unwrap();
    assert!(text.len() < 20_000 * (1 + seen.batteries.len()), "{} bytes of memory", text.len());
    let mut memory: Memory = serde_json::from_str(&text).unwrap();
    assert_eq!(&memory, seen.memory);
    let mut batteries = seen.batteries.to_vec();
    batteries.reverse();
    let mut inverters = seen.inverters.clone();
    inverters.devices.reverse();
    let again = decide(seen.now, &batteries, &inverters, seen.settings, &mut memory);
    assert_eq!(&again, decision);
    let once = memory.clone();
    let twice = decide(seen.now, &batteries, &inverters, seen.settings, &mut memory);
    assert_eq!(memory.history(), once.history());
    let currents = |decision: &Decision| [decision.bank.charge_current_a, decision.bank.discharge_current_a];
    for (once, twice) in currents(&again).into_iter().zip(currents(&twice)) {
        assert!(twice <= once || once.is_none(), "{once:?} {twice:?}");
    }
}

fn possible(from: State, to: State) -> bool {
    use State::*;
    matches!(
        (from, to),
        (Start | NoData, Bulk | Float)
            | (Bulk, Absorption | Float | Forced)
            | (Absorption, Balance | Equalise | Float | Bulk)
            | (Balance | Equalise, Float)
            | (Float, Bulk | Storage | Forced)
            | (Storage, Bulk | Absorption | Forced)
            | (Forced, Absorption | Bulk)
            | (Protect, Bulk)
            | (_, Protect | NoData)
    ) && (from, to) != (Start, NoData)
}
