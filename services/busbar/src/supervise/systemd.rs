//! Units: links from systemd's folder into the current release, so that they change with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::links::{point, remove};
use super::{Condition, Needs, Process, State};

/// Where units and what is wanted at boot are linked.
#[derive(Debug)]
pub(crate) struct Systemd {
    units: PathBuf,
}

/// The drop-in for a process that may configure network interfaces.
const NETWORK_ADMIN: &str = "set-bit-rate.conf";

impl Systemd {
    pub(super) fn of_this_machine() -> Systemd {
        Systemd { units: PathBuf::from("/etc/systemd/system") }
    }

    pub(super) fn enable(&self, process: &Process, needs: Needs, home: &Path) -> anyhow::Result<()> {
        self.link(process, needs, home)
            .with_context(|| format!("cannot write to {}", self.units.display()))?;
        systemctl(&["daemon-reload"])?;
        // Also one that runs takes in what has changed.
        systemctl(&["restart", &process.unit()])
    }

    fn link(&self, process: &Process, needs: Needs, home: &Path) -> std::io::Result<()> {
        let files = home.join("current/service-files/systemd");
        let drop_in = self.drop_in(process);
        if needs.network_admin {
            fs::create_dir_all(drop_in.parent().unwrap_or(&self.units))?;
            point(&drop_in, &files.join(NETWORK_ADMIN))?;
        } else {
            self.unlink_drop_in(process)?;
        }
        fs::create_dir_all(self.wanted())?;
        point(&self.wanted().join(process.unit()), &files.join(process.unit_file()))
    }

    pub(super) fn disable(&self, process: &Process) -> anyhow::Result<bool> {
        let link = self.wanted().join(process.unit());
        let was_enabled = remove(&link).with_context(|| format!("cannot remove {}", link.display()))?;
        self.unlink_drop_in(process).context("cannot remove its drop-in")?;
        if was_enabled {
            systemctl(&["daemon-reload"])?;
            systemctl(&["stop", &process.unit()])?;
            // It may have failed before, and nobody has to know any more.
            let _ = systemctl(&["reset-failed", &process.unit()]);
        }
        Ok(was_enabled)
    }

    pub(super) fn enabled(&self) -> Vec<Process> {
        let entries = fs::read_dir(self.wanted()).into_iter().flatten().flatten();
        entries.filter_map(|entry| Process::of_unit(entry.file_name().to_str()?)).collect()
    }

    pub(super) fn state(&self, process: &Process) -> anyhow::Result<State> {
        let properties = "ActiveState,SubState,StatusText,MainPID,NRestarts,Result,ExecMainStatus";
        let output = Command::new("systemctl")
            .args(["show", "--property", properties, &process.unit()])
            .output()
            .context("cannot start systemctl")?;
        Ok(state(&String::from_utf8_lossy(&output.stdout)))
    }

    fn wanted(&self) -> PathBuf {
        self.units.join("multi-user.target.wants")
    }

    fn drop_in(&self, process: &Process) -> PathBuf {
        self.units.join(format!("{}.d", process.unit())).join(NETWORK_ADMIN)
    }

    fn unlink_drop_in(&self, process: &Process) -> std::io::Result<()> {
        let drop_in = self.drop_in(process);
        if remove(&drop_in)?
            && let Some(folder) = drop_in.parent()
        {
            // The user may have drop-ins there.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

/// What `systemctl show` says.
fn state(shown: &str) -> State {
    let value = |key: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default()
    };
    let condition = match (value("ActiveState"), value("SubState")) {
        ("active", _) => Condition::Running,
        ("activating", "auto-restart") | ("failed", _) => Condition::Failed,
        ("activating" | "reloading", _) => Condition::Starting,
        _ => Condition::Stopped,
    };
    let words = match (condition, value("Result"), value("ExecMainStatus")) {
        (Condition::Failed, "exit-code", "78") => "its configuration is wrong: see its log".to_owned(),
        (Condition::Failed, "exit-code", code) => format!("it ended with code {code}: see its log"),
        (Condition::Failed, result, _) => format!("systemd ended it: {result}"),
        _ => value("StatusText").to_owned(),
    };
    State {
        condition,
        words,
        pid: value("MainPID").parse().ok().filter(|pid| *pid != 0),
        restarts: value("NRestarts").parse().ok(),
    }
}

fn systemctl(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("systemctl").args(arguments).output().context("cannot start systemctl")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "systemctl {}: {}", arguments.join(" "), said.trim().replace('\n', " "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_enabled_by_links_that_follow_the_release() {
        let folder = tempfile::tempdir().unwrap();
        let systemd = Systemd { units: folder.path().to_owned() };
        let process = Process::new("bms-can", Some("can0")).unwrap();
        let home = Path::new("/opt/busbar");
        for _ in 0..2 {
            systemd.link(&process, Needs { network_admin: true }, home).unwrap();
            let wanted = folder.path().join("multi-user.target.wants/busbar-bms-can@can0.service");
            let unit = "/opt/busbar/current/service-files/systemd/busbar-bms-can@.service";
            assert_eq!(fs::read_link(wanted).unwrap(), Path::new(unit));
            assert!(fs::read_link(systemd.drop_in(&process)).unwrap().ends_with("systemd/set-bit-rate.conf"));
        }
        assert_eq!(systemd.enabled(), std::slice::from_ref(&process));
        systemd.link(&process, Needs::default(), home).unwrap();
        assert!(!systemd.drop_in(&process).parent().unwrap().exists());
    }

    #[test]
    fn what_systemctl_shows_is_said_in_words() {
        let running =
            "ActiveState=active\nSubState=running\nStatusText=waiting for can0\nMainPID=77\nNRestarts=2\n";
        let expected = State {
            condition: Condition::Running,
            words: "waiting for can0".to_owned(),
            pid: Some(77),
            restarts: Some(2),
        };
        assert_eq!(state(running), expected);
        let again = state(
            "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=1\nMainPID=0",
        );
        assert_eq!((again.condition, again.pid), (Condition::Failed, None));
        let wrong = state("ActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=78\n");
        assert!(wrong.words.contains("configuration"), "{}", wrong.words);
        assert_eq!(state("").condition, Condition::Stopped);
    }
}
