//! Converter and battery on a real bus, beside the web API.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testbed::bed::{SOON, settings};
use testbed::{Exit, PrivateBus, Process, eventually};

use super::bed::{Bed, Site, own_file};
use super::faults::fault;
use super::http;

pub(crate) const CONVERTER: &str = "com.victronenergy.dcdc.dcdcrs485_dcdc0";
const BATTERY: &str = "com.victronenergy.battery.dcdcrs485_battery0";
const COMMANDS: &str = "org.busbar.dcdc_rs485.dcdc0";
/// Ten seconds of hold, and room for a busy machine.
const STALE: Duration = Duration::from_secs(45);

/// The value at a path; null for none, and where the service is not there.
#[track_caller]
pub(crate) fn get(bus: &PrivateBus, path: &str) -> Value {
    bus.get_value(CONVERTER, path).unwrap_or_default()
}

#[track_caller]
fn start(bus: &PrivateBus, dbus: &str) -> Bed {
    let bed = Bed::on_bus(bus, &Site::default(), dbus);
    eventually(SOON, || get(bus, "/Connected") == 1);
    bed
}

fn near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() < 0.05)
}

#[test]
fn converter_and_battery_show_what_they_measure_and_nothing_else() {
    let bus = PrivateBus::start();
    let folder = testbed::bed::folder();
    let _settings = settings(&bus, folder.path());
    let mut bed = start(&bus, "");
    bed.command("set mode=65 cst=1 vg=15000 ig=1000 vb=17600 ib=2000 wg=500 wb=450 tmp=3771");
    eventually(SOON, || near(&get(&bus, "/Dc/In/V"), 15_000.0 * 380.0 / 16_384.0));
    eventually(SOON, || get(&bus, "/State") == 3);
    assert!(near(&get(&bus, "/Dc/0/Voltage"), 17_600.0 * 48.0 / 16_384.0));
    assert!(near(&get(&bus, "/Dc/0/Current"), 2_000.0 * 52.08 / 8_192.0));
    assert!(near(&get(&bus, "/Apis/Internal/Temperature"), 29.46));
    assert_eq!(get(&bus, "/Dc/0/Temperature"), Value::Null);
    assert_eq!((get(&bus, "/Mode"), get(&bus, "/Apis/Mode")), (json!(1), json!(65)));
    assert_eq!((get(&bus, "/ErrorCode"), get(&bus, "/Alarms/Alarm")), (json!(0), json!(0)));
    assert_eq!(get(&bus, "/DeviceInstance"), 300);

    let battery = |path: &str| bus.get_value(BATTERY, path).unwrap_or_default();
    eventually(SOON, || near(&battery("/Soc"), 80.5));
    eventually(SOON, || near(&battery("/Dc/0/Voltage"), 17_600.0 * 48.0 / 16_384.0));
    // What the configuration only shows is no measurement, and what else hangs on the battery is not known.
    assert_eq!((battery("/Dc/0/Current"), battery("/Dc/0/Power")), (Value::Null, Value::Null));
    assert!(bus.get_value(BATTERY, "/Info/MaxChargeCurrent").is_err());
    assert_eq!((battery("/Io/AllowToCharge"), battery("/Apis/OperationStatus")), (json!(1), json!(3)));
    bed.command("battery status=1 rsoc=1200");
    eventually(SOON, || battery("/Io/AllowToDischarge") == 0);
    assert_eq!((battery("/Soc"), battery("/Apis/OperationStatus")), (Value::Null, json!(0)));

    bed.command("set cst=9");
    eventually(SOON, || get(&bus, "/ErrorCode") == 28 && get(&bus, "/State") == 2);
    assert_eq!(bus.set_value(CONVERTER, "/CustomName", &["s", "Attic"]), Ok(0));
    eventually(SOON, || get(&bus, "/CustomName") == "Attic");
}

#[test]
fn what_is_written_is_in_force_before_it_is_answered_and_the_web_api_knows_of_it() {
    let bus = PrivateBus::start();
    let mut bed = start(&bus, "");
    let set = |path: &str, value: &[&str]| bus.set_value(CONVERTER, path, value).unwrap();
    bed.journal();
    assert_eq!(set("/Apis/Grid/TargetVoltage", &["d", "340"]), 0);
    assert_eq!(set("/Apis/Grid/CurrentLimit", &["d", "1.5"]), 0);
    assert_eq!(set("/Apis/Mode", &["i", "2"]), 0);
    let mut served = bed.commands();
    // On a machine that is too busy to answer in time, a command is sent once more.
    served.dedup();
    let served = served.join(" ");
    for sequence in ["4-1 4-4 4-1", "6-4 6-1", "1-4 1-1"] {
        assert!(served.contains(sequence), "{sequence} in {served}");
    }
    eventually(SOON, || near(&get(&bus, "/Apis/Grid/TargetVoltage"), 340.0) && get(&bus, "/Apis/Mode") == 2);
    // A client of the web API has only to say what it wants to be different.
    let answer = bed.get("/remote/set/current?dig=2").json();
    assert!(near(&answer["param"]["dig"], 2.0), "{answer}");
    eventually(SOON, || near(&get(&bus, "/Apis/Grid/CurrentLimit"), 2.0));

    bed.journal();
    assert_ne!(set("/Apis/Grid/TargetVoltage", &["d", "400"]), 0);
    assert_ne!(set("/Apis/Mode", &["i", "1"]), 0);
    assert_ne!(set("/Dc/In/V", &["d", "1"]), 0);
    assert_eq!(bed.commands().iter().filter(|name| name.ends_with("-4")).count(), 0);

    assert_eq!(set("/Mode", &["i", "4"]), 0);
    eventually(SOON, || get(&bus, "/State") == 0 && get(&bus, "/DeviceOffReason") == 4);
    // On again is as it ran last.
    assert_eq!(set("/Mode", &["i", "1"]), 0);
    eventually(SOON, || get(&bus, "/Apis/Mode") == 2);
    // A converter that does not take it leaves everything as it is.
    bed.command("fault nak ercd=65534 cmd=26 count=1 write");
    assert_ne!(set("/Apis/Grid/TargetVoltage", &["d", "330"]), 0);
    assert!(near(&get(&bus, "/Apis/Grid/TargetVoltage"), 340.0));
}

