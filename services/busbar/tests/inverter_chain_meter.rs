//! The meter in the chain of models of an inverter, as SolarEdge has it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::json;
use testbed::bed::SOON;
use testbed::eventually;
use testbed::inverters::{Inverters, Wired};

#[test]
fn the_meter_in_the_chain_of_an_inverter_is_the_grid_where_it_is_asked_for_and_there_is_one() {
    let scenario = "sun_w = 0\nload_w = 900\nhouse_w = 600\nsoc = 0";
    let with = |models: &str| format!("{scenario}\nmodels = {models}");
    let (solar, hybrid) = (with("[101, 120, 203]"), with("[103, 120, 124, 160, 203]"));
    let wired = |profile, scenario, device| Wired { profile, scenario, device, is_tcp: false };
    let mut bed = Inverters::start(&[
        wired("sunspec-inverter", &solar, "publish_grid = true"),
        wired("sunspec-hybrid", &hybrid, "publish_grid = true"),
        wired("sunspec-inverter", &solar, ""),
        wired("sunspec-inverter", scenario, "publish_grid = true"),
    ]);
    let [of_solar, of_hybrid] = [0, 1].map(|n| bed.name("grid", n));
    for grid in [&of_solar, &of_hybrid] {
        eventually(SOON * 2, || bed.number(grid, "/Ac/Power") > 500.0);
        assert_eq!(bed.get(grid, "/NrOfPhases"), json!(3), "the meter has its own lines");
        let lines = [1, 2, 3].map(|line| bed.number(grid, &format!("/Ac/L{line}/Power")));
        let sum: f64 = lines.iter().sum();
        assert!((sum - bed.number(grid, "/Ac/Power")).abs() < 20.0, "{lines:?}");
        assert!(bed.number(grid, "/Ac/Energy/Forward") > 100.0);
    }
    let solar = bed.name("pvinverter", 0);
    assert_eq!(bed.get(&solar, "/NrOfPhases"), json!(1));
    assert!(bed.bus.get_value(&solar, "/Ac/L2/Power").is_err());
    for n in [2, 3] {
        eventually(SOON * 2, || bed.get(&bed.name("pvinverter", n), "/Connected") == json!(1));
        assert!(!bed.services().contains(&bed.name("grid", n)), "no meter is no service");
    }
    let line = bed.service.wait_for_line("shows no meter", SOON);
    assert!(line.contains(&bed.name("grid", 3)), "{line}");
}
