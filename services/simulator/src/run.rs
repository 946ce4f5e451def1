//! The simulator as a process: terminals, links, commands, and the battery's seconds in real time.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use service_kit::{Context, Heartbeat};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::assembly;
use crate::command::{self, Action};
use crate::converter::Running;
use crate::device::Device;
use crate::hybrids;
use crate::inverters::{self, InverterError, Profiles};
use crate::link::Link;
use crate::pace::Pace;
use crate::pty::{Happened, Pty};
use crate::scenario::Scenario;

/// A full bus at 500 kbit/s carries about this many of the frames per second.
const FULL_BUS_FRAMES_PER_S: u32 = 4_000;
/// An adapter on USB hands over its frames once a millisecond.
const HAND_OVER: Duration = Duration::from_millis(1);
/// The plant is looked at so often, in s of simulated time and at least so far apart in real time.
const TICK_S: f64 = 0.1;
const SHORTEST_TICK_S: f64 = 0.01;
/// Without batteries, the watchdog hears of the loop so often.
const LOOK: Duration = Duration::from_secs(4);
/// Commands on their way to one battery, and events on their way to the reader.
const QUEUED: usize = 64;

/// What the simulator tells while it runs. `Display` gives the line that the executable prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A battery can be reached.
    Ready {
        /// Its number, from 0.
        battery: usize,
        /// Its terminal.
        terminal: PathBuf,
        /// The link to it.
        link: PathBuf,
    },
    /// An inverter can be reached.
    InverterReady {
        /// The number of the battery on whose busbar it hangs.
        battery: usize,
        /// Its terminal.
        terminal: PathBuf,
        /// The link to it.
        link: PathBuf,
    },
    /// A battery's adapter was pulled out.
    Unplugged {
        /// Its number, from 0.
        battery: usize,
    },
    /// A battery says how it is.
    Status {
        /// Its number, from 0.
        battery: usize,
        /// In words.
        text: String,
    },
    /// A battery says what it tells the bus.
    Report {
        /// Its number, from 0.
        battery: usize,
        /// Words `key=value`.
        text: String,
    },
    /// A converter can be reached, or says something.
    Converter {
        /// Its number, from 0.
        number: usize,
        /// In words.
        text: String,
    },
    /// An inverter on Modbus can be reached, or says something.
    Inverter {
        /// Its number, from 0.
        number: usize,
        /// In words.
        text: String,
    },
    /// A command was carried out.
    Done,
    /// A command was not understood or not carried out.
    Refused(String),
    /// The list of commands.
    Help,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { battery, terminal, link } => {
                write!(f, "battery{battery} ready {} {}", terminal.display(), link.display())
            }
            Self::InverterReady { battery, terminal, link } => {
                write!(f, "inverter{battery} ready {} {}", terminal.display(), link.display())
            }
            Self::Unplugged { battery } => write!(f, "battery{battery} unplugged"),
            Self::Status { battery, text } | Self::Report { battery, text } => {
                write!(f, "battery{battery} {text}")
            }
            Self::Converter { number, text } => write!(f, "converter{number} {text}"),
            Self::Inverter { number, text } => write!(f, "modbus{number} {text}"),
            Self::Done => f.write_str("ok"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Help => f.write_str(command::HELP),
        }
    }
}

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
/// `commands` are lines as [`command::HELP`] describes them (a closed channel is fine); `tell` gets what is to be
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

