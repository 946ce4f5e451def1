//! The behaviour of Victron's localsettings, line by line (localsettings.py, README.md). The finer points are compared
//! with recorded answers of the original in `tests/clients/settings`.

use serde_json::{Value, json};
use testbed::Process;

use crate::rig::{ITEM, NAME, Rig, SETTINGS, SOON};

#[test]
fn settings_are_added_on_any_group_with_or_without_a_leading_slash() {
    let rig = Rig::start();
    for (group, path) in [("/", "/Settings/A/One"), ("/Settings", "A/Two"), ("/Settings/A", "/Three")] {
        let reply = rig.bus.busctl(&[
            "call",
            NAME,
            group,
            SETTINGS,
            "AddSettings",
            "aa{sv}",
            "1",
            "2",
            "path",
            "s",
            path,
            "default",
            "i",
            "5",
        ]);
        assert_eq!(reply.unwrap()[0][0], json!({"path": path, "error": 0, "value": 5}));
    }
    assert_eq!(rig.get("/Settings/A"), json!({"One": 5, "Two": 5, "Three": 5}));
}

#[test]
fn add_setting_and_add_silent_setting_take_group_name_default_type_and_limits() {
    let rig = Rig::start();
    for (member, name) in [("AddSetting", "Loud"), ("AddSilentSetting", "Quiet")] {
        let call = ["call", NAME, "/Settings", SETTINGS, member, "ssvsvv"];
        let arguments = ["G", name, "d", "5", "f", "d", "0", "d", "10"];
        assert_eq!(rig.bus.busctl(&[&call[..], &arguments[..]].concat()), Ok(json!([0])));
    }
    assert_eq!(rig.call("/Settings/G/Loud", SETTINGS, "GetSilent"), Ok(json!(false)));
    assert_eq!(rig.call("/Settings/G/Quiet", SETTINGS, "GetSilent"), Ok(json!(true)));
    let attributes = rig.bus.busctl(&["call", NAME, "/Settings/G/Quiet", SETTINGS, "GetAttributes"]);
    assert_eq!(attributes, Ok(json!([5.0, 0.0, 10.0, 1])));
}

#[test]
fn removed_settings_are_told_and_their_empty_groups_vanish() {
    let rig = Rig::start();
    rig.add("G/H/A", ["i", "5"], &[]);
    let mut monitor = rig.listen();
    let codes = rig.bus.busctl(&[
        "call",
        NAME,
        "/Settings",
        SETTINGS,
        "RemoveSettings",
        "as",
        "2",
        "G/H/A",
        "Unknown",
    ]);
    assert_eq!(codes, Ok(json!([[0, -1]])));
    monitor.wait_for_line(
        "path=/Settings/G/H/A; interface=com.victronenergy.BusItem; member=PropertiesChanged",
        SOON,
    );
    monitor.wait_for_line("array [", SOON);
    assert!(rig.bus.get_value(NAME, "/Settings/G").is_err());
}

#[test]
fn a_leaf_without_limits_and_default_says_0_0_and_minus_1() {
    let rig = Rig::start_with(|folder| {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("settings.xml"), "<Settings version='19'><A type='i'>5</A></Settings>")
            .unwrap();
    });
    let of = |member| rig.call("/Settings/A", ITEM, member).unwrap();
    assert_eq!(
        [of("GetMin"), of("GetMax"), of("GetDefault"), of("SetDefault")],
        [json!(0), json!(0), json!(-1), json!(-1)]
    );
}

#[test]
fn groups_answer_with_relative_paths_and_reset_everything_below() {
    let rig = Rig::start();
    rig.add("G/A", ["i", "5"], &[]);
    rig.add("G/H/B", ["s", "words"], &[]);
    rig.set("/Settings/G/A", ["i", "6"]);
    rig.set("/Settings/G/H/B", ["s", "others"]);
    assert_eq!(rig.get("/"), json!({"Settings/G/A": 6, "Settings/G/H/B": "others"}));
    assert_eq!(rig.call("/Settings", ITEM, "GetText"), Ok(json!({"G/A": "6", "G/H/B": "others"})));
    assert_eq!(rig.call("/Settings/G", ITEM, "SetDefault"), Ok(json!(0)));
    assert_eq!(rig.get("/Settings/G"), json!({"A": 5, "H/B": "words"}));
}

#[test]
fn get_items_on_the_root_has_full_paths_and_the_limits_that_there_are() {
    let rig = Rig::start();
    rig.add("A", ["i", "5"], &[["min", "i", "0"], ["max", "i", "10"]]);
    rig.add("B", ["s", "x"], &[]);
    assert_eq!(
        rig.call("/", ITEM, "GetItems"),
        Ok(json!({
            "/Settings/A": {"Value": 5, "Text": "5", "Min": 0, "Max": 10, "Default": 5},
            "/Settings/B": {"Value": "x", "Text": "x", "Default": "x"},
        }))
    );
    assert!(rig.call("/Settings", ITEM, "GetItems").is_err());
}

