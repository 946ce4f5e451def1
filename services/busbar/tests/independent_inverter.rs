//! An inverter made of python-can and of the makers' documents, whose battery is our process, behind a manager made of
//! dbus-fast. Times are real: the inverter measures them. Of those the mean is what was meant; one may be longer on a busy
//! machine, as long as no inverter of the make would take it for a loss.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::bed::SOON;
use testbed::{Exit, PrivateBus, Process, Signal, client_script, eventually, executable};

/// Grace and ramp of a follower, with room for a busy machine.
const LOSS: Duration = Duration::from_secs(40);
const NAME: &str = "com.victronenergy.multi.bmscan_ours";

struct Bed {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    _wire: Process,
    service: Process,
    inverter: Process,
}

/// The process for the terminal `ours`, in the role of a battery. `more` is TOML for its `[inverter]` table.
#[track_caller]
fn service(bus: &PrivateBus, folder: &Path, port: &str, profile: &str, more: &str) -> Process {
    let file = folder.join(format!("bms-can.{port}.toml"));
    let port = folder.join(port).display().to_string();
    let text = format!("[can]\nport = {port:?}\n[inverter]\nprofile = {profile:?}\n{more}");
    std::fs::write(&file, text).expect("a configuration");
    Process::spawn(bus.command(executable("busbar")).arg("bms-can").arg("--config").arg(file))
}

#[track_caller]
fn manager(bus: &PrivateBus, follower: &str) -> Process {
    let mut command = client_script("manager.py");
    command.envs(bus.environment()).arg(follower);
    let mut manager = Process::spawn_fed(&mut command);
    manager.wait_for_line("deciding", SOON);
    manager
}

impl Bed {
    #[track_caller]
    fn start(profile: &str, more: &str, inverter: &[&str]) -> Bed {
        let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
        let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
        let mut wire = Process::spawn(client_script("wire.py").args([&ours, &theirs]));
        wire.wait_for_line("ready", SOON);
        let service = service(&bus, folder.path(), "ours", profile, more);
        let mut inverter = Process::spawn(client_script("inverter.py").arg(&theirs).args(inverter));
        inverter.wait_for_line("listening", SOON);
        eventually(SOON, || bus.get_value(NAME, "/Told/State").is_ok());
        Bed { bus, folder, _wire: wire, service, inverter }
    }

    fn get(&self, path: &str) -> Value {
        self.bus.get_value(NAME, path).unwrap_or_default()
    }

    #[track_caller]
    fn shows(&self, path: &str, value: &Value) {
        eventually(SOON, || self.get(path) == *value);
    }

    #[track_caller]
    fn hears(&mut self, line: &str) {
        self.inverter.wait_for_line(line, LOSS);
    }

    /// All of these, in whichever order, since the first `behind` lines.
    #[track_caller]
    fn hears_all(&self, behind: usize, lines: &[&str]) {
        eventually(LOSS, || {
            let heard = self.inverter.lines();
            lines.iter().all(|line| heard.iter().skip(behind).any(|said| said == line))
        });
    }

