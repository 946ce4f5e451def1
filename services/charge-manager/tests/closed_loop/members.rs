//! Batteries in parallel: how they share, who comes, who goes, and what they say that cannot be.

use charge_manager::input::Battery;
use charge_manager::{Alarm, Level, Standing, State};
use simulator::charger::ChargerSpec;
use simulator::plant::pack::PackSpec;
use simulator::plant::rng::Rng;
use simulator::plant::sensors::Noise;
use simulator::profile::Profile;

use crate::packs;
use crate::rig::{Device, Rig, Tamper, simple};

fn parallel(all: Vec<PackSpec>, wants: Profile) -> Rig {
    let bank = packs::bank(all, Noise::NONE);
    let mut device = Device::follower(ChargerSpec::PYLONTECH, 0.0);
    device.wants = wants;
    Rig::new(bank, vec![device])
}

fn two(soc: f64, wants_a: f64) -> Rig {
    parallel(vec![packs::healthy(soc), packs::healthy(soc)], Profile::Constant(wants_a))
}

fn standing(rig: &Rig, index: usize) -> Standing {
    let service = format!("com.victronenergy.battery.pack{index}");
    rig.decision().batteries.iter().find(|view| *view.service == *service).unwrap().standing
}

fn notes(rig: &Rig) -> Vec<String> {
    rig.decision().notes.iter().map(ToString::to_string).collect()
}

/// Takes a battery off the bus.
fn without(index: usize) -> Option<Tamper> {
    Some(Box::new(move |_, batteries| drop(batteries.remove(index))))
}

#[test]
fn s14_a_member_whose_name_vanishes_is_out_in_the_same_tick_and_the_chargers_follow() {
    let mut rig = two(0.5, 300.0);
    rig.run(300.0);
    let before_a = rig.ccl();
    assert!(before_a > 200.0, "{before_a}");
    rig.tamper = without(1);
    // It is gone from the bus and from the busbar.
    rig.bank.modules_mut()[1].switches.ask_contactor(false);
    rig.step();
    assert!(rig.ccl() <= 140.0, "{}", rig.ccl());
    assert_eq!(rig.decision().members.len(), 1);
    rig.run(1.0);
    assert!(
        notes(&rig).iter().any(|note| note == "B2 is lost; the others go on without it."),
        "{:?}",
        notes(&rig)
    );
    assert!(rig.decision().alarms.get(Alarm::ParallelBmsLost) >= Level::Warning);
    rig.run(20.0);
    assert!(rig.bank.current_a() <= 141.0, "{}", rig.bank.current_a());
}

#[test]
fn s16_a_contactor_that_opens_under_load_takes_its_battery_out_and_the_others_stay_within_their_limits() {
    let mut rig = two(0.6, -150.0);
    rig.warm_up();
    rig.bank.modules_mut()[1].switches.ask_contactor(false);
    rig.step();
    rig.step();
    assert!(rig.dcl() <= 200.0, "its own limit is 0 in the tick that sees it: {}", rig.dcl());
    rig.run(60.0);
    assert!(matches!(standing(&rig, 1), Standing::Open { .. } | Standing::Member), "{:?}", standing(&rig, 1));
    assert!(rig.ccl() <= 140.0 && rig.dcl() <= 200.0);
    assert_eq!(rig.measured.over_current_s, 0.0);
}

#[test]
fn s17_a_battery_far_from_the_busbar_is_not_to_be_connected_until_it_is_near() {
    let mut rig = two(0.60, 100.0);
    rig.warm_up();
    rig.bank.modules_mut()[1].switches.ask_contactor(false);
    let mut by_v = 1.5;
    let far = move |by_v: f64| {
        Some(Box::new(move |_: f64, batteries: &mut Vec<Battery>| {
            let bus_v = batteries[0].voltage_v.unwrap();
            let battery = &mut batteries[1];
            battery.voltage_v = Some(bus_v + by_v);
            battery.current_a = Some(0.0);
            battery.cells_v.iter_mut().for_each(|cell| *cell = Some((bus_v + by_v) / 16.0));
        }) as Tamper)
    };
    rig.tamper = far(by_v);
    rig.run(120.0);
    let Standing::Open { by_v: seen_v, may_close } = standing(&rig, 1) else {
        panic!("{:?} {:?}", standing(&rig, 1), notes(&rig))
    };
    assert!((seen_v - 1.5).abs() < 0.1 && !may_close);
    assert!(notes(&rig).iter().any(|note| note.contains("+1.50 V from the busbar")), "{:?}", notes(&rig));
    assert!(!rig.decision().members.iter().any(|member| member.ends_with("pack1")));
    // The bank rests and comes nearer.
    rig.devices[0].wants = Profile::Constant(0.0);
    while by_v > 0.1 {
        by_v -= 0.2;
        rig.tamper = far(by_v);
        rig.run(30.0);
    }
    let joined = rig.run_until(60.0, |rig| standing(rig, 1) == Standing::Member);
    assert!(joined.is_some(), "{:?} {:?}", standing(&rig, 1), notes(&rig));
}

