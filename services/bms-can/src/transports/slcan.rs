//! An slcan adapter on a serial port: opened when it is there, opened again when it comes back.

use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use service_kit::serial::{self, Port};
use service_kit::{Backoff, Repeating};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::LinkEvent;
use super::slcan_codec::{Decoder, Event, Status};
use super::slcan_command::{BitRate, Command, encode_command, encode_frame};
use crate::frame::Frame;

/// The tty's own buffer; at 500 kbit/s it fills in 40 ms.
const BUFFER: usize = 4096;
/// More than a cycle of frames never waits for the adapter: what it does not take is lost, and counted.
const OUTBOX: usize = 512;
/// A read so soon after the last is one of a stream.
const QUICK: Duration = Duration::from_millis(5);
/// So many of them in a row, and reading waits for more to come: a full bus costs 50 wake-ups a second and not 4000.
const STREAM: u32 = 16;
/// How long it waits then; half of what the buffer holds.
const REST: Duration = Duration::from_millis(20);
/// Without a frame for so long, the adapter is asked how the bus is.
const SILENT: Duration = Duration::from_secs(3);
/// How often it is asked.
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
    last_read: Instant,
    quick: u32,
    rest_until: Option<Instant>,
    ask_at: Instant,
    /// Whether the adapter has said anything since it was last asked.
    answered: bool,
    has_frames: bool,
    trouble: Repeating,
    garbage: Repeating,
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
            State::Open(line) => line.read(frames).await,
        };
        match outcome {
            Ok(()) => LinkEvent::Frames,
            Err(error) if serial::is_unplugged(&error) => {
                self.state = State::Waiting;
                LinkEvent::Down(error.to_string())
            }
            Err(error) => self.rest(&error.to_string()),
        }
    }

    /// Sends a frame, as far as the adapter keeps up; false if it is lost.
    pub fn send(&mut self, frame: &Frame) -> bool {
        match &mut self.state {
            State::Open(line) if !self.listen_only => line.put(encode_frame(frame).as_bytes()),
            _ => false,
        }
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
                if let Some(report) = self.failure.ended(now) {
                    tracing::info!(port = %self.path.display(), "{report}");
                }
                self.backoff.succeeded(now);
                let mut line = Box::new(Line::new(port, now));
                let open = if self.listen_only { Command::ListenOnly } else { Command::Open };
                for command in [
                    Command::Flush,
                    Command::Close,
                    Command::SetBitRate(self.bit_rate),
                    Command::Version,
                    open,
                ] {
                    line.put(encode_command(command).as_bytes());
                }
                self.state = State::Open(line);
                LinkEvent::Up
            }
            Err(error) if error.is_missing() => {
                self.state = State::Waiting;
                LinkEvent::Down(error.to_string())
            }
            Err(error) => self.rest(&error.to_string()),
        }
    }

    fn rest(&mut self, why: &str) -> LinkEvent {
        let now = Instant::now();
        if let Some(report) = self.failure.failed(now, why) {
            tracing::warn!(port = %self.path.display(), "{report}");
        }
        self.state = State::Resting(now + self.backoff.failed(now));
        LinkEvent::Down(why.to_owned())
    }
}

impl Line {
    fn new(port: Port, now: Instant) -> Self {
        Line {
            port,
            decoder: Decoder::default(),
            buffer: Box::new([0; BUFFER]),
            outbox: Vec::with_capacity(64),
            last_read: now,
            quick: 0,
            rest_until: None,
            ask_at: now + SILENT,
            answered: false,
            has_frames: false,
            trouble: Repeating::default(),
            garbage: Repeating::default(),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> bool {
        let fits = self.outbox.len() + bytes.len() <= OUTBOX;
        if fits {
            self.outbox.extend_from_slice(bytes);
        }
        fits
    }

    /// Reads once and takes the bytes apart; asks the adapter for its status when nothing comes.
    async fn read(&mut self, frames: &mut Vec<Frame>) -> io::Result<()> {
        if let Some(until) = self.rest_until {
            sleep_until(until).await;
            self.rest_until = None;
        }
        let ask_at = self.ask_at;
        let length = tokio::select! {
            length = transfer(&mut self.port, &mut self.outbox, self.buffer.as_mut_slice()) => length?,
            () = sleep_until(ask_at) => {
                self.ask(ask_at);
                return Ok(());
            }
        };
        let now = Instant::now();
        let before = frames.len();
        let mut status = None;
        for event in self.decoder.feed(self.buffer.get(..length).unwrap_or_default()) {
            match event {
                Event::Frame(frame, _) => frames.push(frame),
                Event::Status(flags) => status = Some(flags),
                Event::Version(version) => tracing::info!(version = version.as_str(), "the adapter answers"),
                Event::Garbage(count) => {
                    let what = format!(
                        "{count} bytes that are no slcan: noise, another serial_baud, or another device"
                    );
                    if let Some(report) = self.garbage.failed(now, &what) {
                        tracing::warn!(port = %self.port.path().display(), "{report}");
                    }
                }
                Event::Ack | Event::Sent | Event::Nack | Event::Serial(_) => {}
            }
            self.answered |= !matches!(event, Event::Garbage(_));
        }
        if frames.len() > before {
            self.heard(now);
        }
        if let Some(status) = status {
            self.explain(status, now);
        }
        self.pace(now);
        Ok(())
    }

    fn heard(&mut self, now: Instant) {
        self.has_frames = true;
        self.ask_at = now + SILENT;
        if let Some(report) = self.trouble.ended(now) {
            tracing::info!(port = %self.port.path().display(), "frames come again: {report}");
        }
    }

    /// Nothing came for a while: asks, and says what the last question brought.
    fn ask(&mut self, now: Instant) {
        if !self.answered {
            self.trouble(now, "the adapter does not answer: no slcan adapter, or another serial_baud");
        }
        self.answered = false;
        self.put(encode_command(Command::Status).as_bytes());
        self.ask_at = now + ASK;
    }

    fn explain(&mut self, status: Status, now: Instant) {
        let what = if status.error_passive || status.bus_error || status.error_warning {
            "errors on the CAN bus: check bit_rate, wiring and the 120 ohm at both ends"
        } else if status.rx_full || status.data_overrun {
            "the adapter loses frames: the serial line is too slow for the bus, raise serial_baud"
        } else if self.has_frames {
            "the adapter answers, but frames have stopped: is the battery on?"
        } else {
            "the adapter answers, but no frame comes: battery off, wiring, or another bit_rate"
        };
        self.trouble(now, what);
    }

    fn trouble(&mut self, now: Instant, what: &str) {
        if let Some(report) = self.trouble.failed(now, what) {
            tracing::warn!(port = %self.port.path().display(), "{report}");
        }
    }

    /// Notices a stream and has the next read wait until some of it has gathered.
    fn pace(&mut self, now: Instant) {
        let is_quick = now.duration_since(self.last_read) < QUICK + self.rest_taken();
        self.quick = if is_quick { (self.quick + 1).min(STREAM) } else { 0 };
        self.rest_until = (self.quick == STREAM).then(|| now + REST);
        self.last_read = now;
    }

    fn rest_taken(&self) -> Duration {
        if self.quick == STREAM { REST } else { Duration::ZERO }
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
