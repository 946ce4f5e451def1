//! The loop closed over real processes: a simulated battery, its service, the inverter role following it, and a simulated
//! inverter on the battery's own busbar that obeys what it is told.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::bed::{Bed, SOON, service, settings, simulator};
use testbed::{PrivateBus, Process, Signal, eventually, executable};

const UNIT: &str = "com.victronenergy.multi.bmscan_inverter0";
/// Ten seconds of hold, two of ramp, the inverter's own time, and room for a busy machine.
const LOSS: Duration = Duration::from_secs(45);

struct Loop {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    simulator: Process,
    _settings: Process,
    _battery: Process,
    inverter: Process,
}

#[track_caller]
fn inverter(bus: &PrivateBus, folder: &Path, profile: &str) -> Process {
    let file = folder.join("bms-can.inverter0.toml");
    let port = folder.join("inverter0").display().to_string();
    let text = format!(
        "[can]\nport = {port:?}\n[inverter]\nprofile = {profile:?}\nfollow = {:?}\nsilence_grace_s = 3\n",
        Bed::NAME
    );
    std::fs::write(&file, text).expect("a configuration");
    Process::spawn(bus.command(executable("busbar")).arg("bms-can").arg("--config").arg(file))
}

impl Loop {
    /// `wanted_a` is what sun and tariff would like to flow.
    #[track_caller]
    fn start(kind: &str, profile: &str, wanted_a: f64, hybrid: &str) -> Loop {
        let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
        let settings = settings(&bus, folder.path());
        let link = folder.path().join("inverter0").display().to_string();
        let scenario = format!(
            "modules = 2\n[battery.bms]\nmax_charge_current_a = 40.0\nmax_discharge_current_a = 50.0\n\
             noise = false\n[battery.current]\nconstant_a = {wanted_a:?}\n\
             [battery.hybrid]\nlink = {link:?}\nkind = {kind:?}\n{hybrid}\n"
        );
        let simulator = simulator(folder.path(), &scenario);
        eventually(SOON, || Path::new(&link).exists());
        let battery = service(&bus, folder.path(), "");
        eventually(SOON, || bus.get_value(Bed::NAME, "/Connected").is_ok_and(|v| v == json!(1)));
        let inverter = inverter(&bus, folder.path(), profile);
        Loop { bus, folder, simulator, _settings: settings, _battery: battery, inverter }
    }

    fn get(&self, service: &str, path: &str) -> Value {
        self.bus.get_value(service, path).unwrap_or_default()
    }

    /// The current that the battery's service shows.
    fn shown_a(&self) -> f64 {
        self.get(Bed::NAME, "/Dc/0/Current").as_f64().unwrap_or(f64::NAN)
    }

    /// The current that flows, as the simulator knows it.
    #[track_caller]
    fn real_a(&mut self) -> f64 {
        self.simulator.write_line("status");
        let line = self.simulator.wait_for_line(" A", SOON);
        let word = line
            .split_whitespace()
            .zip(line.split_whitespace().skip(1))
            .find(|(_, unit)| unit.starts_with('A'));
        word.and_then(|(amps, _)| amps.parse().ok()).unwrap_or_else(|| panic!("no current in {line}"))
    }
}

#[test]
fn the_pack_current_follows_the_battery_s_limit_and_its_silence_ends_it() {
    let mut bed = Loop::start("pylontech", "pylontech_lv", 500.0, "");
    eventually(LOSS, || (bed.shown_a() - 80.0).abs() < 1.0);
    assert_eq!(bed.get(UNIT, "/Told/MaxChargeCurrent"), json!(80.0));
    assert_eq!(bed.get(UNIT, "/Connected"), json!(1));
    bed.simulator.write_line("fault silence");
    eventually(LOSS, || bed.get(UNIT, "/Told/State") == json!(6));
    let mut amps = f64::NAN;
    eventually(SOON, || {
        amps = bed.real_a();
        amps.abs() < 0.5
    });
    let why = bed.get(UNIT, "/Told/Why");
    assert!(why.as_str().is_some_and(|why| why.contains("is not connected")), "{why}");
    bed.simulator.write_line("fault clear");
    eventually(Duration::from_secs(60), || bed.get(UNIT, "/Told/State") == json!(4));
    eventually(LOSS, || bed.shown_a() > 1.0);
}

#[test]
fn an_island_does_not_notice_that_its_battery_s_process_is_killed_and_started_again() {
    let mut bed = Loop::start("sunny_island", "sma_sunny_island", 0.0, "grid = false\nload_w = 2000.0");
    eventually(LOSS, || bed.get(UNIT, "/Told/State") == json!(4));
    eventually(SOON, || bed.get(UNIT, "/State") == json!(9));
    let before = bed.real_a();
    assert!(before < -35.0, "{before} A");
    bed.inverter.signal(Signal::KILL);
    eventually(SOON, || bed.bus.get_value(UNIT, "/Connected").is_err());
    bed.inverter = inverter(&bed.bus, bed.folder.path(), "sma_sunny_island");
    let mut least = f64::INFINITY;
    eventually(LOSS, || {
        least = least.min(bed.real_a().abs());
        bed.get(UNIT, "/Told/State") == json!(4) && bed.get(UNIT, "/State") == json!(9)
    });
    assert!(least > 35.0, "the house had {least} A");
}

#[test]
fn a_sunny_island_without_a_decision_stands_by_and_starts_again_by_itself() {
    let mut bed = Loop::start("sunny_island", "sma_sunny_island", 0.0, "grid = false\nload_w = 2000.0");
    eventually(LOSS, || bed.get(UNIT, "/State") == json!(9));
    bed.simulator.write_line("fault silence");
    eventually(LOSS, || bed.get(UNIT, "/Error/0/Id").as_str().is_some_and(|text| text.starts_with("F931")));
    assert_eq!(bed.get(UNIT, "/Told/State"), json!(5));
    assert_eq!(bed.get(UNIT, "/State"), json!(2));
    bed.simulator.write_line("fault clear");
    eventually(Duration::from_secs(60), || bed.get(UNIT, "/State") == json!(9));
    eventually(SOON, || bed.real_a() < -35.0);
}
