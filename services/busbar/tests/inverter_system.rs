//! Several inverters as one system, and inverters that are lent to DVCC or not.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use testbed::bed::SOON;
use testbed::inverters::{Inverters, Wired};
use testbed::{eventually, eventually_some, one_of};

fn serial<'t>(scenario: &'t str, device: &'t str) -> Wired<'t> {
    Wired { profile: "deye-one-phase", scenario, device, is_tcp: false }
}

fn systems(bed: &Inverters) -> Vec<String> {
    bed.services().into_iter().filter(|service| service.starts_with("com.victronenergy.acsystem.")).collect()
}

fn is_about(shown: f64, truth: f64) -> bool {
    (shown - truth).abs() <= 0.02 * truth.abs() + 5.0
}

#[test]
fn three_inverters_of_one_line_are_one_system_of_three_lines() {
    let mut bed = Inverters::start(&[
        serial("sun_w = 3000\nload_w = 500\nsoc = 50", "phase = 1\nname = \"House\""),
        serial("sun_w = 0\nload_w = 600\nsoc = 50", "phase = 2"),
        serial("sun_w = 0\nload_w = 700\nsoc = 50", "phase = 3"),
    ]);
    let system = bed.name("acsystem", 0);
    eventually(SOON * 2, || {
        [(1, 500.0), (2, 600.0), (3, 700.0)].into_iter().all(|(line, load)| {
            is_about(bed.number(&system, &format!("/Ac/Out/L{line}/P")), load)
                && (bed.number(&system, &format!("/Ac/In/1/L{line}/V")) - 230.0).abs() < 5.0
        })
    });
    assert_eq!(systems(&bed), std::slice::from_ref(&system));
    eventually(SOON, || is_about(bed.number(&system, "/Ac/Out/P"), 1_800.0));
    eventually(SOON * 2, || {
        let sum: f64 = (0..3).map(|n| bed.number(&bed.name("multi", n), "/Dc/0/Power")).sum();
        is_about(bed.number(&system, "/Dc/0/Power"), sum)
    });
    for n in 0..3 {
        let unit = bed.name("multi", n);
        assert_eq!(bed.get(&system, &format!("/Devices/{n}/Service")), json!(unit));
        assert_eq!(bed.get(&system, &format!("/Devices/{n}/Instance")), bed.get(&unit, "/DeviceInstance"));
    }
    assert_eq!(bed.get(&system, "/Ac/NumberOfPhases"), json!(3));
    assert_eq!(bed.get(&system, "/CustomName"), json!("House"));
    assert!(bed.get(&system, "/DeviceInstance").as_i64().is_some_and(|instance| instance >= 10));
    assert!(bed.get(&system, "/ProductName").as_str().is_some_and(|name| name.starts_with("3 x ")));
    assert!(bed.bus.get_value(&system, "/Yield/Power").is_err(), "it would be counted twice");

    // One falls silent: its line and every sum have no value; the other lines have theirs.
    bed.command(1, "unplug");
    eventually(SOON * 2, || bed.get(&system, "/Connected") == json!(0));
    for path in ["/Ac/Out/L2/P", "/Ac/In/1/L2/V", "/Ac/Out/P", "/Dc/0/Power", "/Dc/0/Current"] {
        assert_eq!(bed.get(&system, path), Value::Null, "{path}");
    }
    assert!(is_about(bed.number(&system, "/Ac/Out/L3/P"), 700.0));
    bed.command(1, "plug");
    eventually(SOON * 2, || is_about(bed.number(&system, "/Ac/Out/P"), 1_800.0));
}

#[test]
fn what_is_set_at_a_system_is_shared_among_its_inverters_and_clipped_by_what_they_take() {
    let bed = Inverters::start(&[
        serial("soc = 50", "control = \"on\""),
        serial("soc = 50", "control = \"on\""),
        serial("soc = 50", "control = \"on\"\nsystem = \"cabin\""),
    ]);
    let [house, cabin] = [bed.name("acsystem", 0), "com.victronenergy.acsystem.modbus_cabin".to_owned()];
    eventually(SOON * 2, || systems(&bed).len() == 2);
    assert!(systems(&bed).contains(&cabin), "{:?}", systems(&bed));
    let (limit, soc) = ("/Control/ChargeCurrentLimit", "/Control/MinSoc");
    let at = |service: &str, path: &str| bed.number(service, path);
    let units = [0, 1, 2].map(|n| bed.name("multi", n));
    eventually(SOON, || at(&house, limit).is_finite() && at(&cabin, limit).is_finite());
    let of_cabin = eventually_some(SOON, || Some(at(&units[2], limit)).filter(|amps| amps.is_finite()));
    assert_eq!(bed.bus.set_value(&house, limit, &["d", "90"]), Ok(0));
    eventually(SOON * 2, || at(&units[0], limit) == 45.0 && at(&units[1], limit) == 45.0);
    eventually(SOON, || at(&house, limit) == 90.0);
    assert_ne!(bed.bus.set_value(&house, limit, &["d", "481"]), Ok(0), "twice 240 A is what they take");
    assert_eq!(bed.bus.set_value(&house, soc, &["d", "35"]), Ok(0));
    eventually(SOON * 2, || {
        at(&units[0], soc) == 35.0 && at(&units[1], soc) == 35.0 && at(&house, soc) == 35.0
    });
    assert_eq!(at(&units[2], limit), of_cabin, "the other system is another one");
}

