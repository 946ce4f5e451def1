//! `busbar logs`: the logs of the processes of this machine, in local time, wherever they are kept.
//!
//! - `multilog`: the folders that multilog writes; pure but for reading them

mod multilog;

use std::io::{Write, stdout};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use clap::Args;

use crate::supervise::{Process, Supervisor, kind};

/// Where multilog keeps its folders.
const LOGS: &str = "/var/log";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Logs {
    /// The service; without it, all of ours.
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
    /// Which of several; without it, all of that service.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Go on with what is logged from now on.
    #[arg(long, short)]
    follow: bool,
    /// So many lines of the past.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 200)]
    lines: usize,
}

const EXAMPLES: &str =
    "Where systemd keeps the log, only members of the group adm or systemd-journal see all of it.

Examples:
  busbar logs
  busbar logs bms-can can0 --follow
  busbar logs settings -n 1000 | less";

pub(crate) fn run(options: &Logs) -> anyhow::Result<()> {
    let wanted = Wanted::new(options.service.as_deref(), options.name.as_deref())?;
    match Supervisor::of_this_machine()? {
        Supervisor::Systemd(_) => {
            let mut journalctl = journalctl(&wanted, options.lines);
            if options.follow {
                journalctl.arg("--follow");
            }
            Err(journalctl.exec()).context("cannot start journalctl")
        }
        Supervisor::Daemontools(_) if options.follow => {
            let files =
                multilog::folders(Path::new(LOGS), &wanted).into_iter().map(|folder| folder.join("current"));
            let mut tail = Command::new("tail");
            tail.arg("-n").arg(options.lines.to_string()).arg("-F").args(files).stdout(Stdio::piped());
            let mut tail = tail.spawn().context("cannot start tail")?;
            let lines = tail.stdout.take().context("no output")?;
            Err(Command::new("tai64nlocal").stdin(lines).exec()).context("cannot start tai64nlocal")
        }
        Supervisor::Daemontools(_) => {
            let text = multilog::newest(Path::new(LOGS), &wanted, options.lines)?;
            stdout().write_all(&in_local_time(text.as_bytes())?)?;
            Ok(())
        }
    }
}

/// The newest lines of one process, as they would be shown.
pub(crate) fn of(process: &Process, supervisor: &Supervisor, lines: usize) -> anyhow::Result<String> {
    newest(&Wanted { service: Some(process.kind.service), name: process.name.clone() }, supervisor, lines)
}

/// The newest lines of the judge of updates; where nothing judges them there are none.
pub(crate) fn of_updates(supervisor: &Supervisor, lines: usize) -> anyhow::Result<String> {
    newest(&Wanted { service: Some("trial"), name: None }, supervisor, lines)
}

fn newest(wanted: &Wanted, supervisor: &Supervisor, lines: usize) -> anyhow::Result<String> {
    let output = match supervisor {
        Supervisor::Systemd(_) => {
            journalctl(wanted, lines).output().context("cannot start journalctl")?.stdout
        }
        Supervisor::Daemontools(_) => {
            in_local_time(multilog::newest(Path::new(LOGS), wanted, lines)?.as_bytes())?
        }
    };
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// Whose logs.
#[derive(Debug)]
struct Wanted {
    service: Option<&'static str>,
    name: Option<String>,
}

impl Wanted {
    fn new(service: Option<&str>, name: Option<&str>) -> anyhow::Result<Wanted> {
        match (service, name) {
            (None, _) => Ok(Wanted { service: None, name: None }),
            (Some(service), None) => Ok(Wanted { service: Some(kind(service)?.service), name: None }),
            (Some(service), Some(_)) => {
                let process = Process::new(service, name)?;
                Ok(Wanted { service: Some(process.kind.service), name: process.name })
            }
        }
    }

    fn unit_pattern(&self) -> String {
        match (self.service, &self.name) {
            (None, _) => "busbar-*".to_owned(),
            (Some(service), None) => format!("busbar-{service}*"),
            (Some(service), Some(name)) => format!("busbar-{service}@{name}.service"),
        }
    }
}

fn journalctl(wanted: &Wanted, lines: usize) -> Command {
    let mut journalctl = Command::new("journalctl");
    journalctl.args(["--no-hostname", "--lines", &lines.to_string(), "--unit", &wanted.unit_pattern()]);
    journalctl
}

/// multilog's time stamps as local time.
fn in_local_time(lines: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut child = Command::new("tai64nlocal")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start tai64nlocal")?;
    let mut input = child.stdin.take().context("no input")?;
    let lines = lines.to_owned();
    // It writes while it reads: neither must wait for the other.
    let writer = std::thread::spawn(move || input.write_all(&lines));
    let output = child.wait_with_output()?;
    // It has read to the end, or its output says why not.
    let _ = writer.join();
    Ok(output.stdout)
}
