//! Cold, heat, and thermometers that lie.

use charge_manager::settings::Key;
use charge_manager::{Alarm, Level, State};
use simulator::charger::ChargerSpec;

use crate::packs;
use crate::rig::{Rig, simple};

/// Every sensor of the battery reads what `at` says, to the kelvin; its BMS lets us do our work.
fn with_temperature(at: impl Fn(f64) -> f64 + 'static) -> Rig {
    let mut rig = simple(packs::healthy(0.40), ChargerSpec::PYLONTECH, 140.0);
    let from_s = rig.now_s;
    rig.tamper = Some(Box::new(move |now_s, batteries| {
        for probe in &mut batteries[0].temperatures {
            probe.celsius = Some(at(now_s - from_s).round());
        }
    }));
    rig
}

#[test]
fn s1_a_cold_morning_gives_nothing_below_zero_then_follows_the_curve_without_flapping() {
    let mut rig = with_temperature(|s| -4.0 + 12.0 * s / 7_200.0);
    rig.run(600.0);
    assert_eq!((rig.ccl(), rig.charge_reason()), (0.0, "cold"));
    assert!(rig.dcl() > 50.0, "loads are fed: {}", rig.dcl());
    assert_eq!(rig.decision().alarms.get(Alarm::LowChargeTemperature), Level::Warning);
    let mut zeros = 0;
    let (mut last, mut first_c) = (0.0, None);
    for _ in 600..7_200 {
        rig.step();
        let celsius = rig.decision().picture.coldest.as_ref().unwrap().0;
        let ccl = rig.ccl();
        if ccl > 0.0 && last == 0.0 {
            first_c.get_or_insert(celsius);
        }
        zeros += u32::from(ccl == 0.0 && last > 0.0);
        assert!(ccl <= 280.0 * curve(celsius) + 1e-6, "{ccl} A at {celsius} °C");
        last = ccl;
    }
    assert_eq!(zeros, 0, "flaps");
    assert!(first_c >= Some(2.0), "more than a kelvin above zero: {first_c:?}");
    assert!(last > 280.0 * 0.15, "{last}");
    assert!(rig.invariants.worst_rises_per_min <= 12);
}

/// The default curve of LFP between 0 and 10 °C, C-rate.
fn curve(celsius: f64) -> f64 {
    let points = [(0.0, 0.0), (2.0, 0.05), (5.0, 0.12), (10.0, 0.30), (15.0, 0.40), (20.0, 0.50)];
    let upper = points.iter().position(|(x, _)| *x >= celsius).unwrap_or(points.len() - 1).max(1);
    let ((x0, y0), (x1, y1)) = (points[upper - 1], points[upper]);
    (y0 + (y1 - y0) * (celsius - x0) / (x1 - x0)).max(0.0)
}

#[test]
fn s2_a_hot_afternoon_tapers_smoothly() {
    let mut rig = with_temperature(|s| 38.0 + 14.0 * s / 7_200.0);
    rig.warm_up();
    rig.run(7_000.0);
    assert_eq!(rig.charge_reason(), "hot");
    assert!(rig.ccl() < 28.0, "{}", rig.ccl());
    assert!(rig.invariants.worst_rises_per_min <= 2, "{}", rig.invariants.worst_rises_per_min);
    assert!(rig.dcl() > 0.0);
}

#[test]
fn s3_a_sensor_that_jumps_is_left_out_after_three_samples_without_a_full_stop() {
    for wrong in [-40.0, 100.0] {
        let mut rig = with_temperature(|_| 20.0);
        rig.warm_up();
        let mut least = f64::INFINITY;
        rig.tamper = Some(Box::new(move |_, batteries| {
            batteries[0].temperatures.iter_mut().for_each(|probe| probe.celsius = Some(20.0));
            batteries[0].temperatures[1].celsius = Some(wrong);
        }));
        for _ in 0..120 {
            rig.step();
            least = least.min(rig.ccl());
        }
        assert!(least > 100.0, "{wrong}: {least}");
        assert!(rig.decision().alarms.get(Alarm::BatteryTemperatureSensor) == Level::Warning);
        assert!(rig.decision().notes.iter().any(|note| note.id() == "bad-sensor"));
    }
}

#[test]
fn s4_a_thermometer_frozen_for_a_day_while_the_others_move_limits_the_charge_to_a_tenth() {
    let mut rig = with_temperature(|_| 20.0);
    rig.devices[0].wants = simulator::profile::Profile::Constant(0.0);
    let from_s = rig.now_s;
    rig.tamper = Some(Box::new(move |now_s, batteries| {
        let phase = (now_s - from_s) / 86_400.0 * std::f64::consts::TAU;
        for (index, probe) in batteries[0].temperatures.iter_mut().enumerate() {
            probe.celsius = Some(if index == 0 { 20.0 } else { (22.0 + 6.0 * phase.sin()).round() });
        }
    }));
    rig.dt_s = 5.0;
    rig.run(86_000.0);
    assert!(rig.ccl() > 100.0);
    rig.run(3.0 * 3_600.0);
    assert_eq!(rig.charge_reason(), "suspect");
    assert!(rig.ccl() <= 28.0);
    assert!(rig.dcl() > 100.0, "a thermometer says nothing against discharging");
}

#[test]
fn s29_a_forced_charge_below_zero_stays_asked_for_and_gives_nothing() {
    let mut rig = with_temperature(|_| -3.0);
    rig.set(&[(Key::FloorSoc, 20.0)]);
    let mut inner = rig.tamper.take().unwrap();
    rig.tamper = Some(Box::new(move |now_s, batteries| {
        inner(now_s, batteries);
        batteries[0].soc_percent = Some(12.0);
        batteries[0].asks_for_charge = true;
    }));
    rig.run(120.0);
    assert_eq!(rig.state(), State::Forced);
    assert!(rig.decision().charge_request);
    assert_eq!((rig.ccl(), rig.charge_reason()), (0.0, "cold"));
    assert!(rig.decision().notes.iter().any(|note| note.id() == "forced-in-vain"));
    assert_eq!(rig.decision().alarms.get(Alarm::LowChargeTemperature), Level::Warning);
}

#[test]
fn without_any_thermometer_it_charges_as_at_ten_degrees_and_says_so() {
    let mut rig = simple(packs::healthy(0.40), ChargerSpec::PYLONTECH, 140.0);
    rig.tamper = Some(Box::new(|_, batteries| batteries[0].temperatures.clear()));
    rig.run(300.0);
    assert!((rig.ccl() - 0.30 * 280.0).abs() < 1e-6, "{}", rig.ccl());
    assert_eq!(rig.charge_reason(), "no-temperature");
    assert!(rig.decision().notes.iter().any(|note| note.id() == "no-temperature"));
}
