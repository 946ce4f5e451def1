//! Who starts and watches the processes of this machine: systemd, or daemontools on Venus OS.
//!
//! - `process`: which processes there can be, and what they are called everywhere
//! - `systemd`, `daemontools`: enabling, disabling, looking
//! - `links`: links that outlast a power cut

mod daemontools;
mod links;
mod process;
mod systemd;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;

pub(crate) use daemontools::Daemontools;
pub(crate) use process::{Needs, Process, kind};
pub(crate) use systemd::Systemd;

/// Where processes are supervised.
#[derive(Debug)]
pub(crate) enum Supervisor {
    Systemd(Systemd),
    Daemontools(Daemontools),
}

/// How a process is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct State {
    pub(crate) condition: Condition,
    /// What it says itself, or why it ended.
    pub(crate) words: String,
    pub(crate) pid: Option<u32>,
    /// How often the supervisor had to start it again, where that is known.
    pub(crate) restarts: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    Running,
    Starting,
    Stopped,
    Failed,
}

impl Condition {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Condition::Running => "running",
            Condition::Starting => "starting",
            Condition::Stopped => "stopped",
            Condition::Failed => "failed",
        }
    }
}

impl Supervisor {
    /// The one of this machine.
    pub(crate) fn of_this_machine() -> anyhow::Result<Supervisor> {
        // sd_booted(3)
        if Path::new("/run/systemd/system").is_dir() {
            return Ok(Supervisor::Systemd(Systemd::of_this_machine()));
        }
        match Daemontools::of_this_machine() {
            Some(daemontools) => Ok(Supervisor::Daemontools(daemontools)),
            None => bail!("neither systemd nor daemontools (/service or /etc/service) runs on this machine"),
        }
    }

    /// Has a process started now and at each boot.
    pub(crate) fn enable(&self, process: &Process, needs: Needs) -> anyhow::Result<()> {
        let home = home()?;
        match self {
            Supervisor::Systemd(systemd) => systemd.enable(process, needs, &home),
            Supervisor::Daemontools(daemontools) => daemontools.enable(process, &home),
        }
    }

    /// Ends a process, and has it started no more. False if it was not enabled.
    pub(crate) fn disable(&self, process: &Process) -> anyhow::Result<bool> {
        match self {
            Supervisor::Systemd(systemd) => systemd.disable(process),
            Supervisor::Daemontools(daemontools) => daemontools.disable(process, &home()?),
        }
    }

    /// The enabled processes, by name.
    pub(crate) fn enabled(&self) -> Vec<Process> {
        let mut processes = match self {
            Supervisor::Systemd(systemd) => systemd.enabled(),
            Supervisor::Daemontools(daemontools) => daemontools.enabled(),
        };
        processes.sort_by_key(Process::directory);
        processes
    }

    /// How a process is.
    pub(crate) fn state(&self, process: &Process) -> anyhow::Result<State> {
        match self {
            Supervisor::Systemd(systemd) => systemd.state(process),
            Supervisor::Daemontools(daemontools) => daemontools.state(process),
        }
    }
}

/// The folder with the releases that this executable is one of: `/opt/busbar`.
pub(crate) fn home() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("this executable does not know where it lies")?;
    let release =
        program.ancestors().find(|path| path.parent().is_some_and(|above| above.ends_with("releases")));
    let home = release.and_then(|release| release.ancestors().nth(2));
    home.map(Path::to_owned).with_context(|| {
        format!("{} is not an installed Busbar: install it with install.sh first", program.display())
    })
}

/// Refuses what only root can do.
pub(crate) fn needs_root(command: &str) -> anyhow::Result<()> {
    anyhow::ensure!(rustix::process::geteuid().is_root(), "services belong to root: sudo busbar {command}");
    Ok(())
}
