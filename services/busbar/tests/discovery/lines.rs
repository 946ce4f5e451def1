//! `busbar scan` on real lines.

use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::bed::{SOON, busbar, folder};
use testbed::{Process, client_script};

use super::{journal, on_line, read_from, simulator};

fn scan(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        busbar().arg("scan").arg("--modbus").args(arguments).output().expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

fn devices(said: &str) -> Vec<(Value, Value)> {
    let document: Value = serde_json::from_str(said).expect("a document");
    let devices = document["devices"].as_array().expect("devices");
    devices.iter().map(|device| (device["unit"].clone(), device["profiles"].clone())).collect()
}

#[test]
fn two_makers_on_one_line_are_found_and_their_configuration_is_written() {
    let folder = folder();
    let port = folder.path().join("rs485").display().to_string();
    let inverters = [on_line(folder.path(), "deye-one-phase", 1), on_line(folder.path(), "sofar-hyd", 2)];
    let mut simulator = simulator(folder.path(), &inverters);
    let file = folder.path().join("inverter-modbus.found.toml");
    let target = file.display().to_string();
    let (code, said, _) = scan(&[&port, "--baud", "9600", "--unit", "1,2", "--write", &target]);
    assert_eq!(code, Some(0), "{said}");
    for part in ["deye-one-phase", "sofar-hyd", "SIM0000001", &target] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for number in 0..2 {
        let journal = journal(&mut simulator, number);
        assert!(!journal.contains("6:") && !journal.contains("16:"), "nothing is written: {journal}");
    }
    let checked = busbar().arg("check-config").arg(&file).output().expect("an end");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let (code, _, why) = scan(&[&port, "--baud", "9600", "--unit", "1", "--write", &target]);
    assert!(code == Some(1) && why.contains("exists"), "nothing is overwritten: {why}");
}

#[test]
fn an_spf_is_found_and_keeps_its_output_and_so_does_the_line() {
    let folder = folder();
    let port = folder.path().join("rs485").display().to_string();
    let inverters = [on_line(folder.path(), "growatt-spf", 1), on_line(folder.path(), "solis-hybrid", 2)];
    let mut simulator = simulator(folder.path(), &inverters);
    let (code, said, _) = scan(&[&port, "--baud", "9600", "--unit", "1,2"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("growatt-spf") && !said.contains("profile = \"solis"), "{said}");
    assert!(said.contains("--product"), "the user is asked about the other: {said}");
    for number in 0..2 {
        let journal = journal(&mut simulator, number);
        let reads = read_from(&journal);
        assert!(!reads.is_empty() && reads.iter().all(|first| *first < 29_900), "{journal}");
    }
    simulator.write_line("inverter 0 status");
    let status = simulator.wait_for_line("resets=", SOON);
    assert!(status.contains("resets=0") && status.contains("state=running"), "{status}");
    // The user knows what the other is, and says so.
    let (code, said, why) = scan(&[&port, "--product", "solis-hybrid", "--unit", "2", "--json"]);
    assert_eq!(code, Some(0), "{said} {why}");
    assert_eq!(devices(&said), [(json!(2), json!(["solis-hybrid"]))]);
}

/// What a device was found at: unit, profiles, rate, and the whole of it for people.
#[track_caller]
fn found_alone(port: &str, arguments: &[&str]) -> (Value, String) {
    let (code, said, why) = scan(&[&[port, "--unit", "1", "--json"], arguments].concat());
    assert_eq!(code, Some(0), "{said} {why}");
    let document: Value = serde_json::from_str(&said).expect("a document");
    let devices = document["devices"].as_array().expect("devices");
    assert_eq!(devices.len(), 1, "each device is listed once: {said}");
    (devices[0].clone(), why)
}

#[test]
fn one_at_another_rate_is_found_there_and_listed_once() {
    let folder = folder();
    let port = folder.path().join("rs485").display().to_string();
    let lux = format!("{}\nbaud = 19200", on_line(folder.path(), "luxpower", 1));
    let mut simulator = simulator(folder.path(), &[lux]);
    let (device, tried) = found_alone(&port, &[]);
    assert_eq!((&device["profiles"], &device["baud"]), (&json!(["luxpower"]), &json!(19200)));
    let at = |rate: &str| tried.find(rate);
    assert!(at("9600 8N1").is_some(), "the most usual rate is tried before: {tried}");
    assert!(at("9600 8N1") < at("19200 8N1") || at("19200 8N1").is_none(), "{tried}");
    assert!(!journal(&mut simulator, 0).is_empty());
}

#[test]
fn one_with_parity_is_found_at_its_rate_when_the_parity_is_said() {
    let folder = folder();
    let port = folder.path().join("rs485").display().to_string();
    let even = format!("{}\nbaud = 19200\nparity = \"even\"", on_line(folder.path(), "sunspec-inverter", 1));
    let mut simulator = simulator(folder.path(), &[even]);
    let (code, _, why) = scan(&[&port, "--product", "sunspec-inverter", "--unit", "1"]);
    assert_eq!(code, Some(1), "without parity nobody answers");
    assert!(why.contains("--parity"), "{why}");
    let asked = journal(&mut simulator, 0);
    assert!(read_from(&asked).is_empty(), "it has heard garbage: {asked}");
    let (device, _) = found_alone(&port, &["--parity", "even"]);
    assert_eq!((&device["profiles"], &device["baud"]), (&json!(["sunspec-inverter"]), &json!(19200)));
    assert!(device["where"].as_str().is_some_and(|at| at.ends_with(" 19200 8E1")), "{device}");
}

#[test]
fn hosts_and_networks_are_searched() {
    let folder = folder();
    let listening = |profile: &str| format!("listen = \"127.0.0.1:0\"\nprofile = {profile:?}");
    let mut simulator = simulator(folder.path(), &[listening("sungrow-sh")]);
    let ready = simulator.lines().into_iter().find(|line| line.contains("modbus0 ready")).expect("its place");
    let port = ready.rsplit(':').next().expect("a port").trim().to_owned();
    for place in [format!("127.0.0.1:{port}"), format!("127.0.0.1/30:{port}")] {
        let (code, said, why) = scan(&[&place, "--unit", "1", "--json"]);
        assert_eq!(code, Some(0), "{place}: {said} {why}");
        assert_eq!(devices(&said), [(json!(1), json!(["sungrow-sh"]))], "{place}");
    }
    let (code, said, _) = scan(&[&format!("127.0.0.1:{port}"), "--unit", "1"]);
    assert!(code == Some(0) && said.contains(&format!("tcp_port = {port}")), "{said}");
    assert!(simulator.is_running());
}

#[test]
fn a_device_of_pymodbus_is_recognised() {
    let image = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../inverter-modbus/tests/images/sungrow-sh.toml");
    let mut device = Process::spawn(client_script("modbus.py").args(["serve", "127.0.0.1:0"]).arg(image));
    let line = device.wait_for_line("serving", SOON * 2);
    let port = line.rsplit(':').next().expect("a port").to_owned();
    let (code, said, why) = scan(&[&format!("127.0.0.1:{port}"), "--unit", "1", "--json"]);
    assert_eq!(code, Some(0), "{said} {why}");
    assert_eq!(devices(&said), [(json!(1), json!(["sungrow-sh"]))]);
    assert!(said.contains("A2301234567"), "{said}");
}

#[test]
fn where_nobody_answers_something_is_said_that_helps() {
    let folder = folder();
    let port = folder.path().join("rs485").display().to_string();
    let mut simulator = simulator(folder.path(), &[on_line(folder.path(), "deye-one-phase", 200)]);
    let (code, said, why) = scan(&[&port, "--baud", "9600", "--unit", "1"]);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    for part in ["wires A and B", "--unit", "other master", "nobody answers"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(why.contains(&format!(": {port} 9600 8N1 unit 1\n")), "progress after two seconds: {why}");
    simulator.write_line("inverter 0 fault garbage hex=ff01ff02ff03");
    let (_, _, nowhere) = scan(&["127.0.0.1:1"]);
    assert!(nowhere.contains("127.0.0.1:1"), "{nowhere}");
}

#[test]
fn a_port_that_somebody_has_is_left_to_him() {
    let folder = folder();
    let port = folder.path().join("rs485").display().to_string();
    let _simulator = simulator(folder.path(), &[on_line(folder.path(), "deye-one-phase", 1)]);
    let mut first = Process::spawn(busbar().args([
        "scan",
        "--modbus",
        &port,
        "--baud",
        "9600",
        "--unit",
        "9,8,7,6,5,4,3",
    ]));
    first.wait_for_line("unit 9", Duration::from_secs(30));
    let (code, _, why) = scan(&[&port, "--unit", "1"]);
    assert!(code == Some(1) && why.contains("in use by"), "{why}");
    assert!(why.contains(&first.id().to_string()), "it is said who: {why}");
}
