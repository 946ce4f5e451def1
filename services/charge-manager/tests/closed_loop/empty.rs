//! The lower end: the floor, forced charge, deep discharge.

use charge_manager::settings::Key;
use charge_manager::{Alarm, Level, State};
use simulator::charger::ChargerSpec;
use simulator::profile::Profile;

use crate::packs;
use crate::rig::simple;

#[test]
fn s39_a_night_down_to_the_floor_ends_there_and_goes_on_three_per_cent_above() {
    let mut rig = simple(packs::healthy(0.28), ChargerSpec::PYLONTECH, -60.0);
    rig.settings = rig
        .settings
        .with(&[(Key::FloorSoc, 20.0)])
        .unwrap()
        .planned(|plan| plan.discharge_over_soc = Some("0:0, 2:0.2, 5:0.5, 10:1".parse().unwrap()))
        .unwrap();
    rig.warm_up();
    let full_a = rig.dcl();
    rig.run_until(3.0 * 3_600.0, |rig| rig.charge_and_soc().1 < 22.5).unwrap();
    assert!(rig.dcl() < 0.5 * full_a, "no taper: {}", rig.dcl());
    rig.run_until(3.0 * 3_600.0, |rig| rig.dcl() == 0.0).unwrap();
    assert_eq!(rig.decision().discharge.reason.id(), "floor");
    assert!(rig.decision().alarms.get(Alarm::LowSoc) > Level::Ok);
    assert!((rig.charge_and_soc().1 - 20.0).abs() < 0.5, "{:?}", rig.charge_and_soc());
    rig.devices[0].wants = Profile::Constant(60.0);
    rig.run_until(3_600.0, |rig| rig.dcl() > 0.0).unwrap();
    assert!(rig.charge_and_soc().1 >= 23.0, "{:?}", rig.charge_and_soc());
}

#[test]
fn a_floor_that_only_warns_lets_the_house_go_on() {
    let mut rig = simple(packs::healthy(0.21), ChargerSpec::PYLONTECH, -60.0);
    rig.settings = rig
        .settings
        .with(&[(Key::FloorSoc, 20.0)])
        .unwrap()
        .planned(|plan| plan.floor_action = charge_manager::settings::FloorAction::AlarmOnly)
        .unwrap();
    rig.run(1_800.0);
    assert!(rig.decision().alarms.get(Alarm::LowSoc) > Level::Ok);
    assert!(rig.dcl() > 60.0);
}

#[test]
fn s28_a_battery_that_asks_for_charge_at_twelve_per_cent_is_charged_above_the_floor() {
    let mut rig = simple(packs::healthy(0.12), ChargerSpec::PYLONTECH, 0.0);
    rig.tamper = Some(Box::new(|_, batteries| {
        // As a Pylontech asks: from 15 % on, until 19 %.
        let soc = batteries[0].soc_percent.unwrap();
        batteries[0].asks_for_charge = soc < 15.0;
    }));
    rig.run(60.0);
    assert_eq!(rig.state(), State::Forced);
    assert!(rig.decision().charge_request && rig.decision().ac_wanted, "without sun the grid is asked");
    rig.devices[0].wants = Profile::Constant(140.0);
    let until_s = rig.run_until(3_600.0, |rig| rig.state() == State::Bulk).unwrap();
    assert!(60.0 + until_s >= 600.0, "{until_s}");
    assert!(rig.charge_and_soc().1 >= 15.0, "{:?}", rig.charge_and_soc());
    assert!(!rig.decision().charge_request);
}

#[test]
fn s40_a_deeply_discharged_pack_recovers_with_little_current() {
    let mut rig = simple(packs::healthy(0.002), ChargerSpec::PYLONTECH, 140.0);
    assert!(rig.highest_v() < 2.6);
    let mut most_a = 0.0f64;
    rig.run(15.0);
    while rig.bank.modules()[0].pack.lowest_v() < 2.90 {
        rig.step();
        most_a = most_a.max(rig.bank.current_a());
        assert!(rig.now_s < 20_000.0);
    }
    assert!(most_a <= 0.05 * 280.0 + 0.1, "{most_a}");
    rig.run(600.0);
    assert!(rig.ccl() > 100.0, "{} {}", rig.ccl(), rig.charge_reason());
}

#[test]
fn s40_a_cell_below_two_volts_is_never_charged() {
    let mut rig = simple(packs::healthy(0.05), ChargerSpec::PYLONTECH, 140.0);
    rig.tamper = Some(Box::new(|_, batteries| {
        batteries[0].cells_v[4] = Some(1.8);
        batteries[0].voltage_v = Some(batteries[0].cells_v.iter().flatten().sum());
    }));
    rig.run(300.0);
    assert_eq!((rig.ccl(), rig.charge_reason()), (0.0, "never-charge"));
    assert_eq!(rig.decision().alarms.get(Alarm::LowCellVoltage), Level::Alarm);
    assert_eq!(rig.dcl(), 0.0);
}

#[test]
fn a_low_cell_ends_the_discharge_before_its_stop() {
    let mut rig = simple(packs::healthy(0.06), ChargerSpec::PYLONTECH, -150.0);
    rig.set(&[(Key::FloorSoc, 0.0)]);
    rig.run(1_800.0);
    assert!(rig.measured.lowest_v > 2.85, "{}", rig.measured.lowest_v);
    assert!(rig.dcl() < 100.0);
    assert_eq!(rig.decision().discharge.reason.cause().id(), "cell-low");
}
