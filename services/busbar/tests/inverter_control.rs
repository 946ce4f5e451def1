//! What is forced at an inverter, and its limits, do not outlive who stands behind them, and no other inverter has them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use dbus_interfaces::{BusAddress, Draft, Filter, Monitor, Value as Item};
use serde_json::json;
use testbed::bed::{SOON, busbar, folder, settings};
use testbed::{Exit, PrivateBus, Process, Signal, eventually, eventually_some, one_of};

const UNIT: &str = "com.victronenergy.multi.modbus_rs485_1";
/// `/Control/Mode`
const OWN: i64 = 0;
const SELF_CONSUMPTION: i64 = 1;
const CHARGE: i64 = 4;

struct Bed {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    service: Process,
    simulator: Process,
    _settings: Process,
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("a file");
    file
}

/// An inverter on the serial line, as unit 1.
fn simulator(folder: &Path, profile: &str) -> Process {
    let port = folder.join("rs485").display().to_string();
    let scenario = format!("[[inverter]]\nlink = {port:?}\nprofile = {profile:?}\nunit = 1\nsoc = 50\n");
    let scenario = file(folder, "scenario.toml", &scenario);
    Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario))
}

fn service(bus: &PrivateBus, config: &Path) -> Process {
    let mut command = bus.command(testbed::executable("busbar"));
    Process::spawn(command.arg("inverter-modbus").arg("--config").arg(config))
}

impl Bed {
    #[track_caller]
    fn start(profile: &str, device: &str) -> Bed {
        let (bus, folder) = (PrivateBus::start(), folder());
        let settings = settings(&bus, folder.path());
        let port = folder.path().join("rs485").display().to_string();
        let simulator = simulator(folder.path(), profile);
        let config = format!(
            "folder = {:?}\n[[device]]\nprofile = {profile:?}\nport = {port:?}\ncontrol = \"on\"\n{device}",
            folder.path().join("kept")
        );
        let config = file(folder.path(), "inverter-modbus.toml", &config);
        let service = service(&bus, &config);
        let bed = Bed { bus, folder, service, simulator, _settings: settings };
        eventually(SOON * 2, || bed.bus.get_value(UNIT, "/Connected") == Ok(json!(1)));
        bed
    }

    /// The service once more.
    fn again(&self) -> Process {
        service(&self.bus, &self.folder.path().join("inverter-modbus.toml"))
    }

    fn number(&self, path: &str) -> f64 {
        self.bus.get_value(UNIT, path).ok().and_then(|value| value.as_f64()).unwrap_or(f64::NAN)
    }

    fn is_mode(&self, mode: i64) -> bool {
        self.bus.get_value(UNIT, "/Control/Mode") == Ok(json!(mode))
    }

    fn set(&self, path: &str, value: &str) {
        assert_eq!(self.bus.set_value(UNIT, path, &["i", value]), Ok(0), "{path}");
    }

    /// The number of a point, from who asks the device directly.
    #[track_caller]
    fn reads(&self, profile: &str, name: &str) -> f64 {
        eventually_some(SOON, || in_table(&self.table(profile), name))
    }