/// Hands a command to the batteries it is for.
fn dispatch(
    line: &str,
    batteries: &[mpsc::Sender<Action>],
    converters: &[Running],
    inverters: &mut inverters::Running,
) -> Option<Event> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let ["converter", words @ ..] = words.as_slice() {
        return Some(ask(converters, words));
    }
    if let ["inverter", words @ ..] = words.as_slice() {
        let (number, words) = numbered(words);
        return Some(match inverters.command(number, words) {
            Ok(text) => Event::Inverter { number, text },
            Err(why) => Event::Refused(why),
        });
    }
    match line.trim() {
        "" => return None,
        "help" => return Some(Event::Help),
        _ => {}
    }
    let command = match command::parse(line) {
        Ok(command) => command,
        Err(why) => return Some(Event::Refused(why)),
    };
    let chosen = match command.battery {
        None => batteries,
        Some(number) => match batteries.get(number..=number) {
            Some(chosen) => chosen,
            None => return Some(Event::Refused(format!("there is no battery {number}"))),
        },
    };
    let taken = chosen.iter().all(|battery| battery.try_send(command.action.clone()).is_ok());
    match (taken, &command.action) {
        (false, _) => Some(Event::Refused("too many commands at once".to_owned())),
        (true, Action::Status | Action::Report) => None,
        (true, _) => Some(Event::Done),
    }
}

/// Hands a command to the converter it is for, the first unless a number says otherwise.
fn ask(converters: &[Running], words: &[&str]) -> Event {
    let (number, words) = numbered(words);
    match converters.get(number).map(|converter| converter.command(words)) {
        Some(Ok(text)) => Event::Converter { number, text },
        Some(Err(why)) => Event::Refused(why),
        None => Event::Refused(format!("there is no converter {number}")),
    }
}

/// A number in front of words, 0 without.
fn numbered<'a>(words: &'a [&'a str]) -> (usize, &'a [&'a str]) {
    match words {
        [first, rest @ ..] => first.parse().map_or((0, words), |number| (number, rest)),
        [] => (0, words),
    }
}

/// How simulated time is cut into ticks, and ticks into cycles of frames.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Beat {
    tick_s: f64,
    tick: Duration,
    ticks_per_cycle: u32,
}

impl Beat {
    fn new(period_s: f64, speed: f64) -> Self {
        let at_most_s = TICK_S.max(SHORTEST_TICK_S * speed);
        let ticks_per_cycle = (period_s / at_most_s).ceil().max(1.0) as u32;
        let tick_s = period_s / f64::from(ticks_per_cycle);
        Self { tick_s, tick: Duration::from_secs_f64(tick_s / speed), ticks_per_cycle }
    }
}

/// One battery while it runs.
struct Battery {
    number: usize,
    device: Device,
    link: PathBuf,
    beat: Beat,
    frames_per_s: Option<u32>,
    events: mpsc::Sender<Event>,
    heartbeat: Heartbeat,
}

/// A terminal with its link; the link goes first, then the terminal hangs up.
struct Port {
    _link: Link,
    pty: Pty,
}

impl Port {
    fn open(link: &Path) -> Result<Self, RunError> {
        let pty = Pty::open()?;
        let made = Link::create(link, pty.path());
        let link = made.map_err(|source| RunError::Link { path: link.to_owned(), source })?;
        Ok(Self { _link: link, pty })
    }
}

impl Battery {
    async fn serve(mut self, mut commands: mpsc::Receiver<Action>) -> Result<(), RunError> {
        let mut port = None;
        let mut buffer = [0; 4_096];
        let mut ticks = Pace::new(Instant::now(), self.beat.tick);
        let mut to_cycle = 0;
        let mut bus = Bus::default();
        loop {
            self.heartbeat.beat();
            self.plug(&mut port)?;
            let rate = self.frames_per_s.or(self.device.bursting().then_some(FULL_BUS_FRAMES_PER_S));
            bus.set_rate(rate, Instant::now());
            if let Some(port) = &port {
                port.pty.send(self.device.outbox())?;
            }
            let sending = !self.device.outbox().pending().is_empty();
            let wake = bus.next().map_or(ticks.next(), |next| next.min(ticks.next()));
            tokio::select! {
                biased;
                Some(action) = commands.recv() => self.command(&action),
                () = sleep_until(wake) => {
                    for _ in 0..ticks.due(Instant::now()) {
                        self.device.step(self.beat.tick_s);
                        if to_cycle == 0 {
                            to_cycle = self.beat.ticks_per_cycle;
                            if rate.is_some() { self.device.refresh() } else { self.device.cycle() }
                        }
                        to_cycle -= 1;
                    }
                    self.device.repeat(bus.due(Instant::now()));
                }
                happened = happening(port.as_mut(), &mut buffer, sending) => match happened? {
                    Happened::Received(count) => self.device.receive(buffer.get(..count).unwrap_or_default()),
                    Happened::Audience => {
                        let heard = port.as_ref().is_some_and(|port: &Port| port.pty.heard());
                        self.device.set_heard(heard);
                    }
                    Happened::Writable => {}
                },
            }
        }
    }

