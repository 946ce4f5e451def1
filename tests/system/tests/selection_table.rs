//! systemcalc's rules as a table: victronenergy/dbus-systemcalc-py 2.256, `delegates/batteryservice.py` and
//! `_autoselect_battery_service` in `dbus_systemcalc.py`.

use serde_json::{Value, json};
use system_tests::systemcalc::{Battery, BmsSetting, Items, MonitorSetting, Systemcalc};

const AUTO: (BmsSetting, MonitorSetting) = (BmsSetting::Automatic, MonitorSetting::Automatic);

/// What is on the bus, in the order of its appearance: name, instance, and words.
/// `bms` shows a charge voltage, `listed` shows its path without a value; the rest is what it lacks.
struct Row {
    rule: &'static str,
    batteries: &'static [(&'static str, i64, &'static str)],
    settings: (BmsSetting, MonitorSetting),
    bms: Option<&'static str>,
    monitor: Option<&'static str>,
    multiple: bool,
}

const fn row(
    rule: &'static str,
    batteries: &'static [(&'static str, i64, &'static str)],
    settings: (BmsSetting, MonitorSetting),
    (bms, monitor, multiple): (Option<&'static str>, Option<&'static str>, bool),
) -> Row {
    Row { rule, batteries, settings, bms, monitor, multiple }
}

const TABLE: &[Row] = &[
    row("nothing on the bus is nothing chosen", &[], AUTO, (None, None, false)),
    row("one BMS is both", &[("a", 1, "bms")], AUTO, (Some("a"), Some("a"), false)),
    row("a shunt is a monitor and no BMS", &[("a", 1, "")], AUTO, (None, Some("a"), false)),
    row(
        "of two BMS the lower instance, and an alarm",
        &[("a", 7, "bms"), ("b", 2, "bms")],
        AUTO,
        (Some("b"), Some("b"), true),
    ),
    row(
        "a BMS is the monitor before a shunt of lower instance",
        &[("shunt", 0, ""), ("a", 5, "bms")],
        AUTO,
        (Some("a"), Some("a"), false),
    ),
    row(
        "having shown the path counts for the monitor, the value does not",
        &[("a", 1, "listed"), ("b", 2, "bms")],
        AUTO,
        (Some("b"), Some("a"), false),
    ),
    row(
        "who never listed the path comes after who did",
        &[("a", 1, ""), ("b", 2, "listed")],
        AUTO,
        (None, Some("b"), false),
    ),
    row(
        "a BMS that does not communicate is a BMS and no monitor",
        &[("a", 1, "bms away"), ("b", 2, "bms")],
        AUTO,
        (Some("b"), Some("b"), true),
    ),
    row("alone it is still obeyed", &[("a", 1, "bms away")], AUTO, (Some("a"), None, false)),
    row(
        "without a product name it is no monitor",
        &[("a", 1, "bms nameless")],
        AUTO,
        (Some("a"), None, false),
    ),
    row("without a connection it is no monitor", &[("a", 1, "bms unlinked")], AUTO, (Some("a"), None, false)),
    row(
        "a lynxparallel goes before a lower instance, as BMS and as monitor",
        &[("a", 1, "bms"), ("lynxparallel0", 9, "bms")],
        AUTO,
        (Some("lynxparallel0"), Some("lynxparallel0"), true),
    ),
    row(
        "a shown path goes before a lynxparallel, for the monitor",
        &[("lynxparallel0", 1, ""), ("a", 9, "bms")],
        AUTO,
        (Some("a"), Some("a"), false),
    ),
    row(
        "a monitor that is a BMS wins",
        &[("a", 1, "bms"), ("b", 9, "bms")],
        (BmsSetting::Automatic, MonitorSetting::Instance(9)),
        (Some("b"), Some("b"), true),
    ),
    row(
        "but not over a lynxparallel",
        &[("lynxparallel0", 1, "bms"), ("b", 9, "bms")],
        (BmsSetting::Automatic, MonitorSetting::Instance(9)),
        (Some("lynxparallel0"), Some("b"), true),
    ),
    row(
        "a monitor that is none leaves the lowest instance",
        &[("a", 1, "bms"), ("b", 2, "bms"), ("shunt", 9, "")],
        (BmsSetting::Automatic, MonitorSetting::Instance(9)),
        (Some("a"), Some("shunt"), true),
    ),
    row(
        "a monitor that was chosen need not be connected",
        &[("a", 1, "bms"), ("shunt", 9, "away")],
        (BmsSetting::Automatic, MonitorSetting::Instance(9)),
        (Some("a"), Some("shunt"), false),
    ),
    row(
        "a monitor that was chosen and is not there is not replaced",
        &[("a", 1, "bms")],
        (BmsSetting::Automatic, MonitorSetting::Instance(9)),
        (Some("a"), None, false),
    ),
    row(
        "no monitor is none",
        &[("a", 3, "bms"), ("b", 2, "bms")],
        (BmsSetting::Automatic, MonitorSetting::NoMonitor),
        (Some("b"), None, true),
    ),
    row(
        "a BMS that was chosen is obeyed, and there are still two",
        &[("a", 1, "bms"), ("b", 2, "bms")],
        (BmsSetting::Instance(2), MonitorSetting::Automatic),
        (Some("b"), Some("a"), true),
    ),
    row(
        "a chosen one that is no BMS is none",
        &[("a", 1, "bms"), ("shunt", 2, "")],
        (BmsSetting::Instance(2), MonitorSetting::Automatic),
        (None, Some("a"), false),
    ),
    row(
        "a chosen one that is not there is none",
        &[("a", 1, "bms")],
        (BmsSetting::Instance(2), MonitorSetting::Automatic),
        (None, Some("a"), false),
    ),
    row(
        "no BMS is none, and the alarm counts them all the same",
        &[("a", 1, "bms"), ("b", 2, "bms")],
        (BmsSetting::NoBms, MonitorSetting::Automatic),
        (None, Some("a"), true),
    ),
    row(
        "of one instance the latest counts as BMS, the first as monitor, which wins",
        &[("a", 1, "bms"), ("b", 1, "bms")],
        AUTO,
        (Some("a"), Some("a"), false),
    ),
    row(
        "and a later one that is none hides a BMS",
        &[("a", 1, "bms away"), ("b", 1, "away")],
        AUTO,
        (None, None, false),
    ),
    row("without an instance it is not there", &[("a", -99, "bms")], AUTO, (None, None, false)),
];

