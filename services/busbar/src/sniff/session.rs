//! Listening to one bus: what comes in is taken down, shown and recorded, until the user has heard enough.

use std::io::{BufWriter, IsTerminal, Stdout, Write, stdout};
use std::path::Path;
use std::time::Duration;

use bms_can::candump::{Entry, Interface};
use bms_can::decode_log::Record;
use bms_can::frame::Frame;
use bms_can::protocols::by_name;
use bms_can::transports::{Link, LinkEvent};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::Sniff;
use super::dialect::Dialect;
use super::load::Load;
use super::record::Recording;
use super::source::{Choice, Source, interface_name};
use super::table::{self, Head};
use super::traffic::Traffic;
use crate::terminal::{Line, Screen, Wish, Wishes, page_width, print};
use crate::words;

/// How often the picture is drawn.
const REFRESH: Duration = Duration::from_millis(250);
/// What batteries use, where nobody says otherwise.
const USUAL_BIT_RATE: u32 = 500_000;

/// Listening to one bus.
pub(super) struct Session {
    name: String,
    interface: Interface,
    /// What was asked for, or what the interface tells of itself.
    told_bit_rate: Option<u32>,
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
    /// A session with this source, which is not opened yet.
    pub(super) fn new(options: &Sniff, choice: &Choice, source: Source) -> anyhow::Result<Session> {
        let protocol = options.protocol.as_deref().and_then(by_name);
        let name = source.name();
        let of_interface = choice.interfaces.iter().find(|interface| interface.selectors.contains(&name));
        let is_serial = matches!(source, Source::Serial(_));
        let by_protocol = protocol.map(|protocol| protocol.bit_rate);
        let told = options.bit_rate.or(of_interface.and_then(|interface| interface.bit_rate));
        let bit_rate = told.or(by_protocol).unwrap_or(USUAL_BIT_RATE);
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
            // A serial adapter is set to it.
            told_bit_rate: told.or(is_serial.then_some(bit_rate)),
            bit_rate,
            link,
            frames: Vec::new(),
            clock: Clock::new(now),
            dialect: Dialect::new(protocol),
            traffic,
            load: Load::new(now),
            recording: None,
            told: None,
        })
    }

    /// Opens the link, which has one attempt: later it comes back by itself.
    pub(super) async fn open(&mut self) -> anyhow::Result<()> {
        match self.link.next(&mut self.frames).await {
            LinkEvent::Up | LinkEvent::Frames => Ok(()),
            LinkEvent::Down => {
                let why = self.link.health().trouble.clone();
                anyhow::bail!(why.unwrap_or_else(|| format!("{} cannot be opened", self.name)))
            }
        }
    }

    /// Writes every frame into this file from now on.
    pub(super) fn record(&mut self, file: &Path) -> anyhow::Result<()> {
        self.recording = Some(Recording::create(file)?);
        Ok(())
    }

    /// Listens until the user has heard enough, or so long. Whatever ends it, what was recorded is in the file.
    pub(super) async fn listen(&mut self, lasting: Option<Duration>) -> anyhow::Result<()> {
        let is_live = stdout().is_terminal();
        let screen = is_live.then(Screen::take).transpose()?;
        let outcome = self.work(screen.as_ref(), lasting).await;
        drop(screen);
        if let Some(recording) = &mut self.recording {
            recording.flush()?;
            crate::complain(&format!("busbar: recorded {}", recording.summary()));
        }
        outcome?;
        // What stood there last stays to be read.
        if is_live { print(&self.picture(Instant::now(), false)) } else { Ok(()) }
    }

    /// Listens until the user has heard enough.
    async fn work(&mut self, screen: Option<&Screen>, lasting: Option<Duration>) -> anyhow::Result<()> {
        let mut wishes = Wishes::new(screen.is_some())?;
        let mut lines = BufWriter::new(stdout());
        let mut tick = interval(REFRESH);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let end = lasting.map(|lasting| Instant::now() + lasting);
        loop {
            tokio::select! {
                _ = self.link.next(&mut self.frames) => {
                    self.take(screen.is_none().then_some(&mut lines))?;
                    continue;
                }
                _ = tick.tick() => {}
                () = until(end) => return Ok(()),
                wish = wishes.next() => match (wish, screen) {
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
            match screen {
                Some(screen) => screen.draw(&self.picture(now, true))?,
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

    fn picture(&mut self, now: Instant, is_live: bool) -> Vec<Line> {
        let health = self.link.health();
        let told = health.bit_rate.or(self.told_bit_rate);
        let bit_rate = told.unwrap_or(self.bit_rate);
        let head = Head {
            source: &self.name,
            waiting_for: self.link.waiting_for(),
            bit_rate,
            is_assumed: told.is_none(),
            is_live,
            health,
            load: self.load.figures(bit_rate, now),
            dialect: self.dialect.said(),
            doubt: self.dialect.doubt(),
            recording: self.recording.as_ref().map(Recording::summary),
        };
        table::lines(&head, &self.traffic, now, page_width())
    }

    /// Where there is no picture: what has changed about the bus and the dialect, beside the frames.
    fn tell(&mut self) {
        let trouble = self.link.health().trouble.as_deref();
        let news = [Some(self.dialect.said()), self.dialect.doubt(), trouble];
        let news: Vec<&str> = news.into_iter().flatten().collect();
        let news = news.join("; ");
        if self.told.as_ref() != Some(&news) {
            crate::complain(&format!("busbar: {}: {news}", self.name));
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
