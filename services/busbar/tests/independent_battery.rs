//! A battery made of python-can and of bytes typed from the maker's document, at the other end of our serial port.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::json;
use testbed::bed::{Bed, SOON, service};
use testbed::{PrivateBus, Process, client_script, eventually};

struct Independent {
    bus: PrivateBus,
    battery: Process,
    _wire: Process,
    _service: Process,
    _folder: tempfile::TempDir,
}

impl Independent {
    #[track_caller]
    fn start(arguments: &[&str]) -> Independent {
        let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
        let (ours, theirs) = (folder.path().join("battery0"), folder.path().join("theirs"));
        let mut wire = Process::spawn(client_script("wire.py").arg(&ours).arg(&theirs));
        wire.wait_for_line("ready", SOON);
        let service = service(&bus, folder.path(), "capacity_ah = 148.0");
        let mut battery = Process::spawn(client_script("battery.py").arg(&theirs).args(arguments));
        battery.wait_for_line("sending", SOON);
        eventually(SOON, || bus.get_value(Bed::NAME, "/Connected").is_ok_and(|v| v == json!(1)));
        Independent { bus, battery, _wire: wire, _service: service, _folder: folder }
    }

    #[track_caller]
    fn shows(&self, path: &str, value: serde_json::Value) {
        eventually(SOON, || self.bus.get_value(Bed::NAME, path).is_ok_and(|shown| shown == value));
    }
}

#[test]
fn what_python_can_sends_is_what_the_bus_shows() {
    let mut bed = Independent::start(&["--alarm", "cell low voltage", "--request", "force charge 1"]);
    for (path, value) in [
        ("/Dc/0/Voltage", json!(50.12)),
        ("/Dc/0/Current", json!(-12.3)),
        ("/Dc/0/Temperature", json!(23.4)),
        ("/Soc", json!(54.0)),
        ("/Soh", json!(98.0)),
        ("/Info/MaxChargeVoltage", json!(53.2)),
        ("/Info/MaxChargeCurrent", json!(74.0)),
        ("/Info/MaxDischargeCurrent", json!(100.0)),
        ("/Alarms/LowVoltage", json!(1)),
        ("/Alarms/HighVoltage", json!(0)),
        ("/Info/ChargeRequest", json!(1)),
        ("/System/NrOfModulesOnline", json!(2)),
        ("/Manufacturer", json!("PYLON")),
    ] {
        bed.shows(path, value);
    }
    bed.battery.wait_for_line("305 0000000000000000", SOON);
}

#[test]
fn a_ban_on_charging_is_a_charge_limit_of_zero() {
    let bed = Independent::start(&["--no-charge", "--dvl", "46", "--alarm", "cell over voltage"]);
    bed.shows("/Info/MaxChargeCurrent", json!(0.0));
    bed.shows("/Info/MaxDischargeCurrent", json!(100.0));
    bed.shows("/Io/AllowToCharge", json!(0));
    bed.shows("/Info/BatteryLowVoltage", json!(46.0));
    bed.shows("/Alarms/HighVoltage", json!(2));
}
