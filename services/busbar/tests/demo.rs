//! The demo: a bus, a battery and the real service, all its own children.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use testbed::bed::{Bed, SOON, busbar};
use testbed::{Exit, Process, eventually, one_of};

#[test]
fn it_prints_the_final_items_as_json_and_leaves_nothing_behind() {
    // On a busy machine the battery needs longer to be there.
    let mut times = ["6s", "12s", "24s"].into_iter();
    let battery = one_of(3, || {
        let time = times.next().expect("a time");
        let output = busbar().args(["demo", "--for", time, "--json"]).output().expect("it starts");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let trees: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let battery = trees.get(Bed::NAME).expect("the battery").clone();
        if battery["/Connected"]["value"] == 1 { Ok(battery) } else { Err(format!("{battery} after {time}")) }
    });
    assert_eq!(battery["/Connected"]["text"], "yes");
    assert!(battery["/Soc"]["value"].is_number());
}

#[test]
fn it_shows_a_live_battery_names_its_bus_and_ends_in_order() {
    let mut demo = Process::spawn(busbar().arg("demo"));
    let line = demo.wait_for_line("D-Bus address: ", SOON);
    let (_, address) = line.split_once("D-Bus address: ").expect("an address");
    demo.wait_for_line("SoC 54.0%", SOON);
    let path = address.strip_prefix("unix:path=").expect("a socket");
    let tree = std::process::Command::new("busctl").arg(format!("--address={address}")).arg("tree").output();
    assert!(String::from_utf8_lossy(&tree.expect("busctl").stdout).contains("/Info/MaxChargeVoltage"));
    assert_eq!(demo.terminate(), Exit::Code(0));
    eventually(SOON, || !std::path::Path::new(path).exists());
}

#[test]
fn with_a_bank_three_batteries_their_manager_and_a_charger_that_follows_it_are_on_the_bus() {
    const BANK: &str = "com.victronenergy.battery.busbar";
    let mut demo = Process::spawn(busbar().args(["demo", "--bank"]));
    let line = demo.wait_for_line("D-Bus address: ", SOON);
    let (_, address) = line.split_once("D-Bus address: ").expect("an address");
    // It draws what the house takes as soon as it may.
    demo.wait_for_line("share of multi.demo", 2 * SOON);
    let run = |arguments: &[&str]| {
        let output = busbar().args(arguments).args(["--bus", address]).output().expect("it starts");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let explained = testbed::eventually_some(2 * SOON, || {
        let (_, text) = run(&["explain", "--json"]);
        let document: serde_json::Value = serde_json::from_str(&text).ok()?;
        let takes = document["shares"][0]["taken_a"].as_f64()?;
        (takes < -10.0).then_some(document)
    });
    assert_eq!(explained["members"].as_array().map(Vec::len), Some(3));
    assert_eq!(explained["shares"][0]["service"], "com.victronenergy.multi.demo");
    assert_eq!(explained["lines"].as_array().map(Vec::len), Some(5));
    assert!(explained["discharge"]["limit"].as_f64() > Some(10.0));
    assert!(explained["charge"]["reason"].is_string());

    let (done, lines) = run(&["explain"]);
    assert!(done && lines.lines().count() >= 5, "{lines}");
    let (_, status) = run(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    let is_bank = |service: &&serde_json::Value| service["service"] == BANK;
    let bank = status["services"].as_array().and_then(|all| all.iter().find(is_bank)).expect("the bank");
    assert_eq!(bank["values"]["bank"]["members"].as_array().map(Vec::len), Some(3));
    assert_eq!(demo.terminate(), Exit::Code(0));
}

#[test]
fn where_there_is_no_bank_explain_says_what_is_missing() {
    let bus = testbed::PrivateBus::start();
    let output = busbar().args(["explain", "--bus", bus.address()]).output().expect("it starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && words.contains("is charge-manager running"), "{words}");
}
