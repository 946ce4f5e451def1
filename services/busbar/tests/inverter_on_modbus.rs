//! A simulated hybrid inverter on a serial line, and on TCP, as the services that Venus understands.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use serde_json::{Value, json};
use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{PrivateBus, Process, eventually};

const UNIT: &str = "com.victronenergy.multi.modbus_rs485_1";
const SYSTEM: &str = "com.victronenergy.acsystem.modbus_rs485_1";

struct Bed {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    simulator: Process,
    service: Process,
    _settings: Process,
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).expect("a file");
}

#[track_caller]
fn simulator(folder: &Path, inverter: &str) -> Process {
    let file = folder.join("scenario.toml");
    let link = folder.join("rs485").display().to_string();
    write(&file, &format!("[[inverter]]\nlink = {link:?}\n{inverter}"));
    Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file))
}

impl Bed {
    #[track_caller]
    fn start(profile: &str, inverter: &str, device: &str) -> Bed {
        let (bus, folder) = (PrivateBus::start(), folder());
        let settings = settings(&bus, folder.path());
        let simulator = simulator(folder.path(), &format!("profile = {profile:?}\n{inverter}"));
        let file = folder.path().join("inverter-modbus.toml");
        let port = folder.path().join("rs485").display().to_string();
        write(&file, &format!("[[device]]\nprofile = {profile:?}\nport = {port:?}\n{device}"));
        let service = Process::spawn(
            bus.command(testbed::executable("busbar")).arg("inverter-modbus").arg("--config").arg(file),
        );
        let bed = Bed { bus, folder, simulator, service, _settings: settings };
        eventually(SOON * 2, || {
            bed.get(UNIT, "/Connected") == json!(1) && bed.get(SYSTEM, "/Connected") == json!(1)
        });
        bed
    }

    fn get(&self, service: &str, path: &str) -> Value {
        self.bus.get_value(service, path).unwrap_or_default()
    }

    fn number(&self, service: &str, path: &str) -> f64 {
        self.get(service, path).as_f64().unwrap_or(f64::NAN)
    }
}

const DEYE: &str = "deye-one-phase";

#[test]
fn a_hybrid_is_a_pair_that_shows_what_flows_and_invites_nobody() {
    let bed = Bed::start(DEYE, "sun_w = 3000\nload_w = 800\nsoc = 50", "");
    eventually(SOON, || (bed.number(UNIT, "/Yield/Power") - 3000.0).abs() < 60.0);
    let flows = || {
        let [pv, input, output, battery] = ["/Yield/Power", "/Ac/In/1/L1/P", "/Ac/Out/L1/P", "/Dc/0/Power"]
            .map(|path| bed.number(UNIT, path));
        (pv, input, output, battery)
    };
    eventually(SOON, || {
        let (pv, input, output, battery) = flows();
        (output - 800.0).abs() < 20.0 && (pv + input - output - battery).abs() < 0.1 * pv
    });
    for service in [UNIT, SYSTEM] {
        for (path, value) in [
            ("/Ac/NumberOfPhases", json!(1)),
            ("/Ac/NumberOfAcInputs", json!(2)),
            ("/Ac/ActiveIn/ActiveInput", json!(0)),
            ("/Ac/In/1/Type", json!(1)),
        ] {
            eventually(SOON, || bed.get(service, path) == value);
        }
        assert!((bed.number(service, "/Ac/In/1/L1/V") - 230.0).abs() < 10.0);
        assert!((bed.number(service, "/Dc/0/Voltage") - 52.0).abs() < 6.0);
        for absent in
            ["/Link/ChargeCurrent", "/N2kSystemInstance", "/Hub4/AssistantId", "/Soc", "/Control/Mode"]
        {
            assert!(bed.bus.get_value(service, absent).is_err(), "{absent}");
        }
        assert_ne!(bed.get(service, "/DeviceInstance"), json!(0), "number 0 is a Multi RS to DVCC");
    }
    assert_eq!(bed.get(UNIT, "/IsInverterCharger"), json!(0));
    assert_eq!(bed.get(SYSTEM, "/Devices/0/Service"), json!(UNIT));
    assert!(bed.bus.get_value(SYSTEM, "/Yield/Power").is_err(), "it would be counted twice");
    assert_eq!(bed.get(UNIT, "/Polled/Profile"), json!(DEYE));
    assert!(bed.get(UNIT, "/Serial").as_str().is_some_and(|serial| serial.len() == 10));
}

