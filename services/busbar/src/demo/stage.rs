//! What stands behind the demo: a folder, a D-Bus daemon, settings, the simulator and one `bms-can` per battery, with a bank
//! the manager; all our children.

use std::fmt::Write as _;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Everything on this machine starts well within it.
const START: Duration = Duration::from_secs(10);
/// A process of ours is gone within a second of being asked.
const STOP: Duration = Duration::from_secs(2);

/// A bus on which everybody may do everything: it is reachable by this user alone.
const BUS_CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
 <type>session</type>
 <listen>unix:path=SOCKET</listen>
 <auth>EXTERNAL</auth>
 <policy context="default">
  <allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow eavesdrop="false"/>
 </policy>
</busconfig>
"#;

/// Batteries of the bank.
const BANK: usize = 3;
/// Three of them that are told their current.
const BANK_SCENARIO: &str = r#"
[[battery]]
link = "FOLDER/battery{n}"
count = 3
modules = 2
[battery.pack]
cells = 15
capacity_ah = 74.0
soc_percent = 60.0
[battery.bms]
charge_voltage_limit_v = 53.2
discharge_voltage_limit_v = 46.0
"#;

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Play<'a> {
    /// One battery.
    Battery,
    /// The batteries of a scenario.
    Scenario(&'a Path),
    /// A bank of batteries, their manager and a charger.
    Bank,
}