    #[track_caller]
    fn heard_nothing_wrong(&self) {
        let wrong: Vec<String> =
            self.inverter.lines().into_iter().filter(|line| line.starts_with("wrong")).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

/// The summary at the end: ids, lengths, and times between two of the same.
#[track_caller]
fn summary(bed: &mut Bed) -> Value {
    let line = bed.inverter.wait_for_line("{", Duration::from_secs(60));
    serde_json::from_str(&line).expect("a summary")
}

/// Frames follow each other in the mean within `bounds_ms`, none comes later than the device bears, and the ids are these.
#[track_caller]
fn keeps_time(summary: &Value, ids: &[&str], bounds_ms: (f64, f64), patience_ms: f64) {
    let found: Vec<&str> = summary.as_object().expect("a table").keys().map(String::as_str).collect();
    assert_eq!(found, ids);
    for id in ids {
        let of = |key: &str| summary[id][key].as_f64().expect("a number");
        assert!((bounds_ms.0..=bounds_ms.1).contains(&of("mean")), "{id}: {}", summary[id]);
        assert!(of("longest") <= patience_ms, "{id}: {}", summary[id]);
    }
}

#[test]
fn a_pylontech_inverter_gets_the_share_of_the_manager_in_six_frames_a_second() {
    let mut bed = Bed::start("pylontech_lv", "modules = 3", &["pylontech", "--seconds", "15"]);
    let _manager = manager(&bed.bus, NAME);
    for line in [
        "alarm off",
        "told 54.4 80.0 90.0",
        "soc 61 97",
        "measured 52.75 -20.5 19.5",
        "permits 1 1",
        "name PYLON",
    ] {
        bed.hears(line);
    }
    bed.shows("/Told/State", &json!(4));
    bed.shows("/Told/MaxChargeCurrent", &json!(80.0));
    bed.shows("/Told/InverterIsThere", &json!(1));
    bed.shows("/Follow/Service", &json!("com.victronenergy.battery.busbar"));
    let status = bed.bus.command(executable("busbar")).arg("status").output().expect("it starts").stdout;
    let status = String::from_utf8(status).expect("text");
    for part in
        ["INVERTER", "80.0A", "90.0A", "54.40V", "telling for", "as com.victronenergy.battery.busbar says"]
    {
        assert!(status.contains(part), "{part} is not in\n{status}");
    }
    let explain = bed.bus.command(executable("busbar")).arg("explain").output().expect("it starts").stdout;
    let explain = String::from_utf8(explain).expect("text").replace('\n', " ");
    for part in ["inverter multi.bmscan_ours: told 54.40V", "charge at most 80.0A", "telling for"] {
        assert!(explain.contains(part), "{part} is not in\n{explain}");
    }
    let summary = summary(&mut bed);
    keeps_time(&summary, &["351", "355", "356", "359", "35C", "35E"], (500.0, 2500.0), 10_000.0);
    bed.heard_nothing_wrong();
}

#[test]
fn a_sunny_island_gets_its_six_frames_every_two_seconds_and_no_other() {
    let mut bed = Bed::start("sma_sunny_island", "", &["sma", "--seconds", "20"]);
    let _manager = manager(&bed.bus, NAME);
    bed.hears("told 54.4 80.0 90.0");
    bed.hears("alarm off");
    let summary = summary(&mut bed);
    keeps_time(&summary, &["351", "355", "356", "35A", "35E", "35F"], (200.0, 20_000.0), 30_000.0);
    let mean = summary["355"]["mean"].as_f64().expect("a time");
    assert!((1500.0..3500.0).contains(&mean), "{mean} ms");
    bed.heard_nothing_wrong();
}

#[test]
fn growatt_is_answered_when_it_asks_and_only_then() {
    let mut bed = Bed::start("growatt_lv", "", &["growatt", "--seconds", "12"]);
    let _manager = manager(&bed.bus, NAME);
    bed.hears("told 54.4 80.0 90.0");
    let summary = summary(&mut bed);
    keeps_time(&summary, &["311", "312", "313", "314"], (400.0, 2500.0), 10_000.0);
    bed.heard_nothing_wrong();

    let mut silent = Bed::start("growatt_lv", "", &["growatt", "--mute", "--seconds", "6"]);
    let _manager = manager(&silent.bus, NAME);
    silent.shows("/Told/State", &json!(4));
    assert_eq!(self::summary(&mut silent), json!({}), "nobody asked");
}

#[test]
fn a_manager_that_is_lost_ends_in_the_safe_set_and_then_in_silence_and_comes_back() {
    let mut bed = Bed::start("pylontech_lv", "silence_grace_s = 5", &["pylontech"]);
    let mut first = manager(&bed.bus, NAME);
    bed.hears("told 54.4 80.0 90.0");
    first.signal(Signal::KILL);
    bed.hears_all(0, &["alarm on", "told 52.7 0.0 0.0"]);
    bed.shows("/Told/State", &json!(5));
    bed.shows("/Alarms/BmsConnectionLost", &json!(2));
    bed.hears_all(0, &["silent"]);
    bed.shows("/Told/State", &json!(6));
    let why = bed.get("/Told/Why");
    assert!(why.as_str().is_some_and(|why| why.contains("is not on the bus")), "{why}");
    let behind = bed.inverter.lines().len();
    let _second = manager(&bed.bus, NAME);
    bed.hears_all(behind, &["alarm off", "told 52.7 0.0 90.0"]);
    bed.shows("/Alarms/BmsConnectionLost", &json!(0));
    bed.heard_nothing_wrong();
}

#[test]
fn a_sunny_island_is_never_left_in_silence() {
    let mut bed = Bed::start("sma_sunny_island", "silence_grace_s = 1", &["sma"]);
    let mut manager = manager(&bed.bus, NAME);
    bed.hears("told 54.4 80.0 90.0");
    manager.write_line("hang");
    bed.hears_all(0, &["alarm on", "told 52.8 0.0 0.0"]);
    // The profile holds the safe set whatever the grace; three of its cycles without a gap show it.
    eventually(LOSS, || bed.get("/Told/For").as_i64().is_some_and(|seconds| seconds >= 10));
    assert_eq!(bed.get("/Told/State"), json!(5));
    assert!(!bed.inverter.lines().iter().any(|line| line == "silent"));
    let behind = bed.inverter.lines().len();
    manager.write_line("go");
    bed.hears_all(behind, &["alarm off"]);
    bed.heard_nothing_wrong();
}

#[test]
fn a_manager_that_restarts_within_ten_seconds_is_not_noticed() {
    let mut bed = Bed::start("pylontech_lv", "", &["pylontech"]);
    let mut first = manager(&bed.bus, NAME);
    bed.hears("told 54.4 80.0 90.0");
    first.signal(Signal::KILL);
    let mut second = manager(&bed.bus, NAME);
    second.write_line("share 54.4 70 90");
    bed.hears("told 54.4 70.0 90.0");
    let lines = bed.inverter.lines();
    assert!(
        !lines.iter().any(|line| line == "alarm on" || line == "silent" || line.ends_with(" 0.0")),
        "{lines:?}"
    );
}

#[test]
fn a_restart_of_the_process_itself_is_shorter_than_an_inverter_s_patience() {
    let mut bed = Bed::start("sma_sunny_island", "", &["sma"]);
    let _manager = manager(&bed.bus, NAME);
    bed.hears("told 54.4 80.0 90.0");
    bed.service.signal(Signal::KILL);
    bed.service = service(&bed.bus, bed.folder.path(), "ours", "sma_sunny_island", "");
    bed.shows("/Told/State", &json!(4));
    let lines = bed.inverter.lines();
    assert!(!lines.iter().any(|line| line == "alarm on" || line.ends_with(" 0.0")), "{lines:?}");
}

#[test]
fn a_second_battery_on_the_bus_says_so_and_stays_silent() {
    let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let mut wire = Process::spawn(client_script("wire.py").args([&ours, &theirs]));
    wire.wait_for_line("ready", SOON);
    let _manager = manager(&bus, NAME);
    let follows_alone = "follow = \"com.victronenergy.battery.busbar\"";
    let _first = service(&bus, folder.path(), "ours", "pylontech_lv", follows_alone);
    let of = |name: &str, path: &str| {
        bus.get_value(&format!("com.victronenergy.multi.bmscan_{name}"), path).unwrap_or_default()
    };
    eventually(SOON, || of("ours", "/Told/State") == json!(4));
    let _second = service(&bus, folder.path(), "theirs", "pylontech_lv", follows_alone);
    eventually(SOON, || of("theirs", "/Told/State") == json!(2));
    assert_eq!(of("ours", "/Told/State"), json!(4), "the first one goes on");
    assert_eq!(of("theirs", "/Alarms/BmsConnectionLost"), json!(1));
    let why = of("theirs", "/Told/Why");
    assert!(why.as_str().is_some_and(|why| why.starts_with("another battery sends")), "{why}");
}

#[test]
fn an_adapter_that_is_pulled_out_is_shown_and_the_telling_goes_on_when_it_is_back() {
    let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let wire = || {
        let mut wire = Process::spawn(client_script("wire.py").args([&ours, &theirs]));
        wire.wait_for_line("ready", SOON);
        wire
    };
    let mut first = wire();
    let _manager = manager(&bus, NAME);
    let _service = service(&bus, folder.path(), "ours", "pylontech_lv", "");
    let shows = |path: &str, value: Value| {
        eventually(SOON, || bus.get_value(NAME, path).is_ok_and(|shown| shown == value));
    };
    shows("/Told/State", json!(4));
    first.terminate();
    shows("/Told/State", json!(0));
    shows("/Alarms/BmsConnectionLost", json!(1));
    shows("/Told/MaxChargeCurrent", Value::Null);
    let _second = wire();
    shows("/Told/State", json!(4));
    shows("/Told/MaxChargeCurrent", json!(80.0));
}

#[test]
fn a_bus_that_is_gone_ends_the_process_so_that_its_supervisor_starts_it_again() {
    let mut bed = Bed::start("pylontech_lv", "", &["pylontech"]);
    bed.bus.restart();
    assert_eq!(bed.service.wait(SOON), Exit::Code(1));
    bed.service = service(&bed.bus, bed.folder.path(), "ours", "pylontech_lv", "");
    let _manager = manager(&bed.bus, NAME);
    bed.hears("told 54.4 80.0 90.0");
}
