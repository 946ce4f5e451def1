//! What `busbar scan` and `busbar profile read` say before and instead of reading a device.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use testbed::Process;
use testbed::bed::{SOON, busbar, folder};

/// How a command ends and what it complains of.
fn refused(args: &[&str]) -> String {
    let output = busbar().args(args).output().expect("an end");
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_search_whose_result_has_no_place_is_refused_before_it_begins() {
    let folder = folder();
    let file = folder.path().join("inverter-modbus.house.toml");
    std::fs::write(&file, "# mine").expect("a file");
    let port = folder.path().join("no-port").display().to_string();
    let scan = |file: &str| refused(&["scan", "--modbus", &port, "--write", file]);
    let said = scan(&file.display().to_string());
    assert!(said.contains("inverter-modbus.house.toml exists already"), "{said}");
    assert!(said.contains("another name") && !said.contains("no-port"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).expect("it stays"), "# mine");
    let said = scan(&folder.path().join("nowhere/house.toml").display().to_string());
    assert!(said.contains("nowhere is no folder") && !said.contains("no-port"), "{said}");
}

#[test]
fn a_device_in_no_list_is_read_where_the_user_knows_better() {
    let folder = folder();
    let put = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file
    };
    let profile = include_str!("../../inverter-modbus/profiles/growatt-sph.toml");
    let other = profile.replace(r#"prefix = ["RAA", "RA1", "AH1", "YA1"]"#, r#"prefix = ["ZZ9"]"#);
    assert_ne!(profile, other);
    let (profile, link) = (put("growatt-sph.toml", &other), folder.path().join("rs485"));
    let scenario = format!("[[inverter]]\nlink = {link:?}\nprofile = {profile:?}\npaced = false\n");
    let scenario = put("scenario.toml", &scenario);
    let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario));
    simulator.wait_for_line("modbus0 ready", SOON);
    let port = link.display().to_string();
    let read = ["profile", "read", "growatt-sph", "--port", &port];
    let said = refused(&read);
    assert!(said.contains("another device answers") && said.contains("here it is --any"), "{said}");
    let output = busbar().args(read).arg("--any").output().expect("an end");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && table.contains("soc"), "{table}");
}
