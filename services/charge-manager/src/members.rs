//! What each member of the bank allows by itself, and what that is for the whole bank.

use crate::cell_law::{self, CellLimits, Disobeyed, Followed};
use crate::heat;
use crate::limit::{Limit, least};
use crate::membership::Unit;
use crate::reasons::Reason;
use crate::settings::{Key, Settings};
use crate::sharing::Share;
use crate::tick::Tick;
use crate::validate::RawLimit;

/// A current that shows that a battery conducts although it says otherwise, A.
const CONDUCTS_A: f64 = 0.5;
/// A member carries more than it may: A, and part of it; then the bank gets a little less than its share of that.
const EXCEEDED_A: f64 = 0.5;
const EXCEEDED_PART: f64 = 0.01;
const BACK_TO: f64 = 0.97;
/// How slowly a charger may follow, s.
const SLOWEST_RESPONSE_S: f64 = 12.0;
/// A current from the others counts as one beyond this: A, and part of the limit; when it has stood so long, s.
const CIRCULATES_A: f64 = 1.0;
const CIRCULATES_S: f64 = 10.0;

/// What one member allows.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// Charge current of its own, A.
    pub(crate) charge: Limit,
    /// Discharge current of its own, A.
    pub(crate) discharge: Limit,
    /// The same without the control of the cells: what may never be exceeded.
    pub(crate) hard_charge: Limit,
    pub(crate) hard_discharge: Limit,
    pub(crate) charges: bool,
    pub(crate) discharges: bool,
    pub(crate) cells: CellLimits,
    pub(crate) smoothed_c: Option<f64>,
    /// The others push more into it than it may take.
    pub(crate) circulates: bool,
    /// Its maxima, A.
    pub(crate) charge_maximum_a: f64,
    pub(crate) discharge_maximum_a: f64,
}

/// Works out what one member allows.
pub(crate) fn allowed(
    unit: &mut Unit,
    share: Share,
    disobeyed: Option<Disobeyed>,
    before: (&Reason, &Reason),
    settings: &Settings,
    tick: Tick,
) -> Allowed {
    let Unit { sound, memory, .. } = unit;
    let current_a = sound.current_a.unwrap_or(0.0);
    let charge_maximum_a = settings.get(Key::ChargeRate) * sound.capacity_ah;
    let discharge_maximum_a = settings.get(Key::DischargeRate) * sound.capacity_ah;
    let followed = Followed { charge_a: memory.followed.0.get(), discharge_a: memory.followed.1.get() };
    let cells = cell_law::step(sound, &mut memory.cell, followed, disobeyed, settings, tick);
    let maxima = (charge_maximum_a, discharge_maximum_a);
    let heat = heat::step(sound, &mut memory.heat, maxima, settings, tick);

    let mut charge = vec![Limit::new(charge_maximum_a, Reason::None)];
    let mut discharge = vec![Limit::new(discharge_maximum_a, Reason::None)];
    charge.extend(raw(sound.ccl, sound));
    discharge.extend(raw(sound.dcl, sound));
    // Without the voltage limit that it once showed there is no licence to charge.
    charge.extend(raw(sound.cvl, sound).filter(|limit| limit.value <= 0.0));
    charge.extend(heat.charge);
    discharge.extend(heat.discharge);
    charge.extend(cells.charge.iter().cloned());
    discharge.extend(cells.discharge.iter().cloned());
    let off = || Limit::new(0.0, Reason::BmsOff { member: sound.label.clone() });
    if !sound.may_charge {
        charge.push(off());
    }
    if !sound.may_discharge {
        discharge.push(off());
    }
    let suspect_a = settings.get(Key::SuspectRate) * sound.capacity_ah;
    let doubted = match (&sound.suspect, sound.contradicts) {
        (Some(what), _) => Some(Reason::Suspect { member: sound.label.clone(), what: what.clone() }),
        (None, Some(what)) => Some(Reason::Mismatch { what: format!("{what} of {}", sound.label).into() }),
        (None, None) => None,
    };
    if let Some(reason) = doubted {
        // A frozen thermometer says nothing against discharging; a cell that is not seen may be empty.
        if sound.heat.frozen.as_ref() != sound.suspect.as_ref() || sound.contradicts.is_some() {
            discharge.push(Limit::new(suspect_a, reason.clone()));
        }
        charge.push(Limit::new(suspect_a, reason));
    }
    let none = || Limit::new(0.0, Reason::None);
    let controls = |limit: &Limit| matches!(limit.reason, Reason::CellHigh { .. } | Reason::CellLow { .. });
    let hard = |limits: &[Limit]| {
        let hard = limits.iter().filter(|limit| limit.value <= 0.0 || !controls(limit));
        Limit::new(hard.map(|limit| limit.value.max(0.0)).fold(f64::INFINITY, f64::min), Reason::None)
    };
    let (hard_charge, hard_discharge) = (hard(&charge), hard(&discharge));
    let charge = least(&charge, before.0).unwrap_or_else(none);
    let discharge = least(&discharge, before.1).unwrap_or_else(none);
    memory.followed.0.step(charge.value, tick.dt_s, SLOWEST_RESPONSE_S);
    memory.followed.1.step(discharge.value, tick.dt_s, SLOWEST_RESPONSE_S);
    let most_a = charge.value + CIRCULATES_A.max(EXCEEDED_PART * charge.value);
    let circulates_s = memory.circulates.step(share.c_charge_a > most_a, tick.dt_s);
    Allowed {
        charges: sound.may_charge || current_a > CONDUCTS_A,
        discharges: sound.may_discharge || current_a < -CONDUCTS_A,
        charge,
        discharge,
        hard_charge,
        hard_discharge,
        cells,
        smoothed_c: heat.smoothed_c,
        circulates: circulates_s >= CIRCULATES_S,
        charge_maximum_a,
        discharge_maximum_a,
    }
}