#[test]
fn a_silent_converter_shows_no_values_after_ten_seconds_and_is_back_with_its_first_answers() {
    let bus = PrivateBus::start();
    let mut bed = start(&bus, "");
    bed.command("fault drop count=100000");
    eventually(STALE, || get(&bus, "/Connected") == 0);
    for path in ["/Dc/In/V", "/Dc/0/Voltage", "/State", "/Apis/Mode"] {
        assert_eq!(get(&bus, path), Value::Null, "{path}");
    }
    assert_eq!(get(&bus, "/Alarms/ConnectionLost"), 1);
    bed.command("clear");
    eventually(SOON, || get(&bus, "/Connected") == 1 && get(&bus, "/Dc/In/V").is_f64());
}

#[test]
fn a_bus_that_restarts_takes_nothing_from_the_web_api_and_has_the_devices_again() {
    let mut bus = PrivateBus::start();
    let mut bed = start(&bus, "");
    assert_eq!(bed.get("/remote/set?mode=0x0002&dvg=350&dig=1&drg=0").status, 200);
    bus.stop();
    assert_eq!(bed.get("/dcdc/get").status, 200);
    bus.resume();
    eventually(SOON, || get(&bus, "/Connected") == 1);
    // What was set before is remembered still: the process is the same.
    assert_eq!(bed.get("/remote/set/current?dig=2").status, 200);
    assert_eq!(bed.service.terminate(), Exit::Code(0));
    assert!(bus.get_value(CONVERTER, "/Connected").is_err());
}

#[test]
fn without_a_bus_the_web_api_works() {
    let bus = PrivateBus::start();
    let mut bed = start(&bus, "");
    assert_eq!(bed.service.terminate(), Exit::Code(0));
    let file = own_file(bed.folder.path(), bed.port, "");
    let mut service = Process::spawn(
        testbed::bed::busbar()
            .arg("dcdc-rs485")
            .arg("--config")
            .arg(file)
            .args(["--bus", "unix:path=/nowhere"]),
    );
    service.wait_for_line("not on the D-Bus", SOON);
    assert_eq!(http::get(bed.port, "/dcdc/get").status, 200);
}

#[test]
fn a_converter_that_is_unplugged_shows_only_fresh_values_when_it_is_back() {
    let bus = PrivateBus::start();
    let bed = start(&bus, "");
    let Bed { folder, mut simulator, service, .. } = bed;
    assert_eq!(simulator.terminate(), Exit::Code(0));
    eventually(STALE, || get(&bus, "/Connected") == 0);
    let file = folder.path().join("scenario.toml");
    let mut simulator =
        Process::spawn_fed(testbed::bed::busbar().arg("simulator").arg("--scenario").arg(file));
    simulator.wait_for_line("converter0 ready", SOON);
    simulator.write_line("converter set vg=14000");
    eventually(SOON, || near(&get(&bus, "/Dc/In/V"), 14_000.0 * 380.0 / 16_384.0));
    assert_eq!(get(&bus, "/Connected"), 1);
    drop(service);
}

