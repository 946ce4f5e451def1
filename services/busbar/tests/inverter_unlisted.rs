//! A device that its profile does not know, because its firmware or serial number is in no list.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde_json::json;
use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{PrivateBus, Process, eventually};

const UNIT: &str = "com.victronenergy.multi.modbus_rs485_1";
/// How a Growatt SPH begins to say which firmware it has, and another one that nobody has written down.
const KNOWN: &str = r#"prefix = ["RAA", "RA1", "AH1", "YA1"]"#;
const UNKNOWN: &str = r#"prefix = ["ZZ9"]"#;

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("a file");
    file
}

#[test]
fn a_device_that_is_in_no_list_is_refused_with_the_key_that_takes_it_and_with_it_only_measured() {
    let (bus, folder) = (PrivateBus::start(), folder());
    let _settings = settings(&bus, folder.path());
    let profile = include_str!("../../inverter-modbus/profiles/growatt-sph.toml");
    assert!(profile.contains(KNOWN));
    let profile = file(folder.path(), "growatt-sph.toml", &profile.replace(KNOWN, UNKNOWN));
    let link = folder.path().join("rs485");
    let scenario = format!("[[inverter]]\nlink = {link:?}\nprofile = {profile:?}\npaced = false\n");
    let scenario = file(folder.path(), "scenario.toml", &scenario);
    let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario));
    simulator.wait_for_line("modbus0 ready", SOON);
    let device = format!("[[device]]\nprofile = \"growatt-sph\"\nport = {link:?}\nunit = 1\n");
    let start = |text: &str| {
        let config = file(folder.path(), "inverter-modbus.toml", text);
        let mut command = bus.command(testbed::executable("busbar"));
        Process::spawn(command.arg("inverter-modbus").arg("--config").arg(config))
    };

    let mut refusing = start(&device);
    let refusal = refusing.wait_for_line("another device answers", SOON);
    assert!(refusal.contains("recognise ="), "{refusal}");
    assert!(bus.get_value(UNIT, "/Connected").is_err());
    refusing.terminate();

    let mut taking = start(&format!("{device}recognise = \"any\"\n"));
    taking.wait_for_line("nothing checks", SOON);
    eventually(SOON * 2, || bus.get_value(UNIT, "/Connected") == Ok(json!(1)));
    assert!(bus.get_value(UNIT, "/Control/MinSoc").is_err(), "nothing can be set");
}
