//! Chargers that do not obey, several of them, and those that nobody controls.

use charge_manager::input::Class;
use charge_manager::settings::Key;
use charge_manager::{Alarm, Level, Stage, State};
use simulator::charger::ChargerSpec;
use simulator::day::{Day, DaySpec, Weather};
use simulator::plant::rng::Rng;
use simulator::plant::sensors::Noise;
use simulator::profile::Profile;

use crate::packs;
use crate::rig::{Device, Rig, simple};

/// Stages of the escalation in the order in which they come, and when.
fn stages(rig: &mut Rig, seconds: f64) -> Vec<(f64, Stage)> {
    let from_s = rig.now_s;
    let mut stages = vec![(0.0, rig.decision().stage)];
    while rig.now_s < from_s + seconds {
        rig.step();
        let stage = rig.decision().stage;
        if stages.last().is_some_and(|(_, last)| *last != stage) {
            stages.push((rig.now_s - from_s, stage));
        }
    }
    stages
}

#[test]
fn s20_a_sticky_inverter_is_found_in_fifteen_seconds_and_no_cell_gets_too_high() {
    for soc in [0.5, 0.97] {
        let bank = packs::bank(vec![packs::healthy(soc)], Noise::NONE);
        let other = Device::new("b", Class::Follower, ChargerSpec::PYLONTECH, Profile::Constant(70.0));
        let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::STICKY, 70.0), other]);
        rig.warm_up();
        rig.set(&[(Key::MaxChargeCurrent, 20.0)]);
        let found_s = rig.run_until(15.0, |rig| rig.decision().stage >= Stage::Overrun);
        assert!(found_s.is_some(), "not within 15 s");
        assert!(rig.decision().alarms.get(Alarm::HighChargeCurrent) >= Level::Warning);
        assert!(rig.decision().notes.iter().any(|note| note.id() == "overrun"));
        assert!(rig.decision().charge.words.contains("ignores its limit"));
        assert!(rig.decision().shares[0].disobeys && !rig.decision().shares[1].disobeys);
        let cvl_v = rig.cvl();
        rig.run_until(60.0, |rig| rig.decision().stage >= Stage::Voltage).unwrap();
        assert!(rig.cvl() < cvl_v, "the voltage is the next lever");
        assert_eq!(rig.decision().shares[1].limits.charge_current_a, Some(0.0), "the other makes room");
        rig.run(300.0);
        assert!(rig.bank.current_a() <= 21.0, "{}", rig.bank.current_a());
        assert_eq!(rig.decision().stage, Stage::None, "forgiven");
    }
}

#[test]
fn s20_every_step_against_a_charger_that_heeds_nothing_comes_in_its_turn() {
    let deaf = ChargerSpec { obeys_current: false, obeys_voltage: false, ..ChargerSpec::PYLONTECH };
    let mut rig = simple(packs::healthy(0.90), deaf, 0.0);
    rig.settings = rig.settings.planned(|plan| plan.contactor_as_last_resort = true).unwrap();
    rig.warm_up();
    rig.devices[0].wants = Profile::Constant(60.0);
    rig.run(30.0);
    rig.set(&[(Key::MaxChargeCurrent, 10.0)]);
    let mut opened_s = None;
    let from_s = rig.now_s;
    let mut seen = vec![(0.0, Stage::None)];
    while rig.now_s < from_s + 120.0 && opened_s.is_none() {
        rig.step();
        let decision = rig.decision();
        if seen.last().is_some_and(|(_, last)| *last != decision.stage) {
            seen.push((rig.now_s - from_s, decision.stage));
        }
        assert_eq!(decision.shares[0].stop, decision.stage >= Stage::Stop);
        if decision.open_contactor {
            opened_s = Some(rig.now_s - from_s);
        }
    }
    println!("{seen:?}");
    let order: Vec<Stage> = seen.iter().map(|(_, stage)| *stage).collect();
    assert_eq!(order, [Stage::None, Stage::Overrun, Stage::Voltage, Stage::Stop, Stage::Disconnect]);
    assert!(seen[1].0 <= 15.0 && opened_s.is_some_and(|s| s <= 75.0), "{seen:?}");
    assert!(rig.measured.highest_v < 3.60);
}

#[test]
fn s20_without_the_users_consent_no_contactor_is_opened() {
    let deaf = ChargerSpec { obeys_current: false, obeys_voltage: false, ..ChargerSpec::PYLONTECH };
    let mut rig = simple(packs::healthy(0.70), deaf, 60.0);
    rig.warm_up();
    rig.set(&[(Key::MaxChargeCurrent, 10.0)]);
    rig.run(120.0);
    assert_eq!(rig.decision().stage, Stage::Disconnect);
    assert!(!rig.decision().open_contactor);
}

#[test]
fn s21_an_inverter_that_pushes_two_amperes_at_zero_meets_the_voltage_and_an_alarm() {
    let nuisance = ChargerSpec { least_charge_a: 2.0, ..ChargerSpec::PYLONTECH };
    let mut rig = simple(packs::healthy(0.90), nuisance, 100.0);
    rig.warm_up();
    rig.tamper = Some(Box::new(|_, batteries| batteries[0].limits.charge_current_a = Some(0.0)));
    let stages = stages(&mut rig, 120.0);
    println!("{stages:?}");
    assert!(stages.iter().any(|(_, stage)| *stage == Stage::Voltage), "{stages:?}");
    assert!(rig.bank.current_a() < 0.1, "{}", rig.bank.current_a());
}

