//! The simulator as a process: terminals, links, commands, and the battery's seconds in real time.
//!
//! - `event`: what it tells
//! - `dispatch`: commands on their way to whom they are for
//! - `battery`: one battery on its terminal; `beat`: when it is looked at, and when its frames go

mod battery;
mod beat;
mod dispatch;
mod event;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use service_kit::Context;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, yield_now};

use crate::assembly;
use crate::converter::Running;
use crate::hybrids;
use crate::inverters::{self, InverterError, Profiles};
use crate::scenario::Scenario;
use battery::Battery;
use beat::Beat;
use dispatch::dispatch;
pub use event::Event;

/// Without batteries, the watchdog hears of the loop so often.
const LOOK: Duration = Duration::from_secs(4);
/// Commands on their way to one battery, and events on their way to the reader.
const QUEUED: usize = 64;

/// Why the simulator stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The link to a terminal could not be made.
    #[error("cannot make the link {path}: {source}")]
    Link {
        /// The link.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No terminal, or it failed.
    #[error("the pseudo-terminal failed: {0}")]
    Terminal(#[from] io::Error),
    /// An inverter on Modbus does not start.
    #[error(transparent)]
    Inverter(#[from] InverterError),
    /// A battery ended on its own, which is a mistake in this program.
    #[error("a battery stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Runs a scenario until it is asked to stop. Then the links are gone and the terminals hung up.
///
/// `commands` are lines as [`HELP`](crate::command::HELP) describes them (a closed channel is fine); `tell` gets what is to be
/// printed, first of all one [`Event::Ready`] per battery. `profiles` knows the texts of inverters' profiles by name.
///
/// # Errors
/// A terminal or a link cannot be made.
pub async fn run(
    scenario: &Scenario,
    profiles: Profiles,
    context: &Context,
    mut commands: mpsc::Receiver<String>,
    mut tell: impl FnMut(Event),
) -> Result<(), RunError> {
    let (events, mut happened) = mpsc::channel(QUEUED);
    let mut batteries = Vec::new();
    let mut serving = JoinSet::new();
    let mut inverters = inverters::Running::start(&scenario.inverter, profiles)?;
    for (number, (config, mut device)) in assembly::devices(scenario).into_iter().enumerate() {
        let carried = scenario.inverter.iter().position(|inverter| inverter.battery == Some(number));
        if let Some(inverter) = carried.and_then(|number| inverters.unit(number)) {
            device.carry(inverter);
        }
        if let (Some(config), Some(hybrid)) = (config.hybrid, device.hybrid()) {
            let port = hybrids::Port {
                number,
                hybrid: hybrid.clone(),
                link: config.link,
                events: events.clone(),
                heartbeat: context.heartbeat().clone(),
            };
            serving.spawn(port.serve());
        }
        let (to_battery, for_battery) = mpsc::channel(QUEUED);
        let battery = Battery {
            number,
            device,
            link: config.link,
            beat: Beat::new(config.period_s, scenario.speed),
            frames_per_s: config.frames_per_s,
            events: events.clone(),
            heartbeat: context.heartbeat().clone(),
        };
        batteries.push(to_battery);
        serving.spawn(battery.serve(for_battery));
    }
    let mut converters = Vec::new();
    for (number, config) in scenario.converter.iter().enumerate() {
        let started = Running::start(config);
        let converter = started.map_err(|source| RunError::Link { path: config.link.clone(), source })?;
        tell(Event::Converter { number, text: format!("ready {}", converter.terminals()) });
        converters.push(converter);
    }
    for (number, place) in inverters.places() {
        tell(Event::Inverter { number, text: format!("ready {place}") });
    }
    let shutdown = context.shutdown();
    let mut awaited = batteries.len();
    if awaited == 0 {
        context.ready("running");
    }
    let mut looks = tokio::time::interval(LOOK);
    let mut listening = true;
    let outcome = loop {
        tokio::select! {
            () = shutdown.requested() => break Ok(()),
            _ = looks.tick(), if batteries.is_empty() => context.beat(),
            Some(ended) = serving.join_next() => break ended.map_err(RunError::from).and_then(|result| result),
            Some(event) = happened.recv() => {
                if matches!(event, Event::Ready { .. }) && awaited > 0 {
                    awaited -= 1;
                    if awaited == 0 {
                        context.ready("running");
                    }
                }
                tell(event);
            }
            line = commands.recv(), if listening => match line {
                Some(line) => {
                    if let Some(answer) = dispatch(&line, &batteries, &converters, &mut inverters) {
                        // A port that was unplugged is closed by its task: by the time it is told, another can be opened there.
                        yield_now().await;
                        tell(answer);
                    }
                }
                None => listening = false,
            },
        }
    };
    serving.shutdown().await;
    outcome
}
