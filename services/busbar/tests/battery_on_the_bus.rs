//! A simulated battery, the real service, a real bus: what a Venus client sees.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use testbed::bed::{Bed, SOON, busbar, service, simulator};
use testbed::{Exit, PrivateBus, Process, eventually};

const SCENARIO: &str =
    "modules = 4\n[battery.pack]\ncells = 15\ncapacity_ah = 74.0\nsoc_percent = 54.0\ntemperature_c = 21.0";

#[test]
fn a_battery_is_complete_when_its_name_appears() {
    let bed = Bed::start(
        SCENARIO,
        "protocol = \"pylontech_lv\"\ncapacity_ah = 296.0\ndevice_instance = 107\nname = \"Shed\"",
    );
    let items =
        bed.bus.busctl(&["call", Bed::NAME, "/", "com.victronenergy.BusItem", "GetItems"]).expect("answered");
    let value = |path: &str| items[0][path]["Value"].clone();
    assert_eq!(value("/Soc"), json!(54.0));
    assert_eq!(value("/Soh"), json!(100.0));
    assert_eq!(value("/DeviceInstance"), json!(107));
    assert_eq!(value("/CustomName"), json!("Shed"));
    assert_eq!(value("/ProductName"), json!("Pylontech low voltage"));
    assert_eq!(value("/Manufacturer"), json!("PYLON"));
    assert_eq!(value("/Mgmt/ProcessName"), json!("bms-can"));
    assert_eq!(value("/System/NrOfModulesOnline"), json!(4));
    assert_eq!(value("/InstalledCapacity"), json!(296.0));
    assert_eq!(value("/Alarms/BmsCable"), json!(0));
    assert_eq!(value("/Alarms/HighVoltage"), json!(0));
    assert_eq!(value("/Alarms/CellImbalance"), json!([]), "this protocol does not speak of it");
    assert_eq!((value("/Io/AllowToCharge"), value("/Info/ChargeRequest")), (json!(1), json!(0)));
    for limit in ["MaxChargeVoltage", "MaxChargeCurrent", "MaxDischargeCurrent"] {
        assert_eq!(value(&format!("/Info/{limit}")), value(&format!("/Bms/{limit}")));
        assert!(value(&format!("/Info/{limit}")).as_f64().is_some_and(|v| v > 40.0), "{limit}");
    }
    let (volts, amps, watts) = (value("/Dc/0/Voltage"), value("/Dc/0/Current"), value("/Dc/0/Power"));
    let product = volts.as_f64().expect("V") * amps.as_f64().expect("A");
    assert!((product - watts.as_f64().expect("W")).abs() < 0.1, "{volts} V, {amps} A, {watts} W");
    assert!(volts.as_f64().is_some_and(|v| (48.0..51.0).contains(&v)), "{volts}");
}

#[test]
fn current_alarms_and_limits_follow_the_battery() {
    let mut bed = Bed::start(SCENARIO, "capacity_ah = 296.0");
    bed.simulator.write_line("current -40");
    eventually(SOON, || bed.get("/Dc/0/Current").as_f64().is_some_and(|a| (a + 40.0).abs() < 3.0));
    eventually(SOON, || bed.get("/TimeToGo").as_i64().is_some_and(|s| (3 * 3600..10 * 86_400).contains(&s)));
    bed.simulator.write_line("alarm high_voltage on");
    eventually(SOON, || bed.get("/Alarms/HighVoltage") == json!(2));
    bed.simulator.write_line("alarm high_voltage off");
    eventually(SOON, || bed.get("/Alarms/HighVoltage") == json!(0));
    bed.simulator.write_line("temperature 70");
    eventually(SOON, || bed.get("/Info/MaxChargeCurrent") == json!(0.0));
    eventually(SOON, || bed.get("/Io/AllowToCharge") == json!(0));
    bed.simulator.write_line("temperature 20");
    eventually(SOON, || bed.get("/Info/MaxChargeCurrent").as_f64().is_some_and(|a| a > 0.0));
}

