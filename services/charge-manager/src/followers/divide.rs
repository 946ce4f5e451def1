//! The limits shared out.

use std::time::Duration;

use super::fill::{Taker, fill};
use super::sense::Sensed;
use super::share_out::ShareOut;
use super::uncontrolled::{cut, uncontrolled};
use super::{FleetMemory, MOST_AMPS, Stage, current_a, is_told_by_dvcc};
use crate::decision::{Limits, Share};
use crate::input::{Class, Inverter, Inverters};
use crate::settings::{Key, Settings};
use crate::tick::Tick;

/// What a charger may add to the charge voltage while solar current is fed into the grid, V.
const FEED_IN_V: f64 = 0.4;
/// Where systemcalc has nothing to control, it is shown what the followers leave, with so much more for them.
const TAKEN_MORE: f64 = 1.05;

/// The limits to share out, and what they are shared out by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) now: Duration,
    /// The limits of the bank; none while there are none.
    pub(crate) limits: Limits,
    /// The charge voltage as it were without the lever, V.
    pub(crate) unlevered_v: Option<f64>,
    /// The lever is in use.
    pub(crate) levered: bool,
    /// What no voltage that is sent may exceed, V.
    pub(crate) cap_v: f64,
    pub(crate) current_a: f64,
    pub(crate) bus_v: Option<f64>,
    /// Highest cell or mean, V.
    pub(crate) top_v: Option<f64>,
    /// The bank is charged toward the absorption voltage or holds it.
    pub(crate) charging: bool,
    /// What chargers on alternating current may push together, A.
    pub(crate) ac_most_a: f64,
    /// Maxima of the bank, A.
    pub(crate) charge_maximum_a: f64,
    pub(crate) discharge_maximum_a: f64,
}

/// What everybody gets.
#[derive(Debug, Default)]
pub(crate) struct Divided {
    pub(crate) shares: Vec<Share>,
    /// What systemcalc may spend.
    pub(crate) dvcc: Limits,
    /// What flows that nobody controls, A.
    pub(crate) uncontrolled_a: f64,
}

/// Shares out the limits.
pub(crate) fn divide(
    around: &Inverters,
    memory: &mut FleetMemory,
    budget: Budget,
    stage: Stage,
    settings: &Settings,
    tick: Tick,
) -> Divided {
    let site = &around.site;
    let (Some(charge_a), Some(discharge_a)) =
        (budget.limits.charge_current_a, budget.limits.discharge_current_a)
    else {
        return Divided { shares: empty_shares(around, budget.now), ..Divided::default() };
    };
    let followers: Vec<&Inverter> =
        around.devices.iter().filter(|device| device.class == Class::Follower).collect();
    let obeying = |device: &Inverter| {
        memory.devices.get(&device.service).is_none_or(|known| !known.obedience.disobeys())
    };
    let controlled: Vec<bool> = followers.iter().map(|device| obeying(device)).collect();
    let uncontrolled_a = uncontrolled(around, memory, budget, &controlled, &followers, tick);
    let allowed_a = memory.charging.allowed_a().max(charge_a);
    cut(memory, budget.current_a - allowed_a, charge_a, tick);
    let free_a = (charge_a - uncontrolled_a).max(0.0) * memory.cut.0;

    let victron: Vec<&Inverter> =
        around.devices.iter().filter(|device| is_told_by_dvcc(device, site)).collect();
    let charge = Direction {
        sign: 1.0,
        free_a,
        step_a: settings.get(Key::CurrentStep) / 100.0 * budget.charge_maximum_a,
    };
    let (charge_parts_a, dvcc_charge_a) =
        direction(charge, &followers, &controlled, &victron, memory, budget, settings, tick);
    let loads_a = memory.uncontrolled_discharge.get().unwrap_or(0.0);
    let discharge = Direction {
        sign: -1.0,
        free_a: (discharge_a - loads_a).max(0.0),
        step_a: settings.get(Key::CurrentStep) / 100.0 * budget.discharge_maximum_a,
    };
    let everybody = vec![true; followers.len()];
    let (discharge_parts_a, dvcc_discharge_a) =
        direction(discharge, &followers, &everybody, &victron, memory, budget, settings, tick);

    let mut shares = Vec::with_capacity(followers.len());
    for (index, device) in followers.iter().enumerate() {
        let part = |parts: &[f64]| parts.get(index).copied().unwrap_or(0.0);
        let obeys = controlled.get(index).copied().unwrap_or(true);
        let voltage_v = voltage(device, part(&charge_parts_a), memory, budget, settings, tick);
        shares.push(Share {
            service: device.service.clone(),
            label: device.label.clone(),
            limits: Limits {
                charge_voltage_v: voltage_v,
                charge_current_a: Some(part(&charge_parts_a)),
                discharge_current_a: Some(part(&discharge_parts_a)),
            },
            taken_a: current_a(device, budget.now),
            disobeys: !obeys,
            stop: stage >= Stage::Stop && (!obeys || controlled.iter().all(|obeys| *obeys)),
        });
    }
    let near_full = budget.top_v.is_none_or(|v| v >= settings.get(Key::NearFullVoltage));
    let feed_in_v = if site.dc_feed_in && near_full { FEED_IN_V } else { 0.0 };
    let dvcc = Limits {
        charge_voltage_v: budget.limits.charge_voltage_v.map(|v| v - feed_in_v),
        charge_current_a: Some(dvcc_charge_a),
        discharge_current_a: Some(dvcc_discharge_a),
    };
    Divided { shares, dvcc, uncontrolled_a }
}

