//! `busbar sniff`: what is said on a CAN bus, decoded, without disturbing it.
//!
//! - `source`: which bus, and the way to it
//! - `traffic`, `wire`: the newest frame of each id, and what it all costs on the wire; pure
//! - `dialect`: which dialect that is; pure
//! - `table`: all of it as lines; pure
//! - `record`: a file in candump's format

mod dialect;
mod record;
mod source;
mod table;
mod traffic;
mod wire;

use std::io::{BufWriter, IsTerminal, Stdout, Write, stdout};
use std::path::PathBuf;
use std::time::Duration;

use bms_can::candump::{Entry, Interface};
use bms_can::decode_log::Record;
use bms_can::frame::Frame;
use bms_can::protocols::{PROTOCOLS, by_name};
use bms_can::transports::{Link, LinkEvent};
use clap::Args;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::cli::duration;
use crate::terminal::{Screen, Wish, Wishes};
use crate::words;
use dialect::Dialect;
use record::Recording;
use source::{Choice, Source, interface_name};
use table::Head;
use traffic::Traffic;
use wire::Load;

/// How often the picture is drawn.
const REFRESH: Duration = Duration::from_millis(250);
/// What batteries use, where nobody says otherwise.
const USUAL_BIT_RATE: u32 = 500_000;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sniff {
    /// A CAN interface, or the serial port of an slcan adapter; without it, the only CAN interface of this machine.
    #[arg(value_name = "can0|TTY")]
    source: Option<String>,
    /// The dialect; without it, the one that the traffic shows.
    #[arg(long, value_name = "NAME", value_parser = PROTOCOLS.iter().map(|protocol| protocol.name).collect::<Vec<_>>(), hide_possible_values = true)]
    protocol: Option<String>,
    /// Writes every frame into a new file, in candump's log format.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Ends by itself after this time: 20s, 5m.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    lasting: Option<Duration>,
    /// Speed of the CAN bus behind a serial adapter, in bit/s; without it, that of the dialect, or 500000.
    #[arg(long, value_name = "BIT/S")]
    bit_rate: Option<u32>,
    /// Speed of the serial line; USB adapters disregard it.
    #[arg(long, value_name = "BIT/S", default_value_t = 115_200)]
    serial_baud: u32,
    /// Whether a serial adapter keeps quiet altogether. With false it acknowledges frames, which a battery that is alone
    /// on the bus needs; frames are never sent.
    #[arg(long, value_name = "true|false", default_value_t = true, action = clap::ArgAction::Set)]
    listen_only: bool,
}

const EXAMPLES: &str = "A port that a service has is not disturbed: stop the service, or listen on a CAN interface, which many can do at once.

Examples:
  busbar sniff can0
  busbar sniff /dev/serial/by-id/usb-CANable_004F-if00 --record battery.log
  busbar sniff /dev/ttyACM0 --bit-rate 250000 --protocol growatt_lv
  busbar sniff can0 --for 10s | grep soc";

pub(crate) async fn run(options: Sniff) -> anyhow::Result<()> {
    let choice = Choice::look();
    let source = choice.choose(options.source.as_deref()).map_err(anyhow::Error::msg)?;
    let mut session = Session::new(&options, &choice, source)?;
    session.open().await?;
    let outcome = session.listen(&options).await;
    if let Some(recording) = &mut session.recording {
        recording.flush()?;
        eprintln!("busbar: recorded {}", recording.summary());
    }
    outcome
}

/// Listening to one bus.
struct Session {
    name: String,
    interface: Interface,
    bit_rate: u32,
    link: Link,
    frames: Vec<Frame>,
    clock: Clock,
    dialect: Dialect,
    traffic: Traffic,
    load: Load,
    recording: Option<Recording>,
    told: Option<String>,
}

impl Session {
    fn new(options: &Sniff, choice: &Choice, source: Source) -> anyhow::Result<Session> {
        let protocol = options.protocol.as_deref().and_then(by_name);
        let name = source.name();
        let of_interface = choice.interfaces.iter().find(|interface| interface.selectors.contains(&name));
        let bit_rate = options
            .bit_rate
            .or(of_interface.and_then(|interface| interface.bit_rate))
            .or(protocol.map(|protocol| protocol.bit_rate))
            .unwrap_or(USUAL_BIT_RATE);
        let link =
            source.link(bit_rate, options.serial_baud, options.listen_only).map_err(anyhow::Error::msg)?;
        let now = Instant::now();
        let mut traffic = Traffic::default();
        if let Some(protocol) = protocol {
            traffic.speak(protocol);
        }
        let interface = interface_name(&name);
        Ok(Session {
            interface: Interface::new(&interface).ok_or_else(|| anyhow::anyhow!("no name: {interface:?}"))?,
            name,
            bit_rate,
            link,
            frames: Vec::new(),
            clock: Clock::new(now),
            dialect: Dialect::new(protocol),
            traffic,
            load: Load::new(now),
            recording: options.record.as_deref().map(Recording::create).transpose()?,
            told: None,
        })
    }

