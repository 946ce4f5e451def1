//! A bus with simulated batteries, their real services and the settings service: a small installation.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use testbed::bed::{self, busbar};
use testbed::{PrivateBus, Process, executable};

/// Long enough for anything that happens at once, on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// The service of the manager of a bank.
pub const MANAGER: &str = "com.victronenergy.battery.busbar";

/// The name of the service of the battery with this number.
#[must_use]
pub fn battery(number: usize) -> String {
    format!("com.victronenergy.battery.bmscan_battery{number}")
}

/// A bus, batteries without services, and the settings service.
#[derive(Debug)]
pub struct Site {
    /// All batteries; its standard input takes commands.
    pub simulator: Process,
    /// The bus.
    pub bus: PrivateBus,
    _settings: Option<Process>,
    folder: TempDir,
}

impl Site {
    /// Starts so many batteries of two modules each.
    #[track_caller]
    pub fn start(batteries: usize) -> Site {
        Site::start_with(batteries, "")
    }

    /// Starts so many batteries of two modules each. `more` is TOML for their table of the scenario.
    #[track_caller]
    pub fn start_with(batteries: usize, more: &str) -> Site {
        let mut site = Site::start_without_settings(batteries, more);
        site._settings = Some(bed::settings(&site.bus, site.folder.path()));
        site
    }

    /// The same without a settings service.
    #[track_caller]
    pub fn start_without_settings(batteries: usize, more: &str) -> Site {
        let (bus, folder) = (PrivateBus::start(), bed::folder());
        let link = folder.path().join("battery{n}");
        let scenario = put(
            folder.path(),
            "scenario.toml",
            &format!("[[battery]]\nlink = {link:?}\ncount = {batteries}\nmodules = 2\n{more}\n"),
        );
        let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(scenario));
        for number in 0..batteries {
            simulator.wait_for_line(&format!("battery{number} ready"), SOON);
        }
        Site { simulator, bus, _settings: None, folder }
    }

    /// The folder of everything; it is removed in the end.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the configuration of the settings service.
    #[track_caller]
    pub fn settings_config(&self) -> PathBuf {
        let text = format!("folder = {:?}\n", self.folder.path().join("settings"));
        put(self.folder.path(), "settings.toml", &text)
    }

    /// Writes the configuration of a battery's service. `more` is TOML for its `[[battery]]` table.
    #[track_caller]
    pub fn config(&self, number: usize, more: &str) -> PathBuf {
        let port = self.folder.path().join(format!("battery{number}"));
        let text = format!("[can]\nport = {port:?}\n[[battery]]\n{more}\n");
        put(self.folder.path(), &format!("bms-can.battery{number}.toml"), &text)
    }

    /// Starts the service of a battery that asks for the instance 100 + `number`.
    #[track_caller]
    pub fn serve(&self, number: usize, more: &str) -> Process {
        self.serve_as(number, &format!("device_instance = {}\n{more}", 100 + number))
    }

    /// Starts the service of a battery, as [`config`](Self::config) has it.
    #[track_caller]
    pub fn serve_as(&self, number: usize, more: &str) -> Process {
        let mut command = self.bus.command(executable("busbar"));
        Process::spawn(command.arg("bms-can").arg("--config").arg(self.config(number, more)))
    }

    /// Starts a manager whose bank has these members.
    #[track_caller]
    pub fn manage(&self, members: &[usize]) -> Process {
        let mut command = self.bus.command(executable("examples/fake_manager"));
        Process::spawn_fed(command.args(members.iter().copied().map(battery)))
    }
}

#[track_caller]
fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}