#[test]
fn s18_two_different_packs_share_as_they_are_found_to_and_neither_is_above_its_own_limit() {
    let mut small = packs::healthy(0.3);
    for cell in &mut small.cells {
        (cell.capacity_ah, cell.r0_ohm, cell.r1_ohm) =
            (100.0, cell.r0_ohm * 2.8 / 2.0, cell.r1_ohm * 2.8 / 2.0);
    }
    let steps = (0..40).map(|i| (f64::from(i) * 45.0, if i % 2 == 0 { 20.0 } else { 120.0 })).collect();
    let wants = Profile::Steps { steps, repeat_s: Some(1_800.0) };
    let mut rig = parallel(vec![packs::healthy(0.3), small], wants);
    rig.warm_up();
    rig.run(20.0 * 45.0);
    let share = rig.decision().batteries.iter().find(|view| &*view.label == "B2").unwrap().share;
    println!("the small one carries {share:.3}, by capacity it were {:.3}", 100.0 / 380.0);
    assert!(share > 100.0 / 380.0 + 0.03, "learnt: {share}");
    rig.devices[0].wants = Profile::Constant(400.0);
    rig.run(600.0);
    let own_a: Vec<f64> = rig.bank.modules().iter().map(|module| module.pack.current_a()).collect();
    println!("{own_a:?} A of 140 A and 50 A");
    assert!(own_a[0] <= 141.0 && own_a[1] <= 51.0, "{own_a:?}");
    assert!(own_a[1] > 40.0, "and not far below: {own_a:?}");
    assert_eq!(rig.measured.over_current_s, 0.0);
}

#[test]
fn s19_a_full_battery_that_allows_nothing_holds_the_other_back_without_being_overcharged() {
    let mut rig = parallel(vec![packs::healthy(0.99), packs::healthy(0.60)], Profile::Constant(200.0));
    rig.tamper = Some(Box::new(|_, batteries| {
        batteries[0].limits.charge_current_a = Some(0.0);
    }));
    let mut most_a = 0.0f64;
    for second in 0..7_200 {
        rig.step();
        if second > 60 {
            most_a = most_a.max(rig.module(0).pack.current_a());
        }
        if rig.decision.is_some() && second > 20 {
            assert!(!matches!(rig.state(), State::Float), "not before both are full");
        }
    }
    println!("at most {most_a:.1} A into the full one");
    assert!(most_a <= 1.5, "{most_a}");
    assert!(rig.measured.highest_v < 3.53, "{}", rig.measured.highest_v);
}

#[test]
fn s19_two_packs_at_different_charge_end_full_together() {
    let mut rig = parallel(vec![packs::healthy(0.90), packs::healthy(0.60)], Profile::Constant(300.0));
    rig.run_until(4.0 * 3_600.0, |rig| rig.decision.is_some() && rig.state() == State::Float).unwrap();
    let socs: Vec<f64> = rig.bank.modules().iter().map(|module| module.pack.mean_soc()).collect();
    println!("{socs:?}, highest cell {:.3} V", rig.measured.highest_v);
    assert!(socs.iter().all(|soc| *soc > 0.98), "{socs:?}");
    assert!(rig.measured.highest_v < 3.53 && rig.measured.over_current_s == 0.0);
}

