//! `status`, `get` and `set` beside a simulated battery and its real service, as a user types them.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::process::Output;

use serde_json::{Value, json};
use testbed::bed::{Bed, SOON, busbar};
use testbed::{Exit, PrivateBus, Process, Signal, eventually, eventually_some, executable};

const SCENARIO: &str = "modules = 4\n[battery.pack]\nsoc_percent = 54.0\ntemperature_c = 21.0";

/// A command on this bus, to its end.
fn run(bus: &PrivateBus, arguments: &[&str]) -> Output {
    bus.command(executable("busbar")).args(arguments).output().expect("it starts")
}

/// What a command that succeeds prints.
#[track_caller]
fn says(bus: &PrivateBus, arguments: &[&str]) -> String {
    let output = run(bus, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What a command that fails says, on one line.
#[track_caller]
fn refuses(bus: &PrivateBus, arguments: &[&str]) -> String {
    let output = run(bus, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn get_reads_an_item_in_each_way_and_a_branch_line_by_line() {
    let bed = Bed::start(SCENARIO, "name = \"Barn\"");
    let get = |arguments: &[&str]| says(&bed.bus, &[&["get"], arguments].concat());
    assert_eq!(get(&[Bed::NAME, "/Soc"]), "54\n");
    assert_eq!(get(&["battery.bmscan_battery0", "/Soc", "--text"]), "54.0%\n");
    assert_eq!(get(&["battery0", "Soc", "--json"]), "54.0\n");
    assert_eq!(get(&["battery0", "/CustomName"]), "Barn\n");
    assert_eq!(get(&["battery0", "/CustomName", "--json"]), "\"Barn\"\n");
    assert_eq!(get(&["battery0", "/Alarms/CellImbalance"]), "---\n", "this battery does not speak of it");
    assert_eq!(get(&["battery0", "/Alarms/CellImbalance", "--json"]), "null\n");

    let branch = get(&["battery0", "/Dc"]);
    assert!(branch.lines().any(|line| line == "/Dc/0/Temperature 21"), "{branch}");
    assert!(branch.lines().all(|line| line.starts_with("/Dc/0/")), "{branch}");
    assert!(get(&["battery0", "/Dc", "--text"]).contains("/Dc/0/Temperature 21.0°C\n"));
    let object: Value = serde_json::from_str(&get(&["battery0", "/Dc", "--json"])).expect("JSON");
    assert_eq!(object["/Dc/0/Temperature"], 21.0);
    assert!(get(&["battery0"]).lines().count() > 50);
}

#[test]
fn get_says_what_is_unknown_and_what_was_probably_meant() {
    let bed = Bed::start(SCENARIO, "");
    assert!(refuses(&bed.bus, &["get", "batery0", "/Soc"]).contains("battery.bmscan_battery0"));
    assert!(refuses(&bed.bus, &["get", "battery0", "/Sox"]).contains("did you mean /Soc"));
    assert!(refuses(&bed.bus, &["get", "battery0", "/Dc/0/Voltge"]).contains("/Dc/0/Voltage"));
    assert!(refuses(&bed.bus, &["get", "battery0", "/Sox", "--text"]).contains("did you mean /Soc"));
    assert!(refuses(&bed.bus, &["get", "battery0", "not a path"]).contains("has no /not a path"));
    let nobody = PrivateBus::start();
    assert!(refuses(&nobody, &["get", "battery0", "/Soc"]).contains("is bms-can running?"));
}

#[test]
fn set_writes_in_the_type_that_the_item_has_and_says_what_came_of_it() {
    let bed = Bed::start(SCENARIO, "");
    let said = says(&bed.bus, &["set", "battery0", "/CustomName", "Barn, left", "--wait", "30s"]);
    assert_eq!(said, format!("{} /CustomName now holds Barn, left\n", Bed::NAME));
    assert_eq!(bed.get("/CustomName"), json!("Barn, left"));
    says(&bed.bus, &["set", "battery0", "/CustomName", "7", "--wait", "30s"]);
    assert_eq!(bed.get("/CustomName"), json!("7"), "text stays text");
}

#[test]
fn set_is_refused_with_the_code_and_where_the_reason_is() {
    let bed = Bed::start(SCENARIO, "");
    let said = refuses(&bed.bus, &["set", "battery0", "/Soc", "99"]);
    assert!(said.contains("code 1") && said.contains("\"bms-can\""), "{said}");
    assert_eq!(bed.get("/Soc"), json!(54.0));
    assert!(refuses(&bed.bus, &["set", "battery0", "/Connected", "on"]).contains("no integer"));
    assert!(refuses(&bed.bus, &["set", "battery0", "/Dc/0/Current", "-5"]).contains("code 1"));
    assert!(refuses(&bed.bus, &["set", "battery0", "/CustomNam", "x"]).contains("/CustomName"));
    assert!(refuses(&bed.bus, &["set", "battery0", "/Dc", "1"]).contains("branch"));
    assert!(refuses(&bed.bus, &["set", "battery0", "/Alarms/CellImbalance", "1"]).contains("--type i"));
    assert!(refuses(&bed.bus, &["set", "battery0", "/Soc", "--type", "i"]).contains("VALUE is missing"));
}

#[test]
fn status_shows_a_battery_once_in_a_pipe_without_any_colour() {
    let mut bed = Bed::start(SCENARIO, "name = \"Barn\"\ndevice_instance = 107");
    bed.simulator.write_line("alarm high_voltage on");
    eventually(SOON, || bed.get("/Alarms/HighVoltage") == json!(2));
    let parts = [bed.bus.address(), "Barn", "107", "54.0%", "21.0°C", "fresh data", "HighVoltage alarm"];
    // On a busy machine data are not always fresh.
    let shown = eventually_some(SOON, || {
        let shown = says(&bed.bus, &["status"]);
        let missing: Vec<&&str> = parts.iter().filter(|part| !shown.contains(**part)).collect();
        println!("no {missing:?} in\n{shown}");
        missing.is_empty().then_some(shown)
    });
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn status_is_one_json_document_for_programs() {
    let bed = Bed::start(SCENARIO, "");
    let status = || serde_json::from_str::<Value>(&says(&bed.bus, &["status", "--json"])).expect("JSON");
    // On a busy machine data are not always fresh.
    let document = eventually_some(SOON, || {
        let document = status();
        println!("{document}");
        (document["services"][0]["status"] == "fresh data").then_some(document)
    });
    let battery = &document["services"][0];
    assert_eq!((&battery["service"], &battery["ours"]), (&json!(Bed::NAME), &json!(true)));
    assert_eq!((&battery["values"]["soc_pct"], &battery["alarms"]), (&json!(54.0), &json!({})));
    assert_eq!(battery["values"]["limits"], battery["values"]["own_limits"]);
    assert_eq!((&battery["connected"], &battery["status"]), (&json!(true), &json!("fresh data")));
}

#[test]
fn an_empty_bus_is_said_with_its_name_and_is_no_error() {
    let bus = PrivateBus::start();
    let shown = says(&bus, &["status"]);
    assert!(
        shown.contains(&format!("no service of Busbar on the session bus ({})", bus.address())),
        "{shown}"
    );
    let document: Value = serde_json::from_str(&says(&bus, &["status", "--json"])).expect("JSON");
    assert_eq!(document["services"], json!([]));
}

#[test]
fn a_service_that_hangs_is_named_and_does_not_hide_the_others() {
    let mut bed = Bed::start(SCENARIO, "");
    bed.service.signal(Signal::STOP);
    let document: Value = serde_json::from_str(&says(&bed.bus, &["status", "--json"])).expect("JSON");
    bed.service.signal(Signal::CONT);
    assert_eq!((&document["services"], &document["silent"]), (&json!([]), &json!([Bed::NAME])));
}

#[test]
fn the_bus_is_chosen_as_victron_s_programs_choose_it() {
    let (bus, nobody) = (PrivateBus::start(), "unix:path=/nonexistent/bus");
    let shown = |command: &mut std::process::Command| {
        let output = command.arg("status").output().expect("it starts");
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let session =
        shown(busbar().env("DBUS_SESSION_BUS_ADDRESS", bus.address()).env("DBUS_SYSTEM_BUS_ADDRESS", nobody));
    assert!(session.0 && session.1.contains(bus.address()), "{session:?}");
    let system =
        shown(busbar().env_remove("DBUS_SESSION_BUS_ADDRESS").env("DBUS_SYSTEM_BUS_ADDRESS", bus.address()));
    assert!(system.0 && system.1.contains("the system bus"), "{system:?}");
    let lost = shown(busbar().env("DBUS_SESSION_BUS_ADDRESS", nobody));
    assert!(!lost.0 && lost.1.contains("no D-Bus"), "{lost:?}");
    assert!(says(&bus, &["status", "--bus", bus.address()]).contains(bus.address()));
}

#[test]
fn settings_runs_as_a_service_and_is_read_and_written_like_any_other() {
    let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
    let mut command = bus.command(executable("busbar"));
    let mut settings = Process::spawn(command.arg("settings").env("BUSBAR_FOLDER", folder.path()));
    eventually(SOON, || bus.get_value("com.victronenergy.settings", "/Settings").is_ok());
    let call =
        ["call", "com.victronenergy.settings", "/Settings", "com.victronenergy.Settings", "AddSetting"];
    let added = ["ssvsvv", "Test", "Amps", "i", "40", "i", "i", "0", "i", "100"];
    bus.busctl(&[&call[..], &added].concat()).expect("added");
    assert_eq!(says(&bus, &["get", "settings", "/Settings/Test/Amps"]), "40\n");
    assert!(
        says(&bus, &["set", "settings", "/Settings/Test/Amps", "80", "--wait", "30s"])
            .contains("now holds 80")
    );
    let said = refuses(&bus, &["set", "settings", "/Settings/Test/Amps", "800"]);
    assert!(said.contains("code -1"), "{said}");
    assert_eq!(settings.terminate(), Exit::Code(0));
}
