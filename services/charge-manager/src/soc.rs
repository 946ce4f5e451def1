//! The state of charge of the bank.

use serde::{Deserialize, Serialize};

use crate::counter::{Counted, Counter};
use crate::filter::LowPass;
use crate::name::Name;
use crate::settings::{Key, Settings, SocSource};
use crate::tick::Tick;

/// Before the bank has been found full, no more than this is shown, %.
const BEFORE_FULL: f64 = 99.0;
/// How much charge must be missing for the bank not to be full any more, part of the capacity.
const NOT_FULL_C: f64 = 0.01;
/// Time constant of what the floor goes by, s.
const FLOOR_S: f64 = 30.0;
/// Beyond this the floor allows for the uncertainty, %.
const UNCERTAIN: f64 = 15.0;

/// What is remembered of the state of charge.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct SocMemory {
    pub(crate) counter: Counter,
    shown: Option<f64>,
    quick: LowPass,
    full: bool,
    missing_c: f64,
    told: bool,
}

/// A member as the state of charge sees it.
#[derive(Debug, Clone)]
pub(crate) struct Charged {
    pub(crate) label: Name,
    pub(crate) soc: Option<f64>,
    pub(crate) capacity_ah: f64,
    pub(crate) current_a: f64,
    pub(crate) cell_v: Option<f64>,
    /// Since the sample before, when this is a new one.
    pub(crate) sample_s: Option<f64>,
}

/// The state of charge of this moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Soc {
    /// As it is shown and decided by, %.
    pub(crate) shown: Option<f64>,
    /// What the floor goes by: falls sooner, %.
    pub(crate) for_floor: Option<f64>,
    /// It is what batteries say, not what was counted here.
    pub(crate) told: bool,
    /// Members that do not tell theirs.
    pub(crate) without: Vec<Name>,
    /// By how much the own counter may be wrong, when that matters, %.
    pub(crate) uncertain: Option<f64>,
}

/// Works out the state of charge. In `start` it is taken as it comes.
pub(crate) fn step(
    members: &[Charged],
    monitor: Option<&Charged>,
    memory: &mut SocMemory,
    starts: bool,
    settings: &Settings,
    tick: Tick,
) -> Soc {
    let by_members = weighted(members);
    let by_monitor = monitor.and_then(|monitor| monitor.soc);
    let installed_ah: f64 = members.iter().map(|member| member.capacity_ah).sum();
    count(members, monitor, memory, by_members.or(by_monitor), installed_ah, settings);
    let (raw, own) = match settings.plan().soc_source {
        SocSource::Automatic => (by_members.or(by_monitor), false),
        SocSource::Monitor => (by_monitor, false),
        SocSource::Counter => (None, true),
    };
    let own = own || raw.is_none();
    if memory.told && own {
        // Batteries that do not tell any more leave the counter where they were.
        memory.counter.go_on_from(memory.shown, installed_ah);
    }
    memory.told = !own;
    let counted = memory.counter.soc(installed_ah).filter(|_| installed_ah > 0.0);
    let Some(raw) = raw.or(counted) else {
        return Soc { shown: memory.shown, for_floor: memory.shown, ..Soc::default() };
    };
    let target = if memory.full { 100.0 } else { raw.min(BEFORE_FULL) };
    let most = settings.get(Key::SocSlew) / 10.0 * tick.dt_s;
    let before = memory.shown.filter(|_| !starts).unwrap_or(target);
    let shown = (before + (target - before).clamp(-most, most)).clamp(0.0, 100.0);
    memory.shown = Some(shown);
    let quick = if starts {
        memory.quick.set(raw);
        raw
    } else {
        memory.quick.step(raw, tick.dt_s, FLOOR_S)
    };
    let uncertain = Some(memory.counter.uncertain()).filter(|by| own && *by > UNCERTAIN);
    Soc {
        shown: Some(shown),
        told: !own,
        for_floor: Some((shown.min(quick) - uncertain.unwrap_or(0.0)).max(0.0)),
        without: members.iter().filter(|member| member.soc.is_none()).map(|m| m.label.clone()).collect(),
        uncertain,
    }
}

