//! Service directories: folders of links into the current release, themselves linked into the folder that svscan scans.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::links::{point, remove};
use super::{Condition, Process, State};

/// The folders that svscan scans on Venus OS and on Debian.
const SCANNED: [&str; 2] = ["/service", "/etc/service"];

/// Where service directories are linked.
#[derive(Debug)]
pub(crate) struct Daemontools {
    scanned: PathBuf,
}

impl Daemontools {
    pub(super) fn of_this_machine() -> Option<Daemontools> {
        let scanned = SCANNED.iter().map(PathBuf::from).find(|folder| folder.is_dir())?;
        Some(Daemontools { scanned })
    }

    pub(super) fn enable(&self, process: &Process, home: &Path) -> anyhow::Result<()> {
        self.link(process, home)
            .with_context(|| format!("cannot make {}", directory(process, home).display()))?;
        // svscan finds it within five seconds. One that runs already takes in what has changed.
        svc(&["-t"], &[self.scanned.join(process.directory())]);
        Ok(())
    }

    fn link(&self, process: &Process, home: &Path) -> io::Result<()> {
        let (directory, files) = (directory(process, home), home.join("current/service-files/daemontools"));
        fs::create_dir_all(directory.join("log"))?;
        point(&directory.join("log/run"), &files.join("log/run"))?;
        point(&directory.join("run"), &files.join("run"))?;
        // Last: svscan must not find half of it.
        point(&self.scanned.join(process.directory()), &directory)
    }

    pub(super) fn disable(&self, process: &Process, home: &Path) -> anyhow::Result<bool> {
        let link = self.scanned.join(process.directory());
        let was_enabled = remove(&link).with_context(|| format!("cannot remove {}", link.display()))?;
        let directory = directory(process, home);
        svc(&["-dx"], &[directory.clone(), directory.join("log")]);
        if let Err(error) = fs::remove_dir_all(&directory)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("cannot remove {}", directory.display()));
        }
        Ok(was_enabled)
    }

    pub(super) fn enabled(&self) -> Vec<Process> {
        let entries = fs::read_dir(&self.scanned).into_iter().flatten().flatten();
        entries.filter_map(|entry| Process::of_directory(entry.file_name().to_str()?)).collect()
    }

    pub(super) fn state(&self, process: &Process) -> anyhow::Result<State> {
        let directory = self.scanned.join(process.directory());
        let output = Command::new("svstat").arg(&directory).output().context("cannot start svstat")?;
        ensure!(output.status.success(), "svstat {} fails", directory.display());
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(state(said.trim().strip_prefix(&format!("{}: ", directory.display())).unwrap_or(said.trim())))
    }
}

/// The service directory itself, which stays where the scanned folder is emptied at each boot.
fn directory(process: &Process, home: &Path) -> PathBuf {
    home.join("service").join(process.directory())
}

/// What svstat says behind the name: `up (pid 77) 5 seconds`, `down 2 seconds, normally up`.
fn state(said: &str) -> State {
    let pid = said.strip_prefix("up (pid ").and_then(|rest| rest.split(')').next()?.parse().ok());
    let condition = match (pid, said.contains("want up") || said.contains("normally up")) {
        (Some(_), _) => Condition::Running,
        (None, true) => Condition::Starting,
        (None, false) => Condition::Stopped,
    };
    State { condition, words: said.to_owned(), pid, restarts: None }
}

/// A service directory that nobody supervises yet, or any more, is no error.
fn svc(options: &[&str], directories: &[PathBuf]) {
    let supervised = directories.iter().filter(|directory| directory.join("supervise/ok").exists());
    for directory in supervised {
        let _ = Command::new("svc").args(options).arg(directory).output();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_enabled_by_a_folder_of_links() {
        let folder = tempfile::tempdir().unwrap();
        let (scanned, home) = (folder.path().join("service"), folder.path().join("busbar"));
        fs::create_dir(&scanned).unwrap();
        let daemontools = Daemontools { scanned: scanned.clone() };
        let process = Process::new("bms-can", Some("can0")).unwrap();
        for _ in 0..2 {
            daemontools.link(&process, &home).unwrap();
            let run = fs::read_link(scanned.join("busbar-bms-can.can0/run")).unwrap();
            assert_eq!(run, home.join("current/service-files/daemontools/run"));
            let log = fs::read_link(scanned.join("busbar-bms-can.can0/log/run")).unwrap();
            assert_eq!(log, home.join("current/service-files/daemontools/log/run"));
        }
        assert_eq!(daemontools.enabled(), std::slice::from_ref(&process));
        assert!(daemontools.disable(&process, &home).unwrap());
        assert!(!daemontools.disable(&process, &home).unwrap());
        assert_eq!(fs::read_dir(home.join("service")).unwrap().count(), 0);
    }

    #[test]
    fn what_svstat_says_is_understood() {
        let up = state("up (pid 77) 5 seconds");
        assert_eq!((up.condition, up.pid), (Condition::Running, Some(77)));
        assert_eq!(state("down 1 seconds, normally up").condition, Condition::Starting);
        assert_eq!(state("down 1 seconds, normally down").condition, Condition::Stopped);
        assert_eq!(state("unable to open supervise/ok: file does not exist").condition, Condition::Stopped);
    }
}
