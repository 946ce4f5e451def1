//! `busbar list`: the processes that are enabled on this machine, and how they are.

use clap::Args;
use serde::Serialize;
use service_kit::config::locate;

use crate::supervise::{State, Supervisor};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    /// One JSON document.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "What they have on the D-Bus is shown by busbar status.

Examples:
  busbar list
  busbar list --json | jq -r '.[] | select(.condition == \"failed\").process'";

/// An enabled process.
#[derive(Debug, Serialize)]
struct Enabled {
    process: String,
    config: Option<String>,
    #[serde(flatten)]
    state: State,
}

pub(crate) fn run(options: &List) -> anyhow::Result<()> {
    let all = enabled(&Supervisor::of_this_machine()?)?;
    if options.json {
        return crate::print(&(serde_json::to_string_pretty(&all)? + "\n"));
    }
    if all.is_empty() {
        return crate::print("Nothing is enabled. For example: sudo busbar enable bms-can can0\n");
    }
    crate::print(&table(&all))
}

/// All of them, as text: also for the bundle.
pub(crate) fn text(supervisor: &Supervisor) -> anyhow::Result<String> {
    Ok(table(&enabled(supervisor)?))
}

fn enabled(supervisor: &Supervisor) -> anyhow::Result<Vec<Enabled>> {
    let processes = supervisor.enabled().into_iter().map(|process| {
        let config = locate(None, &process.config_file()).ok().map(|path| path.display().to_string());
        Ok(Enabled { process: process.to_string(), config, state: supervisor.state(&process)? })
    });
    processes.collect()
}

fn table(all: &[Enabled]) -> String {
    let longest = all.iter().map(|one| one.process.len()).max().unwrap_or_default();
    let lines = all.iter().map(|Enabled { process, state, .. }| {
        let restarts = match state.restarts {
            Some(n) if n > 0 => format!(" (started again {n} times)"),
            _ => String::new(),
        };
        format!("{process:<longest$}  {:<8}  {}{restarts}", state.condition.word(), state.words)
            .trim_end()
            .to_owned()
            + "\n"
    });
    lines.collect()
}
