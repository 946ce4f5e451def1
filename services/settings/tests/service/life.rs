//! Start, restart and end.

use serde_json::json;
use testbed::{Exit, PrivateBus};

use crate::rig::{NAME, Rig, SOON, fails, folder, program, spawn};

#[test]
fn a_second_service_ends_with_1_and_says_who_has_the_name() {
    let rig = Rig::start();
    let other = tempfile::tempdir().unwrap();
    let mut second = spawn(&rig.bus, &other);
    second.wait_for_line(&format!("(process {})", rig.process.id()), SOON);
    assert_eq!(second.wait(SOON), Exit::Code(1));
    assert!(!folder(&other).exists(), "it touched nothing");
}

#[test]
fn a_lost_bus_ends_it_with_1_and_nothing_is_lost() {
    let mut rig = Rig::start();
    rig.add("A", ["i", "5"], &[]);
    rig.bus.stop();
    assert_eq!(rig.process.wait(SOON), Exit::Code(1));
    rig.bus.resume();
    rig.process = spawn(&rig.bus, &rig.home);
    testbed::eventually(SOON, || rig.get("/Settings/A") == json!(5));
}

#[test]
fn what_is_written_just_before_the_end_is_there_after_it() {
    let mut rig = Rig::start();
    rig.add("A", ["i", "5"], &[]);
    rig.set("/Settings/A", ["i", "6"]);
    rig.restart();
    assert_eq!(rig.get("/Settings/A"), json!(6));
}

#[test]
fn wrong_configuration_is_78() {
    let (bus, home) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let config = home.path().join("settings.toml");
    std::fs::write(&config, "foldre = \"/x\"\n").unwrap();
    let (exit, lines) = fails(bus.command(program()).arg(config));
    assert_eq!(exit, Exit::Code(78));
    assert!(lines.contains("did you mean folder?"), "{lines}");
    assert!(!bus.busctl(&["list"]).unwrap().to_string().contains(NAME));
}
