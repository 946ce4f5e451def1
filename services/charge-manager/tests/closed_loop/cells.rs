//! Cells that are different, and sensors that lie about them.

use charge_manager::{Alarm, Level, State};
use simulator::charger::ChargerSpec;
use simulator::plant::sensors::Noise;

use crate::packs;
use crate::rig::{Device, Rig, simple};

#[test]
fn s10_one_cell_of_twice_the_resistance_is_held_at_its_ceiling_without_a_ring() {
    let mut rig = simple(packs::one_bad_cell(0.2, 2.0), ChargerSpec::PYLONTECH, 140.0);
    rig.run_until(7_200.0, |rig| rig.highest_v() > 3.495).unwrap();
    assert_eq!(rig.decision().voltage.reason.id(), "cvl-cell");
    rig.warm_up();
    let mut reversals = 0;
    let (mut last_a, mut last_change) = (rig.bank.current_a(), 0.0f64);
    for _ in 0..1_800 {
        rig.step();
        let change = rig.bank.current_a() - last_a;
        if change.abs() > 5.0 && change * last_change < 0.0 {
            reversals += 1;
        }
        if change.abs() > 5.0 {
            last_change = change;
        }
        last_a = rig.bank.current_a();
    }
    assert!(reversals <= 2, "{reversals}");
    assert!(rig.measured.highest_v < 3.51, "{}", rig.measured.highest_v);
}

#[test]
fn s11_one_cell_of_three_times_the_resistance_settles_with_few_changes() {
    let mut rig = simple(packs::one_bad_cell(0.2, 3.0), ChargerSpec::PYLONTECH, 140.0);
    rig.run_until(7_200.0, |rig| rig.highest_v() > 3.49).unwrap();
    rig.warm_up();
    rig.run(3_600.0);
    let per_minute = f64::from(rig.measured.changes) / 60.0;
    println!("{per_minute:.2} changes a minute, {:.3} V", rig.measured.highest_v);
    assert!(per_minute <= 6.0, "{per_minute}");
    assert!(rig.measured.highest_v < 3.53, "{}", rig.measured.highest_v);
}

#[test]
fn s5_a_cell_sensor_that_jumps_up_stops_the_charge_at_once_and_then_leaves_a_tenth() {
    let mut rig = simple(packs::healthy(0.50), ChargerSpec::PYLONTECH, 140.0);
    rig.warm_up();
    rig.tamper = Some(Box::new(|_, batteries| batteries[0].cells_v[3] = Some(3.9)));
    rig.step();
    assert_eq!((rig.ccl(), rig.state()), (0.0, State::Protect));
    rig.run(4.0);
    assert!(rig.decision().alarms.get(Alarm::InternalFailure) >= Level::Warning);
    assert!(rig.decision().notes.iter().any(|note| note.id() == "bad-sensor"));
    assert!(rig.dcl() > 0.0, "the house goes on");
    rig.run(600.0);
    assert!(rig.ccl() > 0.0 && rig.ccl() <= 28.0, "{}", rig.ccl());
    assert_eq!(rig.charge_reason(), "suspect");
}

#[test]
fn s6_a_cell_sensor_at_zero_trips_nothing_and_the_battery_is_charged_slowly() {
    let mut rig = simple(packs::healthy(0.50), ChargerSpec::PYLONTECH, 140.0);
    rig.warm_up();
    rig.tamper = Some(Box::new(|_, batteries| batteries[0].cells_v[3] = Some(0.0)));
    rig.run(2.0);
    assert!(rig.dcl() > 28.0, "not by one bad frame");
    rig.run(60.0);
    assert!(rig.ccl() <= 28.0 && rig.ccl() > 0.0);
    assert!(rig.dcl() >= 28.0, "no low-voltage trip: {}", rig.dcl());
    assert!(rig.decision().picture.lowest_cell.as_ref().unwrap().0 > 3.0);
    assert_eq!(rig.decision().alarms.get(Alarm::LowCellVoltage), Level::Ok);
}

#[test]
fn s7_a_cell_voltage_that_stands_still_in_bulk_is_suspect_after_five_minutes() {
    let mut rig = simple(packs::healthy(0.20), ChargerSpec::PYLONTECH, 140.0);
    rig.warm_up();
    let frozen_v = rig.module(0).pack.cells_v()[3];
    rig.tamper = Some(Box::new(move |_, batteries| batteries[0].cells_v[3] = Some(frozen_v)));
    let found_s = rig.run_until(900.0, |rig| rig.charge_reason() == "suspect").unwrap();
    println!("found after {found_s} s");
    assert!((295.0..=320.0).contains(&found_s), "{found_s}");
    assert!(rig.ccl() <= 28.0);
}

#[test]
fn a_battery_that_repeats_an_old_frame_is_not_charged_fast_for_long() {
    let mut rig = simple(packs::healthy(0.50), ChargerSpec::PYLONTECH, 140.0);
    rig.warm_up();
    let mut old = rig.batteries();
    rig.tamper = Some(Box::new(move |_, batteries| {
        old[0].at = batteries[0].at;
        batteries[0] = old[0].clone();
    }));
    rig.run(310.0);
    assert!(rig.ccl() <= 28.0, "{}", rig.ccl());
}

#[test]
fn with_real_sensors_rises_stay_below_twelve_a_minute_all_the_way_to_full() {
    let bank = packs::bank(vec![packs::real(280.0, 0.6)], Noise::TYPICAL);
    let mut rig = Rig::new(bank, vec![Device::follower(ChargerSpec::PYLONTECH, 140.0)]);
    rig.run_until(3.0 * 3_600.0, |rig| rig.state() == State::Float).unwrap();
    let (measured, seen) = (&rig.measured, &rig.invariants);
    println!(
        "{} changes, {} rises at most in a minute",
        seen.worst_changes_per_min, seen.worst_rises_per_min
    );
    assert!(measured.text_changes < 200, "{}", measured.text_changes);
}

#[test]
fn a_battery_that_shows_only_its_extremes_is_charged_as_well() {
    let mut rig = simple(packs::capacity_spread(0.2), ChargerSpec::PYLONTECH, 140.0);
    rig.tamper = Some(Box::new(|_, batteries| {
        let cells: Vec<f64> = batteries[0].cells_v.drain(..).flatten().collect();
        batteries[0].highest_cell_v = cells.iter().copied().reduce(f64::max);
        batteries[0].lowest_cell_v = cells.iter().copied().reduce(f64::min);
    }));
    rig.run_until(3.0 * 3_600.0, |rig| rig.state() == State::Float).unwrap();
    assert!(rig.measured.highest_v < 3.53, "{}", rig.measured.highest_v);
}

#[test]
fn a_battery_that_shows_no_cells_is_charged_with_a_margin() {
    let mut rig = simple(packs::healthy(0.8), ChargerSpec::PYLONTECH, 140.0);
    rig.tamper = Some(Box::new(|_, batteries| batteries[0].cells_v.clear()));
    rig.run_until(3.0 * 3_600.0, |rig| rig.state() == State::Float).unwrap();
    assert!(rig.module(0).pack.mean_soc() > 0.99);
}