fn name(short: &str) -> String {
    format!("com.victronenergy.battery.{short}")
}

fn items(instance: i64, words: &str) -> Items {
    let has = |word: &str| words.split(' ').any(|w| w == word);
    let unless = |word: &str, value: Value| if has(word) { Value::Null } else { value };
    let mut items = Items::from([
        ("/DeviceInstance".to_owned(), if instance == -99 { Value::Null } else { json!(instance) }),
        ("/Connected".to_owned(), json!(i32::from(!has("away")))),
        ("/ProductName".to_owned(), unless("nameless", json!("X"))),
        ("/Mgmt/Connection".to_owned(), unless("unlinked", json!("Y"))),
    ]);
    if has("bms") || has("listed") {
        items.insert("/Info/MaxChargeVoltage".to_owned(), unless("listed", json!(55.2)));
    }
    items
}

fn system(batteries: &[(&str, i64, &str)]) -> Systemcalc {
    let mut systemcalc = Systemcalc::default();
    for (short, instance, words) in batteries {
        systemcalc.appeared(&name(short), items(*instance, words));
    }
    systemcalc
}

fn service(battery: Option<&Battery>) -> Option<String> {
    battery.map(|battery| battery.service.clone())
}

fn change(path: &str, value: Value) -> Items {
    Items::from([(path.to_owned(), value)])
}

#[test]
fn each_row_of_the_table_holds() {
    for row in TABLE {
        let mut systemcalc = system(row.batteries);
        systemcalc.set(row.settings.0, row.settings.1);
        let chosen =
            (service(systemcalc.bms()), service(systemcalc.monitor()), systemcalc.multiple_batteries());
        assert_eq!(chosen, (row.bms.map(name), row.monitor.map(name), row.multiple), "{}", row.rule);
    }
}

#[test]
fn a_path_once_shown_counts_until_the_service_leaves() {
    let mut systemcalc = system(&[("a", 1, "bms"), ("b", 2, "bms")]);
    systemcalc.changed(&name("a"), &change("/Info/MaxChargeVoltage", Value::Null));
    assert_eq!(service(systemcalc.bms()), Some(name("b")));
    assert_eq!(service(systemcalc.monitor()), Some(name("a")), "it has shown the path");
    systemcalc.gone(&name("a"));
    systemcalc.appeared(&name("a"), items(1, ""));
    assert_eq!(service(systemcalc.monitor()), Some(name("b")), "it begins anew");
}

#[test]
fn the_monitor_is_looked_for_again_when_a_battery_comes_goes_or_connects() {
    let mut systemcalc = system(&[("a", 1, ""), ("b", 2, "")]);
    systemcalc.changed(&name("b"), &change("/Info/MaxChargeVoltage", json!(55.2)));
    assert_eq!(service(systemcalc.monitor()), Some(name("a")), "a new limit alone changes nothing");
    assert_eq!(service(systemcalc.bms()), Some(name("b")), "but of the BMS");
    systemcalc.changed(&name("a"), &change("/Connected", json!(1)));
    assert_eq!(service(systemcalc.monitor()), Some(name("a")), "the same value is no change");
    systemcalc.changed(&name("a"), &change("/CustomName", json!("Barn")));
    assert_eq!(service(systemcalc.monitor()), Some(name("b")));
    systemcalc.changed(&name("b"), &change("/Connected", json!(0)));
    assert_eq!(service(systemcalc.monitor()), Some(name("a")));
    systemcalc.gone(&name("a"));
    assert_eq!(service(systemcalc.monitor()), None);
}

#[test]
fn the_instance_of_the_first_look_counts() {
    let mut systemcalc = system(&[("a", 1, "bms"), ("b", 2, "bms")]);
    systemcalc.changed(&name("b"), &change("/DeviceInstance", json!(0)));
    assert_eq!(service(systemcalc.bms()), Some(name("a")));
}

#[test]
fn when_one_of_two_with_the_same_instance_leaves_the_other_is_lost_as_a_bms_too() {
    let mut systemcalc = system(&[("a", 1, "bms away"), ("b", 1, "bms away")]);
    assert_eq!(service(systemcalc.bms()), Some(name("b")));
    systemcalc.gone(&name("a"));
    assert_eq!(service(systemcalc.bms()), None);
}

#[test]
fn other_classes_are_none_of_its_batteries() {
    let mut systemcalc = Systemcalc::default();
    systemcalc.appeared("com.victronenergy.vebus.ttyS4", items(0, "bms"));
    assert_eq!((service(systemcalc.bms()), service(systemcalc.monitor())), (None, None));
}
