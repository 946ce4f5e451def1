//! `busbar demo`: a bus of its own, a simulated battery, the real `bms-can`, and a live picture of what they put there. Or
//! three of them, the manager of the bank, and a charger that follows it.

mod charger;
mod stage;
mod table;

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use dbus_interfaces::{BusAddress, Filter, Monitor};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::cli::duration;
use crate::terminal::{Line, Screen, Wish, Wishes, flow};
use stage::{Play, Stage};

/// How often the table is drawn.
const REFRESH: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    /// Ends by itself after this time: 20s, 5m.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    lasting: Option<Duration>,
    /// Prints the items as JSON at the end instead of a live table.
    #[arg(long, requires = "lasting")]
    json: bool,
    /// Three batteries, their manager, and a simulated charger that follows it.
    #[arg(long, conflicts_with = "scenario")]
    bank: bool,
    /// Another scenario for the simulator; its batteries must be Pylontech ones.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

const EXAMPLES: &str = "While it runs it names the bus it made; from a second shell:
  busbar status --bus ADDRESS
  busctl --address=ADDRESS tree
  busctl --address=ADDRESS call com.victronenergy.battery.bmscan_battery0 /Soc com.victronenergy.BusItem GetText

Examples:
  busbar demo
  busbar demo --bank                            and in a second shell: busbar explain --bus ADDRESS
  busbar demo --for 20s --json";

pub(crate) async fn run(options: Demo) -> anyhow::Result<()> {
    let play = match &options.scenario {
        _ if options.bank => Play::Bank,
        Some(scenario) => Play::Scenario(scenario),
        None => Play::Battery,
    };
    let mut stage = Stage::set(play).await?;
    let (address, batteries) = (BusAddress::At(stage.address.clone()), stage.batteries);
    let simulator = stage.simulator.take();
    let charging = async {
        match simulator {
            Some(simulator) => charger::run(&address, simulator, batteries).await,
            None => std::future::pending().await,
        }
    };
    let outcome = tokio::select! {
        outcome = watch(&mut stage, &options) => outcome,
        error = charging => Err(error),
    };
    stage.strike().await;
    outcome
}

async fn watch(stage: &mut Stage, options: &Demo) -> anyhow::Result<()> {
    let (monitor, _events) =
        Monitor::start(&BusAddress::At(stage.address.clone()), Filter::everything()).await?;
    let head = format!(
        "D-Bus address: {0}\nIn a second shell: busctl --address={0} tree\nCtrl-C ends the demo.\n\n",
        stage.address
    );
    let is_live = stdout().is_terminal() && !options.json;
    let screen = is_live.then(Screen::take).transpose()?;
    if !is_live && !options.json {
        stdout().write_all(head.as_bytes())?;
    }
    let end = options.lasting.map(|lasting| Instant::now() + lasting);
    let mut tick = interval(REFRESH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut wishes = Wishes::new(is_live)?;
    loop {
        tokio::select! {
            () = until(end) => break,
            wish = wishes.next() => match (wish, &screen) {
                (Wish::End, _) => break,
                (Wish::Stop, Some(screen)) => screen.stop()?,
                (Wish::Stop | Wish::Redraw, _) => {}
            },
            failed = stage.failed() => return Err(failed),
            lost = monitor.lost() => return Err(lost.into()),
            _ = tick.tick() => {}
        }
        match &screen {
            Some(screen) => {
                let picture = format!("{head}{}", table::table(&monitor));
                let width = Screen::size().0;
                screen.draw(&picture.lines().flat_map(|line| wrapped(line, width)).collect::<Vec<_>>())?;
            }
            None if options.json => {}
            None => stdout().write_all(table::table(&monitor).as_bytes())?,
        }
    }
    drop(screen);
    if is_live {
        // What stood there last stays to be read.
        stdout().write_all(table::table(&monitor).as_bytes())?;
    }
    if options.json {
        let trees = table::json(&monitor).await?;
        anyhow::ensure!(!trees.is_empty(), "no battery came onto the bus in this time");
        serde_json::to_writer_pretty(stdout().lock(), &trees).map_err(std::io::Error::from)?;
        writeln!(stdout())?;
    }
    Ok(())
}

/// A line on as many lines as it needs, indented as it is.
fn wrapped(line: &str, width: usize) -> Vec<Line> {
    let text = line.trim_start();
    match text.is_empty() {
        true => vec![Line::default()],
        false => flow(&[Line::plain(text)], line.len() - text.len(), "", width),
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}
