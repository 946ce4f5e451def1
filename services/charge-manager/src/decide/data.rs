//! Whether there are data to decide with, and whether anything may rise on them.

use super::bank::inside;
use crate::members::Allowed;
use crate::membership::{Roster, Unit};
use crate::memory::BankMemory;
use crate::name::Name;
use crate::reasons::Reason;
use crate::settings::{Key, Settings};
use crate::tick::Tick;
use crate::validate::STANDS_S;

/// What data there are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// Those of this moment.
    Live,
    /// None for a moment: the last limits are held.
    Held,
    /// None: to 0.
    None {
        /// Whose; none for no battery at all.
        who: Option<Name>,
        /// How old the newest are, s.
        age_s: f64,
    },
    /// None as yet.
    Never,
}

impl Data {
    /// Why there is nothing.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Data::None { who, age_s } => Reason::ZeroData { member: who.clone(), age_s: *age_s },
            _ => Reason::Starting { who: None },
        }
    }
}

/// Judges what data there are.
pub(super) fn judge(roster: &Roster, units: &[Unit], memory: &mut BankMemory, tick: Tick) -> Data {
    if let Some((who, age_s)) = &roster.stopped_by {
        return Data::None { who: Some(who.clone()), age_s: *age_s };
    }
    if !roster.inside.is_empty() {
        let oldest_s = inside(units, roster).map(|unit| unit.sound.age_s).fold(0.0, f64::max);
        (memory.had_data, memory.without_data_s) = (true, oldest_s.min(STANDS_S));
        return Data::Live;
    }
    if !memory.had_data {
        return Data::Never;
    }
    memory.without_data_s += tick.elapsed_s;
    let age_s = memory.without_data_s;
    if age_s <= STANDS_S { Data::Held } else { Data::None { who: None, age_s } }
}

/// Why nothing may rise in this tick.
pub(super) fn frozen(
    roster: &Roster,
    units: &mut [Unit],
    allowed: &[Allowed],
    data: &Data,
    memory: &mut BankMemory,
    settings: &Settings,
    tick: Tick,
) -> Option<Reason> {
    let observation_s = settings.get(Key::HealthyTime) + settings.get(Key::JoinObservation);
    if let Some(member) = &roster.joined {
        (memory.settle_s, memory.joined) = (observation_s, member.clone());
    }
    let mut set_changed = None;
    for (index, own) in roster.inside.iter().zip(allowed) {
        let Some(unit) = units.get_mut(*index) else { continue };
        let place = &mut unit.memory.place;
        let sets = (own.charges, own.discharges);
        let before = (place.charge_set, place.discharge_set);
        if place.sets_known && sets != before {
            // A battery that is switched on again comes like a new one.
            if (sets.0 && !before.0) || (sets.1 && !before.1) {
                (memory.settle_s, memory.joined) = (observation_s, unit.sound.label.clone());
            }
            set_changed = Some(unit.sound.label.clone());
        }
        (place.charge_set, place.discharge_set, place.sets_known) = (sets.0, sets.1, true);
    }
    let settles = memory.settle_s > 0.0;
    memory.settle_s = (memory.settle_s - tick.dt_s).max(0.0);
    if *data != Data::Live {
        return Some(Reason::Late { who: roster.left.clone().unwrap_or_else(|| "the batteries".into()) });
    }
    if let Some(member) = roster.left.clone().or(set_changed) {
        return Some(Reason::Lost { member });
    }
    let odd = inside(units, roster).find(|unit| unit.sound.odd).map(|unit| unit.sound.label.clone());
    if let Some(who) = odd {
        return Some(Reason::Late { who });
    }
    settles.then(|| Reason::Join { member: memory.joined.clone() })
}
