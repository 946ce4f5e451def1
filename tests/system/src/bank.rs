//! The real manager on a site, and an island inverter that follows it.

use std::path::PathBuf;
use std::time::Duration;

use testbed::{PrivateBus, Process, executable};

use crate::Site;

/// The service of the island inverter.
pub const ISLAND: &str = "com.victronenergy.multi.island";

impl Site {
    /// Starts the real manager, its memory in the folder of the site.
    #[track_caller]
    pub fn run_manager(&self) -> Process {
        let mut command = self.bus.command(executable("busbar"));
        Process::spawn(command.arg("charge-manager").arg("--config").arg(self.manager_config()))
    }

    /// Where the manager keeps its memory on a RAM disk.
    #[must_use]
    pub fn volatile(&self) -> PathBuf {
        self.folder().join("volatile")
    }

    fn manager_config(&self) -> PathBuf {
        let (kept, volatile) = (self.folder().join("kept"), self.volatile());
        let path = self.folder().join("charge-manager.toml");
        let text = format!("folder = {kept:?}\nvolatile_folder = {volatile:?}\n");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}

/// An island inverter that feeds a house of so many amperes, as a process: it prints its limits when they change.
#[track_caller]
pub fn island(bus: &PrivateBus, amps: f64) -> Process {
    let mut command = bus.command(executable("examples/island"));
    Process::spawn(command.arg(amps.to_string()))
}

/// The lowest discharge limit among lines of [`island`], A.
#[must_use]
pub fn lowest_discharge_a(lines: &[String]) -> Option<f64> {
    let limits =
        lines.iter().filter_map(|line| line.strip_prefix("discharge ")?.split(' ').next()?.parse().ok());
    limits.reduce(f64::min)
}

/// Long enough for everything of a bank to come up: ten seconds of healthy data among it.
pub const BANK: Duration = Duration::from_secs(60);
