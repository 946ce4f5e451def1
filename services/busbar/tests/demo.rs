//! The demo: a bus, a battery and the real service, all its own children.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use testbed::bed::{Bed, SOON, busbar};
use testbed::{Exit, Process, eventually};

#[test]
fn it_prints_the_final_items_as_json_and_leaves_nothing_behind() {
    let output = busbar().args(["demo", "--for", "6s", "--json"]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trees: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let battery = trees.get(Bed::NAME).expect("the battery");
    assert_eq!(battery["/Connected"]["value"], 1);
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
