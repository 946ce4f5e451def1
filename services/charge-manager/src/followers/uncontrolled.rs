//! What flows that nobody is told about, and what is done while the bank takes more than it may.

use super::divide::Budget;
use super::{Cut, FleetMemory, current_a, is_told_by_dvcc};
use crate::input::{Class, Inverter, Inverters};
use crate::tick::Tick;

/// How fast what nobody controls is believed to have gone, s.
const UNCONTROLLED_S: f64 = 10.0;
/// A difference between the bank and its devices that is only a difference of meters: A, and part of the current.
const UNEXPLAINED_A: f64 = 2.0;
const UNEXPLAINED_PART: f64 = 0.02;
/// The bank is over its limit by more than this for so long: the shares are cut by this part per second.
const OVER_A: f64 = 1.0;
const OVER_PART: f64 = 0.01;
const OVER_S: f64 = 3.0;
const CUT_TO: f64 = 0.95;
const RELEASE_PER_S: f64 = 0.01;

/// What flows into the bank that nobody controls: what is measured of it, or else what the others do not explain, A.
pub(super) fn uncontrolled(
    around: &Inverters,
    memory: &mut FleetMemory,
    budget: Budget,
    controlled: &[bool],
    followers: &[&Inverter],
    tick: Tick,
) -> f64 {
    let site = &around.site;
    let mut free = 0.0;
    for device in &around.devices {
        let disobeys = followers
            .iter()
            .zip(controlled)
            .any(|(follower, controlled)| follower.service == device.service && !controlled);
        let counted = match device.class {
            Class::NonFollower => true,
            Class::Victron => !is_told_by_dvcc(device, site),
            Class::Follower => disobeys,
        };
        if counted {
            free += current_a(device, budget.now).unwrap_or(0.0).max(0.0);
        }
    }
    let all_known = !around.devices.is_empty()
        && around.devices.iter().all(|device| current_a(device, budget.now).is_some())
        && (site.dvcc != Some(true) || around.devices.iter().any(|device| device.class == Class::Victron));
    let sum_a: f64 = around.devices.iter().filter_map(|device| current_a(device, budget.now)).sum();
    let difference_a = if all_known { budget.current_a - sum_a } else { 0.0 };
    let meters_a = UNEXPLAINED_A + UNEXPLAINED_PART * budget.current_a.abs();
    let unexplained = |difference_a: f64| if difference_a > meters_a { difference_a } else { 0.0 };
    let now_a = free + unexplained(difference_a);
    let loads_a = unexplained(-difference_a - budget.current_a.max(0.0));
    let smooth_loads_a = memory.uncontrolled_discharge.step(loads_a, tick.dt_s, UNCONTROLLED_S);
    memory.uncontrolled_discharge.set(smooth_loads_a.max(loads_a));
    let smooth_a = memory.uncontrolled.step(now_a, tick.dt_s, UNCONTROLLED_S);
    let most_a = smooth_a.max(now_a);
    memory.uncontrolled.set(most_a);
    most_a
}

/// Cuts all shares while the bank takes more than it may, and lets go slowly.
pub(super) fn cut(memory: &mut FleetMemory, over_a: f64, limit_a: f64, tick: Tick) {
    let over_s = memory.over.step(over_a > OVER_A.max(OVER_PART * limit_a), tick.dt_s);
    let Cut(cut) = memory.cut;
    memory.cut = Cut(if over_s >= OVER_S {
        cut * CUT_TO.powf(tick.dt_s)
    } else if over_a < 0.0 {
        (cut + RELEASE_PER_S * tick.dt_s).min(1.0)
    } else {
        cut
    });
}
