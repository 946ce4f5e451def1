//! A cluster of two Sunny Islands, played by python-can, as the pair of services that Venus understands.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use serde_json::{Value, json};
use testbed::bed::{SOON, settings};
use testbed::{PrivateBus, Process, Signal, client_script, eventually, executable};

const UNIT: &str = "com.victronenergy.multi.bmscan_ours";
const SYSTEM: &str = "com.victronenergy.acsystem.bmscan_ours";
const VEBUS: &str = "com.victronenergy.vebus.bmscan_ours";
const MULTI: &str = "com.victronenergy.vebus.ttyS4";

struct Bed {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    settings: Process,
    _wire: Process,
    service: Process,
    inverter: Process,
}

#[track_caller]
fn service(bus: &PrivateBus, folder: &Path, more: &str) -> Process {
    let file = folder.join("bms-can.ours.toml");
    let port = folder.join("ours").display().to_string();
    let text = format!("[can]\nport = {port:?}\n[inverter]\nprofile = \"sma_sunny_island\"\n{more}");
    std::fs::write(&file, text).expect("a configuration");
    Process::spawn(bus.command(executable("busbar")).arg("bms-can").arg("--config").arg(file))
}

impl Bed {
    #[track_caller]
    fn start(more: &str) -> Bed {
        Bed::start_on(PrivateBus::start(), more)
    }

    #[track_caller]
    fn start_on(bus: PrivateBus, more: &str) -> Bed {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(&bus, folder.path());
        let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
        let mut wire = Process::spawn(client_script("wire.py").args([&ours, &theirs]));
        wire.wait_for_line("ready", SOON);
        let service = service(&bus, folder.path(), more);
        let mut inverter = Process::spawn(client_script("inverter.py").arg(&theirs).arg("sma"));
        inverter.wait_for_line("listening", SOON);
        let bed = Bed { bus, folder, settings, _wire: wire, service, inverter };
        bed.shows(UNIT, "/Connected", &json!(1));
        bed
    }

    fn get(&self, service: &str, path: &str) -> Value {
        self.bus.get_value(service, path).unwrap_or_default()
    }

    fn number(&self, path: &str) -> f64 {
        self.get(UNIT, path).as_f64().unwrap_or(f64::NAN)
    }

    #[track_caller]
    fn shows(&self, service: &str, path: &str, value: &Value) {
        eventually(SOON, || self.get(service, path) == *value);
    }
}

#[test]
fn what_the_cluster_measures_is_on_both_halves_and_nothing_of_it_invites_dvcc() {
    let bed = Bed::start("");
    for service in [UNIT, SYSTEM] {
        for (path, value) in [
            ("/Ac/In/1/L1/P", json!(1200.0)),
            ("/Ac/In/1/L2/V", json!(120.1)),
            ("/Ac/Out/L1/P", json!(700.0)),
            ("/Ac/Out/L2/F", json!(60.01)),
            ("/Ac/NumberOfPhases", json!(2)),
            ("/Ac/ActiveIn/ActiveInput", json!(0)),
            ("/Ac/In/1/Type", json!(1)),
            ("/Dc/0/Current", json!(17.0)),
            ("/State", json!(3)),
            ("/Mode", json!(3)),
            ("/Alarms/GridLost", json!(0)),
            ("/Connected", json!(1)),
        ] {
            bed.shows(service, path, &value);
        }
    }
    bed.shows(SYSTEM, "/Ac/In/1/P", &json!(2000.0));
    bed.shows(SYSTEM, "/Ac/Out/P", &json!(1100.0));
    bed.shows(SYSTEM, "/Devices/0/Service", &json!(UNIT));
    bed.shows(UNIT, "/Error/0/Id", &json!(""));
    for absent in
        ["/IsInverterCharger", "/Link/ChargeCurrent", "/N2kSystemInstance", "/Hub4/AssistantId", "/Soc"]
    {
        assert!(bed.bus.get_value(UNIT, absent).is_err(), "{absent}");
        assert!(bed.bus.get_value(SYSTEM, absent).is_err(), "{absent}");
    }
    assert_ne!(bed.get(SYSTEM, "/DeviceInstance"), json!(0), "number 0 is a Multi RS to DVCC");
    let names = bed.bus.busctl(&["list"]).expect("names").to_string();
    assert!(!names.contains("com.victronenergy.vebus"), "no foreign inverter is a vebus");
}

