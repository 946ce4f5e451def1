//! Inverters of one process ask for different numbers, also where no settings tell them apart, and a limit that is decided
//! elsewhere is not lifted by a client that wants nothing.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;
use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{PrivateBus, Process, eventually};

const UNIT: &str = "com.victronenergy.multi.modbus_rs485_1";

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("a file");
    file
}

/// Inverters of this profile on a serial line, as these units.
fn simulator(folder: &Path, profile: &str, units: &[u8]) -> Process {
    let port = folder.join("rs485").display().to_string();
    let inverter = |unit: &u8| {
        format!(
            "[[inverter]]\nlink = {port:?}\nprofile = {profile:?}\nunit = {unit}\nsoc = 50\npaced = false\n"
        )
    };
    let scenario: String = units.iter().map(inverter).collect();
    let scenario = file(folder, "inverters.toml", &scenario);
    Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario))
}

fn service(bus: &PrivateBus, folder: &Path, profile: &str, units: &[u8], more: &str) -> Process {
    let port = folder.join("rs485").display().to_string();
    let device = |unit: &u8| {
        format!(
            "[[device]]\nprofile = {profile:?}\nport = {port:?}\nunit = {unit}\ncontrol = \"on\"\n{more}\n"
        )
    };
    let devices: String = units.iter().map(device).collect();
    let config = format!("folder = {:?}\n{devices}", folder.join("kept"));
    let config = file(folder, "inverter-modbus.toml", &config);
    let mut command = bus.command(testbed::executable("busbar"));
    Process::spawn(command.arg("inverter-modbus").arg("--config").arg(config))
}

#[test]
fn inverters_that_no_settings_tell_apart_have_different_numbers() {
    let (bus, folder) = (PrivateBus::start(), folder());
    let units = [1, 2, 3];
    let _simulator = simulator(folder.path(), "sungrow-sh", &units);
    let _service = service(&bus, folder.path(), "sungrow-sh", &units, "");
    let number = |unit: &u8| {
        let name = format!("com.victronenergy.multi.modbus_rs485_{unit}");
        bus.get_value(&name, "/DeviceInstance").ok()?.as_i64()
    };
    eventually(SOON * 4, || units.iter().all(|unit| number(unit).is_some()));
    let numbers: BTreeSet<_> = units.iter().filter_map(number).collect();
    assert_eq!(numbers, BTreeSet::from([20, 21, 22]));
}

#[test]
fn a_client_that_wants_nothing_of_a_limit_that_follows_does_not_lift_it() {
    let (bus, folder) = (PrivateBus::start(), folder());
    let _settings = settings(&bus, folder.path());
    let _inverter = simulator(folder.path(), "sunspec-hybrid", &[1]);
    let follow = "follow = \"com.victronenergy.battery.bmscan_battery0\"\nmax_charge_current_a = 20";
    let _service = service(&bus, folder.path(), "sunspec-hybrid", &[1], follow);
    eventually(SOON * 4, || bus.get_value(UNIT, "/Connected") == Ok(json!(1)));
    let _battery = testbed::bed::simulator(folder.path(), "");
    let _driver = testbed::bed::service(&bus, folder.path(), "");
    let limit = "/Control/ChargePowerLimit";
    let watts = || bus.get_value(UNIT, limit).ok().and_then(|value| value.as_f64()).unwrap_or(f64::NAN);
    eventually(SOON * 4, || watts() > 0.0 && watts() < 20.0 * 60.0);
    assert_ne!(bus.set_value(UNIT, limit, &["ai", "0"]), Ok(0));
    let result = || bus.get_value(UNIT, "/Control/Result").unwrap_or_default().to_string();
    eventually(SOON, || result().contains("decided elsewhere"));
    assert!(watts() < 20.0 * 60.0);
}
