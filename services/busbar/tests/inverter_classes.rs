//! What each kind of device is on the bus, over every kind of wire.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::json;
use testbed::bed::SOON;
use testbed::eventually;
use testbed::inverters::{Inverters, Wired};

fn serial<'t>(profile: &'t str, scenario: &'t str, device: &'t str) -> Wired<'t> {
    Wired { profile, scenario, device, is_tcp: false }
}

fn is_about(shown: f64, truth: f64) -> bool {
    (shown - truth).abs() <= 0.02 * truth.abs() + 5.0
}

#[test]
fn a_solar_inverter_is_a_pvinverter_at_the_place_where_the_user_has_it() {
    // What the panels give goes out of its terminals.
    let sun = "sun_w = 2071.4\nload_w = 2000\nsoc = 100";
    let bed = Inverters::start(&[
        serial("sunspec-inverter", &format!("{sun}\nphases = 3"), "position = 0\nname = \"Barn\""),
        serial("sunspec-inverter", sun, "position = 1\nphase = 2\ncontrol = \"on\""),
        serial("sunspec-inverter", &format!("{sun}\nmodels = [101, 120, 123]"), "position = 2"),
    ]);
    for (n, (position, phases)) in [(0, 3), (1, 1), (2, 1)].into_iter().enumerate() {
        let pv = bed.name("pvinverter", n);
        eventually(SOON, || bed.number(&pv, "/Ac/Power") > 1_500.0);
        for (path, value) in [
            ("/Position", json!(position)),
            ("/NrOfPhases", json!(phases)),
            ("/Connected", json!(1)),
            ("/StatusCode", json!(7)),
            ("/DeviceInstance", json!(20 + n)),
        ] {
            eventually(SOON, || {
                println!("{n} {path}: {}", bed.get(&pv, path));
                bed.get(&pv, path) == value
            });
        }
        eventually(SOON, || bed.number(&pv, "/Ac/MaxPower") > 1_000.0);
        eventually(SOON, || bed.number(&pv, "/Ac/Energy/Forward") > 100.0);
        assert!(bed.bus.get_value(&pv, "/Dc/0/Power").is_err() && bed.bus.get_value(&pv, "/Soc").is_err());
    }
    let [barn, limited] = [0, 1].map(|n| bed.name("pvinverter", n));
    assert_eq!(bed.get(&barn, "/CustomName"), json!("Barn"));
    let lines = [1, 2, 3].map(|line| bed.number(&barn, &format!("/Ac/L{line}/Power")));
    assert!(is_about(lines.iter().sum(), bed.number(&barn, "/Ac/Power")), "{lines:?}");
    assert!(bed.number(&limited, "/Ac/L2/Power") > 1_500.0, "it is at the second line of the house");
    assert!(bed.bus.get_value(&limited, "/Ac/L1/Power").is_err());
    assert!(bed.bus.get_value(&barn, "/Ac/PowerLimit").is_err(), "no control, no limit for others to use");
    let half = bed.number(&limited, "/Ac/MaxPower") / 2.0;
    assert_eq!(bed.bus.set_value(&limited, "/Ac/PowerLimit", &["d", &half.to_string()]), Ok(0));
    eventually(SOON, || is_about(bed.number(&limited, "/Ac/PowerLimit"), half));
    assert!(
        !bed.services().iter().any(|service| service.contains(".multi.") || service.contains(".acsystem."))
    );
}

#[test]
fn a_meter_is_the_grid_and_so_is_the_one_of_a_hybrid_that_measures_the_house() {
    let mut bed = Inverters::start(&[
        serial("sunspec-meter", "sun_w = 0\nload_w = 900\nhouse_w = 600\nsoc = 0\nphases = 3", ""),
        serial("deye-one-phase", "sun_w = 0\nload_w = 900\nhouse_w = 600\nsoc = 0", "publish_grid = true"),
        serial("deye-one-phase", "", ""),
    ]);
    let [meter, own] = [bed.name("grid", 0), bed.name("grid", 1)];
    for (grid, phases) in [(&meter, 3), (&own, 1)] {
        eventually(SOON * 2, || is_about(bed.number(grid, "/Ac/Power"), 1_530.0));
        assert_eq!(bed.get(grid, "/NrOfPhases"), json!(phases));
        eventually(SOON, || (bed.number(grid, "/Ac/L1/Voltage") - 230.0).abs() < 5.0);
        eventually(SOON, || {
            bed.number(grid, "/Ac/Energy/Forward") > 100.0 && bed.number(grid, "/Ac/Energy/Reverse") > 100.0
        });
    }
    // WphA, WphB and WphC of model 203, behind the common model.
    for (address, watts) in [(40_089, 400), (40_090, 500), (40_091, 630)] {
        bed.command(0, &format!("register holding {address} {watts}"));
    }
    let lines = || [1, 2, 3].map(|line| bed.number(&meter, &format!("/Ac/L{line}/Power")));
    eventually(SOON, || {
        println!("{:?}", lines());
        lines() == [400.0, 500.0, 630.0]
    });
    assert!(
        bed.bus.get_value(&bed.name("grid", 2), "/Connected").is_err(),
        "without a word there is no meter"
    );
    bed.command(1, "set house_w=-3000 soc=100");
    eventually(SOON, || bed.number(&own, "/Ac/Power") < -1_000.0);
}