#[test]
fn each_error_code_says_what_is_wrong() {
    let rig = Rig::start();
    rig.add("Int", ["i", "5"], &[]);
    rig.add("G/A", ["i", "5"], &[]);
    let error = |path, default| rig.add(path, default, &[]).0;
    assert_eq!(error("A/_b", ["i", "1"]), -2);
    assert_eq!(error("A", ["b", "true"]), -3);
    assert_eq!(error("A", ["u", "1"]), -3);
    assert_eq!(error("a//b", ["i", "1"]), -4);
    assert_eq!(error("Int/Below", ["i", "1"]), -4);
    assert_eq!(error("Int", ["d", "5"]), -5);
    assert_eq!(error("Devices/x/ClassAndVrmInstance", ["s", "battery"]), -6);
    assert_eq!(rig.add("High", ["i", "11"], &[["min", "i", "0"], ["max", "i", "10"]]).0, -7);
    assert_eq!(error("G", ["i", "1"]), -8);
    let outside = [
        "call",
        NAME,
        "/",
        SETTINGS,
        "AddSettings",
        "aa{sv}",
        "1",
        "2",
        "path",
        "s",
        "/Other",
        "default",
        "i",
        "1",
    ];
    assert_eq!(rig.bus.busctl(&outside).unwrap()[0][0]["error"], json!(-9));
}

#[test]
fn an_existing_setting_keeps_its_value_and_takes_the_new_attributes() {
    let rig = Rig::start();
    rig.add("A", ["i", "5"], &[["min", "i", "0"], ["max", "i", "10"]]);
    rig.set("/Settings/A", ["i", "7"]);
    let mut monitor = rig.listen();
    assert_eq!(rig.add("A", ["i", "3"], &[["min", "i", "1"], ["max", "i", "6"]]), (0, json!(7)));
    monitor.wait_for_line("member=PropertiesChanged", SOON);
    for name in ["Value", "Text", "Default", "Min", "Max"] {
        monitor.wait_for_line(&format!("string \"{name}\""), SOON);
    }
    // The same again is no news: the next that is told is the write.
    assert_eq!(rig.add("A", ["i", "3"], &[["min", "i", "1"], ["max", "i", "6"]]), (0, json!(7)));
    rig.set("/Settings/A", ["i", "2"]);
    monitor.wait_for_line("string \"2\"", SOON);
    assert_eq!(told(&monitor), 2);
}

#[test]
fn writes_outside_the_limits_are_refused_and_zero_and_zero_are_none() {
    let rig = Rig::start();
    rig.add("A", ["i", "5"], &[["min", "i", "0"], ["max", "i", "10"]]);
    rig.add("None", ["d", "5"], &[["min", "d", "0"], ["max", "d", "0"]]);
    rig.add("Text", ["s", "m"], &[["min", "s", "a"], ["max", "s", "n"]]);
    assert_eq!([rig.set("/Settings/A", ["i", "11"]), rig.set("/Settings/A", ["i", "-1"])], [-1, -1]);
    assert_eq!([rig.set("/Settings/A", ["i", "10"]), rig.set("/Settings/None", ["d", "-1e9"])], [0, 0]);
    assert_eq!(rig.set("/Settings/Text", ["s", "z"]), 0);
    assert_eq!(rig.get("/Settings"), json!({"A": 10, "None": -1e9, "Text": "z"}));
}

#[test]
fn written_values_are_converted_to_the_type_of_the_setting() {
    let rig = Rig::start();
    rig.add("I", ["i", "1"], &[]);
    rig.add("F", ["d", "1"], &[]);
    rig.add("S", ["s", "x"], &[]);
    let cases = [
        ("/Settings/I", ["s", "5"], 0, json!(5)),
        ("/Settings/I", ["d", "5.7"], 0, json!(5)),
        ("/Settings/I", ["s", "5.7"], -1, json!(5)),
        ("/Settings/I", ["ai", "0"], -1, json!(5)),
        ("/Settings/F", ["i", "3"], 0, json!(3.0)),
        ("/Settings/F", ["s", "three"], -1, json!(3.0)),
        ("/Settings/S", ["d", "2"], 0, json!("2.0")),
        ("/Settings/S", ["ai", "0"], -1, json!("2.0")),
    ];
    for (path, value, code, then) in cases {
        assert_eq!((rig.set(path, value), rig.get(path)), (code, then), "{path} {value:?}");
    }
}

#[test]
fn a_change_is_told_once_by_the_leaf_and_the_same_value_is_none() {
    let rig = Rig::start();
    rig.add("G/A", ["i", "5"], &[]);
    let mut monitor = rig.listen();
    assert_eq!([rig.set("/Settings/G/A", ["i", "5"]), rig.set("/Settings/G/A", ["i", "6"])], [0, 0]);
    rig.set("/Settings/G/A", ["i", "7"]);
    monitor.wait_for_line("string \"7\"", SOON);
    assert_eq!(told(&monitor), 2);
    assert!(!monitor.lines().iter().any(|line| line.contains("ItemsChanged")));
}

