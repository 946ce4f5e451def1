//! How members in parallel share the current: `I_i = s_i·I + c_i`, with the sum of all s at 1 and that of all c at 0.
//!
//! The shares s are learnt from steps of the current, because they are those of conductances; c is what flows between the
//! batteries. What a member may carry becomes a limit of the bank by `(limit − c) / (guard·s)`, the least of all.

use serde::{Deserialize, Serialize};

use crate::filter::LowPass;
use crate::settings::{Key, Settings};
use crate::tick::Tick;

/// A share stays within these factors of the share of capacity.
const CLAMP: (f64, f64) = (0.25, 4.0);
/// A step of the current that teaches something: A, and part of the capacity in A.
const STEP_A: f64 = 5.0;
const STEP_C: f64 = 0.02;
/// How long the current must be steady around a step, s, and how steady, part of a step.
const SETTLED_S: f64 = 3.0;
const STEADY: f64 = 0.2;
/// A step must be over so soon that the charge of the batteries has not changed, s.
const STEP_WITHIN_S: f64 = 60.0;
const LEARN: f64 = 0.1;
const LEARNT: u32 = 5;
/// Beyond this the shares are uncertain.
const UNCERTAIN: f64 = 0.10;
const CIRCULATING_S: f64 = 10.0;

/// What is remembered of a member's share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShareMemory {
    /// Its share of the current of the bank.
    pub(crate) share: f64,
    circulating: LowPass,
    /// Its current at the last steady moment, A.
    reference_a: f64,
    updates: u32,
    uncertainty: f64,
}

impl Default for ShareMemory {
    fn default() -> Self {
        ShareMemory {
            share: 0.0,
            circulating: LowPass::default(),
            reference_a: 0.0,
            updates: 0,
            uncertainty: 1.0,
        }
    }
}

/// What is remembered of the sharing as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct SharingMemory {
    /// Current of the bank at the last steady moment, A, and how long ago that is, s.
    reference_a: Option<f64>,
    reference_age_s: f64,
    last_a: f64,
    steady_s: f64,
    members: usize,
}

/// A member as the sharing sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carrier {
    pub(crate) capacity_ah: f64,
    pub(crate) current_a: f64,
    /// Its data are at most 3 s old, and new.
    pub(crate) fresh: bool,
    pub(crate) near_full: bool,
}

/// How a member shares, for this tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share {
    /// Its share where a limit is made of it.
    pub(crate) s: f64,
    /// What flows into it from the others, for the charge limit: the larger one of smoothed and not, A.
    pub(crate) c_charge_a: f64,
    /// The same for the discharge limit: the smaller one.
    pub(crate) c_discharge_a: f64,
    pub(crate) guard: f64,
}

/// Learns from the currents of this moment, and says how the members share.
pub(crate) fn step(
    carriers: &[Carrier],
    memories: &mut [&mut ShareMemory],
    memory: &mut SharingMemory,
    apart: bool,
    settings: &Settings,
    tick: Tick,
) -> Vec<Share> {
    let capacity_ah: f64 = carriers.iter().map(|carrier| carrier.capacity_ah).sum();
    let prior = |carrier: &Carrier| carrier.capacity_ah / capacity_ah.max(1e-9);
    let [_] = carriers else {
        return step_several(carriers, memories, memory, apart, settings, tick, capacity_ah, &prior);
    };
    memory.members = 1;
    memory.reference_a = None;
    for known in memories.iter_mut() {
        **known = ShareMemory { share: 1.0, ..ShareMemory::default() };
    }
    vec![Share { s: 1.0, c_charge_a: 0.0, c_discharge_a: 0.0, guard: 1.0 }]
}