#[test]
fn s22_an_inverter_that_ignores_the_voltage_meets_the_current_law() {
    let ignores = ChargerSpec { obeys_voltage: false, ..ChargerSpec::PYLONTECH };
    let mut rig = simple(packs::healthy(0.85), ignores, 140.0);
    rig.run_until(3.0 * 3_600.0, |rig| rig.decision.is_some() && rig.state() == State::Float).unwrap();
    println!("highest cell {:.3} V", rig.measured.highest_v);
    assert!(rig.measured.highest_v <= 3.57, "{}", rig.measured.highest_v);
    assert_eq!(rig.decision().stage, Stage::None, "it obeys the current");
}

#[test]
fn s23_a_charger_that_nobody_controls_is_counted_and_given_back_when_it_leaves() {
    let bank = packs::bank(vec![packs::healthy(0.40)], Noise::NONE);
    let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 200.0)]);
    rig.warm_up();
    assert!(rig.bank.current_a() > 139.0);
    rig.load_a = 30.0;
    rig.run(10.0);
    assert!((rig.decision().uncontrolled_a - 30.0).abs() < 1.0, "{}", rig.decision().uncontrolled_a);
    rig.run(20.0);
    assert!(rig.bank.current_a() <= 141.0 && rig.bank.current_a() > 130.0, "{}", rig.bank.current_a());
    rig.load_a = 0.0;
    rig.run(180.0);
    assert!(rig.bank.current_a() > 139.0, "{}", rig.bank.current_a());
    assert!(rig.measured.over_current_s <= 15.0, "{}", rig.measured.over_current_s);
}

#[test]
fn s23_one_that_is_measured_is_counted_at_once() {
    let bank = packs::bank(vec![packs::healthy(0.40)], Noise::NONE);
    let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 200.0)]);
    rig.warm_up();
    let free = ChargerSpec { obeys_current: false, obeys_voltage: false, ..ChargerSpec::IDEAL };
    rig.devices.push(Device::new("alternator", Class::NonFollower, free, Profile::Constant(30.0)));
    rig.run(6.0);
    assert!((rig.decision().uncontrolled_a - 30.0).abs() < 2.5, "{}", rig.decision().uncontrolled_a);
    let share_a = rig.decision().shares[0].limits.charge_current_a.unwrap();
    assert!(share_a <= 112.0, "{share_a}");
}

#[test]
fn s24_without_dvcc_the_decision_is_the_same_and_says_what_it_is_good_for() {
    let run = |dvcc: Option<bool>| {
        let bank = packs::bank(vec![packs::healthy(0.40)], Noise::NONE);
        let charger = Device::new("v", Class::Victron, ChargerSpec::VICTRON, Profile::Constant(100.0));
        let mut rig = Rig::new(bank, vec![charger]);
        rig.site.dvcc = dvcc;
        rig.run(300.0);
        let noted = rig.decision().notes.iter().any(|note| note.id() == "dvcc-off");
        (rig.decision().bank, rig.decision().dvcc, noted)
    };
    let (with, without) = (run(Some(true)), run(Some(false)));
    assert_eq!((with.0, with.1), (without.0, without.1));
    assert!(!with.2 && without.2);
}

#[test]
fn s25_dvcc_and_an_sma_together_share_the_current_without_a_fight_under_clouds() {
    let day = |seed| {
        let spec = DaySpec {
            weather: Weather::BrokenClouds,
            pv_kwp: 7.0,
            load: 0.5,
            starts_at_h: 10.5,
            vehicle_at_h: vec![],
        };
        Profile::Day(Box::new(Day::new(spec, Rng::new(seed, 1))))
    };
    let bank = packs::bank(vec![packs::real(280.0, 0.30), packs::real(280.0, 0.30)], Noise::TYPICAL);
    let devices = vec![
        Device::new("sma", Class::Follower, ChargerSpec::SMA, day(3)),
        Device::new("v", Class::Victron, ChargerSpec::VICTRON, day(4)),
    ];
    let mut rig = Rig::new(bank, devices);
    rig.site.dvcc = Some(true);
    rig.set(&[(Key::MaxChargeCurrent, 150.0)]);
    rig.warm_up();
    let (mut worst_a, mut unused_as, mut wanted_as) = (0.0f64, 0.0, 0.0);
    for _ in 0..3_600 {
        rig.step();
        worst_a = worst_a.max(rig.bank.current_a());
        let wanted_a: f64 = rig.devices.iter_mut().map(|device| device.last_wanted_a.max(0.0)).sum();
        wanted_as += wanted_a.min(150.0);
        unused_as += (wanted_a.min(150.0) - rig.bank.current_a().max(0.0)).max(0.0);
    }
    println!("at most {worst_a:.1} A, {:.1} % of what could be taken is not", 100.0 * unused_as / wanted_as);
    assert!(worst_a <= 160.0, "{worst_a}");
    assert_eq!(rig.decision().stage, Stage::None);
    assert!(unused_as < 0.15 * wanted_as, "{unused_as} of {wanted_as}");
    assert_eq!(rig.measured.above_360_s, 0.0);
}

#[test]
fn a_charger_that_feeds_into_the_grid_is_counted_and_its_excess_of_voltage_allowed_for() {
    let bank = packs::bank(vec![packs::healthy(0.90)], Noise::NONE);
    let charger = Device::new("mppt", Class::Victron, ChargerSpec::FEED_IN, Profile::Constant(90.0));
    let mut rig = Rig::new(bank, vec![charger]);
    (rig.site.dvcc, rig.site.dc_feed_in) = (Some(true), true);
    rig.run(2.0 * 3_600.0);
    assert!(rig.measured.highest_v <= 3.53, "{}", rig.measured.highest_v);
    assert!(rig.module(0).pack.mean_soc() > 0.98, "{}", rig.module(0).pack.mean_soc());
}
