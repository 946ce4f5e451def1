//! Members give way to their manager: real battery services, a fake manager, and what systemcalc would make of it at each
//! moment.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{MANAGER, SOON, Site, Watch, What, battery};

/// A start, a withdrawal, a decision, and room for a busy machine; less than a silence that a member forgives its manager.
const A_MOMENT: Duration = Duration::from_secs(9);

fn is_led_by_the_manager(watch: &Watch) -> bool {
    watch.bms() == Some(MANAGER) && watch.monitor() == Some(MANAGER) && !watch.systemcalc.multiple_batteries()
}

fn is_on_the_bus(watch: &Watch, number: usize) -> bool {
    watch.systemcalc.battery(&battery(number)).is_some()
}

/// Whether the service has ever shown this path on the bus in its present life.
fn lists(watch: &Watch, number: usize, path: &str) -> bool {
    watch.systemcalc.battery(&battery(number)).is_some_and(|battery| battery.items.contains_key(path))
}

/// The sum of what members show of their own limits.
fn own(watch: &Watch, members: &[usize], path: &str) -> f64 {
    members.iter().filter_map(|number| watch.shows(&battery(*number), path).as_f64()).sum()
}

#[test]
fn members_that_find_a_manager_never_list_limits() {
    let site = Site::start(2);
    let mut watch = Watch::on(&site.bus);
    let _manager = site.manage(&[0, 1]);
    watch.while_the_manager_counts(2);
    let _members = [0, 1].map(|number| site.serve(number, ""));
    watch.until(SOON, |watch| is_on_the_bus(watch, 0) && is_on_the_bus(watch, 1));
    watch.until(SOON, is_led_by_the_manager);
    watch.while_the_manager_counts(5);

    assert!(is_led_by_the_manager(&watch));
    for number in [0, 1] {
        for path in ["MaxChargeVoltage", "MaxChargeCurrent", "MaxDischargeCurrent", "BatteryLowVoltage"] {
            assert!(!lists(&watch, number, &format!("/Info/{path}")), "battery {number} lists {path}");
        }
        assert!(watch.shows(&battery(number), "/Bms/MaxChargeVoltage").is_f64());
        assert_eq!(watch.shows(&battery(number), "/Connected"), json!(1));
    }
    let sum = own(&watch, &[0, 1], "/Bms/MaxDischargeCurrent");
    assert_eq!(watch.shows(MANAGER, "/Info/MaxDischargeCurrent"), json!(sum));
    watch.was_always_right();
}

#[test]
fn a_member_that_is_complete_before_the_manager_has_counted_waits_for_it() {
    // The manager counts once a second, the battery is there at once.
    let site = Site::start_with(1, "period_s = 0.1");
    let mut watch = Watch::on(&site.bus);
    let _manager = site.manage(&[0]);
    watch.while_the_manager_counts(2);
    for _ in 0..3 {
        let mut member = site.serve(0, "protocol = \"pylontech_lv\"");
        watch.until(SOON, |watch| is_on_the_bus(watch, 0));
        assert!(!lists(&watch, 0, "/Info/MaxChargeVoltage"));
        member.terminate();
        watch.until(SOON, |watch| !is_on_the_bus(watch, 0));
    }
    watch.was_always_right();
}

#[test]
fn members_that_were_there_before_withdraw_and_only_then_the_manager_speaks() {
    let site = Site::start(2);
    let mut watch = Watch::on(&site.bus);
    let _members = [0, 1].map(|number| site.serve(number, ""));
    watch.until(SOON, |watch| watch.systemcalc.candidates().len() == 2);
    assert_eq!(watch.bms(), Some(battery(0).as_str()), "without a manager the lowest instance");

    let _manager = site.manage(&[0, 1]);
    watch.until(SOON, |watch| watch.systemcalc.battery(MANAGER).is_some());
    let begin = watch.now();
    watch.until(SOON, is_led_by_the_manager);
    assert!(watch.now() - begin < A_MOMENT, "{:?}", watch.now() - begin);
    assert!(watch.longest_without_bms() < A_MOMENT, "{:?}", watch.longest_without_bms());
    watch.while_the_manager_counts(3);
    assert!(is_led_by_the_manager(&watch));
    for number in [0, 1] {
        assert_eq!(watch.shows(&battery(number), "/Info/MaxChargeVoltage"), Value::Null);
        assert_eq!(watch.shows(&battery(number), "/Alarms/ParallelBmsLost"), json!(0));
    }
    watch.was_always_right();
}

#[test]
fn a_member_that_comes_to_a_bank_that_works_does_not_disturb_it() {
    let site = Site::start(2);
    let mut watch = Watch::on(&site.bus);
    let _first = site.serve(0, "");
    watch.until(SOON, |watch| watch.bms() == Some(&battery(0)));
    let _manager = site.manage(&[0, 1]);
    watch.until(SOON, is_led_by_the_manager);
    let alone = watch.shows(MANAGER, "/Info/MaxDischargeCurrent").as_f64();

    let mut second = site.serve(1, "");
    watch.until(SOON, |watch| is_on_the_bus(watch, 1));
    watch.until(SOON, |watch| watch.shows(MANAGER, "/Info/MaxDischargeCurrent").as_f64() > alone);
    assert!(!lists(&watch, 1, "/Info/MaxChargeVoltage"));

    // Nor does its restart.
    second.terminate();
    watch.until(SOON, |watch| !is_on_the_bus(watch, 1));
    let _second = site.serve(1, "");
    watch.until(SOON, |watch| is_on_the_bus(watch, 1));
    watch.while_the_manager_counts(3);
    assert!(!lists(&watch, 1, "/Info/MaxChargeVoltage"));
    assert!(is_led_by_the_manager(&watch));
    watch.was_always_right();
}

#[test]
fn a_member_that_a_living_manager_lets_go_speaks_for_itself_at_once() {
    let site = Site::start(1);
    let mut watch = Watch::on(&site.bus);
    let _member = site.serve(0, "");
    let mut manager = site.manage(&[0]);
    watch.until(SOON, is_led_by_the_manager);
    manager.write_line("members");
    watch.until(SOON, |watch| watch.bms().is_none());
    watch.until(SOON, |watch| watch.bms() == Some(&battery(0)));
    assert!(watch.longest_without_bms() < A_MOMENT, "{:?}", watch.longest_without_bms());
    assert_eq!(
        watch.shows(&battery(0), "/Info/MaxChargeCurrent"),
        watch.shows(&battery(0), "/Bms/MaxChargeCurrent")
    );
    manager.write_line(&format!("members {}", battery(0)));
    watch.until(SOON, is_led_by_the_manager);
    watch.was_always_right();
}

#[test]
fn a_manager_of_others_is_none_of_a_batterys_business() {
    let site = Site::start(2);
    let mut watch = Watch::on(&site.bus);
    let _manager = site.manage(&[1]);
    watch.while_the_manager_counts(2);
    let _other = site.serve(0, "");
    watch.until(SOON, |watch| is_on_the_bus(watch, 0));
    watch.while_the_manager_counts(3);
    assert_eq!(watch.bms(), Some(battery(0).as_str()));
    let withdrawn = watch.heard().iter().any(|heard| {
        let What::Changed(items) = &heard.what else { return false };
        heard.service == battery(0) && items.get("/Info/MaxChargeVoltage") == Some(&Value::Null)
    });
    assert!(!withdrawn);
    watch.was_always_right();
}