#[test]
fn a_sunspec_hybrid_is_a_pair_and_its_battery_counts_only_where_it_is_asked_for() {
    let bed = Inverters::start(&[serial(
        "sunspec-hybrid",
        "sun_w = 3000\nload_w = 0\nsoc = 50\nmodels = [103, 120, 124, 160, 802]\nphases = 3",
        "soc_source = true",
    )]);
    let [unit, system] = [bed.name("multi", 0), bed.name("acsystem", 0)];
    eventually(SOON, || is_about(bed.number(&unit, "/Yield/Power"), 3_000.0));
    for service in [&unit, &system] {
        eventually(SOON, || (bed.number(service, "/Soc") - 50.0).abs() < 1.0);
        eventually(SOON, || bed.number(service, "/Dc/0/Power") > 2_000.0);
        eventually(SOON, || bed.get(service, "/State") == json!(3));
        assert_eq!(bed.get(service, "/Ac/NumberOfPhases"), json!(3));
    }
}

#[test]
fn an_off_grid_inverter_shows_the_generator_at_its_input_as_one() {
    let mut bed = Inverters::start(&[serial(
        "growatt-spf",
        "sun_w = 0\nload_w = 1000\nsoc = 0\ngrid = true",
        "ac_input = \"generator\"",
    )]);
    let [unit, system] = [bed.name("multi", 0), bed.name("acsystem", 0)];
    for service in [&unit, &system] {
        eventually(SOON, || bed.get(service, "/Ac/ActiveIn/ActiveInput") == json!(0));
        eventually(SOON, || bed.get(service, "/Ac/In/1/Type") == json!(2));
        eventually(SOON, || bed.get(service, "/Ac/NumberOfAcInputs") == json!(1));
    }
    eventually(SOON, || is_about(bed.number(&unit, "/Ac/In/1/L1/P"), 1_030.0));
    bed.command(0, "set grid=0 soc=80");
    for service in [&unit, &system] {
        eventually(SOON * 2, || bed.get(service, "/Ac/ActiveIn/ActiveInput") == json!(240));
        eventually(SOON, || bed.get(service, "/State") == json!(9));
    }
}

#[test]
fn one_line_of_the_house_is_where_the_user_says() {
    let bed = Inverters::start(&[serial("deye-one-phase", "sun_w = 0\nload_w = 700\nsoc = 50", "phase = 3")]);
    let unit = bed.name("multi", 0);
    eventually(SOON, || is_about(bed.number(&unit, "/Ac/Out/L3/P"), 700.0));
    for service in [&unit, &bed.name("acsystem", 0)] {
        assert!(bed.bus.get_value(service, "/Ac/Out/L1/P").is_err());
        assert!(bed.bus.get_value(service, "/Ac/In/1/L1/V").is_err());
    }
}

#[test]
fn parity_and_two_stop_bits_and_the_bytes_of_a_line_over_tcp_all_lead_to_the_device() {
    let bed = Inverters::start(&[
        serial("deye-one-phase", "", "parity = \"even\""),
        serial("deye-one-phase", "", "parity = \"odd\"\nbaud = 19200"),
        serial("deye-one-phase", "", "stop_bits = 2"),
        Wired {
            profile: "deye-one-phase",
            scenario: "framing = \"rtu\"",
            device: "framing = \"rtu\"",
            is_tcp: true,
        },
    ]);
    for n in 0..4 {
        eventually(SOON, || (bed.number(&bed.name("multi", n), "/Dc/0/Voltage") - 52.0).abs() < 6.0);
    }
}

#[test]
fn a_device_that_falls_silent_shows_nothing_old_and_leaves_the_bus_after_a_minute() {
    let mut bed = Inverters::start(&[
        serial("deye-one-phase", "", ""),
        serial("sunspec-meter", "house_w = 600\nphases = 3", ""),
        serial("sunspec-inverter", "sun_w = 2071.4\nload_w = 2000\nsoc = 100", ""),
    ]);
    let services =
        [bed.name("multi", 0), bed.name("acsystem", 0), bed.name("grid", 1), bed.name("pvinverter", 2)];
    eventually(SOON, || services.iter().all(|service| bed.get(service, "/Connected") == json!(1)));
    for n in 0..3 {
        bed.command(n, "unplug");
    }
    for service in &services {
        eventually(SOON * 2, || bed.get(service, "/Connected") == json!(0));
        let items = bed.items(service);
        let measured = items.iter().filter(|(path, value)| {
            let is_measured = path.ends_with("/P")
                || path.ends_with("/V")
                || path.ends_with("/I")
                || path.ends_with("Power") && !path.contains("Max") && !path.contains("Nominal")
                || path.starts_with("/Dc/0/")
                || path.starts_with("/State");
            is_measured && !value.is_null()
        });
        let measured: Vec<_> = measured.collect();
        assert!(measured.is_empty(), "{service}: {measured:?}");
    }
    eventually(SOON * 6, || services.iter().all(|service| bed.bus.get_value(service, "/Connected").is_err()));
    for n in 0..3 {
        bed.command(n, "plug");
    }
    eventually(SOON * 2, || services.iter().all(|service| bed.get(service, "/Connected") == json!(1)));
}