#[test]
fn commands_over_the_bus_need_leave_and_never_do_what_the_process_does_itself() {
    let bus = PrivateBus::start();
    let mut bed = start(&bus, "raw_access = true\n");
    let call = |member: &str, arguments: &[&str]| {
        let mut call = vec!["call", COMMANDS, "/", "org.busbar.Bus1", member];
        call.extend(arguments);
        bus.busctl(&call).unwrap()[0].clone()
    };
    let info = call("Info", &[]);
    assert_eq!((&info["process"], &info["raw_access"]), (&json!("dcdc-rs485"), &json!(true)));
    assert_eq!(info["ports"][0]["kind"], "eza2500");
    assert_eq!(call("Probe", &["a{sv}", "0"]).as_array().map(Vec::len), Some(2));

    bed.command("set vg=15123");
    let eza =
        |command: &str| call("Transact", &["a{sv}", "2", "cmd", "s", "eza.command", "command", "s", command]);
    let answer = eza("10-1");
    assert_eq!((&answer["status"], &answer["words"][0]), (&json!("ok"), &json!(15_123)));
    assert!(near(&answer["values"]["vg"], 350.753));
    assert_eq!(eza("6-4")["status"], "forbidden");
    assert_eq!(eza("99-9")["key"], "command");
    let write =
        ["a{sv}", "3", "cmd", "s", "eza.command", "command", "s", "5-4", "words", "ai", "2", "81", "81"];
    assert_eq!(call("Transact", &write)["words"], json!([81, 81]));

    let modbus = |port: &str, address: &str| {
        let request =
            ["a{sv}", "6", "cmd", "s", "serial.modbus.request", "port", "s", port, "unit", "i", "1"];
        let rest = ["function", "i", "4", "address", "i", address, "count", "i", "2"];
        call("Transact", &[&request[..], &rest].concat())
    };
    assert_eq!(modbus("battery0", "29")["values"], json!([805, 0]));
    assert_eq!(modbus("elsewhere", "29")["status"], "no_such_device");
    let refused = modbus("battery0", "5000");
    assert_eq!((&refused["status"], &refused["exception"]), (&json!("device_error"), &json!(2)));
    bed.command("battery fault=drop");
    assert_eq!(modbus("battery0", "29")["status"], "device_timeout");

    let flood: Vec<Value> = (0..60).map(|_| eza("99-9")["status"].clone()).collect();
    assert!(flood.iter().all(|status| status == "bad_args" || status == "busy"), "{flood:?}");
    let introspection =
        bus.busctl(&["call", COMMANDS, "/", "org.freedesktop.DBus.Introspectable", "Introspect"]).unwrap()[0]
            .clone();
    let file = include_str!("../../../../dbus-interfaces/xml/org.busbar.Bus1.xml");
    let methods = file.lines().filter(|line| line.contains("<method") || line.contains("<signal"));
    for line in methods {
        assert!(introspection.as_str().unwrap().contains(line), "{line}");
    }
    assert!(bus.busctl(&["call", COMMANDS, "/", "org.busbar.Bus1", "Transact", "s", "x"]).is_err());
}

#[test]
fn without_leave_no_command_is_sent() {
    let bus = PrivateBus::start();
    let mut bed = start(&bus, "battery = false\n");
    bed.journal();
    let request = [
        "call",
        COMMANDS,
        "/",
        "org.busbar.Bus1",
        "Transact",
        "a{sv}",
        "2",
        "cmd",
        "s",
        "eza.command",
        "command",
        "s",
        "5-1",
    ];
    assert_eq!(bus.busctl(&request).unwrap()[0]["status"], "forbidden");
    assert!(!bed.commands().contains(&"16-4".to_owned()));
    assert!(bus.get_value(BATTERY, "/Connected").is_err());
}

#[test]
fn after_any_faults_in_any_order_no_value_on_the_bus_is_wrong() {
    let bus = PrivateBus::start();
    let mut bed = start(&bus, "");
    let volts = |word: i64| word as f64 * 380.0 / 16_384.0;
    bed.command("set vg=10000 mode=0");
    eventually(SOON, || near(&get(&bus, "/Dc/In/V"), volts(10_000)) && get(&bus, "/Apis/Mode") == 0);
    let bed = RefCell::new(&mut bed);
    let count = Cell::new(0_i64);
    let shown = || {
        let items = bus.busctl(&["call", CONVERTER, "/", "com.victronenergy.BusItem", "GetItems"]);
        items.map(|items| items[0].clone()).unwrap_or_default()
    };
    let mut runner = TestRunner::new(Config { cases: 10, failure_persistence: None, ..Config::default() });
    let faults = proptest::collection::vec(fault(), 1..4);
    let outcome = runner.run(&faults, |faults| {
        let mut bed = bed.borrow_mut();
        let before = 10_000 + count.get() % 5_000;
        count.set(count.get() + 1);
        let now = 10_000 + count.get() % 5_000;
        let mode = if count.get() % 2 == 0 { 0x02 } else { 0x41 };
        for fault in &faults {
            bed.command(fault);
        }
        bed.command(&format!("set vg={now} mode={mode} cst=1"));
        // While the faults have their effect, and a request besides.
        for _ in 0..3 {
            let _ = bed.get("/dcdc/get/status");
            let items = shown();
            let voltage = &items["/Dc/In/V"]["Value"];
            let is_one_of_ours = [before, now].iter().any(|word| near(voltage, volts(*word)));
            let none = voltage.as_array().is_some_and(Vec::is_empty);
            prop_assert!(is_one_of_ours || none, "{voltage} after {faults:?}");
            let mode = &items["/Apis/Mode"]["Value"];
            let is_mode = mode.as_i64().is_some_and(|mode| [0, 0x02, 0x41].contains(&mode));
            prop_assert!(is_mode || mode.as_array().is_some_and(Vec::is_empty), "{mode} after {faults:?}");
        }
        bed.command("clear");
        eventually(SOON, || near(&get(&bus, "/Dc/In/V"), volts(now)) && get(&bus, "/Apis/Mode") == mode);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