#[test]
fn an_unplugged_adapter_is_awaited_and_the_battery_comes_back_by_itself() {
    let mut bed = Bed::start(SCENARIO, "");
    bed.simulator.write_line("unplug");
    bed.service.wait_for_line("was unplugged", SOON);
    eventually(SOON, || bed.get("/Alarms/BmsCable") == json!(1));
    assert_eq!(
        (bed.get("/Connected"), bed.get("/Soc"), bed.get("/Dc/0/Voltage")),
        (json!(0), Value::Null, Value::Null)
    );
    assert_eq!(
        (bed.get("/Info/MaxChargeCurrent"), bed.get("/Info/MaxDischargeCurrent")),
        (json!(0.0), json!(0.0))
    );
    assert!(
        bed.get("/Info/MaxChargeVoltage").as_f64().is_some_and(|v| (48.0..51.0).contains(&v)),
        "the pack's voltage"
    );
    bed.simulator.write_line("plug");
    bed.service.wait_for_line("the port is open", SOON);
    eventually(SOON, || bed.get("/Connected") == json!(1) && bed.get("/Soc") == json!(54.0));
    assert_eq!(bed.get("/Alarms/BmsCable"), json!(0));
    assert!(bed.service.is_running());
}

#[test]
fn bad_input_costs_a_line_and_publishes_nothing_false() {
    let mut bed = Bed::start(SCENARIO, "");
    for (fault, line) in [
        ("garbage", "no slcan"),
        ("wrong_length", "not believed"),
        ("wrong_digit", "no slcan"),
        ("truncated", "no slcan"),
        ("implausible", "not believed"),
    ] {
        bed.simulator.write_line(&format!("fault {fault}"));
        eventually(SOON, || {
            for (path, low, high) in
                [("/Soc", 54.0, 54.0), ("/Dc/0/Voltage", 48.0, 51.0), ("/Info/MaxChargeCurrent", 0.0, 200.0)]
            {
                if let Some(value) = bed.get(path).as_f64() {
                    assert!((low..=high).contains(&value), "{path} is {value} under {fault}");
                }
            }
            bed.service.lines().iter().any(|said| said.contains(line))
        });
        bed.simulator.write_line("fault clear");
    }
    eventually(SOON, || bed.get("/Connected") == json!(1));
    assert!(bed.service.lines().len() < 20, "{:#?}", bed.service.lines());
}

#[test]
fn what_clients_write_is_answered_and_a_read_only_item_stays() {
    let bed = Bed::start(SCENARIO, "");
    let set = |path: &str, value: &[&str]| bed.bus.set_value(Bed::NAME, path, value).expect("answered");
    assert_eq!(set("/Soc", &["d", "99"]), 1);
    assert_eq!(set("/Info/MaxChargeCurrent", &["d", "500"]), 1);
    assert_eq!(bed.get("/Soc"), json!(54.0));
    assert_eq!(set("/CustomName", &["s", "Barn"]), 0);
    eventually(SOON, || bed.get("/CustomName") == json!("Barn"));
    eventually(SOON, || {
        bed.service.lines().iter().any(|line| line.contains("write refused") && line.contains("/Soc"))
    });
}

#[test]
fn number_and_name_are_kept_and_a_new_number_brings_it_back_under_that_number() {
    let mut bed = Bed::start(SCENARIO, "device_instance = 107");
    assert_eq!(bed.bus.set_value(Bed::NAME, "/CustomName", &["s", "Barn"]), Ok(0));
    eventually(SOON, || bed.get("/CustomName") == json!("Barn"));
    let number = "/Settings/Devices/bmscan_battery0/ClassAndVrmInstance";
    assert_eq!(bed.bus.set_value("com.victronenergy.settings", number, &["s", "battery:42"]), Ok(0));
    eventually(SOON, || bed.get("/DeviceInstance") == json!(42));
    assert_eq!(bed.service.terminate(), Exit::Code(0));
    let _second = service(&bed.bus, bed.folder.path(), "device_instance = 107");
    eventually(SOON, || bed.get("/DeviceInstance") == json!(42) && bed.get("/CustomName") == json!("Barn"));
}

