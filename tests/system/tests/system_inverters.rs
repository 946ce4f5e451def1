//! The loop closed over all processes: two batteries, their services, the real manager, and two inverters that know of
//! their battery only what the other role of bms-can tells them, each on the busbar of one battery.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{BANK, MANAGER, SOON, battery};
use testbed::bed::{settings, simulator};
use testbed::{PrivateBus, Process, Signal, eventually, executable};

/// One that follows sun and tariff, and the island of a house.
const HYBRID: &str = "com.victronenergy.multi.bmscan_inverter0";
const ISLAND: &str = "com.victronenergy.multi.bmscan_inverter1";
/// The least that the house takes, A.
const HOUSE_A: f64 = 30.0;
/// Hold, ramp, the inverter's own time, and room for a busy machine.
const LOSS: Duration = Duration::from_secs(60);

struct Bed {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    simulator: Process,
    _settings: Process,
    /// Services of the batteries, services of the inverters, the manager.
    processes: [Process; 5],
}

/// The processes by what they are for.
const NAMES: [&str; 5] =
    ["the hybrid's battery", "the island's battery", "the hybrid's side", "the island's side", "the manager"];
const MANAGES: usize = 4;

#[track_caller]
fn start(bus: &PrivateBus, folder: &Path, which: usize) -> Process {
    let at = |name: &str| folder.join(name).display().to_string();
    let (service, name, text) = match which {
        0 | 1 => {
            let text = format!(
                "[can]\nport = {:?}\n[[battery]]\ndevice_instance = {}\n",
                at(&format!("battery{which}")),
                100 + which
            );
            ("bms-can", format!("bms-can.battery{which}.toml"), text)
        }
        2 | 3 => {
            let (number, profile) = (which - 2, if which == 2 { "pylontech_lv" } else { "sma_sunny_island" });
            let text = format!(
                "[can]\nport = {:?}\n[inverter]\nprofile = {profile:?}\ndevice_instance = {}\nsilence_grace_s = 3\n\
                 max_charge_current_a = 100\nmax_discharge_current_a = 100\n",
                at(&format!("inverter{number}")),
                10 + number
            );
            ("bms-can", format!("bms-can.inverter{number}.toml"), text)
        }
        _ => {
            let text = format!("folder = {:?}\nvolatile_folder = {:?}\n", at("kept"), at("volatile"));
            ("charge-manager", "charge-manager.toml".to_owned(), text)
        }
    };
    let file = folder.join(name);
    std::fs::write(&file, text).expect("a configuration");
    Process::spawn(bus.command(executable("busbar")).arg(service).arg("--config").arg(file))
}

impl Bed {
    #[track_caller]
    fn start() -> Bed {
        let (bus, folder) = (PrivateBus::start(), testbed::bed::folder());
        let settings = settings(&bus, folder.path());
        let path = |name: &str| folder.path().join(name).display().to_string();
        let pack = "modules = 2\n[battery.bms]\nmax_charge_current_a = 40.0\nmax_discharge_current_a = 50.0\nnoise = false\n";
        let scenario = format!(
            "{pack}[battery.current]\nconstant_a = 500.0\n[battery.hybrid]\nlink = {:?}\nkind = \"pylontech\"\n\
             [[battery]]\nlink = {:?}\n{pack}[battery.current]\nconstant_a = 0.0\n[battery.hybrid]\nlink = {:?}\n\
             kind = \"sunny_island\"\ngrid = false\nload_w = 2000.0\n",
            path("inverter0"),
            path("battery1"),
            path("inverter1"),
        );
        let simulator = simulator(folder.path(), &scenario);
        eventually(SOON, || {
            ["battery1", "inverter0", "inverter1"].iter().all(|name| Path::new(&path(name)).exists())
        });
        let processes = [0, 1, 2, 3, 4].map(|which| start(&bus, folder.path(), which));
        let bed = Bed { bus, folder, simulator, _settings: settings, processes };
        eventually(BANK, || [HYBRID, ISLAND].iter().all(|unit| bed.get(unit, "/Told/State") == json!(4)));
        eventually(BANK, || bed.get(ISLAND, "/State") == json!(9));
        bed
    }

