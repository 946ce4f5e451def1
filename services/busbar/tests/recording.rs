//! A recording in the place of a battery: how support looks at what a user has sent.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use testbed::bed::{SOON, busbar};
use testbed::{Exit, PrivateBus, Process, eventually};

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/captures/pylontech_10modules.log");
const NAME: &str = "com.victronenergy.battery.bmscan_pylontech_10modules_log";

fn play(bus: &PrivateBus, folder: &tempfile::TempDir, recording: &str, how: &str) -> Process {
    let file = folder.path().join("bms-can.log.toml");
    std::fs::write(&file, format!("[can]\nfile = {recording:?}\n{how}")).expect("written");
    Process::spawn(busbar().arg("bms-can").arg("--config").arg(file).args(["--bus", bus.address()]))
}

/// The recording, which is one cycle of the battery, and the same a second later.
fn two_cycles() -> String {
    let once = std::fs::read_to_string(RECORDING).expect("it is there");
    let later = once.lines().map(|line| {
        let (time, rest) = line.trim_start_matches('(').split_once(')').expect("a time");
        format!("({:.6}){rest}\n", time.parse::<f64>().expect("seconds") + 1.0)
    });
    once.lines().map(|line| format!("{line}\n")).chain(later).collect()
}

#[test]
fn a_repeated_recording_is_a_battery_on_the_bus() {
    let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
    let mut service = play(&bus, &folder, RECORDING, "repeat = true");
    let get = |path| bus.get_value(NAME, path).unwrap_or_default();
    eventually(SOON, || get("/Soc") == json!(26.0));
    assert_eq!(get("/Mgmt/Connection"), json!(format!("CAN-bus recording {RECORDING}")));
    assert_eq!((get("/Dc/0/Voltage"), get("/Info/MaxChargeVoltage")), (json!(48.66), json!(53.2)));
    assert_eq!((get("/Can/State"), get("/Can/BitRate")), (Value::Null, Value::Null), "there is no bus");
    let first = get("/UpdateIndex");
    eventually(SOON, || get("/UpdateIndex") != first);
    assert_eq!(service.terminate(), Exit::Code(0));
}

#[test]
fn a_recording_that_ends_is_a_battery_that_falls_silent() {
    let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
    let recording = folder.path().join("pylontech_10modules.log");
    std::fs::write(&recording, two_cycles()).expect("written");
    let how = "speed = 2.0\n[[battery]]\nprotocol = \"pylontech_lv\"";
    let mut service = play(&bus, &folder, recording.to_str().expect("a plain path"), how);
    service.wait_for_line("has ended after 14 frames", SOON);
    eventually(2 * SOON, || bus.get_value(NAME, "/Alarms/BmsCable").is_ok_and(|level| level == json!(1)));
    assert_eq!(bus.get_value(NAME, "/Connected").expect("there"), json!(0));
    assert_eq!(service.terminate(), Exit::Code(0));
}