fn empty_shares(around: &Inverters, now: Duration) -> Vec<Share> {
    let followers = around.devices.iter().filter(|device| device.class == Class::Follower);
    followers
        .map(|device| Share {
            service: device.service.clone(),
            label: device.label.clone(),
            limits: Limits::default(),
            taken_a: current_a(device, now),
            disobeys: false,
            stop: false,
        })
        .collect()
}

/// One direction of the current, with what may be spent in it.
#[derive(Debug, Clone, Copy)]
struct Direction {
    /// 1 for charging, −1 for discharging.
    sign: f64,
    free_a: f64,
    step_a: f64,
}

/// The part of each follower, and that of systemcalc, A.
#[expect(clippy::too_many_arguments, reason = "both directions go the same way")]
fn direction(
    direction: Direction,
    followers: &[&Inverter],
    controlled: &[bool],
    victron: &[&Inverter],
    memory: &mut FleetMemory,
    budget: Budget,
    settings: &Settings,
    tick: Tick,
) -> (Vec<f64>, f64) {
    let Direction { sign, free_a, step_a } = direction;
    let charges = sign > 0.0;
    let taken = |device: &Inverter| current_a(device, budget.now).map(|a| (sign * a).max(0.0));
    let rating = |device: &Inverter| {
        let told = if charges { device.charge_rating_a } else { device.discharge_rating_a };
        let told_a = told.filter(|a| *a >= 0.0).unwrap_or(MOST_AMPS).min(MOST_AMPS);
        if charges && device.from_ac { told_a.min(budget.ac_most_a) } else { told_a }
    };
    // An inverter needs room for a load that comes at once; a charger can wait for its share to grow.
    let least_want = |rating_a: f64| if charges { 1.0 } else { rating_a.min(free_a) / 2.0 };
    let mut takers: Vec<Taker> = Vec::with_capacity(followers.len() + 1);
    for (device, controlled) in followers.iter().zip(controlled) {
        let known = memory.devices.get(&device.service).copied().unwrap_or_default();
        let last_a = if charges { known.charge.get() } else { known.discharge.get() };
        let rating_a = if *controlled { rating(device) } else { 0.0 };
        // One whose current is unknown may take all that it was given.
        let taken_a = taken(device).unwrap_or(last_a).min(rating_a);
        takers.push(Taker { taken_a, rating_a, least_want_a: least_want(rating_a) });
    }
    let reserved_a: f64 = reserved(memory, followers, charges);
    let free_a = (free_a - reserved_a).max(0.0);
    let victron_a: f64 = victron.iter().filter_map(|device| taken(device)).sum();
    let victron_rating_a = match victron {
        // Nobody to spend it: the others get it, and what they leave is shown.
        [] if !followers.is_empty() => 0.0,
        [] => MOST_AMPS,
        _ => victron.iter().map(|device| rating(device)).sum(),
    };
    takers.push(Taker {
        taken_a: victron_a.min(victron_rating_a),
        rating_a: victron_rating_a,
        least_want_a: least_want(victron_rating_a),
    });
    let mut parts_a = fill(free_a, &takers);
    limit_ac(followers, &mut parts_a, if charges { budget.ac_most_a } else { MOST_AMPS });

    let mut outs: Vec<ShareOut> = followers
        .iter()
        .map(|device| {
            let known = memory.devices.get(&device.service).copied().unwrap_or_default();
            if charges { known.charge } else { known.discharge }
        })
        .collect();
    outs.push(if charges { memory.victron_charge } else { memory.victron_discharge });
    let published_a = |outs: &[ShareOut]| outs.iter().map(|out| out.get()).sum::<f64>();
    for (index, (out, part_a)) in outs.iter_mut().zip(&parts_a).enumerate() {
        let forbidden = controlled.get(index) == Some(&false);
        out.fall(*part_a, step_a, forbidden || *part_a <= 0.0);
    }
    if published_a(&outs) > free_a {
        outs.iter_mut().zip(&parts_a).for_each(|(out, part_a)| out.fall(*part_a, 0.0, true));
    }
    // What somebody still takes above its new share is not yet free for the others.
    let busy_a: f64 = outs.iter().zip(&takers).map(|(out, taker)| out.get().max(taker.taken_a)).sum();
    let mut room_a = (free_a - busy_a).max(0.0);
    let mut spare_a = (free_a - published_a(&outs)).max(0.0);
    let dwell_s = settings.get(Key::RiseDwell);
    for ((out, part_a), taker) in outs.iter_mut().zip(&parts_a).zip(&takers) {
        // Its own current above its share is room that it already fills.
        let own_a = (taker.taken_a - out.get()).max(0.0);
        let spent_a = out.rise(*part_a, (room_a + own_a).min(spare_a), step_a, dwell_s, tick);
        room_a -= (spent_a - own_a).max(0.0);
        spare_a -= spent_a;
    }
    let victron_out = outs.pop().unwrap_or_default();
    for (device, out) in followers.iter().zip(&outs) {
        let known = memory.devices.entry(device.service.clone()).or_default();
        if charges { known.charge = *out } else { known.discharge = *out }
    }
    if charges {
        memory.victron_charge = victron_out
    } else {
        memory.victron_discharge = victron_out
    }
    let told_a = followers.iter().zip(&outs).map(|(device, out)| stepped(out.get(), device.current_step_a));
    let shown_a = if victron.is_empty() && !followers.is_empty() {
        let taken_a: f64 = takers.iter().map(|taker| taker.taken_a).sum();
        (free_a - TAKEN_MORE * taken_a).max(0.0)
    } else {
        victron_out.get()
    };
    (told_a.collect(), shown_a)
}