fn told(monitor: &Process) -> usize {
    monitor.lines().iter().filter(|line| line.contains("member=PropertiesChanged")).count()
}

#[test]
fn integers_travel_as_int32_while_they_fit() {
    let rig = Rig::start();
    rig.add("A", ["x", "2147483647"], &[]);
    assert_eq!(rig.typed("/Settings/A", "GetValue"), "variant int32 2147483647");
    rig.set("/Settings/A", ["x", "2147483648"]);
    assert_eq!(rig.typed("/Settings/A", "GetValue"), "variant int64 2147483648");
    assert_eq!(rig.typed("/Settings/A", "GetMin"), "variant int32 0");
}

#[test]
fn the_security_profile_is_not_for_everybody() {
    let rig = Rig::start();
    rig.add("System/SecurityProfile", ["i", "3"], &[]);
    assert_eq!(rig.set("/Settings/System/SecurityProfile", ["i", "2"]), -1);
    let platform = rig.home.path().join("venus-platform");
    std::fs::copy("/usr/bin/dbus-send", &platform).unwrap();
    let mut write = Process::spawn(rig.bus.command(&platform).args([
        &format!("--bus={}", rig.bus.address()),
        "--print-reply",
        &format!("--dest={NAME}"),
        "/Settings/System/SecurityProfile",
        &format!("{ITEM}.SetValue"),
        "variant:int32:2",
    ]));
    write.wait_for_line("int32 0", SOON);
    assert_eq!(rig.get("/Settings/System/SecurityProfile"), json!(2));
}

#[test]
fn two_devices_that_ask_for_the_same_number_get_different_ones_for_good() {
    let mut rig = Rig::start();
    let add = |rig: &Rig, device: &str, wanted: &str| {
        rig.add(&format!("Devices/{device}/ClassAndVrmInstance"), ["s", wanted], &[])
    };
    assert_eq!(add(&rig, "a", "battery:100"), (0, json!("battery:100")));
    assert_eq!(add(&rig, "b", "battery:100"), (0, json!("battery:101")));
    assert_eq!(add(&rig, "c", "grid:100"), (0, json!("grid:100")));
    rig.restart();
    assert_eq!(add(&rig, "b", "battery:100"), (0, json!("battery:101")));
    assert_eq!(rig.set("/Settings/Devices/b/ClassAndVrmInstance", ["s", "battery:100"]), 0);
    assert_eq!(rig.get("/Settings/Devices/b/ClassAndVrmInstance"), json!("battery:101"));
    // A number is free again when its device is removed.
    let codes = rig.bus.busctl(&[
        "call",
        NAME,
        "/Settings/Devices",
        SETTINGS,
        "RemoveSettings",
        "as",
        "1",
        "a/ClassAndVrmInstance",
    ]);
    assert_eq!(codes, Ok(json!([[0]])));
    assert_eq!(add(&rig, "d", "battery:100"), (0, json!("battery:100")));
}

#[test]
fn everything_else_is_answered_with_an_error_at_once() {
    let rig = Rig::start();
    let error = |path, interface, member| rig.call(path, interface, member).unwrap_err();
    assert!(error("/Nowhere", ITEM, "GetValue").contains("no setting at /Nowhere"));
    assert!(error("/Settings", "org.example.Other", "GetValue").contains("not org.example.Other"));
    assert!(error("/Settings", ITEM, "SetValue").contains("no such method SetValue"));
    assert_eq!(rig.call("/any/path", "org.freedesktop.DBus.Peer", "Ping"), Ok(Value::Null));
}

#[test]
fn introspection_tells_the_interfaces_that_are_served() {
    let rig = Rig::start();
    rig.add("G/A", ["i", "5"], &[]);
    for path in ["/", "/Settings", "/Settings/G", "/Settings/G/A"] {
        let xml = rig.call(path, "org.freedesktop.DBus.Introspectable", "Introspect").unwrap();
        let mut interface = "";
        let mut called = 0;
        for line in xml.as_str().unwrap().lines() {
            let name = line.split('"').nth(1).unwrap_or_default();
            if line.contains("<interface ") {
                interface = name;
            }
            // What has no arguments can be called as it stands.
            if line.contains("<method ") && !line.contains("direction=\"in\"") && line.contains("</method>") {
                let reply = rig.bus.dbus_send(NAME, path, &format!("{interface}.{name}"), &[]);
                assert!(reply.is_ok(), "{path} {name}: {reply:?}");
                called += 1;
            }
        }
        assert!(called >= 4, "{path}: {xml}");
    }
}