#[test]
fn counters_go_on_after_a_kill_and_after_a_clean_end() {
    let mut bed = Bed::start("");
    eventually(SOON, || {
        bed.number("/Energy/AcIn1ToAcOut") > 0.0 && bed.number("/History/ChargedEnergy") > 0.0
    });
    for signal in [Signal::KILL, Signal::TERM] {
        let before = bed.number("/Energy/AcIn1ToAcOut");
        bed.service.signal(signal);
        eventually(SOON, || bed.bus.get_value(UNIT, "/Connected").is_err());
        bed.service = service(&bed.bus, bed.folder.path(), "");
        bed.shows(UNIT, "/Connected", &json!(1));
        eventually(SOON, || bed.number("/Energy/AcIn1ToAcOut") > before);
        assert!(bed.number("/Energy/AcIn1ToAcOut") < before + 0.3, "at most one piece ahead");
    }
}

#[test]
fn counters_never_go_back_when_service_and_settings_are_killed_in_one_moment() {
    let mut bed = Bed::start("");
    let of = |bed: &Bed| {
        ["/Energy/AcIn1ToAcOut", "/Energy/AcIn1ToInverter", "/History/ChargedEnergy"]
            .map(|path| bed.number(path))
    };
    eventually(SOON, || of(&bed).iter().all(|kwh| *kwh > 0.0));
    for _ in 0..3 {
        bed.settings.signal(Signal::KILL);
        let before = of(&bed);
        bed.service.signal(Signal::KILL);
        eventually(SOON, || bed.bus.get_value(UNIT, "/Connected").is_err());
        bed.settings = settings(&bed.bus, bed.folder.path());
        bed.service = service(&bed.bus, bed.folder.path(), "");
        bed.shows(UNIT, "/Connected", &json!(1));
        eventually(SOON, || of(&bed).iter().zip(before).all(|(after, before)| *after >= before));
        assert!(of(&bed).iter().zip(before).all(|(after, before)| *after < before + 0.3), "{before:?}");
    }
}

#[test]
fn it_is_switched_where_the_user_allows_it_and_the_mode_is_what_it_does() {
    let mut bed = Bed::start("remote_switch = true");
    bed.shows(SYSTEM, "/ModeIsAdjustable", &json!(1));
    bed.shows(SYSTEM, "/Mode", &json!(3));
    assert_eq!(bed.bus.set_value(SYSTEM, "/Mode", &["i", "4"]), Ok(0));
    bed.inverter.wait_for_line("switch 2", SOON);
    bed.shows(SYSTEM, "/Mode", &json!(4));
    bed.shows(UNIT, "/State", &json!(0));
    assert_eq!(bed.bus.set_value(SYSTEM, "/Mode", &["i", "3"]), Ok(0));
    bed.inverter.wait_for_line("switch 1", SOON);
    bed.shows(SYSTEM, "/Mode", &json!(3));
}

#[test]
fn it_is_not_switched_where_the_user_has_not_allowed_it() {
    let bed = Bed::start("");
    bed.shows(SYSTEM, "/Mode", &json!(3));
    assert_ne!(bed.bus.set_value(SYSTEM, "/Mode", &["i", "4"]), Ok(0));
    assert!(!bed.inverter.lines().iter().any(|line| line.starts_with("switch")));
}

#[test]
fn a_cluster_that_falls_silent_leaves_no_measurement_behind() {
    let mut bed = Bed::start("");
    bed.shows(UNIT, "/Ac/In/1/L1/P", &json!(1200.0));
    bed.inverter.signal(Signal::KILL);
    eventually(std::time::Duration::from_secs(60), || bed.get(UNIT, "/Connected") == json!(0));
    for path in ["/Ac/In/1/L1/P", "/Ac/Out/L1/V", "/Dc/0/Current", "/State", "/Ac/ActiveIn/ActiveInput"] {
        bed.shows(UNIT, path, &Value::Null);
    }
}

