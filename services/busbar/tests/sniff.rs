//! `sniff` on serial adapters: simulated ones, one that a service has, and one that only takes down what it is told.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::io::Read;
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use testbed::bed::{Bed, SOON, busbar, simulator};
use testbed::{Exit, Process, eventually};

const SCENARIO: &str = "modules = 4\n[battery.pack]\nsoc_percent = 54.0\ntemperature_c = 21.0";

struct Adapter {
    folder: tempfile::TempDir,
    simulator: Process,
}

impl Adapter {
    #[track_caller]
    fn start() -> Adapter {
        let folder = tempfile::tempdir().expect("a folder");
        let simulator = simulator(folder.path(), SCENARIO);
        Adapter { folder, simulator }
    }

    fn port(&self) -> PathBuf {
        self.folder.path().join("battery0")
    }

    #[track_caller]
    fn sniff(&self, arguments: &[&str]) -> Process {
        Process::spawn(busbar().arg("sniff").arg(self.port()).args(arguments))
    }
}

#[test]
fn frames_come_as_lines_and_the_dialect_is_recognised() {
    let adapter = Adapter::start();
    let mut sniff = adapter.sniff(&[]);
    sniff.wait_for_line("listening for a dialect", SOON);
    sniff.wait_for_line("pylontech_lv (", SOON);
    let line = sniff.wait_for_line("soc_pct 54", SOON);
    assert!(line.contains("  battery0  0x355 "), "{line}");
    assert_eq!(sniff.terminate(), Exit::Code(0));
}

#[test]
fn what_is_recorded_is_what_candump_records_and_nothing_is_lost_at_the_end() {
    let adapter = Adapter::start();
    let file = adapter.folder.path().join("x.log");
    let path = file.to_str().expect("a path");
    let mut sniff = adapter.sniff(&["--protocol", "pylontech_lv", "--record", path]);
    sniff.wait_for_line("voltage_v", SOON);
    assert_eq!(sniff.terminate(), Exit::Code(0));
    let shown = sniff.lines().iter().filter(|line| line.contains("  battery0  0x")).count();
    let recorded = std::fs::read_to_string(&file).expect("the recording");
    assert!(shown > 0 && recorded.lines().count() == shown, "{shown} frames shown\n{recorded}");
    assert!(
        recorded.lines().all(|line| line.starts_with("(1") && line.contains(") battery0 3")),
        "{recorded}"
    );

    let decoded = busbar().args(["decode", path, "--protocol", "pylontech_lv"]).output().expect("it starts");
    assert!(String::from_utf8_lossy(&decoded.stdout).contains("soc_pct 54"));

    let mut again = adapter.sniff(&["--record", path]);
    again.wait_for_line("exists already", SOON);
    assert_eq!(again.wait(SOON), Exit::Code(1));
    assert_eq!(std::fs::read_to_string(&file).expect("the recording"), recorded, "it is as it was");
}

#[test]
fn a_port_that_a_service_has_is_left_to_it() {
    let bed = Bed::start(SCENARIO, "");
    let mut sniff = Process::spawn(busbar().arg("sniff").arg(bed.folder.path().join("battery0")));
    let said = sniff.wait_for_line("is in use by", SOON);
    assert!(said.contains(&format!("process {}", bed.service.id())), "{said}");
    assert_eq!(sniff.wait(SOON), Exit::Code(1));
    assert_eq!(bed.get("/Connected"), serde_json::json!(1));
}

#[test]
fn an_adapter_that_is_unplugged_is_awaited() {
    let mut adapter = Adapter::start();
    let mut sniff = adapter.sniff(&["--protocol", "pylontech_lv"]);
    sniff.wait_for_line("soc_pct 54", SOON);
    adapter.simulator.write_line("unplug");
    sniff.wait_for_line("unplugged", SOON);
    adapter.simulator.write_line("plug");
    sniff.wait_for_line("soc_pct 54", SOON);
    assert_eq!(sniff.terminate(), Exit::Code(0));
}

/// What a serial adapter is told by `sniff` with these arguments.
fn told(arguments: &[&str]) -> String {
    let adapter = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&adapter).and_then(|()| unlockpt(&adapter)).expect("ours");
    let name = ptsname(&adapter, Vec::new()).expect("its name").into_string().expect("a path");
    rustix::fs::fcntl_setfl(&adapter, OFlags::NONBLOCK).expect("set");
    let mut adapter = std::fs::File::from(adapter);
    let mut sniff = Process::spawn(busbar().arg("sniff").arg(name).args(arguments));
    let mut bytes = Vec::new();
    eventually(SOON, || {
        let _ = adapter.read_to_end(&mut bytes);
        bytes.ends_with(b"L\r") || bytes.ends_with(b"O\r")
    });
    assert_eq!(sniff.terminate(), Exit::Code(0));
    let _ = adapter.read_to_end(&mut bytes);
    String::from_utf8(bytes).expect("text")
}

#[test]
fn an_adapter_is_opened_to_listen_only_unless_told_otherwise() {
    let quiet = told(&[]);
    assert!(quiet.contains("S6\r") && quiet.contains("L\r") && !quiet.contains("O\r"), "{quiet:?}");
    let acknowledging = told(&["--listen-only", "false", "--bit-rate", "250000"]);
    assert!(acknowledging.contains("S5\r") && acknowledging.contains("O\r"), "{acknowledging:?}");
    for told in [quiet, acknowledging] {
        assert!(!told.contains(['t', 'T', 'r', 'R']), "no frame is ever sent: {told:?}");
    }
    let of_the_dialect = told(&["--protocol", "growatt_lv"]);
    let rate = bms_can::protocols::by_name("growatt_lv").expect("a protocol").bit_rate;
    assert!(of_the_dialect.contains(if rate == 250_000 { "S5\r" } else { "S6\r" }), "{of_the_dialect:?}");
}

#[test]
fn mistakes_name_what_was_wrong_and_what_there_is() {
    let said = |arguments: &[&str]| {
        let output = busbar().arg("sniff").args(arguments).output().expect("it starts");
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["/dev/nothing"]).contains("there is no /dev/nothing"));
    assert!(said(&["nothing0"]).contains("there is no nothing0"));
    assert!(said(&["/dev/null"]).contains("/dev/null is no serial port"));
    assert!(said(&["/dev/null", "--bit-rate", "7"]).contains("no adapter has 7 bit/s"));
    assert!(said(&["/dev/null", "--protocol", "pylontek_lv"]).contains("pylontech_lv"));
    let adapter = Adapter::start();
    let port = adapter.port();
    let port = port.to_str().expect("a path");
    assert!(said(&[port, "--record", "/nonexistent/x.log"]).contains("/nonexistent/x.log"));
}
