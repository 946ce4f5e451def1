//! An slcan adapter on a serial port: opened when it is there, opened again when it comes back.

use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use service_kit::serial::{self, Port};
use service_kit::{Backoff, Repeating, Report};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::LinkEvent;
use super::load::{LoadMeter, bits_of};
use super::pacing::Pacing;
use super::slcan_codec::{Decoder, Event, Status};
use super::slcan_command::{BitRate, Command, encode_command, encode_frame};
use super::slcan_opening::Opening;
use crate::frame::Frame;
use crate::link_health::{BusState, LinkHealth};

/// The tty's own buffer; at 500 kbit/s it fills in 40 ms.
const BUFFER: usize = 4096;
/// More than a cycle of frames never waits for the adapter: what it does not take is lost, and counted.
const OUTBOX: usize = 512;
/// Without a frame for so long, the adapter is asked how the bus is.
const SILENT: Duration = Duration::from_secs(3);
/// Frames without any noise for so long show that it is over.
const QUIET: Duration = Duration::from_secs(30);
/// How often it is asked in any case: what it loses it tells only so.
const ASK: Duration = Duration::from_secs(10);

/// An slcan adapter and what is to be done with it.
#[derive(Debug)]
pub struct Slcan {
    path: PathBuf,
    serial_baud: u32,
    bit_rate: BitRate,
    listen_only: bool,
    state: State,
    backoff: Backoff,
    failure: Repeating,
    sending: Repeating,
    health: LinkHealth,
}

#[derive(Debug)]
enum State {
    /// The port is not there.
    Waiting,
    /// The port is there and failed.
    Resting(Instant),
    Open(Box<Line>),
}

#[derive(Debug)]
struct Line {
    port: Port,
    decoder: Decoder,
    buffer: Box<[u8; BUFFER]>,
    outbox: Vec<u8>,
    pacing: Pacing,
    bit_rate: BitRate,
    listen_only: bool,
    opening: Opening,
    meter: LoadMeter,
    heard_at: Option<Instant>,
    asked_at: Instant,
    ask_at: Instant,
    /// Whether the adapter has said anything since it was last asked.
    answered: bool,
    /// Whether the present trouble is that nothing comes: frames end it.
    is_about_silence: bool,
    trouble: Repeating,
    noise: Repeating,
}

impl Slcan {
    /// An adapter at `path`. Nothing is opened yet.
    #[must_use]
    pub fn new(path: PathBuf, serial_baud: u32, bit_rate: BitRate, listen_only: bool, seed: u64) -> Self {
        let backoff = Backoff::for_hardware(seed);
        Slcan {
            path,
            serial_baud,
            bit_rate,
            listen_only,
            state: State::Waiting,
            backoff,
            failure: Repeating::default(),
            sending: Repeating::default(),
            health: LinkHealth::default(),
        }
    }

    /// What happens next; frames are added to `frames`. Dropping the future loses nothing.
    pub async fn next(&mut self, frames: &mut Vec<Frame>) -> LinkEvent {
        let outcome = match &mut self.state {
            State::Waiting => {
                serial::wait_for(&self.path).await;
                return self.open();
            }
            State::Resting(until) => {
                sleep_until(*until).await;
                return self.open();
            }
            State::Open(line) => line.read(frames, &mut self.health).await,
        };
        match outcome {
            Ok(()) => LinkEvent::Frames,
            Err(error) if serial::is_unplugged(&error) => self.wait(&error.to_string()),
            Err(error) => self.rest(&error.to_string()),
        }
    }

    /// Sends a frame, as far as the adapter keeps up; false if it is lost.
    pub fn send(&mut self, frame: &Frame) -> bool {
        let State::Open(line) = &mut self.state else { return false };
        if self.listen_only {
            return false;
        }
        let now = Instant::now();
        let is_taken = line.put(encode_frame(frame).as_bytes());
        let report = if is_taken {
            self.sending.ended(now)
        } else {
            let dropped = self.health.tx_dropped.unwrap_or_default();
            self.health.tx_dropped = Some(dropped.saturating_add(1));
            self.sending.failed(now, "the adapter takes no more frames, they are dropped")
        };
        if let Some(report) = report {
            tracing::warn!(port = %self.path.display(), "{report}");
        }
        is_taken
    }

