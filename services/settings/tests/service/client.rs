//! The settings as a device sees them: the client of `dbus-interfaces` and this service.

use dbus_interfaces::classes::device;
use dbus_interfaces::settings::{
    CUSTOM_NAME, Change, Changes, Device, DeviceSettings, NotKept, Setting, Wanted,
};
use dbus_interfaces::{BusAddress, BusError, Draft};
use serde_json::json;
use testbed::{Exit, PrivateBus, Process, Signal, eventually};

use crate::rig::{ITEM, NAME, Rig, SETTINGS, SOON, spawn};

const LIMIT: Setting<f64> = Setting::real("Limit", 2.5).range(0.0, 10.0);
const COUNT: Setting<i32> = Setting::int("Count", 3);

async fn open(bus: &PrivateBus, unit: &str) -> (DeviceSettings, Changes) {
    let mut wanted = Wanted::new(Device::new("battery", "test", unit, 100));
    wanted.add(CUSTOM_NAME).add(LIMIT).add(COUNT);
    wanted.open(&BusAddress::At(bus.address().to_owned())).await.unwrap()
}

async fn next(changes: &mut Changes) -> Change {
    tokio::time::timeout(SOON, changes.next()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_get_numbers_of_their_own_and_their_defaults() {
    let rig = Rig::start();
    let (one, _) = open(&rig.bus, "a").await;
    let (other, _) = open(&rig.bus, "b").await;
    assert_eq!((one.class(), one.instance(), other.instance()), ("battery".into(), 100, 101));
    assert_eq!((one.get(CUSTOM_NAME), one.get(LIMIT), one.get(COUNT)), (String::new(), 2.5, 3));
    let attributes =
        rig.bus.busctl(&["call", NAME, "/Settings/Devices/test_a/Limit", SETTINGS, "GetAttributes"]);
    assert_eq!(attributes, Ok(json!([2.5, 0.0, 10.0, 0])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_changes_is_told() {
    let rig = Rig::start();
    let (settings, mut changes) = open(&rig.bus, "a").await;
    rig.set("/Settings/Devices/test_a/Count", ["i", "7"]);
    let change = next(&mut changes).await;
    assert!(change.is(COUNT) && !change.is(LIMIT), "{change:?}");
    assert_eq!(settings.get(COUNT), 7);
    rig.set("/Settings/Devices/test_a/ClassAndVrmInstance", ["s", "battery:5"]);
    assert_eq!(next(&mut changes).await, Change::Instance { class: "battery".into(), instance: 5 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_writes_are_kept_or_refused_with_the_reason() {
    let rig = Rig::start();
    let (settings, mut changes) = open(&rig.bus, "a").await;
    assert_eq!(settings.set(LIMIT, 4.5).await, Ok(()));
    assert!(next(&mut changes).await.is(LIMIT));
    assert_eq!((settings.get(LIMIT), rig.get("/Settings/Devices/test_a/Limit")), (4.5, json!(4.5)));
    assert_eq!(settings.set(LIMIT, 11.0).await, Err(NotKept::Refused(-1)));
    assert_eq!(settings.set(LIMIT, f64::NAN).await, Err(NotKept::Refused(-1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_a_client_gives_is_cut_kept_and_there_after_a_restart() {
    let mut rig = Rig::start();
    let address = BusAddress::At(rig.bus.address().to_owned());
    let (settings, mut changes) = open(&rig.bus, "a").await;
    let mut draft = Draft::new("com.victronenergy.battery.test_a");
    draft.add(device::CUSTOM_NAME, settings.get(CUSTOM_NAME));
    let (service, mut writes) = draft.publish(&address).await.unwrap();

    let mut client = Process::spawn(rig.bus.command("dbus-send").args([
        &format!("--bus={}", rig.bus.address()),
        "--print-reply",
        "--dest=com.victronenergy.battery.test_a",
        "/CustomName",
        &format!("{ITEM}.SetValue"),
        &format!("variant:string:{}", "ä".repeat(40)),
    ]));
    settings.pass_on(writes.recv().await.unwrap(), CUSTOM_NAME);
    assert!(next(&mut changes).await.is(CUSTOM_NAME));
    service.update(|update| _ = update.set(device::CUSTOM_NAME, settings.get(CUSTOM_NAME))).await.unwrap();
    client.wait_for_line("int32 0", SOON);
    assert_eq!(service.get(device::CUSTOM_NAME), Some("ä".repeat(32)));

    drop((settings, changes));
    rig.restart();
    let (settings, _) = open(&rig.bus, "a").await;
    assert_eq!(settings.get(CUSTOM_NAME), "ä".repeat(32));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_restarts_is_asked_again_and_writes_meanwhile_are_refused() {
    let mut rig = Rig::start();
    let (settings, mut changes) = open(&rig.bus, "a").await;
    assert_eq!(settings.set(COUNT, 8).await, Ok(()));
    assert!(next(&mut changes).await.is(COUNT));
    // Long enough for the file, then a death without warning.
    eventually(SOON, || rig.text().contains(">8<"));
    rig.process.signal(Signal::KILL);
    assert_eq!(rig.process.wait(SOON), Exit::Signal(9));
    eventually(SOON, || !settings.are_kept());
    assert_eq!(settings.set(COUNT, 9).await, Err(NotKept::NoService));
    assert_eq!(settings.get(COUNT), 8);
    // Somebody edits the file meanwhile.
    let text = rig.text().replace("battery:100</", "battery:107</");
    std::fs::write(rig.file(), text).unwrap();
    rig.process = spawn(&rig.bus, &rig.home);
    assert_eq!(next(&mut changes).await, Change::Instance { class: "battery".into(), instance: 107 });
    assert_eq!(settings.get(COUNT), 8);
    assert!(settings.are_kept());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_a_service_does_not_answer_are_refused_before_they_take_all_memory() {
    let mut rig = Rig::start();
    let (settings, _changes) = open(&rig.bus, "a").await;
    rig.process.signal(Signal::STOP);
    let settings = std::sync::Arc::new(settings);
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..200 {
        let settings = settings.clone();
        writes.spawn(async move { settings.set(COUNT, n).await });
        // The link takes it up before the next comes.
        tokio::task::yield_now().await;
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = tokio::time::timeout(SOON, writes.join_next()).await.unwrap() {
        outcomes.push(outcome.unwrap());
    }
    let silent = outcomes.iter().filter(|outcome| **outcome == Err(NotKept::Silent)).count();
    assert!((1..=32).contains(&silent), "{silent}");
    assert!(outcomes.contains(&Err(NotKept::Busy)));
    rig.process.signal(Signal::CONT);
    eventually(SOON, || rig.get("/Settings").is_object());
    assert_eq!(settings.set(COUNT, 9).await, Ok(()), "the old answers make room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_comes_late_is_news_only_to_whom_it_gives_another_number() {
    let (bus, home) = (PrivateBus::start(), tempfile::tempdir().unwrap());
    let ((one, mut news_of_one), (two, mut news_of_two)) = tokio::join!(open(&bus, "a"), open(&bus, "b"));
    // Neither knows of the other yet.
    assert_eq!((one.instance(), two.instance(), one.are_kept()), (100, 100, false));
    let _process = spawn(&bus, &home);
    let change = tokio::select! {
        change = next(&mut news_of_one) => change,
        change = next(&mut news_of_two) => change,
    };
    assert_eq!(change, Change::Instance { class: "battery".into(), instance: 101 });
    eventually(SOON, || one.are_kept() && two.are_kept());
    assert_eq!(one.instance() + two.instance(), 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_is_removed_while_in_use_is_added_again() {
    let rig = Rig::start();
    let (settings, _changes) = open(&rig.bus, "a").await;
    let path = "/Settings/Devices/test_a/ClassAndVrmInstance";
    let removed = rig.bus.busctl(&["call", NAME, "/", SETTINGS, "RemoveSettings", "as", "1", path]);
    assert_eq!(removed, Ok(json!([[0]])));
    eventually(SOON, || !settings.are_kept());
    eventually(SOON, || settings.are_kept());
    assert_eq!((rig.get(path), settings.instance()), (json!("battery:100"), 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_bus_ends_the_changes() {
    let mut rig = Rig::start();
    let (settings, mut changes) = open(&rig.bus, "a").await;
    rig.bus.stop();
    let end = tokio::time::timeout(SOON, changes.next()).await;
    assert_eq!(end, Ok(None));
    let lost = tokio::time::timeout(SOON, settings.lost()).await.unwrap();
    assert!(matches!(lost, BusError::Lost(_)), "{lost}");
    assert_eq!(settings.set(COUNT, 9).await, Err(NotKept::NoService));
}