    /// Makes the port as the device says it is: plugged in or not.
    fn plug(&mut self, port: &mut Option<Port>) -> Result<(), RunError> {
        let event = match (self.device.plugged(), &port) {
            (true, None) => {
                let opened = Port::open(&self.link)?;
                self.device.power_up_adapter();
                let terminal = opened.pty.path().to_owned();
                *port = Some(opened);
                Event::Ready { battery: self.number, terminal, link: self.link.clone() }
            }
            (false, Some(_)) => {
                *port = None;
                Event::Unplugged { battery: self.number }
            }
            _ => return Ok(()),
        };
        // A reader that does not read misses news; the battery goes on.
        let _ = self.events.try_send(event);
        Ok(())
    }

    fn command(&mut self, action: &Action) {
        self.device.apply(action);
        let battery = self.number;
        match action {
            Action::Status => {
                let _ = self.events.try_send(Event::Status { battery, text: self.device.status() });
            }
            Action::Report => {
                for report in self.device.reports() {
                    let _ = self.events.try_send(Event::Report { battery, text: report.to_string() });
                }
            }
            _ => {}
        }
    }
}

async fn happening(port: Option<&mut Port>, buffer: &mut [u8], sending: bool) -> io::Result<Happened> {
    match port {
        Some(port) => port.pty.happening(buffer, sending).await,
        None => std::future::pending().await,
    }
}

/// Frames on a busy bus: so many per second of real time, handed over once a millisecond.
#[derive(Debug, Default)]
struct Bus {
    rate: Option<u32>,
    pace: Option<Pace>,
    parts: u32,
}

impl Bus {
    fn set_rate(&mut self, rate: Option<u32>, now: Instant) {
        if rate != self.rate {
            self.rate = rate;
            self.parts = 0;
            self.pace = rate.map(|_| Pace::new(now, HAND_OVER));
        }
    }

    fn next(&self) -> Option<Instant> {
        self.pace.as_ref().map(Pace::next)
    }

    /// Frames due until `now`; thousandths of a frame are carried over.
    fn due(&mut self, now: Instant) -> usize {
        let (Some(rate), Some(pace)) = (self.rate, &mut self.pace) else { return 0 };
        self.parts += rate * pace.due(now);
        let frames = self.parts / 1_000;
        self.parts %= 1_000;
        frames as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_fit_into_a_cycle_and_are_never_too_short_to_keep() {
        for (period_s, speed, ticks_per_cycle, tick_ms) in
            [(1.0, 1.0, 10, 100.0), (0.05, 1.0, 1, 50.0), (1.0, 60.0, 2, 8.333_333), (60.0, 600.0, 10, 10.0)]
        {
            let beat = Beat::new(period_s, speed);
            assert_eq!(beat.ticks_per_cycle, ticks_per_cycle);
            assert!((beat.tick.as_secs_f64() * 1e3 - tick_ms).abs() < 1e-3, "{beat:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_bus_carries_exactly_its_rate() {
        let start = Instant::now();
        let mut bus = Bus::default();
        bus.set_rate(Some(3_999), start);
        let frames: usize = (1..=1_000).map(|ms| bus.due(start + Duration::from_millis(ms))).sum();
        assert_eq!(frames, 3_999);
    }
}
