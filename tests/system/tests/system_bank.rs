//! The real manager with real members: whom systemcalc follows, in whatever order they start.

use serde_json::{Value, json};
use system_tests::{BANK, MANAGER, SOON, Site, Watch, What, battery};
use testbed::Process;

fn is_led_by_the_bank(watch: &Watch) -> bool {
    watch.bms() == Some(MANAGER) && watch.monitor() == Some(MANAGER) && !watch.systemcalc.multiple_batteries()
}

fn has_members(watch: &Watch, count: usize) -> bool {
    watch.shows(MANAGER, "/Members").as_array().is_some_and(|members| members.len() == count)
}

fn lists(watch: &Watch, number: usize, path: &str) -> bool {
    watch.systemcalc.battery(&battery(number)).is_some_and(|battery| battery.items.contains_key(path))
}

#[test]
fn members_first_then_the_manager() {
    let site = Site::start(3);
    let mut watch = Watch::on(&site.bus);
    let _members = [0, 1, 2].map(|number| site.serve(number, ""));
    watch.until(SOON, |watch| watch.systemcalc.candidates().len() == 3);
    let _manager = site.run_manager();
    watch.until(BANK, |watch| is_led_by_the_bank(watch) && has_members(watch, 3));
    watch.while_the_manager_counts(5);
    assert!(is_led_by_the_bank(&watch));
    for number in 0..3 {
        assert_eq!(watch.shows(&battery(number), "/Info/MaxChargeVoltage"), Value::Null);
    }
    watch.was_always_right();
}

#[test]
fn the_manager_first_then_members_one_after_the_other() {
    let site = Site::start(3);
    let mut watch = Watch::on(&site.bus);
    let _manager = site.run_manager();
    let mut members: Vec<Process> = Vec::new();
    for number in 0..3 {
        members.push(site.serve(number, ""));
        watch.until(BANK, |watch| is_led_by_the_bank(watch) && has_members(watch, number + 1));
    }
    watch.while_the_manager_counts(3);
    assert!(is_led_by_the_bank(&watch));

    // One that restarts stays listed, and shows nothing of its own when it comes back.
    members.remove(1).terminate();
    watch.until(SOON, |watch| watch.systemcalc.battery(&battery(1)).is_none());
    assert!(has_members(&watch, 3), "it stays listed");
    members.insert(1, site.serve(1, ""));
    watch.until(SOON, |watch| watch.shows(&battery(1), "/Connected") == json!(1));
    watch.while_the_manager_counts(3);
    assert!(!lists(&watch, 1, "/Info/MaxChargeVoltage"));
    assert!(is_led_by_the_bank(&watch));
}

#[test]
fn the_manager_somewhere_between_its_members_all_at_once() {
    for place in 0..=3 {
        let site = Site::start(3);
        let mut watch = Watch::on(&site.bus);
        let mut processes: Vec<Process> = (0..place).map(|number| site.serve(number, "")).collect();
        processes.push(site.run_manager());
        processes.extend((place..3).map(|number| site.serve(number, "")));
        watch.until(BANK, |watch| is_led_by_the_bank(watch) && has_members(watch, 3));
        watch.while_the_manager_counts(3);
        assert!(is_led_by_the_bank(&watch), "the manager at place {place}");
    }
}

#[test]
fn settings_are_taken_up_while_it_runs_and_refused_as_a_set() {
    let site = Site::start(1);
    let mut watch = Watch::on(&site.bus);
    let _member = site.serve(0, "");
    let mut manager = site.run_manager();
    watch.until(BANK, |watch| watch.shows(MANAGER, "/Bank/State") == json!("bulk"));
    let settings = "com.victronenergy.settings";
    let path = |name: &str| format!("/Settings/Devices/busbar_bank/{name}");
    let set = |name: &str, value: &str| site.bus.set_value(settings, &path(name), &["d", value]);

    assert_eq!(set("MaxDischargeCurrent", "30"), Ok(0));
    watch.until(SOON, |watch| watch.shows(MANAGER, "/Bank/MaxDischargeCurrent") == json!(30.0));
    watch.until(SOON, |watch| watch.shows(MANAGER, "/Bank/DischargeReason") == json!("user"));
    // Outside its range the settings service itself refuses it.
    assert_ne!(set("MaxDischargeCurrent", "20000"), Ok(0));
    // Inside, and against the others: the set is refused, and the one before goes on.
    assert_eq!(set("FloatVoltage", "3.5"), Ok(0));
    let refused = |watch: &Watch| watch.shows(MANAGER, "/Bank/SettingsRefused");
    watch.until(SOON, |watch| {
        refused(watch).as_str().is_some_and(|why| why.contains("FloatVoltage (3.5 V/cell)"))
    });
    manager.wait_for_line("the settings are refused, the last good ones stay in force", SOON);
    assert_eq!(set("MaxDischargeCurrent", "20"), Ok(0));
    watch.while_the_manager_counts(2);
    assert_eq!(watch.shows(MANAGER, "/Bank/MaxDischargeCurrent"), json!(30.0));
    let noted = |watch: &Watch| watch.shows(MANAGER, "/Bank/Notes").to_string();
    watch.until(SOON, |watch| noted(watch).contains("Settings are not in force: FloatVoltage"));
    // Made consistent again, all that was written meanwhile counts.
    assert_eq!(set("FloatVoltage", "3.36"), Ok(0));
    watch.until(SOON, |watch| watch.shows(MANAGER, "/Bank/MaxDischargeCurrent") == json!(20.0));
    watch.until(SOON, |watch| refused(watch).is_null());
    let left = watch.heard().iter().any(|heard| heard.service == MANAGER && matches!(heard.what, What::Gone));
    assert!(!left, "nothing of this needs a restart");
}