#[expect(clippy::too_many_arguments, reason = "the second half of `step`")]
fn step_several(
    carriers: &[Carrier],
    memories: &mut [&mut ShareMemory],
    memory: &mut SharingMemory,
    apart: bool,
    settings: &Settings,
    tick: Tick,
    capacity_ah: f64,
    prior: &dyn Fn(&Carrier) -> f64,
) -> Vec<Share> {
    let total_a: f64 = carriers.iter().map(|carrier| carrier.current_a).sum();
    if memory.members != carriers.len() || memories.iter().any(|known| known.share <= 0.0) {
        // Somebody came or went: what was learnt holds for another bank.
        memory.members = carriers.len();
        memory.reference_a = None;
        for (known, carrier) in memories.iter_mut().zip(carriers) {
            **known = ShareMemory { share: prior(carrier), ..ShareMemory::default() };
        }
    }
    learn(carriers, memories, memory, capacity_ah, total_a, tick, prior);

    let uncertain = memories.iter().any(|known| known.updates < LEARNT || known.uncertainty > UNCERTAIN);
    let near_full = carriers.iter().any(|carrier| carrier.near_full);
    let guard = settings.get(if uncertain { Key::GuardUnknown } else { Key::Guard });
    let guard = if near_full { guard.max(settings.get(Key::GuardNearFull)) } else { guard };
    let one = |(known, carrier): (&mut &mut ShareMemory, &Carrier)| {
        let flows_a = carrier.current_a - known.share * total_a;
        let smoothed_a = known.circulating.step(flows_a, tick.dt_s, CIRCULATING_S);
        let s = if known.updates < LEARNT { known.share.max(prior(carrier)) } else { known.share };
        Share {
            // Where it is not known who is on the busbar, each may be alone on it.
            s: if apart { 1.0 } else { s },
            c_charge_a: if apart { 0.0 } else { flows_a.max(smoothed_a) },
            c_discharge_a: if apart { 0.0 } else { flows_a.min(smoothed_a) },
            guard,
        }
    };
    memories.iter_mut().zip(carriers).map(one).collect()
}

fn learn(
    carriers: &[Carrier],
    memories: &mut [&mut ShareMemory],
    memory: &mut SharingMemory,
    capacity_ah: f64,
    total_a: f64,
    tick: Tick,
    prior: &dyn Fn(&Carrier) -> f64,
) {
    let step_a = STEP_A.max(STEP_C * capacity_ah);
    let steady = (total_a - memory.last_a).abs() <= STEADY * step_a && carriers.iter().all(|c| c.fresh);
    memory.last_a = total_a;
    memory.steady_s = if steady { memory.steady_s + tick.dt_s } else { 0.0 };
    memory.reference_age_s += tick.elapsed_s;
    if memory.steady_s < SETTLED_S {
        return;
    }
    let change_a = memory.reference_a.map_or(0.0, |reference_a| total_a - reference_a);
    let taught = change_a.abs() >= step_a && memory.reference_age_s <= STEP_WITHIN_S;
    if taught {
        for (known, carrier) in memories.iter_mut().zip(carriers) {
            let seen = (carrier.current_a - known.reference_a) / change_a;
            let error = ((seen - known.share) / known.share).abs().min(1.0);
            known.share += LEARN * (seen - known.share);
            known.uncertainty += 0.3 * (error - known.uncertainty);
            known.updates = known.updates.saturating_add(1);
        }
        renormalise(carriers, memories, prior);
    }
    memory.reference_a = Some(total_a);
    memory.reference_age_s = 0.0;
    for (known, carrier) in memories.iter_mut().zip(carriers) {
        known.reference_a = carrier.current_a;
    }
}

