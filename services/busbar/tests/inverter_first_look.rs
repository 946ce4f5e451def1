//! What a user sees of inverters and meters at first: what flows, who limits them, and why one is not there.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use serde_json::Value;
use testbed::bed::{SOON, busbar, folder, settings};
use testbed::inverters::{Inverters, Wired};
use testbed::{PrivateBus, Process, eventually, eventually_some, executable};

/// A host that takes connections and never answers; it closes them at once, or lets the client do so.
fn mute_host(closes: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            if !closes {
                std::thread::spawn(move || drain(&mut client));
            }
        }
    });
    port
}

fn drain(client: &mut TcpStream) {
    let mut bytes = [0; 256];
    while client.read(&mut bytes).is_ok_and(|count| count > 0) {}
}

fn service(bus: &PrivateBus, folder: &Path, port: u16) -> Process {
    let file = folder.join("inverter-modbus.toml");
    let text = format!("[[device]]\nprofile = \"sunspec-meter\"\nhost = \"127.0.0.1\"\ntcp_port = {port}\n");
    std::fs::write(&file, text).expect("a file");
    let mut command = bus.command(executable("busbar"));
    Process::spawn(command.arg("inverter-modbus").arg("--config").arg(file))
}

const CURE: &str = "is another program connected?";

#[test]
fn a_host_that_closes_every_connection_is_told_once_with_the_probable_cause_and_its_cure() {
    let (bus, folder, port) = (PrivateBus::start(), folder(), mute_host(true));
    let mut service = service(&bus, folder.path(), port);
    let said = service.wait_for_line(CURE, SOON * 2);
    assert!(said.contains("accepted and closed before a first answer"), "{said}");
    let tcp_port = port.to_string();
    let read = ["profile", "read", "sunspec-meter", "--host", "127.0.0.1", "--tcp-port", &tcp_port];
    let output = busbar().args(read).output().expect("an end");
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && why.contains(CURE) && why.contains("Modbus proxy"), "{why}");
    let lines = service.lines();
    assert_eq!(lines.iter().filter(|line| line.contains(CURE)).count(), 1, "{lines:#?}");
}

#[test]
fn a_host_that_never_answers_is_told_too_and_leaves_no_number_in_the_settings() {
    let (bus, folder, port) = (PrivateBus::start(), folder(), mute_host(false));
    let _settings = settings(&bus, folder.path());
    let mut service = service(&bus, folder.path(), port);
    let said = service.wait_for_line(CURE, SOON * 4);
    assert!(said.contains("nothing is ever answered"), "{said}");
    let kept = bus.get_value("com.victronenergy.settings", "/Settings").expect("settings").to_string();
    assert!(!kept.contains("modbus_"), "{kept}");
}

#[test]
fn inverters_and_meters_are_shown_by_what_flows_through_them_and_who_limits_them() {
    let follow = "follow = \"com.victronenergy.battery.nobody\"\nmax_charge_current_a = 42";
    let bed = Inverters::start(&[
        Wired { profile: "deye-one-phase", device: follow, ..Wired::default() },
        Wired { profile: "solis-hybrid", device: "name = \"Barn\"\ncontrol = \"on\"", ..Wired::default() },
        Wired { profile: "sunspec-inverter", ..Wired::default() },
        Wired { profile: "sunspec-meter", ..Wired::default() },
    ]);
    let shown = |arguments: &[&str]| {
        let output = bed.bus.command(executable("busbar")).args(arguments).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let unit = bed.name("multi", 0);
    eventually(SOON * 2, || bed.number(&unit, "/Told/MaxChargeCurrent") == 0.0);
    eventually(SOON * 2, || bed.services().iter().any(|name| name.contains("acsystem")));
    let shows = |command: &str, parts: &[&str]| {
        eventually_some(SOON * 2, || {
            let text = shown(&[command]);
            let missing: Vec<&&str> = parts.iter().filter(|part| !text.contains(**part)).collect();
            println!("no {missing:?} in\n{text}");
            missing.is_empty().then_some(text)
        })
    };
    let titles = ["INVERTER SYSTEM", "INVERTER ", "SOLAR INVERTER", "GRID METER", "AC in", "AC out", "PV"];
    let limits = ["follows battery.nobody", "charge 0.0A", "limits itself: it follows nobody", "mode "];
    let status = shows("status", &[&titles[..], &limits].concat());
    assert!(!status.contains("SoC") && !status.contains("OTHER  "), "{status}");
    shows("explain", &[": follows battery.nobody: charge at most 0.0A", "inverter Barn: limits itself"]);
    eventually(SOON * 2, || {
        let document: Value = serde_json::from_str(&shown(&["status", "--json"])).expect("JSON");
        let mut services = document["services"].as_array().expect("services").iter();
        let meter = services.find(|service| service["class"] == "grid");
        println!("{meter:?}");
        meter.is_some_and(|meter| meter["values"]["power_w"].is_number())
    });
}

#[test]
fn a_device_that_was_seen_has_its_number_in_the_settings_and_can_be_removed_from_them() {
    let bed = Inverters::start(&[Wired { profile: "sunspec-meter", ..Wired::default() }]);
    let path = "/Settings/Devices/modbus_rs0_1/ClassAndVrmInstance";
    let kept = || bed.bus.get_value("com.victronenergy.settings", path);
    eventually(SOON, || kept().is_ok_and(|kept| kept == "grid:20"));
    let group = "/Settings/Devices";
    let call = ["call", "com.victronenergy.settings", group, "com.victronenergy.Settings", "RemoveSettings"];
    let names = ["as", "2", "modbus_rs0_1/ClassAndVrmInstance", "modbus_rs0_1/CustomName"];
    drop(bed.service);
    bed.bus.busctl(&[&call[..], &names].concat()).expect("an answer");
    assert!(bed.bus.get_value("com.victronenergy.settings", path).is_err());
}