/// A real Multi.
#[track_caller]
fn real_vebus(bus: &PrivateBus, more: &[&str]) -> Process {
    let mut real = Process::spawn(client_script("vebus.py").envs(bus.environment()).arg(MULTI).args(more));
    real.wait_for_line("there", SOON);
    real
}

#[test]
fn as_a_vebus_it_is_no_ess_obeys_no_dvcc_and_nothing_counts_twice() {
    let bed = Bed::start("vebus = true");
    for (path, value) in [
        ("/Ac/ActiveIn/L1/P", json!(1200.0)),
        ("/Ac/ActiveIn/L2/V", json!(120.1)),
        ("/Ac/ActiveIn/P", json!(2000.0)),
        ("/Ac/ActiveIn/Connected", json!(1)),
        ("/Ac/ActiveIn/ActiveInput", json!(0)),
        ("/Ac/Out/L1/P", json!(700.0)),
        ("/Ac/Out/P", json!(1100.0)),
        ("/Ac/NumberOfPhases", json!(2)),
        ("/Dc/0/Current", json!(17.0)),
        ("/State", json!(3)),
        ("/Mode", json!(3)),
        ("/ModeIsAdjustable", json!(0)),
        ("/Alarms/GridLost", json!(0)),
        ("/Connected", json!(1)),
    ] {
        bed.shows(VEBUS, path, &value);
    }
    eventually(SOON, || bed.get(VEBUS, "/Energy/AcIn1ToAcOut").as_f64() > Some(0.0));
    for absent in [
        "/Hub4/AssistantId",
        "/Hub4/L1/AcPowerSetpoint",
        "/Soc",
        "/ExtraBatteryCurrent",
        "/Dc/0/MaxChargeCurrent",
        "/BatteryOperationalLimits/MaxChargeVoltage",
    ] {
        assert!(bed.bus.get_value(VEBUS, absent).is_err(), "{absent}");
    }
    // The unit is the follower; of what is measured it shows the current alone, which the manager counts.
    for path in ["/Ac/In/1/L1/P", "/Ac/Out/L1/P", "/Dc/0/Power", "/Dc/0/Voltage", "/Energy/AcIn1ToAcOut"] {
        bed.shows(UNIT, path, &Value::Null);
    }
    bed.shows(UNIT, "/Dc/0/Current", &json!(17.0));
    assert!(bed.bus.get_value(SYSTEM, "/Connected").is_err(), "one tile and not two");
}

#[test]
fn it_is_no_vebus_while_there_is_another_one_even_if_that_answers_nothing() {
    for more in [&[][..], &["--mute"]] {
        let bus = PrivateBus::start();
        let _real = real_vebus(&bus, more);
        let bed = Bed::start_on(bus, "vebus = true");
        bed.shows(SYSTEM, "/Ac/In/1/P", &json!(2000.0));
        bed.shows(UNIT, "/Ac/In/1/L1/P", &json!(1200.0));
        assert!(bed.bus.get_value(VEBUS, "/Connected").is_err());
        eventually(SOON, || {
            let why = bed.get(UNIT, "/Told/Why");
            println!("{why}");
            why.as_str().is_some_and(|why| why.contains(&format!("not as vebus: {MULTI} is there")))
        });
    }
}

#[test]
fn it_gives_its_name_up_when_a_real_vebus_appears_and_is_the_pair_from_then_on() {
    let mut bed = Bed::start("vebus = true");
    bed.shows(VEBUS, "/Ac/ActiveIn/P", &json!(2000.0));
    let _real = real_vebus(&bed.bus, &[]);
    eventually(SOON, || bed.bus.get_value(VEBUS, "/Connected").is_err());
    bed.service.wait_for_line("shown as multi and acsystem and not as vebus", SOON);
    bed.shows(SYSTEM, "/Ac/In/1/P", &json!(2000.0));
    bed.shows(UNIT, "/Ac/In/1/L1/P", &json!(1200.0));
    bed.shows(UNIT, "/Dc/0/Voltage", &json!(54.2));
}