/// What followers may still take that are gone from the bus, A.
fn reserved(memory: &FleetMemory, followers: &[&Inverter], charges: bool) -> f64 {
    let gone =
        memory.devices.iter().filter(|(name, _)| followers.iter().all(|device| device.service != **name));
    gone.map(|(_, known)| if charges { known.charge.get() } else { known.discharge.get() }).sum()
}

/// Chargers on alternating current together take no more than their source may give.
fn limit_ac(followers: &[&Inverter], parts_a: &mut [f64], most_a: f64) {
    let ac_a: f64 =
        followers.iter().zip(parts_a.iter()).filter(|(d, _)| d.from_ac).map(|(_, part)| *part).sum();
    if ac_a > most_a {
        let ac = followers.iter().zip(parts_a.iter_mut()).filter(|(device, _)| device.from_ac);
        ac.for_each(|(_, part_a)| *part_a *= most_a / ac_a);
    }
}

fn stepped(value: f64, step: f64) -> f64 {
    if step > 0.0 && step.is_finite() { ((value / step + 1e-9).floor() * step).min(value) } else { value }
}

/// The charge voltage of one follower.
fn voltage(
    device: &Inverter,
    share_a: f64,
    memory: &mut FleetMemory,
    budget: Budget,
    settings: &Settings,
    tick: Tick,
) -> Option<f64> {
    let mut told_v = budget.limits.charge_voltage_v?;
    // The lever would discharge the battery through one that draws down.
    if device.draws_down && !settings.plan().lower_voltage_of_followers {
        let kept_v = budget.unlevered_v.unwrap_or(told_v).min(budget.bus_v.unwrap_or(told_v));
        told_v = told_v.max(kept_v);
    }
    // Lead-acid has no ceiling; unknown cells are taken to be at theirs.
    let over_ceiling_v = settings
        .some(Key::CellCeiling)
        .map_or(f64::NEG_INFINITY, |ceiling_v| budget.top_v.map_or(0.0, |top_v| top_v - ceiling_v));
    let known = memory.devices.entry(device.service.clone()).or_default();
    let (Some(measured_v), Some(taken_a)) = (budget.bus_v, current_a(device, budget.now)) else {
        return Some(told_v);
    };
    let sensed = Sensed {
        told_v,
        measured_v,
        share_a,
        taken_a,
        allowed: device.own_voltmeter && budget.charging && !budget.levered,
        over_ceiling_v,
    };
    let trim_v = known.trim.step(sensed, settings, tick);
    Some((told_v + trim_v).min(budget.cap_v).max(told_v))
}