#[test]
fn a_way_of_running_of_a_system_is_that_of_its_inverters_with_a_share_of_the_power_each_until_the_end() {
    const CHARGE: i64 = 4;
    const DISCHARGE: &str = "5";
    let mut bed =
        Inverters::start(&[serial("soc = 50", "control = \"on\""), serial("soc = 50", "control = \"on\"")]);
    let system = bed.name("acsystem", 0);
    let units = [0, 1].map(|n| bed.name("multi", n));
    let (mode, power, result) = ("/Control/Mode", "/Control/Power", "/Control/Result");
    let is_free =
        |bed: &Inverters, service: &str| bed.get(service, mode).as_i64().is_some_and(|mode| mode != CHARGE);
    // Less than a second is left to end it, which a busy machine may take away from one of them.
    one_of(3, || {
        eventually(SOON * 8, || units.iter().all(|unit| is_free(&bed, unit)) && is_free(&bed, &system));
        eventually(SOON * 2, || bed.number(&system, power) == 0.0);
        assert_eq!(bed.bus.set_value(&system, power, &["d", "3000"]), Ok(0));
        eventually(SOON, || units.iter().all(|unit| bed.number(unit, power) == 1500.0));
        assert_eq!(bed.bus.set_value(&system, mode, &["i", &CHARGE.to_string()]), Ok(0));
        eventually(SOON * 8, || units.iter().all(|unit| bed.get(unit, mode) == json!(CHARGE)));
        eventually(SOON, || bed.get(&system, mode) == json!(CHARGE) && bed.number(&system, power) == 3000.0);
        eventually(SOON, || bed.get(&system, result) == json!("mode charge is set"));
        assert_ne!(bed.bus.set_value(&system, mode, &["i", DISCHARGE]), Ok(0), "a Deye has no such mode");
        let why = "not every inverter of the system takes its share of it";
        eventually(SOON, || bed.get(&system, result) == json!(why));
        for n in 0..2 {
            bed.command(n, "journal");
        }
        bed.service.terminate();
        let mut were_told = true;
        for n in 0..2 {
            let journal = bed.command(n, "journal");
            match journal.split(' ').find(|entry| entry.starts_with("16:")) {
                Some(first) => assert!(first.starts_with("16:232="), "{n}: {journal}"),
                None => were_told = false,
            }
        }
        if were_told {
            return Ok(());
        }
        bed.serve_again();
        Err("an inverter was not told that it ends".to_owned())
    });
}

/// What DVCC writes to, wherever it finds it (`dbus-systemcalc-py`: `delegates/dvcc.py`, `delegates/multi.py`).
const WRITTEN_BY_OTHERS: [&str; 7] = [
    "/Link/ChargeCurrent",
    "/Link/DischargeCurrent",
    "/Link/ChargeVoltage",
    "/Link/NetworkMode",
    "/Settings/ChargeCurrentLimit",
    "/BatteryOperationalLimits/MaxChargeCurrent",
    "/Ess/BatteryDischargeSetpoint",
];

#[test]
fn an_inverter_offers_dvcc_nothing_unless_it_is_lent_to_it() {
    let bed = Inverters::start(&[serial("", "control = \"on\"")]);
    for service in [bed.name("multi", 0), bed.name("acsystem", 0)] {
        for path in WRITTEN_BY_OTHERS {
            assert!(bed.bus.get_value(&service, path).is_err(), "{service} {path}");
            assert_ne!(bed.bus.set_value(&service, path, &["d", "10"]), Ok(0), "{service} {path}");
        }
    }
    assert_eq!(bed.get(&bed.name("multi", 0), "/IsInverterCharger"), json!(0));
}

#[test]
fn an_inverter_that_is_lent_to_dvcc_obeys_it_and_goes_to_zero_when_it_says_no_more() {
    let mut bed = Inverters::start(&[serial(
        "sun_w = 6000\nload_w = 0\nsoc = 50",
        "dvcc = true\nmax_charge_current_a = 100",
    )]);
    let unit = bed.name("multi", 0);
    for (path, value) in [
        ("/IsInverterCharger", json!(1)),
        ("/N2kDeviceInstance", json!(0)),
        ("/Settings/ChargeCurrentLimit", json!(100.0)),
        ("/Settings/BmsPresent", json!(0)),
    ] {
        assert_eq!(bed.get(&unit, path), value, "{path}");
    }
    assert_ne!(bed.get(&unit, "/State"), json!(0));
    // DVCC is one client among others, by its paths.
    let tell = |charge: &str| {
        for (path, value) in [("/Link/ChargeCurrent", charge), ("/Link/DischargeCurrent", "50")] {
            assert_eq!(bed.bus.set_value(&unit, path, &["d", value]), Ok(0), "{path}");
        }
        assert_eq!(bed.bus.set_value(&unit, "/Link/NetworkMode", &["i", "13"]), Ok(0));
    };
    eventually(SOON * 2, || {
        tell("30");
        (bed.number(&unit, "/Dc/0/Current") - 30.0).abs() < 1.5
    });
    assert_eq!(bed.number(&unit, "/Link/ChargeCurrent"), 30.0);
    assert_eq!(bed.get(&unit, "/Alarms/BmsConnectionLost"), json!(0));
    eventually(SOON * 2, || {
        tell("12");
        (bed.number(&unit, "/Dc/0/Current") - 12.0).abs() < 1.5
    });
    // Not a word for a minute, in the time of the world.
    eventually(SOON * 8, || bed.number(&unit, "/Dc/0/Current").abs() < 1.0);
    eventually(SOON, || {
        bed.get(&unit, "/Link/ChargeCurrent") == Value::Null
            && bed.get(&unit, "/Alarms/BmsConnectionLost") == json!(2)
    });
    let why = bed.get(&unit, "/ConnectionInformation");
    assert!(why.as_str().is_some_and(|why| why.contains("DVCC gives no sign of life")), "{why}");
    bed.service.terminate();
}
