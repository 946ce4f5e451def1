//! The command line as a user types it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use testbed::executable;

fn busbar(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(executable("busbar"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("busbar starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn tests() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests"))
}

#[test]
fn decode_gives_the_names_and_values_of_the_golden_vectors() {
    let file = tests().join("vectors/can-bms-vectors.json");
    let vectors: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(file).expect("vectors")).expect("JSON");
    let known: Vec<&str> = bms_can::protocols::PROTOCOLS.iter().map(|protocol| protocol.name).collect();
    let mut checked = 0;
    for vector in &vectors {
        let variant = vector["variant"].as_str().expect("a variant");
        if !known.contains(&variant) {
            continue;
        }
        let (id, data) = (
            vector["frame"]["id"].as_str().expect("id"),
            vector["frame"]["data_hex"].as_str().expect("data"),
        );
        let digits = id.trim_start_matches("0x");
        let padded =
            if vector["frame"]["extended"] == true { format!("{digits:0>8}") } else { digits.to_owned() };
        let line = format!("(1690000000.000000) can0 {padded}#{data}\n");
        let output = busbar(&["decode", "-", "--protocol", variant, "--json"], &line);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let object: Value = serde_json::from_str(&text(&output.stdout)).expect("one object");
        assert_eq!(object["id"], vector["frame"]["id"], "{}", vector["name"]);
        assert!(object["name"].is_string(), "{object}");
        assert_eq!(object["values"], vector["decoded"], "{}", vector["name"]);
        checked += 1;
    }
    assert!(checked >= 40, "only {checked} vectors are of protocols that exist");
}

#[test]
fn decode_recognises_the_dialect_of_a_recording_in_either_format() {
    for (capture, words) in [
        ("pylontech_10modules.log", "charge_voltage_limit_v 53.2"),
        ("pylontech_4modules.txt", "voltage_v 49.96"),
        ("byd_lv.log", "manufacturer BYD"),
    ] {
        let file = tests().join("captures").join(capture);
        let output = busbar(&["decode", file.to_str().expect("a path")], "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(words), "{}", text(&output.stdout));
    }
}

#[test]
fn mistakes_name_what_was_wrong_and_what_to_do() {
    let said = |arguments: &[&str], input: &str| {
        let output = busbar(arguments, input);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        text(&output.stderr)
    };
    assert!(said(&["decode", "-", "--protocol", "pylontek"], "").contains("pylontech_lv"));
    assert!(said(&["decode", "/nonexistent.log"], "").contains("/nonexistent.log"));
    assert!(said(&["decode", "-"], "hello\n").contains("line 1"));
    assert!(said(&["bms-can"], "").contains("--config"));
    assert!(said(&["bms-can", "nowhere0"], "").contains("/etc/busbar"));
    assert!(said(&["demo", "--json"], "").contains("--for"));
    assert!(said(&["demo", "--for", "soon"], "").contains("20s"));
}

#[test]
fn every_help_shows_an_example() {
    for arguments in [
        vec!["--help"],
        vec!["bms-can", "--help"],
        vec!["simulator", "--help"],
        vec!["decode", "--help"],
        vec!["demo", "--help"],
        vec!["settings", "--help"],
        vec!["status", "--help"],
        vec!["get", "--help"],
        vec!["set", "--help"],
        vec!["sniff", "--help"],
        vec!["check-config", "--help"],
        vec!["completions", "--help"],
    ] {
        let output = busbar(&arguments, "");
        assert!(output.status.success() && text(&output.stdout).contains("Examples:"), "{arguments:?}");
    }
}

#[test]
fn a_link_named_after_a_service_runs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("bms-can");
    std::os::unix::fs::symlink(executable("busbar"), &link).expect("a link");
    let output = Command::new(link).arg("--help").output().expect("it starts");
    assert!(text(&output.stdout).contains("busbar bms-can"), "{}", text(&output.stdout));
}

#[test]
fn import_shows_what_it_makes_and_writes_it_only_where_nothing_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dbus-sma.yaml");
    std::fs::write(
        &file,
        "BMSData:\n    max_battery_voltage: 60.0\n    charge_bulk_amps: 164\n    charge_float_voltage: 54.4\n    odd: 1\n",
    )
    .expect("written");
    let (file, to) = (file.to_str().expect("a path"), folder.path().to_str().expect("a path"));
    let shown = busbar(&["import", file], "");
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let page = text(&shown.stdout);
    for line in [
        "# ---- bms-can.can5.toml",
        "max_charge_current_a = 164.0  # BMSData.charge_bulk_amps, line 3",
        "# ---- charge-manager.settings.sh",
        "busbar set settings /Settings/Devices/busbar_bank/FloatVoltage 3.4  # BMSData.charge_float_voltage, line 4",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(text(&shown.stderr).contains("line 5: BMSData.odd is unknown"), "{}", text(&shown.stderr));
    assert_eq!(std::fs::read_dir(to).expect("a folder").count(), 1, "nothing was written");

    let arguments = ["import", file, "--to", to, "--interface", "can0"];
    assert!(busbar(&arguments, "").status.success());
    let written = folder.path().join("bms-can.can0.toml");
    let check = busbar(&["check-config", written.to_str().expect("a path")], "");
    assert!(check.status.success(), "{}", text(&check.stderr));
    let again = busbar(&arguments, "");
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("bms-can.can0.toml is there already, and nothing was written"));

    let other = busbar(&["import", written.to_str().expect("a path")], "");
    assert_eq!(other.status.code(), Some(1), "no YAML of the original");
}