/// The running demo. Its children end with it, however it ends.
pub(super) struct Stage {
    /// Address of the bus.
    pub(super) address: String,
    /// Where the simulator takes commands, in the demo with a bank.
    pub(super) simulator: Option<ChildStdin>,
    /// How many batteries there are.
    pub(super) batteries: usize,
    folder: PathBuf,
    children: Vec<(&'static str, Child)>,
}

impl Stage {
    /// Starts everything and waits until each is up.
    pub(super) async fn set(play: Play<'_>) -> anyhow::Result<Stage> {
        let folder = std::env::temp_dir().join(format!("busbar-demo-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let socket = folder.join("bus");
        let address = format!("unix:path={}", socket.display());
        let mut stage = Stage { address, simulator: None, batteries: 0, folder, children: Vec::new() };
        match stage.fill(&socket, play).await {
            Ok(()) => Ok(stage),
            Err(error) => {
                stage.strike().await;
                Err(error)
            }
        }
    }

    async fn fill(&mut self, socket: &Path, play: Play<'_>) -> anyhow::Result<()> {
        let config = self.write("bus.conf", &BUS_CONFIG.replace("SOCKET", &socket.display().to_string()))?;
        let mut daemon = Command::new("dbus-daemon");
        daemon.arg(format!("--config-file={}", config.display())).args(["--nofork", "--print-address"]);
        daemon.stderr(Stdio::null());
        let missing = "cannot start dbus-daemon. On Debian: apt install dbus-daemon";
        let mut lines = self.spawn("dbus-daemon", &mut daemon).context(missing)?;
        next_line(&mut lines).await.context("dbus-daemon did not start")?;

        let busbar = std::env::current_exe().context("cannot find this executable")?;
        self.start_settings(&busbar)?;
        let mut simulator = Command::new(&busbar);
        simulator.arg("simulator").env("BUSBAR_LOG", "warn");
        let mut input = Stdio::null();
        match play {
            Play::Scenario(scenario) => simulator.arg("--scenario").arg(scenario),
            Play::Battery => simulator.arg("--link").arg(self.folder.join("battery0")),
            Play::Bank => {
                let folder = self.folder.display().to_string();
                let scenario = self.write("scenario.toml", &BANK_SCENARIO.replace("FOLDER", &folder))?;
                input = Stdio::piped();
                simulator.arg("--scenario").arg(scenario)
            }
        };
        let mut lines = self.spawn_reading("simulator", &mut simulator, input)?;
        self.simulator = self.children.last_mut().and_then(|(_, child)| child.stdin.take());
        let count = match play {
            Play::Battery => Some(1),
            Play::Bank => Some(BANK),
            Play::Scenario(_) => None,
        };
        let links = links(&mut lines, count).await?;
        // What it answers to commands is of no interest, but somebody has to take it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.batteries = links.len();
        let more = if matches!(play, Play::Bank) {
            "capacity_ah = 148.0\ncells_in_series = 15"
        } else {
            "capacity_ah = 296.0"
        };
        for (number, link) in links.iter().enumerate() {
            self.start_battery(&busbar, number, link, more)?;
        }
        if matches!(play, Play::Bank) {
            self.start_manager(&busbar)?;
        }
        Ok(())
    }

    fn start_settings(&mut self, busbar: &Path) -> anyhow::Result<()> {
        let config =
            self.write("settings.toml", &format!("folder = {:?}\n", self.folder.join("settings")))?;
        let mut settings = Command::new(busbar);
        settings
            .arg("settings")
            .arg("--config")
            .arg(config)
            .args(["--bus", &self.address])
            .env("BUSBAR_LOG", "warn");
        self.spawn("settings", &mut settings).map(drop)
    }

    fn start_manager(&mut self, busbar: &Path) -> anyhow::Result<()> {
        let [kept, volatile] = ["kept", "volatile"].map(|name| self.folder.join(name));
        let text = format!("name = \"Bank\"\nfolder = {kept:?}\nvolatile_folder = {volatile:?}\n");
        let config = self.write("charge-manager.toml", &text)?;
        let mut manager = Command::new(busbar);
        manager
            .arg("charge-manager")
            .arg("--config")
            .arg(config)
            .args(["--bus", &self.address])
            .env("BUSBAR_LOG", "error");
        self.spawn("charge-manager", &mut manager).map(drop)
    }

    fn start_battery(&mut self, busbar: &Path, number: usize, link: &Path, more: &str) -> anyhow::Result<()> {
        let mut config = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(config, "[can]\nport = {:?}\n[[battery]]", link.display().to_string());
        let _ = writeln!(
            config,
            "protocol = \"pylontech_lv\"\nname = \"Battery {}\"\ndevice_instance = {}\n{more}",
            number + 1,
            100 + number
        );
        let config = self.write(&format!("bms-can.battery{number}.toml"), &config)?;
        let mut service = Command::new(busbar);
        service
            .arg("bms-can")
            .arg("--config")
            .arg(config)
            .args(["--bus", &self.address])
            .env("BUSBAR_LOG", "warn");
        self.spawn("bms-can", &mut service).map(drop)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Starts a child whose standard output comes back as lines.
    fn spawn(
        &mut self,
        name: &'static str,
        command: &mut Command,
    ) -> anyhow::Result<Lines<BufReader<ChildStdout>>> {
        self.spawn_reading(name, command, Stdio::null())
    }

    fn spawn_reading(
        &mut self,
        name: &'static str,
        command: &mut Command,
        input: Stdio,
    ) -> anyhow::Result<Lines<BufReader<ChildStdout>>> {
        command.stdin(input).stdout(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C is for the demo, which then ends its children in order.
        command.as_std_mut().process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let output = child.stdout.take().context("no output")?;
        self.children.push((name, child));
        Ok(BufReader::new(output).lines())
    }

    /// Resolves when one of the children has ended by itself.
    pub(super) async fn failed(&mut self) -> anyhow::Error {
        std::future::poll_fn(|cx| {
            for (name, child) in &mut self.children {
                let ended = std::pin::pin!(child.wait()).poll(cx);
                if let std::task::Poll::Ready(status) = ended {
                    let how = status.map_or_else(|e| e.to_string(), |status| status.to_string());
                    return std::task::Poll::Ready(anyhow!("{name} has ended: {how}"));
                }
            }
            std::task::Poll::Pending
        })
        .await
    }

    /// Ends the children, the last first, and removes the folder.
    pub(super) async fn strike(mut self) {
        while let Some((_, mut child)) = self.children.pop() {
            if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
                // It may have ended a moment ago.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            if timeout(STOP, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn next_line(lines: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<String> {
    let line = timeout(START, lines.next_line()).await.context("it says nothing")??;
    line.context("it has ended")
}

/// The links of all simulated batteries: `battery0 ready TERMINAL LINK`, one line each. `count` is how many there are, where
/// that is known.
async fn links(
    lines: &mut Lines<BufReader<ChildStdout>>,
    count: Option<usize>,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut links = Vec::new();
    while count.is_none_or(|count| links.len() < count) {
        let line = match links.is_empty() || count.is_some() {
            true => next_line(lines).await.context("the simulator did not start")?,
            // All batteries are there within a moment of the first.
            false => match timeout(Duration::from_millis(300), lines.next_line()).await {
                Ok(line) => line?.context("the simulator has ended")?,
                Err(_) => return Ok(links),
            },
        };
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [_, "ready", _, link] => links.push(PathBuf::from(link)),
            _ => bail!("the simulator says {line:?}"),
        }
    }
    Ok(links)
}