    fn get(&self, service: &str, path: &str) -> Value {
        self.bus.get_value(service, path).unwrap_or_default()
    }

    fn number(&self, service: &str, path: &str) -> f64 {
        self.get(service, path).as_f64().unwrap_or(f64::NAN)
    }

    /// The current of each battery, as the simulator knows it, A.
    #[track_caller]
    fn real_a(&mut self) -> [f64; 2] {
        [0, 1].map(|number| {
            self.simulator.write_line(&format!("{number}: status"));
            let line = self.simulator.wait_for_line(" A, charge ", SOON);
            let word = line.split(" A, charge ").next().and_then(|front| front.split_whitespace().last());
            word.and_then(|amps| amps.parse().ok()).unwrap_or_else(|| panic!("no current in {line}"))
        })
    }

    /// The hybrid takes what it is told, and that is its share of the bank.
    fn follows(&self) -> bool {
        let told_a = self.number(HYBRID, "/Told/MaxChargeCurrent");
        let share = (0..2).find(|row| self.get(MANAGER, &format!("/Share/{row}/Service")) == json!(HYBRID));
        let share_a = share.map(|row| self.number(MANAGER, &format!("/Share/{row}/MaxChargeCurrent")));
        let takes_a = self.number(&battery(0), "/Dc/0/Current");
        told_a > 5.0
            && (takes_a - told_a).abs() < 2.0
            && share_a.is_some_and(|share_a| (share_a - told_a).abs() < 2.0)
    }
}

#[test]
fn the_pack_current_follows_the_share_and_a_kill_of_any_process_is_never_noticed_by_the_island() {
    let mut bed = Bed::start();
    eventually(2 * BANK, || bed.follows());
    for (which, name) in NAMES.into_iter().enumerate() {
        bed.processes[which].signal(Signal::KILL);
        let _ = bed.processes[which].wait(SOON);
        bed.processes[which] = start(&bed.bus, bed.folder.path(), which);
        let mut least = f64::INFINITY;
        eventually(LOSS, || {
            let [hybrid_a, island_a] = bed.real_a();
            least = least.min(-island_a);
            assert!(hybrid_a < 85.0, "{name}: {hybrid_a} A into a battery that takes 80 A");
            [HYBRID, ISLAND].iter().all(|unit| bed.get(unit, "/Told/State") == json!(4))
                && bed.get(ISLAND, "/State") == json!(9)
                && bed.get(MANAGER, "/Members").as_array().map(Vec::len) == Some(2)
        });
        assert!(least > HOUSE_A, "{name} was killed, and the house had {least} A");
    }
    eventually(2 * BANK, || bed.follows());
}

#[test]
fn a_manager_that_stays_away_ends_both_currents_with_the_reason_and_both_come_back_with_it() {
    let mut bed = Bed::start();
    bed.processes[MANAGES].signal(Signal::KILL);
    // The hybrid is left in silence after its grace, the Sunny Island never is.
    eventually(LOSS, || {
        bed.get(HYBRID, "/Told/State") == json!(6) && bed.get(ISLAND, "/Told/State") == json!(5)
    });
    eventually(LOSS, || bed.real_a().iter().all(|amps| amps.abs() < 0.5));
    for unit in [HYBRID, ISLAND] {
        let why = bed.get(unit, "/Told/Why");
        assert!(why.as_str().is_some_and(|why| why.contains("battery.busbar is not on the bus")), "{why}");
        assert_eq!(bed.get(unit, "/Alarms/BmsConnectionLost"), json!(2));
    }
    let error = bed.get(ISLAND, "/Error/0/Id");
    assert!(error.as_str().is_some_and(|error| error.starts_with("F931")), "{error}");
    bed.processes[MANAGES] = start(&bed.bus, bed.folder.path(), MANAGES);
    eventually(BANK, || bed.get(ISLAND, "/State") == json!(9) && bed.get(HYBRID, "/Told/State") == json!(4));
    eventually(LOSS, || bed.real_a()[1] < -HOUSE_A);
}
