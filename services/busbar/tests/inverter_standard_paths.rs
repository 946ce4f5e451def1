//! What a GX sets at a Multi RS is set at any inverter on the same paths, by a foreign program.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use testbed::bed::SOON;
use testbed::eventually;
use testbed::inverters::{Inverters, Wired};

fn serial<'t>(profile: &'t str, device: &'t str) -> Wired<'t> {
    Wired { profile, scenario: "", device, is_tcp: false }
}

/// Whether `SetValue` is taken, from `dbus-send`.
fn is_taken(bed: &Inverters, service: &str, path: &str, value: &str) -> bool {
    let value = format!("variant:{value}");
    let said = bed.bus.dbus_send(service, path, "com.victronenergy.BusItem.SetValue", &[&value]);
    said.is_ok_and(|said| said == "int32 0")
}

/// Sets it as soon as what must be read before was read, and waits until it is shown at all these places.
#[track_caller]
fn sets(bed: &Inverters, (service, path, value): (&str, &str, &str), shown: &[(&str, &str, Value)]) {
    eventually(SOON * 4, || is_taken(bed, service, path, value));
    for (service, path, value) in shown {
        eventually(SOON * 8, || {
            let is = bed.get(service, path);
            println!("{service} {path} is {is} in place of {value}, {}", bed.get(service, "/Control/Result"));
            is.as_f64().is_some() && is.as_f64() == value.as_f64()
        });
    }
}

#[test]
fn the_settings_of_a_gx_are_set_points_with_what_the_device_shows() {
    let bed = Inverters::start(&[serial("deye-one-phase", "control = \"on\"")]);
    let (unit, system) = (&*bed.name("multi", 0), &*bed.name("acsystem", 0));
    eventually(SOON, || bed.get(system, "/ModeIsAdjustable") == json!(1));
    eventually(SOON, || bed.get(unit, "/ModeIsAdjustable") == json!(1));
    sets(
        &bed,
        (unit, "/Settings/Ess/MinimumSocLimit", "double:35"),
        &[
            (unit, "/Settings/Ess/MinimumSocLimit", json!(35)),
            (unit, "/Control/MinSoc", json!(35)),
            (system, "/Settings/Ess/MinimumSocLimit", json!(35)),
        ],
    );
    sets(
        &bed,
        (system, "/Ess/DisableFeedIn", "int32:1"),
        &[(unit, "/Ess/DisableFeedIn", json!(1)), (unit, "/Control/ExportEnable", json!(0))],
    );
    sets(&bed, (system, "/Mode", "int32:4"), &[(system, "/Mode", json!(4)), (unit, "/Mode", json!(4))]);
    sets(
        &bed,
        (unit, "/Mode", "int32:3"),
        &[(system, "/Mode", json!(3)), (unit, "/Control/OnOff", json!(1))],
    );
    for (service, path, value) in [
        (unit, "/Settings/Ess/MinimumSocLimit", "double:101"),
        (unit, "/Ess/DisableFeedIn", "int32:2"),
        (unit, "/Mode", "int32:1"),
        (system, "/Mode", "int32:251"),
    ] {
        assert!(!is_taken(&bed, service, path, value), "{path} {value}");
    }
    assert_eq!(bed.get(unit, "/Mode"), json!(3));
    for absent in
        ["/N2kSystemInstance", "/Settings/Ess/Mode", "/Ess/AcPowerSetpoint", "/Ac/In/1/CurrentLimit"]
    {
        assert!(bed.bus.get_value(unit, absent).is_err(), "{absent}");
        assert!(bed.bus.get_value(system, absent).is_err(), "{absent}");
    }
}

#[test]
fn a_power_into_the_battery_counts_while_it_is_used_and_one_of_the_grid_at_once() {
    let bed = Inverters::start(&[serial("sofar-hyd", "control = \"on\"")]);
    let (unit, system) = (&*bed.name("multi", 0), &*bed.name("acsystem", 0));
    let (power, uses) = ("/Ess/InverterPowerSetpoint", "/Ess/UseInverterPowerSetpoint");
    eventually(SOON, || bed.get(system, uses) == json!(0));
    sets(&bed, (unit, power, "double:800"), &[(unit, power, json!(800)), (unit, uses, json!(0))]);
    assert!(bed.number(unit, "/Control/BatteryPower") != 800.0, "it is not used yet");
    sets(
        &bed,
        (unit, uses, "int32:1"),
        &[(unit, uses, json!(1)), (unit, "/Control/BatteryPower", json!(800)), (system, uses, json!(1))],
    );
    sets(&bed, (system, power, "double:-600"), &[(system, power, json!(-600)), (unit, power, json!(-600))]);
    sets(&bed, (system, uses, "int32:0"), &[(unit, uses, json!(0)), (system, uses, json!(0))]);
    let grid = "/Ess/AcPowerSetpoint";
    sets(
        &bed,
        (system, grid, "double:500"),
        &[(unit, grid, json!(500)), (unit, "/Control/GridPower", json!(500))],
    );
}

#[test]
fn what_never_feeds_in_says_so_and_without_control_nothing_can_be_set() {
    let bed = Inverters::start(&[
        serial("growatt-spf", "control = \"on\"\nsystem = \"hut\""),
        serial("deye-one-phase", "system = \"house\""),
    ]);
    let (hut, house) = (&*bed.name("multi", 0), &*bed.name("multi", 1));
    for service in [hut, "com.victronenergy.acsystem.modbus_hut"] {
        eventually(SOON, || bed.get(service, "/Ess/DisableFeedIn") == json!(1));
        assert!(!is_taken(&bed, service, "/Ess/DisableFeedIn", "int32:0"));
    }
    for service in [house, "com.victronenergy.acsystem.modbus_house"] {
        eventually(SOON, || bed.get(service, "/ModeIsAdjustable") == json!(0));
        assert!(!is_taken(&bed, service, "/Mode", "int32:4"));
        for absent in ["/Settings/Ess/MinimumSocLimit", "/Ess/DisableFeedIn", "/Settings/ChargeCurrentLimit"]
        {
            assert!(bed.bus.get_value(service, absent).is_err(), "{absent}");
        }
    }
}
