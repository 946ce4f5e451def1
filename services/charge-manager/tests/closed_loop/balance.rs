//! Cells of unequal charge over days: the balancer of a pack needs time at the top, and the charge must give it.

use charge_manager::settings::Key;
use charge_manager::{Because, State};
use simulator::charger::ChargerSpec;
use simulator::plant::balancer::Balancer;
use simulator::plant::pack::{Pack, PackSpec};
use simulator::plant::sensors::Noise;
use simulator::profile::Profile;

use crate::packs;
use crate::rig::{Device, Rig};

/// What each cell needs until it is full, Ah.
fn needs_ah(pack: &Pack) -> Vec<f64> {
    pack.cells().iter().map(|cell| (1.0 - cell.soc()) * cell.capacity_ah()).collect()
}

/// How far the cells are apart: the emptiest needs so much more than the fullest, Ah.
fn apart_ah(pack: &Pack) -> f64 {
    let needs_ah = needs_ah(pack);
    needs_ah.iter().copied().fold(0.0, f64::max) - needs_ah.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The least time that a balancer needs: bleeding works on all high cells at once, carrying on one at a time.
fn bound_h(pack: &Pack, balancer: Balancer, even_ah: f64) -> f64 {
    match balancer {
        Balancer::None => f64::INFINITY,
        Balancer::Passive { bleed_a, duty } => (apart_ah(pack) - even_ah) / (bleed_a * duty),
        Balancer::Active { current_a, efficiency } => {
            let needs_ah = needs_ah(pack);
            let given_ah = |level: f64| needs_ah.iter().map(|need| (level - need).max(0.0)).sum::<f64>();
            let taken_ah = |level: f64| needs_ah.iter().map(|need| (need - level).max(0.0)).sum::<f64>();
            // The level at which what the full ones give is what the others get.
            let (mut low, mut high) = (0.0, 1_000.0);
            for _ in 0..100 {
                let level = 0.5 * (low + high);
                if efficiency * given_ah(level) < taken_ah(level) { low = level } else { high = level }
            }
            given_ah(low) / current_a
        }
    }
}

struct Balanced {
    hours_of_balancing: f64,
    days: f64,
    highest_v: f64,
    left_ah: f64,
}

/// Days of eight hours of sun and two of discharge, until the cells are even or time is over.
fn days(spec: PackSpec, until_left_ah: f64, most_days: f64) -> Balanced {
    let bank = packs::bank(vec![spec], Noise::NONE);
    // Packs like these balance only while current flows in: a charger with coarse steps of voltage starves them.
    let fine = ChargerSpec { voltage_step_v: 0.01, ..ChargerSpec::PYLONTECH };
    let mut device = Device::follower(fine, 0.0);
    device.wants = Profile::Steps { steps: vec![(0.0, 100.0), (28_800.0, -56.0)], repeat_s: Some(36_000.0) };
    let mut rig = Rig::new(bank, vec![device]);
    rig.dt_s = 4.0;
    rig.site.wants_balance = true;
    let from_s = rig.now_s;
    let mut balancing_s = 0.0;
    let mut full_charges = 0;
    while rig.now_s - from_s < most_days * 36_000.0 && apart_ah(&rig.module(0).pack) > until_left_ah {
        rig.step();
        if rig.module(0).pack.balancing_a().iter().any(|a| *a > 0.0) {
            balancing_s += rig.dt_s;
        }
        full_charges += u32::from(rig.decision().became_full);
    }
    assert!(full_charges > 0);
    Balanced {
        hours_of_balancing: balancing_s / 3_600.0,
        days: (rig.now_s - from_s) / 36_000.0,
        highest_v: rig.measured.highest_v,
        left_ah: apart_ah(&rig.module(0).pack),
    }
}

#[test]
fn s9_uneven_packs_are_balanced_in_little_more_than_the_time_that_their_balancers_need() {
    let active = |mut spec: PackSpec| {
        spec.balancer = Balancer::Active { current_a: 1.0, efficiency: 0.85 };
        spec
    };
    let mut one_high = packs::healthy(0.75);
    one_high.cells[3].soc += 0.005;
    let cases = [
        ("5 % spread, equal charge, 1 A active", active(packs::capacity_spread(0.2))),
        ("one cell 0.5 % high, 0.15 A bled", packs::passive(one_high, 0.15)),
    ];
    for (name, spec) in cases {
        let before_ah = apart_ah(&Pack::new(spec.clone()));
        // Below that the voltages of full cells are even.
        let even_ah = 0.3;
        let bound_h = bound_h(&Pack::new(spec.clone()), spec.balancer, even_ah);
        let balanced = days(spec, even_ah, 12.0);
        println!(
            "{name}: {before_ah:.2} Ah apart, {:.2} Ah left after {:.1} days and {:.1} h of balancing (bound {bound_h:.1} h), \
             highest cell {:.3} V",
            balanced.left_ah, balanced.days, balanced.hours_of_balancing, balanced.highest_v
        );
        assert!(balanced.left_ah <= even_ah, "{name}: not balanced");
        assert!(balanced.hours_of_balancing <= 1.2 * bound_h, "{name}: {} h", balanced.hours_of_balancing);
        assert!(balanced.highest_v <= 3.53, "{name}: {} V", balanced.highest_v);
    }
}

#[test]
fn balancing_that_is_asked_for_holds_the_top_with_little_current_and_ends_in_float() {
    let bank = packs::bank(vec![packs::passive(packs::capacity_spread(0.85), 0.15)], Noise::NONE);
    let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 140.0)]);
    rig.site.wants_balance = true;
    rig.run_until(4.0 * 3_600.0, |rig| rig.decision.is_some() && rig.state() == State::Balance).unwrap();
    rig.run(60.0);
    assert!(rig.ccl() <= 0.05 * 280.0 + 1e-6);
    assert_eq!(rig.charge_reason(), "balance");
    let for_s = rig.run_until(3.0 * 3_600.0, |rig| rig.state() == State::Float).unwrap();
    assert!(for_s <= rig.settings.get(Key::BalanceMaximum) * 3_600.0 + 1.0);
    assert_eq!(rig.decision().because, Because::Full);
}
