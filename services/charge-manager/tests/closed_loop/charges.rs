//! Whole charges: days of sun and clouds, loads in float, settings that change on the way.

use charge_manager::settings::Key;
use charge_manager::{Because, State};
use simulator::charger::ChargerSpec;
use simulator::day::{Day, DaySpec, Weather};
use simulator::plant::rng::Rng;
use simulator::plant::sensors::Noise;
use simulator::profile::Profile;

use crate::packs;
use crate::rig::{Device, Rig, simple};
use charge_manager::input::Class;

fn day(weather: Weather, pv_kwp: f64, starts_at_h: f64) -> Profile {
    let spec = DaySpec { weather, pv_kwp, load: 1.0, starts_at_h, vehicle_at_h: vec![] };
    Profile::Day(Box::new(Day::new(spec, Rng::new(7, 1))))
}

fn sunny(weather: Weather, soc: f64, starts_at_h: f64) -> Rig {
    let bank = packs::bank(vec![packs::real(280.0, soc)], Noise::TYPICAL);
    Rig::new(
        bank,
        vec![Device::new("a", Class::Follower, ChargerSpec::PYLONTECH, day(weather, 6.0, starts_at_h))],
    )
}

fn states(rig: &Rig) -> Vec<State> {
    rig.measured.states.iter().map(|(_, state)| *state).collect()
}

#[test]
fn s8_a_clear_day_goes_through_every_state_once_and_the_limits_hardly_move_before_the_knee() {
    let mut rig = sunny(Weather::ClearSummer, 0.30, 6.0);
    rig.warm_up();
    let before_knee_s = rig.run_until(12.0 * 3_600.0, |rig| rig.highest_v() > 3.40).unwrap();
    let per_minute = f64::from(rig.measured.changes) / (before_knee_s / 60.0);
    assert!(per_minute <= 1.0, "{per_minute} changes a minute");
    rig.run(6.0 * 3_600.0);
    assert_eq!(states(&rig), [State::Bulk, State::Absorption, State::Float]);
    assert!(rig.measured.highest_v < 3.53, "{}", rig.measured.highest_v);
    assert!(rig.module(0).pack.mean_soc() > 0.98);
    assert_eq!(rig.decision().because, Because::Full);
    assert!(rig.invariants.worst_rises_per_min <= 12);
    println!("{:.2} changes a minute before the knee; {:?}", per_minute, rig.measured.states);
}

#[test]
fn s12_under_broken_clouds_there_is_one_absorption_and_float_the_same_day() {
    let mut rig = sunny(Weather::BrokenClouds, 0.55, 7.0);
    rig.warm_up();
    rig.run(11.0 * 3_600.0);
    let absorptions = states(&rig).iter().filter(|state| **state == State::Absorption).count();
    println!("{:?} {:?}", rig.measured.states, rig.invariants.worst_rises_per_min);
    assert_eq!(absorptions, 1);
    assert_eq!(states(&rig).last(), Some(&State::Float));
    assert!(rig.measured.highest_v < 3.55, "{}", rig.measured.highest_v);
    assert!(rig.invariants.worst_rises_per_min <= 12);
}

#[test]
fn s13_a_big_load_in_float_changes_nothing_until_charge_is_missing() {
    // 11 kW for ten minutes are 12.6 % of one pack, and 6.3 % of two.
    for (packs, stays) in [(1, false), (2, true)] {
        let bank = packs::bank(vec![packs::healthy(0.97); packs], Noise::NONE);
        let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 140.0)]);
        rig.run_until(4.0 * 3_600.0, |rig| rig.decision.is_some() && rig.state() == State::Float).unwrap();
        rig.run(1_800.0);
        rig.measured.states.clear();
        rig.devices[0].wants = Profile::Constant(0.0);
        rig.load_a = -11_000.0 / 52.0;
        rig.run(600.0);
        rig.load_a = 0.0;
        rig.devices[0].wants = Profile::Constant(140.0);
        rig.run(3.0 * 3_600.0);
        if stays {
            assert_eq!(states(&rig), [State::Float]);
            assert!(rig.module(0).pack.mean_soc() > 0.97, "charged up again from float");
        } else {
            assert_eq!(states(&rig), [State::Float, State::Bulk, State::Absorption, State::Float]);
        }
    }
}

#[test]
fn s27_noise_of_the_state_of_charge_changes_no_state_and_a_jump_is_shown_slowly() {
    let mut rig = simple(packs::healthy(0.60), ChargerSpec::PYLONTECH, 60.0);
    let mut rng = Rng::new(3, 0);
    rig.tamper = Some(Box::new(move |_, batteries| {
        let noise = 6.0 * rng.uniform() - 3.0;
        batteries[0].soc_percent = batteries[0].soc_percent.map(|soc| (soc + noise).clamp(0.0, 100.0));
    }));
    rig.warm_up();
    rig.run(1_800.0);
    assert_eq!(states(&rig), [State::Bulk]);

    rig.tamper = Some(Box::new(|_, batteries| batteries[0].soc_percent = Some(100.0)));
    let mut before = rig.decision().picture.soc.unwrap();
    for _ in 0..900 {
        rig.step();
        let soc = rig.decision().picture.soc.unwrap();
        assert!((soc - before).abs() <= 0.1 + 1e-9 && soc <= 99.0);
        assert!(!rig.decision().became_full);
        before = soc;
    }
    assert_eq!(rig.state(), State::Bulk);
}

#[test]
fn s34_settings_that_contradict_each_other_are_refused_and_the_charge_goes_on_with_the_old_ones() {
    let mut rig = simple(packs::healthy(0.50), ChargerSpec::PYLONTECH, 100.0);
    rig.warm_up();
    let refusal = rig.settings.with(&[(Key::FloatVoltage, 3.46), (Key::CellCeiling, 3.44)]).unwrap_err();
    assert_eq!(refusal.sentences.len(), 3, "{refusal}");
    let before = rig.decision().bank;
    rig.step();
    assert_eq!(rig.decision().bank, before);
}

#[test]
fn a_charge_to_the_cap_of_the_user_ends_in_float_and_is_suspended_when_a_full_one_is_asked_for() {
    let mut rig = simple(packs::healthy(0.70), ChargerSpec::PYLONTECH, 140.0);
    rig.set(&[(Key::MaxSoc, 80.0), (Key::RebulkSoc, 70.0)]);
    rig.run_until(3_600.0, |rig| rig.state() == State::Float).unwrap();
    assert_eq!(rig.decision().because, Because::SocCap);
    rig.run(1_800.0);
    assert!(rig.module(0).pack.mean_soc() < 0.85);
    assert!(rig.ccl() > 0.0, "at 0 A chargers would stop feeding what else there is");
    rig.site.wants_full_charge = true;
    rig.run_until(3.0 * 3_600.0, |rig| rig.decision().became_full).unwrap();
}
