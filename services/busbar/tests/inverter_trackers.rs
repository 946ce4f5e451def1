//! The solar panels of an inverter, tracker by tracker.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::json;
use testbed::bed::SOON;
use testbed::eventually;
use testbed::inverters::{Inverters, Wired};

#[test]
fn trackers_are_those_that_have_said_something() {
    // Modules 3 and 4 of model 160 are the battery.
    let scenario = "sun_w = 3000\nload_w = 0\nsoc = 50\nmodels = [103, 120, 124, 160]";
    let bed = Inverters::start(&[Wired { profile: "sunspec-hybrid", scenario, ..Wired::default() }]);
    let unit = bed.name("multi", 0);
    eventually(SOON, || bed.number(&unit, "/Yield/Power") > 2_000.0);
    assert_eq!(bed.get(&unit, "/NrOfTrackers"), json!(2));
    assert!(bed.number(&unit, "/Pv/0/P") > 500.0 && bed.number(&unit, "/Pv/1/P") > 500.0);
    assert!(bed.bus.get_value(&unit, "/Pv/2/P").is_err() && bed.bus.get_value(&unit, "/Pv/3/V").is_err());
}