/// Mean of those that tell theirs, by capacity.
fn weighted(members: &[Charged]) -> Option<f64> {
    let told = members.iter().filter_map(|member| Some((member.soc?, member.capacity_ah)));
    let (sum, ah) = told.fold((0.0, 0.0), |(sum, ah), (soc, c)| (sum + soc * c, ah + c));
    (ah > 0.0).then(|| sum / ah)
}

/// The counter runs always, so that it knows when it is needed.
fn count(
    members: &[Charged],
    monitor: Option<&Charged>,
    memory: &mut SocMemory,
    first_soc: Option<f64>,
    installed_ah: f64,
    settings: &Settings,
) {
    let sums = members.iter().fold((0.0, 0.0, 0u32), |(a, v, n), m| match m.cell_v {
        Some(cell_v) => (a + m.current_a, v + cell_v, n + 1),
        None => (a + m.current_a, v, n),
    });
    let current_a = monitor.map_or(sums.0, |monitor| monitor.current_a);
    let cell_v = (sums.2 > 0).then(|| sums.1 / f64::from(sums.2));
    // One battery beats the time; the samples of the others are at most a few seconds off.
    let beat = monitor.or(members.first()).and_then(|member| member.sample_s);
    let Some(sample_s) = beat.filter(|s| *s > 0.0 && installed_ah > 0.0) else { return };
    memory.counter.count(Counted { current_a, cell_v, first_soc, installed_ah, sample_s }, settings);
    if memory.full {
        memory.missing_c -= current_a * sample_s / 3_600.0 / installed_ah;
        memory.missing_c = memory.missing_c.max(0.0);
        memory.full = memory.missing_c < NOT_FULL_C;
    }
}

impl SocMemory {
    /// The bank is full.
    pub(crate) fn full(&mut self, installed_ah: f64) {
        self.counter.full(installed_ah);
        (self.full, self.missing_c) = (true, 0.0);
    }

    /// The bank is empty.
    pub(crate) fn empty(&mut self, installed_ah: f64) {
        self.counter.empty(installed_ah);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };

    fn member(soc: Option<f64>, capacity_ah: f64) -> Charged {
        Charged {
            label: "B".into(),
            soc,
            capacity_ah,
            current_a: 0.0,
            cell_v: Some(3.3),
            sample_s: Some(1.0),
        }
    }

    fn shown(members: &[Charged], memory: &mut SocMemory, starts: bool) -> f64 {
        step(members, None, memory, starts, &Settings::default(), SECOND).shown.unwrap()
    }

    #[test]
    fn capacity_weighs_and_who_does_not_tell_is_left_out_by_name() {
        let members = [member(Some(90.0), 100.0), member(Some(50.0), 300.0), member(None, 200.0)];
        let soc = step(&members, None, &mut SocMemory::default(), true, &Settings::default(), SECOND);
        assert_eq!(soc.shown, Some(60.0));
        assert_eq!(soc.without.len(), 1);
    }

    #[test]
    fn a_jump_is_shown_slowly_and_noise_hardly_at_all() {
        let mut memory = SocMemory::default();
        assert_eq!(shown(&[member(Some(40.0), 280.0)], &mut memory, true), 40.0);
        for second in 1..=100 {
            let soc = shown(&[member(Some(100.0), 280.0)], &mut memory, false);
            assert!((soc - (40.0 + 0.1 * f64::from(second))).abs() < 1e-9);
        }
        let mut memory = SocMemory::default();
        shown(&[member(Some(60.0), 280.0)], &mut memory, true);
        for second in 0..1_000 {
            let noise = if second % 2 == 0 { 3.0 } else { -3.0 };
            assert!((shown(&[member(Some(60.0 + noise), 280.0)], &mut memory, false) - 60.0).abs() < 0.5);
        }
    }

    #[test]
    fn a_hundred_is_shown_only_after_full() {
        let mut memory = SocMemory::default();
        let full = [member(Some(100.0), 280.0)];
        assert_eq!(shown(&full, &mut memory, true), 99.0);
        memory.full(280.0);
        let after = (0..20).map(|_| shown(&full, &mut memory, false)).last();
        assert_eq!(after, Some(100.0));
    }
}