fn raw(limit: RawLimit, sound: &crate::validate::Sound) -> Option<Limit> {
    let member = || sound.label.clone();
    match limit {
        RawLimit::Unlimited => None,
        RawLimit::Is(limit_a) => Some(Limit::new(limit_a, Reason::Bms { member: member(), limit_a })),
        RawLimit::Missing => Some(Limit::new(0.0, Reason::BmsNone { member: member() })),
    }
}

/// A member in one direction of the current. All currents are positive in that direction.
#[derive(Debug, Clone)]
pub(crate) struct Carried<'a> {
    pub(crate) limit: &'a Limit,
    /// Its part of the current of those in this direction.
    pub(crate) s: f64,
    /// What flows into it from the others of them, A.
    pub(crate) circulating_a: f64,
    pub(crate) guard: f64,
    pub(crate) current_a: f64,
    pub(crate) label: &'a crate::name::Name,
}

/// What the members in one direction allow the bank. `others_a` is what flows in the others, through a body diode say: what
/// they give back, these carry beside the current of the bank.
pub(crate) fn of_bank(members: &[Carried<'_>], others_a: f64) -> Vec<Limit> {
    let given_back_a = others_a.min(0.0);
    let bank_a: f64 = members.iter().map(|member| member.current_a).sum::<f64>() + given_back_a;
    let mut limits = Vec::with_capacity(members.len() + 1);
    for member in members {
        let own_a = member.limit.value;
        if members.len() == 1 {
            let value = (own_a + given_back_a).max(0.0);
            limits.push(Limit::new(value, member.limit.reason.clone()));
            continue;
        }
        let value = ((own_a - member.circulating_a) / (member.guard * member.s) + given_back_a).max(0.0);
        let reason = match &member.limit.reason {
            Reason::Bms { .. } | Reason::None => {
                Reason::Share { member: member.label.clone(), limit_a: own_a }
            }
            reason => reason.clone(),
        };
        limits.push(Limit::new(value, reason));
        let carries_a = member.current_a;
        if bank_a > 0.0 && carries_a > own_a + EXCEEDED_A.max(EXCEEDED_PART * own_a) {
            let reason = Reason::ShareExceeded { member: member.label.clone(), current_a: carries_a };
            limits.push(Limit::new(bank_a * own_a / carries_a * BACK_TO, reason));
        }
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(limit: &Limit, s: f64, circulating_a: f64, current_a: f64) -> Carried<'_> {
        static LABEL: std::sync::LazyLock<crate::name::Name> = std::sync::LazyLock::new(|| "B".into());
        Carried { limit, s, circulating_a, guard: 1.0, current_a, label: &LABEL }
    }

    fn lowest(members: &[Carried<'_>]) -> f64 {
        of_bank(members, 0.0).iter().map(|limit| limit.value).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_bank_may_carry_what_its_weakest_member_may_at_its_share() {
        let (strong, weak) = (Limit::new(140.0, Reason::None), Limit::new(10.0, Reason::None));
        let members = [carried(&strong, 0.7, 0.0, 0.0), carried(&weak, 0.3, 0.0, 0.0)];
        assert!((lowest(&members) - 10.0 / 0.3).abs() < 1e-9);
    }

    #[test]
    fn what_flows_from_the_others_counts_against_the_limit() {
        let limit = Limit::new(50.0, Reason::None);
        let members = [carried(&limit, 0.5, 10.0, 10.0), carried(&limit, 0.5, -10.0, -10.0)];
        assert!((lowest(&members) - 80.0).abs() < 1e-9);
    }

    #[test]
    fn one_that_may_charge_alone_also_carries_what_the_others_give_back() {
        let limit = Limit::new(50.0, Reason::None);
        let limits = of_bank(&[carried(&limit, 1.0, 0.0, 60.0)], -20.0);
        assert_eq!(limits[0].value, 30.0);
    }

    #[test]
    fn a_full_member_that_feeds_the_other_lets_the_bank_charge() {
        let (full, other) = (Limit::new(0.0, Reason::None), Limit::new(140.0, Reason::None));
        let members = [carried(&full, 0.5, -15.0, -10.0), carried(&other, 0.5, 15.0, 20.0)];
        assert!((lowest(&members) - 30.0).abs() < 1e-9);
    }

    #[test]
    fn a_member_over_its_limit_takes_the_bank_down_at_once() {
        let limit = Limit::new(20.0, Reason::None);
        let members = [carried(&limit, 0.5, 0.0, 40.0), carried(&limit, 0.5, 0.0, 10.0)];
        assert!((lowest(&members) - 50.0 * 20.0 / 40.0 * 0.97).abs() < 1e-9);
    }
}
