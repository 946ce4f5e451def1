//! The process that looks for devices by itself.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::bed::{SOON, folder, settings};
use testbed::{PrivateBus, Process, eventually};

use super::{journal, on_line, read_from, simulator};

/// A search of one rate and two units, at any load of the machine.
const LONG: Duration = Duration::from_secs(90);

struct Bed {
    bus: PrivateBus,
    simulator: Process,
    service: Process,
    folder: tempfile::TempDir,
    _settings: Process,
}

fn process(bus: &PrivateBus, folder: &Path) -> Process {
    let file = folder.join("inverter-modbus.toml");
    let (port, state) =
        (folder.join("rs485").display().to_string(), folder.join("state").display().to_string());
    let text = format!("folder = {state:?}\n[[discover]]\nport = {port:?}\nbauds = [9600]\nunits = [1, 2]\n");
    std::fs::write(&file, text).expect("a file");
    let mut command = bus.command(testbed::executable("busbar"));
    Process::spawn(command.arg("inverter-modbus").arg("--config").arg(file))
}

impl Bed {
    #[track_caller]
    fn start(inverters: &[(&str, u8)]) -> Bed {
        Bed::start_with(inverters, "")
    }

    /// The last of them with these lines of configuration.
    #[track_caller]
    fn start_with(inverters: &[(&str, u8)], more: &str) -> Bed {
        let (bus, folder) = (PrivateBus::start(), folder());
        let settings = settings(&bus, folder.path());
        let mut inverters: Vec<String> =
            inverters.iter().map(|(profile, unit)| on_line(folder.path(), profile, *unit)).collect();
        if let Some(last) = inverters.last_mut() {
            *last = format!("{last}\n{more}");
        }
        let simulator = simulator(folder.path(), &inverters);
        let service = process(&bus, folder.path());
        Bed { bus, simulator, service, folder, _settings: settings }
    }

    fn is_there(&self, unit: u8) -> bool {
        let name = format!("com.victronenergy.multi.modbus_rs485_{unit}");
        self.bus.get_value(&name, "/Connected").is_ok_and(|value| value == json!(1))
    }

    fn probe(&self, arguments: &[&str]) -> Value {
        let name = "org.busbar.inverter_modbus.rs485";
        let call =
            [&["--timeout=120", "call", name, "/", "org.busbar.Bus1", "Probe", "a{sv}"][..], arguments];
        self.bus.busctl(&call.concat()).map(|answer| answer[0].clone()).unwrap_or_default()
    }
}

#[test]
fn what_is_found_runs_at_once_and_is_remembered() {
    let mut bed = Bed::start(&[("deye-one-phase", 1), ("sofar-hyd", 2)]);
    eventually(LONG, || bed.is_there(1) && bed.is_there(2));
    let stored = bed.folder.path().join("state/rs485.json");
    eventually(SOON, || std::fs::read_to_string(&stored).is_ok_and(|text| text.contains("sofar-hyd")));
    bed.service.terminate();
    for number in 0..2 {
        journal(&mut bed.simulator, number);
    }
    bed.service = process(&bed.bus, bed.folder.path());
    eventually(LONG, || bed.is_there(1) && bed.is_there(2));
    let asked = journal(&mut bed.simulator, 1);
    assert!(
        !asked.contains("3:209:5"),
        "a device that is remembered is asked for itself and no other: {asked}"
    );
    assert!(
        !bed.service.lines().iter().any(|line| line.contains("looking for devices line")),
        "no new search"
    );
}

#[test]
fn one_that_comes_later_is_found_by_a_probe_in_turn_with_polling_and_progress_is_told() {
    let bed = Bed::start(&[("deye-one-phase", 1)]);
    eventually(LONG, || bed.is_there(1));
    let known = bed.probe(&["1", "known", "b", "true"]);
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known}");
    let match_rule = "type='signal',interface='org.busbar.Bus1',member='Progress'";
    let mut heard =
        Process::spawn(bed.bus.command("dbus-monitor").args(["--address", bed.bus.address(), match_rule]));
    heard.wait_for_line("NameAcquired", SOON);
    let found = bed.probe(&["2", "unit", "i", "2", "port", "s", "rs485"]);
    // Nobody is at unit 2: what runs is told.
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    heard.wait_for_line("member=Progress", SOON);
    heard.wait_for_line("\"left_s\"", SOON);
    heard.wait_for_line("boolean true", SOON);
    assert!(bed.is_there(1), "it was polled all the time");
    let wrong = bed.bus.busctl(&[
        "call",
        "org.busbar.inverter_modbus.rs485",
        "/",
        "org.busbar.Bus1",
        "Probe",
        "a{sv}",
        "1",
        "unit",
        "i",
        "300",
    ]);
    assert!(format!("{wrong:?}").contains("1 to 247"), "{wrong:?}");
}

/// Who says nothing is called once more with two seconds to answer. What runs on the line is due every second, and goes first:
/// then it is called again, until it has had its two seconds.
#[test]
fn a_last_call_gives_way_to_what_is_polled() {
    let mut bed = Bed::start_with(&[("deye-one-phase", 1), ("sofar-hyd", 2)], "faults = [\"silence\"]");
    eventually(LONG, || bed.is_there(1));
    // On a busy machine it may happen that nothing is due in the two seconds.
    eventually(LONG, || {
        journal(&mut bed.simulator, 1);
        bed.probe(&["2", "unit", "i", "2", "port", "s", "rs485"]);
        let asked = journal(&mut bed.simulator, 1);
        // Input register 44 tells an SPF. It is asked for twice, as nobody answers, and then called.
        let calls = asked.split_whitespace().filter(|word| word.starts_with("4:44:")).count();
        println!("{calls} in {asked}");
        calls > 3
    });
    assert!(bed.is_there(1));
}

#[test]
fn an_spf_is_run_and_never_reset() {
    let mut bed = Bed::start(&[("growatt-spf", 1)]);
    eventually(LONG, || bed.is_there(1));
    let found = bed.probe(&["0"]);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    let asked = journal(&mut bed.simulator, 0);
    assert!(read_from(&asked).iter().all(|first| *first < 29_900), "{asked}");
    bed.simulator.write_line("inverter 0 status");
    let status = bed.simulator.wait_for_line("resets=", SOON);
    assert!(status.contains("resets=0") && status.contains("state=running"), "{status}");
}
