//! Programs of third parties and ours on one bus: dbus-fast and Signal K read our battery, we read a service of Victron's
//! Node-RED library.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails has to fail the test that asked for it"
)]

use std::process::Command;
use std::time::Duration;

use dbus_interfaces::classes::battery as class;
use dbus_interfaces::{BusAddress, Filter, Monitor, Value::Real};
use serde_json::{Value, json};
use system_tests::{Site, battery};
use testbed::{PrivateBus, Process, client_script, eventually};

const SOON: Duration = Duration::from_secs(60);
const VIRTUAL: &str = "com.victronenergy.battery.virtual";

/// A battery on the bus.
fn site() -> (Site, Process) {
    let site = Site::start(1);
    let service = site.serve(0, "protocol = \"pylontech_lv\"\nname = \"Shed\"");
    eventually(SOON, || site.bus.get_value(&battery(0), "/Connected") == Ok(json!(1)));
    (site, service)
}

/// What a program prints, line by line as JSON.
fn lines(command: &mut Command) -> Vec<Value> {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

fn items(bus: &PrivateBus, arguments: &[&str]) -> Vec<Value> {
    lines(client_script("items.py").args(arguments).envs(bus.environment()))
}

fn busbar(bus: &PrivateBus, arguments: &[&str]) -> String {
    let output = testbed::bed::busbar().args(arguments).envs(bus.environment()).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn dbus_fast_lists_our_services_and_reads_what_busctl_reads() {
    let (site, _service) = site();
    let listed = items(&site.bus, &["list"]);
    assert!(listed.contains(&json!({"service": battery(0), "instance": 100})), "{listed:?}");

    let read = items(&site.bus, &["items", &battery(0)]);
    let reply = site.bus.busctl(&["call", &battery(0), "/", "com.victronenergy.BusItem", "GetItems"]);
    let reply = reply.expect("answered");
    let tree = reply[0].as_object().expect("a dictionary");
    assert_eq!(read.len(), tree.len());
    for item in &read {
        let path = item["path"].as_str().expect("a path");
        assert_eq!(item["value"].is_null(), tree[path]["Value"] == json!([]), "{path}");
        assert!(item["text"].is_string(), "{path}");
    }
    let fixed = |path: &str| read.iter().find(|item| item["path"] == path).cloned();
    assert_eq!(fixed("/CustomName"), Some(json!({"path": "/CustomName", "value": "Shed", "text": "Shed"})));
    assert_eq!(fixed("/ProductId").map(|item| item["text"].clone()), Some(json!("0xBFB0")));

    let cvl = &items(&site.bus, &["get", &battery(0), "/Info/MaxChargeVoltage"])[0];
    let volts = cvl["value"].as_f64().expect("a number");
    assert_eq!(cvl["text"], json!(format!("{volts:.2}V")));
    let none = &items(&site.bus, &["get", &battery(0), "/Alarms/CellImbalance"])[0];
    assert_eq!(none["value"], Value::Null);
}

#[test]
fn dbus_fast_writes_what_may_be_written() {
    let (site, _service) = site();
    let set =
        |path: &str, value: &str| items(&site.bus, &["set", &battery(0), path, value])[0]["code"].clone();
    assert_eq!(set("/CustomName", "\"Barn\""), json!(0));
    eventually(SOON, || site.bus.get_value(&battery(0), "/CustomName") == Ok(json!("Barn")));
    for (path, value) in [("/Soc", "99.5"), ("/Info/MaxChargeCurrent", "500"), ("/CustomName", "null")] {
        assert_ne!(set(path, value), json!(0), "{path} took {value}");
    }
}

#[test]
fn dbus_fast_hears_a_change_with_its_text() {
    let (mut site, _service) = site();
    let mut listener =
        Process::spawn(client_script("items.py").args(["listen", &battery(0)]).envs(site.bus.environment()));
    listener.wait_for_line("listening", SOON);
    site.simulator.write_line("alarm high_voltage on");
    let line = listener.wait_for_line("/Alarms/HighVoltage", SOON);
    let signal: Value = serde_json::from_str(&line).expect("JSON");
    let alarm = signal.as_array().and_then(|items| items.iter().find(|i| i["path"] == "/Alarms/HighVoltage"));
    assert_eq!(alarm.map(|alarm| &alarm["value"]), Some(&json!(2)), "{line}");
    assert!(alarm.is_some_and(|alarm| alarm["text"].is_string()), "{line}");
}

#[test]
fn signal_k_sees_the_battery_and_hears_its_changes() {
    let (mut site, _service) = site();
    let mut signalk = Process::spawn(client_script("signalk.js").envs(site.bus.environment()));
    let wanted = |path: &str| format!(r#"{{"service":"{}","path":"{path}","value":"#, battery(0));
    for path in ["/Soc", "/Dc/0/Voltage", "/Dc/0/Current"] {
        let line = signalk.wait_for_line(&wanted(path), SOON);
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert!(value["value"].is_number(), "{line}");
    }
    site.simulator.write_line("alarm low_temperature on");
    let alarm = format!("{}2}}", wanted("/Alarms/LowTemperature"));
    signalk.wait_for_line(&alarm, SOON);
}

#[tokio::test]
async fn our_monitor_and_command_line_read_a_service_of_victrons_node_red_library() {
    let bus = PrivateBus::start();
    let mut service = Process::spawn(
        client_script("virtual.js")
            .args([
                VIRTUAL,
                r#"{"DeviceInstance": 7, "Soc": 54.5, "Dc/0/Voltage": 52.25, "Dc/0/Temperature": null}"#,
            ])
            .envs(bus.environment()),
    );
    service.wait_for_line("published", SOON);
    let address = BusAddress::At(bus.address().to_owned());
    let (monitor, mut events) =
        Monitor::start(&address, Filter::new().class(class::CLASS)).await.expect("a bus");
    let follow = async {
        loop {
            events.next().await.expect("an event");
            let shown = (
                monitor.service(VIRTUAL).and_then(|seen| seen.instance),
                monitor.get(VIRTUAL, class::SOC),
                monitor.get(VIRTUAL, class::DC_VOLTAGE),
                monitor.get(VIRTUAL, class::DC_TEMPERATURE),
            );
            if shown == (Some(7), Some(54.5), Some(52.25), None) {
                // What it changes comes as a signal, what is written as an answer.
                let code = monitor.set_value(VIRTUAL, "/Soc", Some(&Real(60.25))).await;
                assert_eq!(code, Ok(0));
            }
            if shown.1 == Some(60.25) {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, follow).await.expect("followed");

    assert_eq!(busbar(&bus, &["get", "battery.virtual", "/Soc"]), "60.25");
    assert_eq!(busbar(&bus, &["get", "virtual", "Dc/0/Voltage", "--json"]), "52.25");
    busbar(&bus, &["set", "virtual", "/Soc", "33.5"]);
    eventually(SOON, || busbar(&bus, &["get", "virtual", "/Soc"]) == "33.5");
    let status: Value = serde_json::from_str(&busbar(&bus, &["status", "--all", "--json"])).expect("JSON");
    let shown = &status["services"][0];
    assert_eq!(
        (&shown["service"], &shown["ours"], &shown["instance"]),
        (&json!(VIRTUAL), &json!(false), &json!(7))
    );
    assert_eq!(shown["values"]["soc_pct"], json!(33.5));
}