    /// What the device says to who asks it directly; nothing when it could not be asked.
    fn table(&self, profile: &str) -> String {
        let port = self.folder.path().join("rs485").display().to_string();
        let output = busbar().args(["profile", "read", profile, "--port", &port]).output().expect("an end");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The number of a line of the table.
fn in_table(table: &str, name: &str) -> Option<f64> {
    let line = table.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

const SUNGROW: &str = "sungrow-sh";

#[test]
fn a_forced_charge_lasts_without_the_command_that_set_it_and_ends_with_the_process() {
    let mut bed = Bed::start(SUNGROW, "");
    // Less than a second is left to end it, which a busy machine may take away. The next process ends it then.
    one_of(3, || {
        eventually(SOON * 4, || bed.is_mode(SELF_CONSUMPTION));
        bed.set("/Control/Power", "2000");
        bed.set("/Control/Mode", &CHARGE.to_string());
        eventually(SOON * 4, || bed.is_mode(CHARGE) && bed.number("/Control/WorkMode") == 2.0);
        bed.service.terminate();
        match bed.reads(SUNGROW, "work_mode") {
            0.0 => Ok(()),
            left => {
                bed.service = bed.again();
                Err(format!("left in work mode {left}"))
            }
        }
    });
}

#[test]
fn a_forced_charge_is_ended_by_the_process_that_comes_after_one_that_was_killed() {
    let mut bed = Bed::start(SUNGROW, "");
    eventually(SOON * 4, || bed.is_mode(SELF_CONSUMPTION));
    bed.set("/Control/Power", "2000");
    bed.set("/Control/Mode", &CHARGE.to_string());
    eventually(SOON * 4, || bed.is_mode(CHARGE));
    bed.service.signal(Signal::KILL);
    assert_eq!(bed.service.wait(SOON), Exit::Signal(9));
    assert_eq!(bed.reads(SUNGROW, "work_mode"), 2.0, "the device goes on");
    let mut next = bed.again();
    next.wait_for_line("mode charge was in force when the process before died, and is ended", SOON * 8);
    eventually(SOON * 4, || bed.is_mode(SELF_CONSUMPTION));
    let kept = bed.folder.path().join("kept");
    let is_empty = || std::fs::read_dir(&kept).is_ok_and(|mut files| files.next().is_none());
    eventually(SOON * 4, is_empty);
}

#[test]
fn a_forced_charge_ends_when_its_time_is_over_or_the_device_is_left_to_itself() {
    let bed = Bed::start(SUNGROW, "control_timeout_s = 3600");
    assert_eq!(bed.number("/Control/Timeout"), 3600.0);
    bed.set("/Control/Mode", &CHARGE.to_string());
    eventually(SOON * 4, || bed.is_mode(CHARGE));
    bed.set("/Control/Timeout", "1");
    eventually(SOON * 4, || bed.is_mode(SELF_CONSUMPTION));
    bed.set("/Control/Timeout", "0");
    bed.set("/Control/Mode", &CHARGE.to_string());
    eventually(SOON * 4, || bed.is_mode(CHARGE));
    bed.set("/Control/Mode", &OWN.to_string());
    eventually(SOON * 4, || bed.is_mode(SELF_CONSUMPTION));
}

#[test]
fn a_forced_charge_ends_with_the_program_that_stands_behind_it() {
    let mut bed = Bed::start(SUNGROW, "");
    let address = BusAddress::choose(Some(bed.bus.address()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (commander, events) =
        runtime.block_on(Monitor::start(&address, Filter::new())).expect("a connection");
    let charge = Item::Int(CHARGE as i32);
    let written = runtime.block_on(commander.set_value(UNIT, "/Control/Mode", Some(&charge)));
    assert_eq!(written.expect("an answer"), 0);
    bed.service.wait_for_line("mode charge lasts as long as its program", SOON * 4);
    eventually(SOON * 4, || bed.is_mode(CHARGE));
    drop((commander, events));
    drop(runtime);
    eventually(SOON * 4, || bed.is_mode(SELF_CONSUMPTION));
}

#[test]
fn charging_stops_when_nobody_is_followed_any_more_and_the_house_is_fed_on() {
    let profile = "deye-one-phase";
    let follow = "follow = \"com.victronenergy.battery.bmscan_battery0\"\nmax_charge_current_a = 42\nmax_discharge_current_a = 43";
    let mut bed = Bed::start(profile, follow);
    let _battery = testbed::bed::simulator(bed.folder.path(), "");
    let _driver = testbed::bed::service(&bed.bus, bed.folder.path(), "");
    let of = |table: &str, name: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix("set ")?.trim().strip_prefix(name))?;
        line.trim().parse::<f64>().ok()
    };
    // Less than a second is left for it, which a busy machine may take away.
    one_of(3, || {
        eventually(SOON * 8, || bed.number("/Control/ChargeCurrentLimit") == 42.0);
        eventually(SOON * 8, || bed.number("/Control/DischargeCurrentLimit") == 43.0);
        bed.service.terminate();
        let limits = eventually_some(SOON, || {
            let table = bed.table(profile);
            of(&table, "charge_current_limit").zip(of(&table, "discharge_current_limit"))
        });
        if limits == (0.0, 43.0) {
            return Ok(());
        }
        bed.service = bed.again();
        Err(format!("left with {limits:?}"))
    });
}

/// The registers that a forced charge of a Deye writes.
const FORCED: [u16; 16] = [230, 232, 248, 268, 269, 270, 271, 272, 273, 274, 275, 276, 277, 278, 279, 281];

/// A profile that shows these registers as they are.
fn plain_registers() -> String {
    let points = FORCED.map(|addr| format!("    {{ name = \"x_r{addr}\", addr = {addr} }},\n")).concat();
    let block = "block = [{ addr = 230, count = 52, every = \"1s\" }]";
    let link = "link = { rtu = { baud = [9600] } }";
    let head =
        "schema = 1\nid = \"plain\"\nmake = \"Any\"\nmodels = [\"One\"]\nclass = \"hybrid\"\nphases = 1";
    format!("{head}\n{link}\n{block}\npoint = [\n{points}]\n")
}

#[test]
fn a_deye_on_a_slow_line_is_left_as_it_was_although_the_process_has_less_than_a_second() {
    let mut bed = Bed::start("deye-one-phase", "");
    let plain = file(bed.folder.path(), "plain.toml", &plain_registers()).display().to_string();
    let registers = |bed: &Bed| {
        eventually_some(SOON, || {
            let table = bed.table(&plain);
            let words: Vec<f64> =
                FORCED.iter().filter_map(|addr| in_table(&table, &format!("x_r{addr}"))).collect();
            (words.len() == FORCED.len()).then_some(words)
        })
    };
    let current = "/Control/GridChargeCurrent";
    bed.set(current, "40");
    eventually(SOON * 4, || bed.number(current) == 40.0);
    bed.service.terminate();
    let before = registers(&bed);
    // On a machine that is too busy for the line's pace the rest is up to the next process.
    one_of(3, || {
        bed.service = bed.again();
        eventually(SOON * 8, || bed.number(current) == 40.0 && !bed.is_mode(CHARGE));
        bed.set("/Control/Power", "3000");
        bed.set("/Control/Mode", &CHARGE.to_string());
        eventually(SOON * 8, || bed.is_mode(CHARGE) && bed.number(current) != 40.0);
        bed.simulator.write_line("inverter 0 journal");
        bed.simulator.wait_for_line("modbus0 journal", SOON);
        let exit = bed.service.terminate();
        assert_eq!(exit, Exit::Code(0), "{:?}", bed.service.lines());
        bed.simulator.write_line("inverter 0 journal");
        let journal = bed.simulator.wait_for_line("modbus0 journal", SOON);
        let writes: Vec<&str> = journal.split(' ').filter(|entry| entry.starts_with("16:")).collect();
        let first = writes.first();
        assert!(first.is_none_or(|first| first.starts_with("16:232=")), "the grid comes first: {journal}");
        let left = registers(&bed);
        if first.is_some() && writes.len() <= 5 && left == before {
            return Ok(());
        }
        Err(format!("{left:?} in place of {before:?}: {journal}"))
    });
}

#[test]
fn what_waits_for_memory_that_wears_out_says_when_it_is_written_and_is() {
    let bed = Bed::start("deye-one-phase", "");
    let current = "/Control/GridChargeCurrent";
    // Three writes at once, of which a raise leaves one.
    for amps in ["41", "42"] {
        bed.set(current, amps);
        eventually(SOON * 4, || bed.number(current) == amps.parse().unwrap_or(0.0));
    }
    bed.set(current, "43");
    let result = || bed.bus.get_value(UNIT, "/Control/Result").unwrap_or_default().to_string();
    eventually(SOON, || result().contains("grid_charge_current 43 waits for its memory and is written at "));
    eventually(SOON * 8, || bed.number(current) == 43.0);
    eventually(SOON, || !result().contains("waits"));
}

#[test]
fn a_name_that_is_taken_keeps_one_device_from_the_bus_until_it_is_free_and_no_other() {
    let (bus, folder) = (PrivateBus::start(), folder());
    let _settings = settings(&bus, folder.path());
    let (mut scenario, mut config) = (String::new(), String::new());
    for (n, name) in ["rs485", "second"].into_iter().enumerate() {
        let port = folder.path().join(name).display().to_string();
        scenario += &format!("[[inverter]]\nlink = {port:?}\nprofile = {SUNGROW:?}\npaced = false\n");
        let number = format!("device_instance = {}\nname = \"{name}\"", 20 + n);
        config += &format!("[[device]]\nprofile = {SUNGROW:?}\nport = {port:?}\n{number}\n");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let address = BusAddress::choose(Some(bus.address()));
    let owner = runtime.block_on(Draft::new(UNIT).publish(&address)).expect("the name");
    let scenario = file(folder.path(), "scenario.toml", &scenario);
    let _simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario));
    let config = file(folder.path(), "inverter-modbus.toml", &config);
    let mut service = service(&bus, &config);
    service.wait_for_line("until it is free", SOON * 4);
    let second = "com.victronenergy.multi.modbus_second_1";
    eventually(SOON * 4, || bus.get_value(second, "/Connected") == Ok(json!(1)));
    drop(owner);
    drop(runtime);
    eventually(SOON * 8, || bus.get_value(UNIT, "/Connected") == Ok(json!(1)));
    let said = service.lines().into_iter().filter(|line| line.contains("until it is free")).count();
    assert_eq!((said, service.terminate()), (1, Exit::Code(0)));
}

#[test]
fn an_inverter_that_is_exchanged_for_one_that_does_not_bear_it_is_neither_read_nor_written_and_that_is_told()
{
    let mut bed = Bed::start("goodwe-et", "unit = 1");
    bed.set("/Control/Power", "2000");
    bed.set("/Control/Mode", &CHARGE.to_string());
    eventually(SOON * 4, || bed.is_mode(CHARGE));
    assert_eq!(bed.bus.get_value(UNIT, "/Polled/Exchanged"), Ok(json!("")));
    bed.simulator.terminate();
    bed.simulator = simulator(bed.folder.path(), "growatt-spf");
    let told = "another device answers: a Growatt SPF";
    bed.service.wait_for_line(told, SOON * 4);
    eventually(SOON * 4, || bed.bus.get_value(UNIT, "/Polled/Exchanged") == Ok(json!(told)));
    assert_eq!(bed.bus.get_value(UNIT, "/Connected"), Ok(json!(0)));
    assert!(!bed.is_mode(CHARGE), "what is not known is not shown");
    let result = bed.bus.get_value(UNIT, "/Control/Result").unwrap_or_default();
    assert!(result.as_str().is_some_and(|result| result.contains(told)), "{result}");
    bed.service.terminate();
    bed.simulator.write_line("inverter 0 journal");
    let journal = bed.simulator.wait_for_line("modbus0 journal", SOON);
    let asked: Vec<&str> = journal.split(' ').filter(|entry| entry.contains(':')).collect();
    let is_harmless = |entry: &&str| {
        let mut parts = entry.split(':');
        let (function, addr) = (parts.next(), parts.next().and_then(|addr| addr.parse::<u16>().ok()));
        matches!(function, Some("3" | "4")) && addr.is_some_and(|addr| addr < 30_000)
    };
    assert!(!asked.is_empty() && asked.iter().all(is_harmless), "{journal}");
}
