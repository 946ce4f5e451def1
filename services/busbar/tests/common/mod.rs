//! A bus, a simulated battery and the real service, for the tests of this folder.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use testbed::{PrivateBus, Process, eventually};

/// Long enough for anything that happens at once.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// The executable.
pub(crate) fn busbar() -> std::process::Command {
    std::process::Command::new(env!("CARGO_BIN_EXE_busbar"))
}

/// A bus with one simulated battery and its service.
pub(crate) struct Bed {
    pub(crate) bus: PrivateBus,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) simulator: Process,
    pub(crate) service: Process,
    _settings: Process,
}

impl Bed {
    /// Starts everything, and waits until the battery is on the bus.
    #[track_caller]
    pub(crate) fn start(scenario: &str, battery: &str) -> Bed {
        let bed = Bed::start_early(scenario, battery);
        eventually(SOON, || bed.get("/Connected") == Value::from(1));
        bed
    }

    /// Starts everything, and waits for nothing but the simulator.
    #[track_caller]
    pub(crate) fn start_early(scenario: &str, battery: &str) -> Bed {
        let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
        let settings = settings(&bus, &folder);
        let simulator = simulator(&folder, scenario);
        let service = service(&bus, &folder, battery);
        Bed { bus, folder, simulator, service, _settings: settings }
    }

    /// The name of the battery's service.
    pub(crate) const NAME: &'static str = "com.victronenergy.battery.bmscan_battery0";

    /// The value at a path; null for none, and where the service is not there.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.bus.get_value(Self::NAME, path).unwrap_or_default()
    }

    /// Whether the service is on the bus.
    pub(crate) fn is_on_the_bus(&self) -> bool {
        self.bus.get_value(Self::NAME, "/Connected").is_ok()
    }
}

/// A settings service, on the bus.
#[track_caller]
pub(crate) fn settings(bus: &PrivateBus, folder: &tempfile::TempDir) -> Process {
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, format!("folder = {:?}\n", folder.path().join("settings"))).expect("written");
    let mut command = bus.command(env!("CARGO_BIN_EXE_busbar"));
    let process = Process::spawn(command.arg("settings").arg("--config").arg(file));
    eventually(SOON, || bus.get_value("com.victronenergy.settings", "/Settings").is_ok());
    process
}

/// A simulator with one battery at `battery0` in the folder, ready. The scenario is TOML for its `[[battery]]` table.
#[track_caller]
pub(crate) fn simulator(folder: &tempfile::TempDir, scenario: &str) -> Process {
    let link = folder.path().join("battery0");
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, format!("[[battery]]\nlink = {:?}\n{scenario}", link.display().to_string()))
        .expect("written");
    let mut process = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
    process.wait_for_line("battery0 ready", SOON);
    process
}

/// A `bms-can` for `battery0` in the folder. `battery` is TOML for its `[[battery]]` table.
#[track_caller]
pub(crate) fn service(bus: &PrivateBus, folder: &tempfile::TempDir, battery: &str) -> Process {
    let file = config(folder, battery);
    let mut command = bus.command(env!("CARGO_BIN_EXE_busbar"));
    Process::spawn(command.arg("bms-can").arg("--config").arg(file))
}

fn config(folder: &tempfile::TempDir, battery: &str) -> PathBuf {
    let link = folder.path().join("battery0");
    let file = folder.path().join("bms-can.battery0.toml");
    let text = format!("[can]\nport = {:?}\n[[battery]]\n{battery}", link.display().to_string());
    std::fs::write(&file, text).expect("written");
    file
}