#[test]
fn s30_where_a_battery_contradicts_itself_nothing_wins() {
    type Lie = fn(&mut Battery);
    let lies: [Lie; 3] = [
        |battery| {
            (battery.may_charge, battery.limits.charge_current_a) = (Some(true), Some(0.0));
        },
        |battery| battery.may_charge = Some(false),
        |battery| battery.limits.charge_voltage_v = Some(0.0),
    ];
    for (index, lie) in lies.into_iter().enumerate() {
        let mut rig = simple(packs::healthy(0.5), ChargerSpec::PYLONTECH, 100.0);
        rig.tamper = Some(Box::new(move |_, batteries| lie(&mut batteries[0])));
        rig.run(300.0);
        // A voltage limit of 0 is none, as it is before the first one: what is there decides.
        let nothing = rig.ccl() == 0.0;
        assert!(nothing || index == 2, "{index}: {} A", rig.ccl());
        assert!(rig.cvl() <= 56.0 && rig.dcl() > 100.0, "{index}");
    }
}

#[test]
fn s31_limits_that_are_none_are_missing_and_never_more() {
    for wrong in [-10.0, 6_553.5, f64::NAN, f64::INFINITY] {
        let mut rig = simple(packs::healthy(0.5), ChargerSpec::PYLONTECH, 140.0);
        rig.warm_up();
        let before_a = rig.ccl();
        rig.tamper = Some(Box::new(move |_, batteries| {
            batteries[0].limits.charge_current_a = Some(wrong);
            batteries[0].limits.discharge_current_a = Some(wrong);
            batteries[0].limits.charge_voltage_v = Some(wrong);
        }));
        for _ in 0..9 {
            rig.step();
            assert!(rig.ccl() <= before_a, "{wrong}");
        }
        rig.run(10.0);
        assert_eq!((rig.ccl(), rig.dcl()), (0.0, 0.0), "{wrong}");
        assert_eq!(rig.charge_reason(), "bms-none");
        assert!(rig.cvl() <= 55.2 && rig.cvl() > 50.0);
    }
}

#[test]
fn s37_when_all_are_gone_nothing_is_left_and_what_comes_back_comes_slowly() {
    let mut rig = two(0.5, 300.0);
    rig.run(300.0);
    rig.tamper = Some(Box::new(|_, batteries| batteries.clear()));
    rig.run(12.0);
    assert_eq!((rig.ccl(), rig.dcl()), (0.0, 0.0));
    assert_eq!(rig.state(), State::NoData);
    assert_eq!(rig.charge_reason(), "zero-data");
    rig.run(60.0);
    rig.tamper = without(1);
    rig.run(2.0);
    assert!(rig.dcl() > 190.0 && rig.dcl() <= 200.0, "an island lives at once: {}", rig.dcl());
    assert_eq!(rig.ccl(), 0.0);
    rig.run(120.0);
    assert!(rig.ccl() > 100.0 && rig.ccl() <= 140.0, "never a stale sum: {}", rig.ccl());
    rig.tamper = None;
    rig.run(2.0);
    assert!(rig.ccl() <= 140.0, "{}", rig.ccl());
    rig.run(300.0);
    assert!(rig.ccl() > 230.0, "{}", rig.ccl());
}

#[test]
fn s38_sixteen_batteries_with_updates_lost_here_and_there_stay_a_bank() {
    let all = (0..16).map(|_| packs::healthy(0.5)).collect();
    let bank = packs::bank(all, Noise::TYPICAL);
    let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 1_000.0)]);
    rig.run(300.0);
    rig.warm_up();
    let mut rng = Rng::new(11, 0);
    let mut held: Vec<Battery> = Vec::new();
    rig.tamper = Some(Box::new(move |_, batteries| {
        held.resize(batteries.len(), Battery::default());
        for (new, old) in batteries.iter_mut().zip(&mut held) {
            if rng.uniform() < 0.01 && !old.service.is_empty() {
                *new = old.clone();
            }
            *old = new.clone();
        }
    }));
    for _ in 0..1_800 {
        rig.step();
        assert_eq!(rig.decision().members.len(), 16);
    }
    println!(
        "{} changes, {} rises at most in a minute",
        rig.invariants.worst_changes_per_min, rig.invariants.worst_rises_per_min
    );
    assert!(rig.measured.changes < 400, "{}", rig.measured.changes);
    assert!(!notes(&rig).iter().any(|note| note.contains("lost")));
}