    /// How the bus is.
    #[must_use]
    pub fn health(&self) -> &LinkHealth {
        &self.health
    }

    /// What the link is waiting for, in a few words; `None` while it is open.
    #[must_use]
    pub fn waiting_for(&self) -> Option<String> {
        (!matches!(self.state, State::Open(_))).then(|| self.path.display().to_string())
    }

    fn open(&mut self) -> LinkEvent {
        let now = Instant::now();
        match Port::open(&self.path, self.serial_baud) {
            Ok(port) => {
                let port_name = self.path.display();
                match self.failure.ended(now) {
                    Some(Report::Ended { lasting, .. }) => {
                        tracing::info!(port = %port_name, "the port is open after {:.1} s", lasting.as_secs_f64());
                    }
                    _ => tracing::info!(port = %port_name, "the port is open"),
                }
                self.backoff.succeeded(now);
                self.health = LinkHealth {
                    bit_rate: Some(self.bit_rate.bits_per_second()),
                    tx_dropped: Some(self.health.tx_dropped.unwrap_or_default()),
                    ..LinkHealth::default()
                };
                let mut line = Box::new(Line::new(port, self.bit_rate, self.listen_only, now));
                line.open();
                self.state = State::Open(line);
                LinkEvent::Up
            }
            Err(error) if error.is_missing() => self.wait(&error.to_string()),
            Err(error) => self.rest(&error.to_string()),
        }
    }

    /// The port is not there.
    fn wait(&mut self, why: &str) -> LinkEvent {
        self.state = State::Waiting;
        self.report(BusState::NoAdapter, why, Instant::now())
    }

    /// The port is there and fails.
    fn rest(&mut self, why: &str) -> LinkEvent {
        let now = Instant::now();
        self.state = State::Resting(now + self.backoff.failed(now));
        self.report(BusState::Stopped, why, now)
    }

    fn report(&mut self, state: BusState, why: &str, now: Instant) -> LinkEvent {
        if let Some(report) = self.failure.failed(now, why) {
            tracing::warn!(port = %self.path.display(), "{report}");
        }
        self.health = LinkHealth::without(state, why.to_owned(), self.health.tx_dropped);
        LinkEvent::Down
    }
}

impl Line {
    fn new(port: Port, bit_rate: BitRate, listen_only: bool, now: Instant) -> Self {
        Line {
            port,
            decoder: Decoder::default(),
            buffer: Box::new([0; BUFFER]),
            outbox: Vec::with_capacity(64),
            pacing: Pacing::new(now),
            bit_rate,
            listen_only,
            opening: Opening::new(),
            meter: LoadMeter::new(now),
            heard_at: None,
            asked_at: now,
            ask_at: now + SILENT,
            answered: false,
            is_about_silence: false,
            trouble: Repeating::default(),
            noise: Repeating::default(),
        }
    }

    fn open(&mut self) {
        for command in Opening::commands(self.bit_rate, self.listen_only) {
            self.put(encode_command(command).as_bytes());
        }
    }

    fn put(&mut self, bytes: &[u8]) -> bool {
        let fits = self.outbox.len() + bytes.len() <= OUTBOX;
        if fits {
            self.outbox.extend_from_slice(bytes);
        }
        fits
    }

    /// Reads once and takes the bytes apart; asks the adapter how the bus is when it is time.
    async fn read(&mut self, frames: &mut Vec<Frame>, health: &mut LinkHealth) -> io::Result<()> {
        self.pacing.rest().await;
        let ask_at = self.ask_at;
        let length = tokio::select! {
            length = transfer(&mut self.port, &mut self.outbox, self.buffer.as_mut_slice()) => length?,
            () = sleep_until(ask_at) => {
                self.ask(health, ask_at);
                return Ok(());
            }
        };
        let now = Instant::now();
        let before = frames.len();
        let (mut status, mut is_other) = (None, false);
        for event in self.decoder.feed(self.buffer.get(..length).unwrap_or_default()) {
            match event {
                Event::Frame(frame, _) => {
                    self.meter.add(bits_of(&frame));
                    frames.push(frame);
                }
                Event::Status(flags) => status = Some(flags),
                Event::Version(version) => tracing::info!(version = version.as_str(), "the adapter answers"),
                Event::Garbage(count) => {
                    let what = format!(
                        "{count} bytes that are no slcan: noise, another serial_baud, or another device"
                    );
                    if let Some(report) = self.noise.failed(now, &what) {
                        tracing::warn!(port = %self.port.path().display(), "{report}");
                    }
                }
                Event::Ack | Event::Sent | Event::Nack | Event::Serial(_) => {}
            }
            self.answered |= !matches!(event, Event::Garbage(_));
            is_other |= self.opening.said(&event);
        }
        if frames.len() > before {
            if let Some(report) = self.noise.ended_after(QUIET, now) {
                tracing::info!(port = %self.port.path().display(), "only slcan comes again: {report}");
            }
            self.heard_at = Some(now);
            self.ask_at = (self.asked_at + ASK).min(now + SILENT);
        }
        health.load_pct = self.meter.take(self.bit_rate.bits_per_second(), now).or(health.load_pct);
        if let Some(status) = status {
            self.explain(status, health, now);
        } else if is_other {
            let what = self.refused();
            self.settle(what.as_deref(), health, now);
        } else if frames.len() > before && self.is_about_silence {
            self.settle(None, health, now);
        }
        self.pacing.has_read(frames.len() - before, now);
        Ok(())
    }