#[test]
fn a_set_point_is_refused_outside_of_its_limits_and_shown_when_the_device_has_it() {
    let mut bed = Bed::start(DEYE, "", "control = \"on\"");
    let path = "/Control/ChargeCurrentLimit";
    assert_ne!(bed.bus.set_value(UNIT, path, &["d", "9999"]), Ok(0));
    eventually(SOON, || bed.bus.set_value(UNIT, path, &["d", "37"]) == Ok(0));
    eventually(SOON, || bed.number(UNIT, path) == 37.0);
    // One, and one more for each answer that came too late on a busy machine.
    let mut writes = 0;
    eventually(SOON, || {
        bed.simulator.write_line("inverter 0 journal");
        let journal = bed.simulator.wait_for_line("modbus0 journal", SOON);
        writes += journal.split(' ').filter(|entry| entry.starts_with("16:210=")).count();
        println!("{writes} writes, {}", bed.get(UNIT, "/Control/FlashWrites"));
        writes > 0 && bed.get(UNIT, "/Control/FlashWrites") == json!(writes)
    });
    assert!(writes <= 3, "{writes} writes of one value");
}

#[test]
fn without_control_nothing_can_be_set() {
    let bed = Bed::start(DEYE, "", "");
    assert!(bed.bus.set_value(UNIT, "/Control/ChargeCurrentLimit", &["d", "37"]) != Ok(0));
}

#[test]
fn a_pulled_adapter_is_noticed_and_found_again() {
    let mut bed = Bed::start(DEYE, "", "");
    bed.simulator.terminate();
    eventually(SOON * 2, || {
        bed.get(UNIT, "/Connected") == json!(0) && bed.get(UNIT, "/Dc/0/Voltage").as_f64().is_none()
    });
    bed.simulator = simulator(bed.folder.path(), &format!("profile = {DEYE:?}"));
    eventually(SOON * 4, || {
        bed.get(UNIT, "/Connected") == json!(1) && bed.number(UNIT, "/Dc/0/Voltage") > 40.0
    });
    bed.service.terminate();
}

#[test]
fn a_follower_takes_the_limits_of_its_battery_and_goes_to_zero_when_they_are_lost() {
    let follow =
        "control = \"on\"\nfollow = \"com.victronenergy.battery.bmscan_battery0\"\nmax_charge_current_a = 42";
    let bed = Bed::start(DEYE, "soc = 50", follow);
    let mut battery = testbed::bed::simulator(bed.folder.path(), "");
    let mut driver = testbed::bed::service(&bed.bus, bed.folder.path(), "");
    let charge = "/Control/ChargeCurrentLimit";
    assert_eq!(bed.get(UNIT, "/Follow/Service"), json!("com.victronenergy.battery.bmscan_battery0"));
    eventually(SOON * 4, || bed.number(UNIT, charge) == 42.0);
    assert_ne!(bed.bus.set_value(UNIT, charge, &["d", "100"]), Ok(0), "the battery decides");
    battery.terminate();
    driver.terminate();
    eventually(SOON * 4, || {
        bed.number(UNIT, charge) == 0.0 && bed.number(UNIT, "/Control/DischargeCurrentLimit") == 0.0
    });
}

#[test]
fn a_device_is_read_once_in_one_table_and_a_profile_is_checked() {
    let folder = folder();
    let mut running = simulator(folder.path(), &format!("profile = {DEYE:?}\nsoc = 50"));
    running.wait_for_line("modbus0 ready", SOON);
    let said = |arguments: &[&str]| {
        let output = busbar().args(arguments).output().expect("an end");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let port = folder.path().join("rs485").display().to_string();
    let (code, table) = said(&["profile", "read", DEYE, "--port", &port]);
    assert_eq!(code, Some(0), "{table}");
    for part in ["serial", "SIM0000001", "soc                          50 %", "set charge_current_limit"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let (code, said_of_another) =
        said(&["profile", "read", "growatt-spf", "--port", &port, "--within", "20"]);
    assert_eq!(code, Some(1), "{said_of_another}");
    let file = folder.path().join("wrong.toml");
    write(&file, "schema = 1\nid = \"wrong\"\nmaker = \"x\"\n");
    let (code, mistakes) = said(&["profile", "check", &file.display().to_string()]);
    assert!(code == Some(1) && mistakes.contains("wrong.toml:3:1"), "{mistakes}");
}
