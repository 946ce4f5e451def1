//! What stands on the bus when the bank appears, and what it may do then.

use dbus_interfaces::classes::{bank, battery as b};
use dbus_interfaces::{Monitor, Value};
use testbed::one_of_awaited;

use crate::rig::{Driver, Pack, Rig, Watch};

const PATHS: &str = include_str!("../../../../dbus-interfaces/xml/com.victronenergy.battery.busbar.paths");

/// The items of the bank as they stand in its first `GetItems`.
async fn first_items(monitor: &Monitor) -> Vec<(String, Option<Value>)> {
    let listed = monitor.get_items(bank::NAME).await.expect("the bank");
    listed.into_iter().map(|listed| (listed.path, listed.value)).collect()
}

fn signature(value: &Value) -> &'static str {
    match value {
        Value::Int(_) => "i",
        Value::Long(_) => "x",
        Value::Real(_) => "d",
        Value::Text(_) => "s",
        Value::Texts(_) => "as",
        other => panic!("no item has a {other:?}"),
    }
}

#[tokio::test]
async fn every_frozen_path_is_there_at_first_sight_with_its_type_and_the_row_of_each_follower() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let _one = rig.battery(Pack::ours("one", 100)).await;
    let _two = rig.battery(Pack::ours("two", 101)).await;
    let _follower = rig.follower("x", -10.0).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch.until("the bank", |watch| watch.monitor.service(bank::NAME).is_some()).await;
    let items = first_items(&watch.monitor).await;
    let find = |path: &str| items.iter().find(|(known, _)| known == path);

    let (_, service) = find("/Share/0/Service").expect("the follower's row");
    assert_eq!(service, &Some(Value::from("com.victronenergy.multi.x")));
    let (_, members) = find("/Members").expect("members");
    let names = ["one", "two"].map(|name| format!("com.victronenergy.battery.{name}"));
    assert_eq!(members, &Some(Value::Texts(names.to_vec())));
    for line in PATHS.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let path = columns[0].replace('#', "0");
        let (_, value) = find(&path).unwrap_or_else(|| panic!("{path} is missing"));
        if let Some(value) = value {
            assert_eq!(signature(value), columns[1], "{path}");
        }
    }
    // Nothing but what is written there, or what any battery has.
    let own = ["/Bank/", "/Share/", "/Request/"];
    for (path, _) in items.iter().filter(|(path, _)| own.iter().any(|own| path.starts_with(own))) {
        let listed = PATHS.lines().any(|line| {
            let family = line.split('\t').next().unwrap_or_default();
            family == path
                || family.replace('#', "0") == *path
                || family.replace('#', &last_number(path)) == *path
        });
        assert!(listed, "{path} stands nowhere");
    }
}

fn last_number(path: &str) -> String {
    path.chars().filter(char::is_ascii_digit).collect()
}

#[tokio::test]
async fn members_are_listed_a_tick_before_the_limits_stand_on_info_and_the_index_counts_every_second() {
    // On a busy machine the second may be over before the first look.
    one_of_awaited(5, async || {
        let rig = Rig::start();
        let _settings = rig.settings();
        let _one = rig.battery(Pack::ours("one", 100)).await;
        let mut watch = rig.watch().await;
        let _manager = rig.manage();
        watch.until("the bank", |watch| watch.get(bank::UPDATE_INDEX).is_some()).await;
        assert_eq!(watch.get(bank::MEMBERS), Some(vec!["com.victronenergy.battery.one".to_owned()]));
        if watch.get(b::MAX_CHARGE_VOLTAGE).is_some() {
            return Err("limits stood beside the members at first sight".to_owned());
        }
        let waited = watch.until("limits", |watch| watch.get(b::MAX_CHARGE_VOLTAGE).is_some()).await;
        println!("limits stand on /Info {waited:?} after the members were listed");
        let first = watch.get(bank::UPDATE_INDEX).expect("an index");
        let took = watch.until("three seconds", |watch| has_counted(watch, first, 3)).await;
        let is_a_second_each = (2.0..4.5).contains(&took.as_secs_f64());
        if is_a_second_each { Ok(()) } else { Err(format!("three counts in {took:?}")) }
    })
    .await;
}

/// Whether the manager has come so far since it was at `first`.
fn has_counted(watch: &Watch, first: i32, seconds: i32) -> bool {
    watch.get(bank::UPDATE_INDEX).is_some_and(|index| (index - first).rem_euclid(256) >= seconds)
}

#[tokio::test]
async fn the_bank_is_its_members_from_whatever_driver_and_a_shunt_measures_it() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let _ours = rig.battery(Pack { current_a: -10.0, ..Pack::ours("ours", 100) }).await;
    let foreign = Pack { driver: Driver::Foreign, current_a: -12.0, ..Pack::ours("serial", 1) };
    let _foreign = rig.battery(foreign).await;
    let _shunt =
        rig.battery(Pack { driver: Driver::Shunt, current_a: -23.0, ..Pack::ours("shunt", 5) }).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch.until_it_works().await;
    let names = ["ours", "serial"].map(|name| format!("com.victronenergy.battery.{name}"));
    assert_eq!(watch.get(bank::MEMBERS), Some(names.to_vec()));
    assert_eq!(watch.get(b::DC_CURRENT), Some(-23.0), "what the shunt measures");
    assert_eq!(watch.get(b::INSTALLED_CAPACITY), Some(560.0));
    // A driver that sends nothing while nothing changes is not silent: it is asked.
    let first = watch.get(bank::UPDATE_INDEX).expect("an index");
    watch.until("twelve seconds", |watch| has_counted(watch, first, 12)).await;
    assert_eq!(watch.get(b::ALARM_BMS_CABLE), Some(0));
    assert!(watch.get(bank::BANK_MAX_DISCHARGE_CURRENT).is_some_and(|a| a > 100.0));
}

#[tokio::test]
async fn what_is_decided_cannot_be_set_and_what_is_asked_for_is_done() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let _one = rig.battery(Pack::ours("one", 100)).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch.until_it_works().await;
    for path in ["/Bank/MaxChargeCurrent", "/Info/MaxChargeCurrent", "/Members", "/Share/0/MaxChargeCurrent"]
    {
        let code = watch.monitor.set_value(bank::NAME, path, Some(&Value::Real(500.0))).await;
        assert!(code.is_err() || code.is_ok_and(|code| code != 0), "{path}");
    }
    let code = watch.monitor.set_value(bank::NAME, "/Request/FullCharge", Some(&Value::Int(1))).await;
    assert_eq!(code.ok(), Some(0));
    watch.until("the wish", |watch| watch.get(bank::REQUEST_FULL_CHARGE) == Some(1)).await;
    watch.until("a full charge is asked for", |watch| watch.get(b::FULL_CHARGE_REQUEST) == Some(1)).await;
}
