//! `busbar enable`, `busbar disable`: a process is started now and at each boot, or no more.

mod config_file;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use service_kit::config::{DIRECTORIES, locate};

use crate::supervise::{Needs, Process, Supervisor, needs_root};
use config_file::Wishes;

#[derive(Debug, Args)]
#[command(after_help = ENABLE_EXAMPLES)]
pub(crate) struct Enable {
    /// The service: bms-can, charge-manager, dcdc-rs485, inverter-modbus, settings.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// Which of several: for bms-can the CAN interface, or any name for a serial adapter.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    wishes: Wishes,
}

const ENABLE_EXAMPLES: &str =
    "A configuration file that is there already is used as it is. Otherwise one is written, with every key
explained: /etc/busbar/SERVICE.NAME.toml.

Examples:
  sudo busbar enable bms-can can0 --set-bit-rate        a CAN interface of this machine
  sudo busbar enable bms-can garage --port /dev/serial/by-id/usb-...
                                                        a serial CAN adapter
  sudo busbar enable bms-can can1 --set-bit-rate --inverter growatt_lv
                                                        on another bus: the battery of an inverter
  sudo busbar enable dcdc-rs485 dcdc0 --port /dev/serial/by-id/usb-...
                                                        a converter on an RS485 adapter
  sudo busbar enable inverter-modbus roof --profile sungrow-sh --host 192.168.1.30
                                                        an inverter on Modbus
  sudo busbar enable charge-manager                     a bank of all batteries
  busbar list                                           what is enabled, and how it is";

#[derive(Debug, Args)]
#[command(after_help = DISABLE_EXAMPLES)]
pub(crate) struct Disable {
    /// The service: bms-can, charge-manager, dcdc-rs485, inverter-modbus, settings.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// Which of several.
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

const DISABLE_EXAMPLES: &str = "Its configuration file stays.

Examples:
  sudo busbar disable bms-can can0";

pub(crate) fn enable(options: &Enable) -> anyhow::Result<()> {
    let process = Process::new(&options.service, options.name.as_deref())?;
    needs_root(&format!("enable {process}"))?;
    let supervisor = Supervisor::of_this_machine()?;
    let (file, is_new) = configuration(&process, &options.wishes)?;
    let needs = match &file {
        Some(file) => (process.kind.needs)(file).context("not enabled: its configuration is wrong")?,
        None => Needs::default(),
    };
    supervisor.enable(&process, needs)?;
    let state = supervisor.state(&process).map(|state| state.words).unwrap_or_default();
    let state = if state.is_empty() { String::new() } else { format!(": {state}") };
    let mut text = format!("{process} is enabled{state}\n");
    if let Some(file) = file {
        let written = if is_new { "was written, look it over" } else { "is used as it is" };
        text += &format!("  its configuration  {} {written}\n", file.display());
    }
    text += &format!("  its log            busbar logs {process}\n");
    crate::print(&text)
}

/// The configuration file, if the process has or needs one, and whether it was not there before.
fn configuration(process: &Process, wishes: &Wishes) -> anyhow::Result<(Option<PathBuf>, bool)> {
    if let Ok(file) = locate(None, &process.config_file()) {
        anyhow::ensure!(
            wishes.are_none(),
            "{} is there already and is not changed: edit it, then the same command without options",
            file.display()
        );
        return Ok((Some(file), false));
    }
    let Some(example) = process.kind.example else { return Ok((None, false)) };
    let text = match process.name.as_deref() {
        Some(name) => config_file::from_example(example, name, wishes)?,
        None => {
            anyhow::ensure!(wishes.are_none(), "{process} has no bus of its own: leave the options out");
            example.to_owned()
        }
    };
    let file = directory().join(process.config_file());
    config_file::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok((Some(file), true))
}

/// Where new configuration files go: Venus OS keeps what is in `/data`.
fn directory() -> PathBuf {
    let [debian, venus] = [0, 1].map(|n| DIRECTORIES.get(n).map(PathBuf::from).unwrap_or_default());
    if venus.parent().is_some_and(|conf| conf.is_dir()) { venus } else { debian }
}

pub(crate) fn disable(options: &Disable) -> anyhow::Result<()> {
    let process = Process::new(&options.service, options.name.as_deref())?;
    needs_root(&format!("disable {process}"))?;
    let was_enabled = Supervisor::of_this_machine()?.disable(&process)?;
    let file = locate(None, &process.config_file()).ok();
    let kept = file.map(|file| format!(" {} is kept.", file.display())).unwrap_or_default();
    match was_enabled {
        true => crate::print(&format!("{process} is disabled.{kept}\n")),
        false => crate::print(&format!("{process} was not enabled.{kept}\n")),
    }
}
