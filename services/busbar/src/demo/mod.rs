//! `busbar demo`: a bus of its own, a simulated battery, the real `bms-can`, and a live picture of what they put there.

mod stage;
mod table;

use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use dbus_interfaces::{BusAddress, Filter, Monitor};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::cli::Demo;
use stage::Stage;

/// How often the table is drawn.
const REFRESH: Duration = Duration::from_secs(1);

pub(crate) fn run(options: Demo) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    crate::report(runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(show(options))))
}

async fn show(options: Demo) -> anyhow::Result<()> {
    let mut stage = Stage::set(options.scenario.as_deref()).await?;
    let outcome = watch(&mut stage, &options).await;
    stage.strike().await;
    outcome
}

async fn watch(stage: &mut Stage, options: &Demo) -> anyhow::Result<()> {
    let (monitor, _events) =
        Monitor::start(&BusAddress::At(stage.address.clone()), Filter::everything()).await?;
    if !options.json {
        println!("D-Bus address: {}", stage.address);
        println!("In a second shell: busctl --address={} tree", stage.address);
        println!("Ctrl-C ends the demo.\n");
    }
    let end = options.lasting.map(|lasting| Instant::now() + lasting);
    let mut tick = interval(REFRESH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut interrupted, mut terminated) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hung_up = signal(SignalKind::hangup())?;
    let mut screen = table::Screen::new(stdout().is_terminal());
    loop {
        tokio::select! {
            () = until(end) => break,
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
            _ = hung_up.recv() => break,
            failed = stage.failed() => return Err(failed),
            lost = monitor.lost() => return Err(lost.into()),
            _ = tick.tick() => {
                if !options.json {
                    screen.draw(&table::table(&monitor))?;
                }
            }
        }
    }
    if options.json {
        let trees = table::json(&monitor).await?;
        anyhow::ensure!(!trees.is_empty(), "no battery came onto the bus in this time");
        serde_json::to_writer_pretty(stdout().lock(), &trees).map_err(std::io::Error::from)?;
        writeln!(stdout())?;
    }
    Ok(())
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}