    /// Opens the link, which has one attempt: later it comes back by itself.
    async fn open(&mut self) -> anyhow::Result<()> {
        match self.link.next(&mut self.frames).await {
            LinkEvent::Up | LinkEvent::Frames => Ok(()),
            LinkEvent::Down => {
                let why = self.link.health().trouble.clone();
                anyhow::bail!(why.unwrap_or_else(|| format!("{} cannot be opened", self.name)))
            }
        }
    }

    async fn listen(&mut self, options: &Sniff) -> anyhow::Result<()> {
        let is_live = stdout().is_terminal();
        let screen = is_live.then(Screen::take).transpose()?;
        let mut wishes = Wishes::new(is_live)?;
        let mut lines = BufWriter::new(stdout());
        let mut tick = interval(REFRESH);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let end = options.lasting.map(|lasting| Instant::now() + lasting);
        loop {
            tokio::select! {
                _ = self.link.next(&mut self.frames) => {
                    self.take(screen.is_none().then_some(&mut lines))?;
                    continue;
                }
                _ = tick.tick() => {}
                () = until(end) => return Ok(()),
                wish = wishes.next() => match (wish, &screen) {
                    (Wish::End, _) => return Ok(()),
                    (Wish::Stop, Some(screen)) => screen.stop()?,
                    (Wish::Stop | Wish::Redraw, _) => {}
                }
            }
            let now = Instant::now();
            if let Some(protocol) = self.dialect.settle(self.clock.since_start(now)) {
                self.traffic.speak(protocol);
            }
            if let Some(recording) = &mut self.recording {
                recording.flush()?;
            }
            match &screen {
                Some(screen) => screen.draw(&self.picture(now))?,
                None => self.tell(),
            }
        }
    }

    /// Takes in the frames that have come; where there is no picture, each becomes a line.
    fn take(&mut self, mut lines: Option<&mut BufWriter<Stdout>>) -> anyhow::Result<()> {
        let now = Instant::now();
        for frame in self.frames.drain(..) {
            let entry = Entry { timestamp: Some(self.clock.wall(now)), interface: self.interface, frame };
            if let Some(recording) = &mut self.recording {
                recording.add(&entry)?;
            }
            self.load.add(&frame, now);
            self.dialect.see(&frame, self.clock.since_start(now));
            let decoded = self.traffic.add(&frame, now);
            if let Some(lines) = &mut lines {
                let line = self.traffic.frames();
                let record = Record { line, entry, protocol: self.traffic.protocol(), decoded };
                writeln!(lines, "{}", words::line(&record))?;
            }
        }
        if let Some(lines) = lines {
            lines.flush()?;
        }
        Ok(())
    }

    fn picture(&mut self, now: Instant) -> Vec<crate::terminal::Line> {
        let health = self.link.health();
        let bit_rate = health.bit_rate.unwrap_or(self.bit_rate);
        let head = Head {
            source: &self.name,
            waiting_for: self.link.waiting_for(),
            bit_rate,
            health,
            load: self.load.figures(bit_rate, now),
            dialect: self.dialect.said(),
            doubt: self.dialect.doubt(),
            recording: self.recording.as_ref().map(Recording::summary),
        };
        table::lines(&head, &self.traffic, now, Screen::size().0)
    }

    /// Where there is no picture: what has changed about the bus and the dialect, beside the frames.
    fn tell(&mut self) {
        let trouble = self.link.health().trouble.as_deref();
        let news = [Some(self.dialect.said()), self.dialect.doubt(), trouble];
        let news: Vec<&str> = news.into_iter().flatten().collect();
        let news = news.join("; ");
        if self.told.as_ref() != Some(&news) {
            eprintln!("busbar: {}: {news}", self.name);
            self.told = Some(news);
        }
    }
}

/// The time since the start of the session, and the time of day with it.
#[derive(Debug)]
struct Clock {
    start: Instant,
    started_at: Duration,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a recording has the time of day, as candump's do")]
    fn new(now: Instant) -> Clock {
        let started_at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Clock { start: now, started_at: started_at.unwrap_or_default() }
    }

    fn since_start(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    /// The time since 1970. It does not follow the clock when that is set meanwhile: a recording has no jumps.
    fn wall(&self, now: Instant) -> Duration {
        self.started_at + self.since_start(now)
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}
