//! The private bus and its two clients.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step that fails has to fail the test that asked for it"
)]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use testbed::{PrivateBus, Process, Refused};

const SOON: Duration = Duration::from_secs(20);

fn names(bus: &PrivateBus) -> Vec<String> {
    let reply = bus.busctl(&["call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ListNames"]);
    reply.unwrap()[0].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_bus_starts_empty_and_answers_at_once() {
    let bus = PrivateBus::start();
    let names = names(&bus);
    assert!(names.contains(&"org.freedesktop.DBus".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("com.victronenergy.")), "{names:?}");
}

#[test]
fn two_buses_do_not_know_each_other() {
    let (one, other) = (PrivateBus::start(), PrivateBus::start());
    assert_ne!(one.address(), other.address());
    let mut monitor = Process::spawn(one.command("dbus-monitor").args(["--address", one.address()]));
    monitor.wait_for_line("NameAcquired", SOON);
    assert_eq!(names(&other).iter().filter(|name| name.starts_with(':')).count(), 1);
}

#[test]
fn a_restarted_bus_has_the_same_address_and_no_old_connection() {
    let mut bus = PrivateBus::start();
    let address = bus.address().to_owned();
    let mut client = Process::spawn(bus.command("dbus-monitor").args(["--address", &address]));
    client.wait_for_line("NameAcquired", SOON);
    bus.restart();
    assert_eq!(bus.address(), address);
    client.wait(SOON);
    assert_eq!(names(&bus).iter().filter(|name| name.starts_with(':')).count(), 1);
}

#[test]
fn a_stopped_bus_refuses() {
    let mut bus = PrivateBus::start();
    bus.stop();
    assert!(bus.busctl(&["list"]).is_err());
}

#[test]
fn nothing_is_left_behind() {
    let bus = PrivateBus::start();
    let socket = PathBuf::from(bus.address().strip_prefix("unix:path=").unwrap());
    assert!(socket.exists());
    drop(bus);
    assert!(!socket.parent().unwrap().exists());
}

#[test]
fn both_clients_read_a_reply() {
    let bus = PrivateBus::start();
    let daemon = "org.freedesktop.DBus";
    let owner = bus.busctl(&["call", daemon, "/", daemon, "NameHasOwner", "s", daemon]);
    assert_eq!(owner, Ok(json!([true])));
    let owner =
        bus.dbus_send(daemon, "/", "org.freedesktop.DBus.NameHasOwner", &["string:org.freedesktop.DBus"]);
    assert_eq!(owner, Ok("boolean true".to_owned()));
}

#[test]
fn a_refused_call_is_an_error_with_the_clients_words() {
    let bus = PrivateBus::start();
    let Err(Refused(busctl)) = bus.get_value("com.example.Nobody", "/Soc") else { panic!("accepted") };
    assert!(busctl.contains("com.example.Nobody"), "{busctl}");
    let Err(Refused(send)) = bus.dbus_send("com.example.Nobody", "/", "com.example.No.Method", &[]) else {
        panic!("accepted")
    };
    assert!(send.contains("ServiceUnknown"), "{send}");
}