    /// Asks how the bus is, and says so if the adapter has not answered since the last time.
    fn ask(&mut self, health: &mut LinkHealth, now: Instant) {
        if !self.answered {
            self.is_about_silence = true;
            self.settle(
                Some("the adapter does not answer: no slcan adapter, or another serial_baud"),
                health,
                now,
            );
        }
        self.answered = false;
        self.put(encode_command(Command::Status).as_bytes());
        self.asked_at = now;
        self.ask_at = now + ASK;
    }

    /// What the adapter has refused, with what to do.
    fn refused(&self) -> Option<String> {
        self.opening.refused().map(|refused| refused.words(self.bit_rate, self.listen_only))
    }

    /// What the adapter's answer means. Flags count since the last answer.
    fn explain(&mut self, status: Status, health: &mut LinkHealth, now: Instant) {
        let is_silent = self.heard_at.is_none_or(|at| now.duration_since(at) >= SILENT);
        let loses = status.rx_full || status.data_overrun;
        health.state = Some(if status.error_passive {
            BusState::Passive
        } else if status.error_warning {
            BusState::Warning
        } else {
            BusState::Active
        });
        health.overflows = Some(health.overflows.unwrap_or_default().saturating_add(loses.into()));
        let has_errors = status.error_passive || status.bus_error || status.error_warning;
        let refused = self.refused();
        let what = if refused.is_some() {
            refused.as_deref()
        } else if has_errors {
            Some("errors on the CAN bus: check bit_rate, wiring and the 120 ohm at both ends")
        } else if loses {
            Some("the adapter loses frames: the serial line is too slow for the bus, raise serial_baud")
        } else if is_silent && self.heard_at.is_some() {
            Some("the adapter answers, but frames have stopped: is the battery on?")
        } else if is_silent {
            Some("the adapter answers, but no frame comes: battery off, wiring, or another bit_rate")
        } else {
            None
        };
        self.is_about_silence = is_silent && !has_errors && !loses && refused.is_none();
        self.settle(what, health, now);
    }

    /// Tells log and bus what is wrong, or that nothing is any more.
    fn settle(&mut self, what: Option<&str>, health: &mut LinkHealth, now: Instant) {
        health.trouble = what.map(str::to_owned);
        let port = self.port.path().display();
        match what {
            Some(what) => {
                if let Some(report) = self.trouble.failed(now, what) {
                    tracing::warn!(%port, "{report}");
                }
            }
            None => {
                self.is_about_silence = false;
                if let Some(report) = self.trouble.ended(now) {
                    tracing::info!(%port, "the bus is well: {report}");
                }
            }
        }
    }
}

/// Writes what is to be sent as far as the port takes it, and returns with the next bytes read.
async fn transfer(port: &mut Port, outbox: &mut Vec<u8>, buffer: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| {
        while !outbox.is_empty() {
            match Pin::new(&mut *port).poll_write(cx, outbox) {
                Poll::Ready(Ok(written)) => drop(outbox.drain(..written.min(outbox.len()))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        let mut space = ReadBuf::new(buffer);
        let read = Pin::new(&mut *port).poll_read(cx, &mut space);
        read.map_ok(|()| space.filled().len())
    })
    .await
}
