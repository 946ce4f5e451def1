//! A bus with settings, a simulated battery and the real service, all processes of the executable `busbar`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::{PrivateBus, Process, eventually, executable};

/// Long enough for anything that happens at once.
pub const SOON: Duration = Duration::from_secs(15);

/// The executable.
///
/// # Panics
/// When it was not built.
#[track_caller]
pub fn busbar() -> Command {
    Command::new(executable("busbar"))
}

/// A bus with one simulated battery and its service.
#[derive(Debug)]
pub struct Bed {
    /// The bus.
    pub bus: PrivateBus,
    /// Where configurations, settings and the terminal `battery0` lie.
    pub folder: tempfile::TempDir,
    /// The battery; commands go to its standard input.
    pub simulator: Process,
    /// The service.
    pub service: Process,
    _settings: Process,
}

impl Bed {
    /// Starts everything, and waits until the battery is on the bus.
    ///
    /// # Panics
    /// When a part does not come up.
    #[track_caller]
    pub fn start(scenario: &str, battery: &str) -> Bed {
        let bed = Bed::start_early(scenario, battery);
        eventually(SOON, || bed.get("/Connected") == 1);
        bed
    }

    /// Starts everything, and waits for nothing but the simulator.
    ///
    /// # Panics
    /// When a part does not come up.
    #[track_caller]
    pub fn start_early(scenario: &str, battery: &str) -> Bed {
        let (bus, folder) = (PrivateBus::start(), folder());
        let settings = settings(&bus, folder.path());
        let simulator = simulator(folder.path(), scenario);
        let service = service(&bus, folder.path(), battery);
        Bed { bus, folder, simulator, service, _settings: settings }
    }

    /// The name of the battery's service.
    pub const NAME: &'static str = "com.victronenergy.battery.bmscan_battery0";

    /// The value at a path; null for none, and where the service is not there.
    pub fn get(&self, path: &str) -> Value {
        self.bus.get_value(Self::NAME, path).unwrap_or_default()
    }

    /// Whether the service is on the bus.
    pub fn is_on_the_bus(&self) -> bool {
        self.bus.get_value(Self::NAME, "/Connected").is_ok()
    }
}

/// A settings service, on the bus.
///
/// # Panics
/// When it does not start.
#[track_caller]
pub fn settings(bus: &PrivateBus, folder: &Path) -> Process {
    let file = folder.join("settings.toml");
    write(&file, &format!("folder = {:?}\n", folder.join("settings")));
    let mut command = bus.command(executable("busbar"));
    let process = Process::spawn(command.arg("settings").arg("--config").arg(file));
    eventually(SOON, || bus.get_value("com.victronenergy.settings", "/Settings").is_ok());
    process
}

/// A simulator with one battery at `battery0` in the folder, ready. The scenario is TOML for its `[[battery]]` table.
///
/// # Panics
/// When it does not start.
#[track_caller]
pub fn simulator(folder: &Path, scenario: &str) -> Process {
    let link = folder.join("battery0");
    let file = folder.join("scenario.toml");
    write(&file, &format!("[[battery]]\nlink = {:?}\n{scenario}", link.display().to_string()));
    let mut process = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
    process.wait_for_line("battery0 ready", SOON);
    process
}

/// A `bms-can` for `battery0` in the folder. `battery` is TOML for its `[[battery]]` table.
///
/// # Panics
/// When it does not start.
#[track_caller]
pub fn service(bus: &PrivateBus, folder: &Path, battery: &str) -> Process {
    let file = config(folder, battery);
    let mut command = bus.command(executable("busbar"));
    Process::spawn(command.arg("bms-can").arg("--config").arg(file))
}

fn config(folder: &Path, battery: &str) -> PathBuf {
    let link = folder.join("battery0");
    let file = folder.join("bms-can.battery0.toml");
    let text = format!("[can]\nport = {:?}\n[[battery]]\n{battery}", link.display().to_string());
    write(&file, &text);
    file
}

/// A folder that is removed with the value.
///
/// # Panics
/// When there is no room for one.
#[track_caller]
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"))
}

#[track_caller]
fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
