//! A battery that goes silent, in real time: values, limits, alarm, departure, return.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::bed::{Bed, SOON};
use testbed::eventually;

#[test]
#[expect(clippy::disallowed_methods, reason = "a real process lives in real time")]
fn a_silent_battery_loses_its_values_then_its_limits_then_its_place_and_comes_back() {
    let mut bed = Bed::start("modules = 2\n[battery.pack]\nsoc_percent = 54.0", "");
    let volts = bed.get("/Dc/0/Voltage").as_f64().expect("V");
    bed.simulator.write_line("fault silence");
    let start = Instant::now();

    eventually(Duration::from_secs(50), || bed.get("/Connected") == json!(0));
    assert!(start.elapsed() > Duration::from_secs(9), "not before 10 s: {:?}", start.elapsed());
    assert_eq!(
        (bed.get("/Soc"), bed.get("/Dc/0/Voltage"), bed.get("/TimeToGo")),
        (Value::Null, Value::Null, Value::Null)
    );
    assert_eq!(
        (bed.get("/Info/MaxChargeCurrent"), bed.get("/Info/MaxDischargeCurrent")),
        (json!(0.0), json!(0.0))
    );
    let cvl = bed.get("/Info/MaxChargeVoltage").as_f64().expect("never without a charge voltage");
    assert!((cvl - volts).abs() < 0.3, "{cvl} V is not the last pack voltage, {volts} V");
    assert_eq!(bed.get("/Alarms/BmsCable"), json!(1));

    eventually(Duration::from_secs(100), || bed.get("/Alarms/BmsCable") == json!(2));
    assert!(start.elapsed() > Duration::from_secs(29), "{:?}", start.elapsed());
    eventually(Duration::from_secs(150), || !bed.is_on_the_bus());
    assert!(start.elapsed() > Duration::from_secs(59), "{:?}", start.elapsed());
    assert!(bed.service.is_running());

    bed.simulator.write_line("fault clear");
    eventually(SOON, || bed.get("/Connected") == json!(1));
    assert_eq!((bed.get("/Soc"), bed.get("/Alarms/BmsCable")), (json!(54.0), json!(0)));
    assert!(bed.service.lines().len() < 20, "{:#?}", bed.service.lines());
}