#[test]
fn the_dialect_is_found_out_and_a_wrong_choice_is_explained() {
    let mut bed = Bed::start(SCENARIO, "");
    bed.service.wait_for_line("Pylontech low voltage", SOON);
    assert_eq!(bed.get("/Bms/Protocol"), json!("pylontech_lv"));
    drop(bed);
    let mut bed = Bed::start_early(SCENARIO, "protocol = \"growatt_lv\"");
    bed.service.wait_for_line("set protocol = \"pylontech_lv\"", SOON);
    assert!(!bed.is_on_the_bus());
}

#[test]
fn a_battery_that_only_speaks_when_it_is_asked_is_asked_in_its_way() {
    let mut bed = Bed::start("protocol = \"growatt_lv\"\nmodules = 1", "");
    bed.service.wait_for_line("growatt_lv", SOON);
    assert_eq!(bed.get("/Bms/Protocol"), json!("growatt_lv"));
    drop(bed);
    Bed::start("modules = 1\nneeds_keep_alive = true", "protocol = \"pylontech_lv\"");
}

#[test]
fn sigterm_ends_it_at_once_and_frees_name_and_port() {
    let mut bed = Bed::start(SCENARIO, "");
    assert_eq!(bed.service.terminate(), Exit::Code(0));
    assert!(!bed.is_on_the_bus());
    let second = service(&bed.bus, bed.folder.path(), "");
    eventually(SOON, || bed.get("/Connected") == json!(1));
    drop(second);
}

#[test]
fn a_port_in_use_and_a_name_that_is_taken_are_said_in_one_line() {
    let bed = Bed::start(SCENARIO, "");
    let mut second = service(&bed.bus, bed.folder.path(), "");
    let line = second.wait_for_line("is in use by", SOON);
    assert!(line.contains(&bed.service.id().to_string()), "{line}");

    let other = tempfile::tempdir().expect("a folder");
    let _simulator = simulator(other.path(), SCENARIO);
    let mut third = service(&bed.bus, other.path(), "");
    third.wait_for_line("is taken by", SOON);
    assert_eq!(third.wait(SOON), Exit::Code(1));
}

#[test]
fn the_end_of_the_bus_ends_the_process_for_the_supervisor_to_start_it_again() {
    let mut bed = Bed::start(SCENARIO, "");
    bed.bus.stop();
    assert_eq!(bed.service.wait(SOON), Exit::Code(1));
    assert!(
        bed.service.lines().iter().any(|line| line.contains("D-Bus is lost")),
        "{:#?}",
        bed.service.lines()
    );
}

#[test]
fn a_missing_port_is_waited_for() {
    let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
    let mut process = service(&bus, folder.path(), "");
    process.wait_for_line("waiting for", SOON);
    let _simulator = simulator(folder.path(), SCENARIO);
    eventually(SOON, || bus.get_value(Bed::NAME, "/Connected").is_ok_and(|v| v == json!(1)));
}

#[test]
fn a_wrong_configuration_names_file_line_key_and_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bms-can.x.toml");
    let text = "[can]\nport = \"/dev/ttyACM0\"\nbit_rat = 500000\n\n[[battery]]\nprotocol = \"pylontek_lv\"\naddress = 9\n";
    std::fs::write(&file, text).expect("written");
    let mut process = Process::spawn(busbar().arg("bms-can").arg("--config").arg(&file));
    assert_eq!(process.wait(SOON), Exit::Code(78));
    let said = process.lines().join("\n");
    for part in [
        "bms-can.x.toml:3",
        "bit_rat",
        "bit_rate",
        "bms-can.x.toml:6",
        "pylontech_lv",
        "bms-can.x.toml:7",
        "0 to 7",
    ] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
}

#[test]
fn no_bus_is_one_line_and_an_exit() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bms-can.x.toml");
    std::fs::write(&file, "[can]\nport = \"/dev/nonexistent\"\n").expect("written");
    let mut command = busbar();
    let mut process = Process::spawn(
        command.arg("bms-can").arg("--config").arg(&file).args(["--bus", "unix:path=/nonexistent/bus"]),
    );
    assert_eq!(process.wait(Duration::from_secs(10)), Exit::Code(1));
    assert!(
        process.lines().iter().any(|line| line.contains("unix:path=/nonexistent/bus")),
        "{:#?}",
        process.lines()
    );
}