/// Brings the shares into their clamps with a sum of 1: what one gives or takes at its clamp, the free ones share.
fn renormalise(carriers: &[Carrier], memories: &mut [&mut ShareMemory], prior: &dyn Fn(&Carrier) -> f64) {
    let bounds: Vec<(f64, f64)> =
        carriers.iter().map(prior).map(|prior| (CLAMP.0 * prior, (CLAMP.1 * prior).min(1.0))).collect();
    let wished: Vec<f64> = memories.iter().map(|known| known.share.max(1e-6)).collect();
    let at = |scale: f64| -> Vec<f64> {
        wished.iter().zip(&bounds).map(|(w, &(low, high))| (w * scale).clamp(low, high)).collect()
    };
    // The sum rises with the scale, from less than 1 to more.
    let (mut low, mut high) = (0.0, 1e9);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if at(middle).iter().sum::<f64>() < 1.0 { low = middle } else { high = middle }
    }
    let shares = at(high);
    let sum: f64 = shares.iter().sum();
    for (known, share) in memories.iter_mut().zip(shares) {
        known.share = share / sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        memory: SharingMemory,
        shares: Vec<ShareMemory>,
        capacities_ah: Vec<f64>,
    }

    impl Bench {
        fn new(capacities_ah: &[f64]) -> Bench {
            Bench {
                memory: SharingMemory::default(),
                shares: vec![ShareMemory::default(); capacities_ah.len()],
                capacities_ah: capacities_ah.to_vec(),
            }
        }

        fn step(&mut self, currents_a: &[f64]) -> Vec<Share> {
            let carriers: Vec<Carrier> = currents_a
                .iter()
                .zip(&self.capacities_ah)
                .map(|(&current_a, &capacity_ah)| Carrier {
                    capacity_ah,
                    current_a,
                    fresh: true,
                    near_full: false,
                })
                .collect();
            let mut memories: Vec<&mut ShareMemory> = self.shares.iter_mut().collect();
            let tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };
            step(&carriers, &mut memories, &mut self.memory, false, &Settings::default(), tick)
        }

        fn sum(&self) -> f64 {
            self.shares.iter().map(|known| known.share).sum()
        }
    }

    #[test]
    fn a_lone_battery_carries_everything_without_a_guard() {
        let shares = Bench::new(&[280.0]).step(&[140.0]);
        assert_eq!(shares, [Share { s: 1.0, c_charge_a: 0.0, c_discharge_a: 0.0, guard: 1.0 }]);
    }

    #[test]
    fn at_first_capacity_decides_and_the_guard_is_wide() {
        let shares = Bench::new(&[280.0, 70.0]).step(&[80.0, 20.0]);
        assert!((shares[0].s - 0.8).abs() < 1e-12 && shares[0].guard == 1.10);
    }

    #[test]
    fn the_shares_are_learnt_from_steps_of_the_current_whatever_circulates() {
        let mut bench = Bench::new(&[280.0, 280.0]);
        // The first has half the resistance, and 7 A of its own flow into the second.
        for step in 0..60 {
            let total_a = if step % 2 == 0 { 20.0 } else { 120.0 };
            for _ in 0..6 {
                bench.step(&[total_a * 2.0 / 3.0 - 7.0, total_a / 3.0 + 7.0]);
            }
            assert!((bench.sum() - 1.0).abs() < 1e-9);
        }
        let shares = bench.step(&[120.0 * 2.0 / 3.0 - 7.0, 120.0 / 3.0 + 7.0]);
        assert!((shares[0].s - 2.0 / 3.0).abs() < 0.01, "{}", shares[0].s);
        assert!((shares[1].c_charge_a - 7.0).abs() < 2.0, "{}", shares[1].c_charge_a);
        assert_eq!(shares[0].guard, 1.03);
    }

    #[test]
    fn no_share_leaves_its_clamp_and_they_always_add_up() {
        let mut bench = Bench::new(&[100.0, 100.0, 100.0]);
        for step in 0..200 {
            let total_a = if step % 2 == 0 { 0.0 } else { 90.0 };
            (0..5).for_each(|_| drop(bench.step(&[total_a * 3.0, -total_a, -total_a])));
        }
        assert!((bench.sum() - 1.0).abs() < 1e-9);
        for known in &bench.shares {
            assert!(known.share >= 1.0 / 12.0 - 1e-9 && known.share <= 1.0, "{known:?}");
        }
    }

    #[test]
    fn without_current_nothing_is_learnt() {
        let mut bench = Bench::new(&[280.0, 100.0]);
        bench.step(&[0.0, 0.0]);
        let before = bench.shares.clone();
        (0..100).for_each(|_| drop(bench.step(&[0.0, 0.0])));
        assert_eq!(
            bench.shares.iter().map(|k| k.share).collect::<Vec<_>>(),
            before.iter().map(|k| k.share).collect::<Vec<_>>()
        );
    }
}
