//! A serial port with one owner: opened when it is there, opened again when it comes back, half duplex.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::direction::{Direction, Pin};
use service_kit::serial::{self, Port};
use service_kit::{Backoff, Repeating, Report};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout_at};

/// More than any exchange brings; what is more is dropped from the front.
const MOST_BYTES: usize = 512;
/// A request is on the wire so long after it should be, at most.
const SENT: Duration = Duration::from_millis(200);
/// Start bit, eight data bits, stop bit.
const BITS_PER_BYTE: u32 = 10;

/// The line to a device.
#[derive(Debug)]
pub struct Line {
    path: PathBuf,
    baud: u32,
    direction: Direction,
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
    Open(Port, Option<Pin>),
}

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the end of the request to the beginning of the answer.
    pub first: Duration,
    /// From byte to byte of it.
    pub gap: Duration,
    /// Whatever goes on, never longer.
    pub whole: Duration,
}

/// What a search of the bytes so far says.
#[derive(Debug)]
pub enum Heard<T> {
    /// The answer.
    Answer(T),
    /// No answer yet, and whether it seems to have begun.
    More(bool),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unheard {
    /// Not, or not all of it, came in time: the bytes that did.
    Silence(Vec<u8>),
    /// There is no port.
    NoPort(String),
}

impl Line {
    /// A line behind `path`. Nothing is opened yet.
    #[must_use]
    pub fn new(path: PathBuf, baud: u32, direction: Direction, seed: u64) -> Self {
        let backoff = Backoff::for_hardware(seed);
        Self { path, baud, direction, state: State::Waiting, backoff, failure: Repeating::default() }
    }

    /// The port as it is configured.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the port is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(..))
    }

    /// Keeps the port open while nobody uses it, and returns when that has changed. What is received then belongs to
    /// nobody and is dropped. Dropping the future loses nothing.
    pub async fn tend(&mut self) {
        match &mut self.state {
            State::Waiting => {
                serial::wait_for(&self.path).await;
                self.open();
            }
            State::Resting(until) => {
                sleep_until(*until).await;
                self.open();
            }
            State::Open(port, _) => {
                let mut nobodys = [0; 64];
                if let Err(error) = port.read(&mut nobodys).await {
                    self.lose(&error);
                }
            }
        }
    }

    /// Opens the port now if it is there.
    pub fn open(&mut self) {
        if self.is_open() {
            return;
        }
        let now = Instant::now();
        let port_name = self.path.display();
        let opened = match Port::open(&self.path, self.baud) {
            Ok(mut port) => self.direction.prepare(&mut port).map(|pin| (port, pin)),
            Err(error) if error.is_missing() => return self.close(State::Waiting, &error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match opened {
            Ok((port, pin)) => {
                match self.failure.ended(now) {
                    Some(Report::Ended { lasting, .. }) => {
                        tracing::info!(port = %port_name, "the port is open after {:.1} s", lasting.as_secs_f64());
                    }
                    _ => tracing::info!(port = %port_name, "the port is open"),
                }
                self.backoff.succeeded(now);
                self.state = State::Open(port, pin);
            }
            Err(why) => {
                let next = State::Resting(now + self.backoff.failed(now));
                self.close(next, &why);
            }
        }
    }

    fn lose(&mut self, error: &std::io::Error) -> String {
        let now = Instant::now();
        let next = match serial::is_unplugged(error) {
            true => State::Waiting,
            false => State::Resting(now + self.backoff.failed(now)),
        };
        let why = error.to_string();
        self.close(next, &why);
        why
    }

    fn close(&mut self, next: State, why: &str) {
        self.state = next;
        if let Some(report) = self.failure.failed(Instant::now(), why) {
            tracing::warn!(port = %self.path.display(), "{report}");
        }
    }

    /// Sends a request and waits for what `find` takes for its answer. What was received before is dropped: a late
    /// answer to an earlier request must not be taken for this one's.
    ///
    /// # Errors
    /// [`Unheard`].
    pub async fn talk<T>(
        &mut self,
        request: &[u8],
        patience: Patience,
        find: impl Fn(&[u8]) -> Heard<T>,
    ) -> Result<T, Unheard> {
        let bits = u32::try_from(request.len()).unwrap_or(u32::MAX).saturating_mul(BITS_PER_BYTE);
        let on_wire = Duration::from_secs(1) * bits / self.baud.max(1);
        let State::Open(port, pin) = &mut self.state else {
            return Err(Unheard::NoPort(format!("{} is not there", self.path.display())));
        };
        let outcome = async {
            port.discard_input()?;
            let end = match pin {
                None => {
                    port.write_all(request).await?;
                    Instant::now() + on_wire
                }
                Some(pin) => {
                    pin.set(true)?;
                    let sent = async {
                        port.write_all(request).await?;
                        port.sent().await
                    };
                    let sent = timeout_at(Instant::now() + on_wire + SENT, sent).await;
                    // Whatever happened, others are to be heard again.
                    pin.set(false)?;
                    sent.map_err(std::io::Error::from)??;
                    Instant::now()
                }
            };
            let last = end + patience.whole;
            let mut deadline = end + patience.first;
            let mut received = Vec::with_capacity(64);
            let mut part = [0; 64];
            loop {
                let Ok(count) = timeout_at(deadline.min(last), port.read(&mut part)).await else {
                    return Ok(Err(received));
                };
                received.extend_from_slice(part.get(..count?).unwrap_or_default());
                match find(&received) {
                    Heard::Answer(answer) => return Ok(Ok(answer)),
                    Heard::More(true) => deadline = Instant::now() + patience.gap,
                    Heard::More(false) => {}
                }
                let excess = received.len().saturating_sub(MOST_BYTES);
                received.drain(..excess);
            }
        }
        .await;
        match outcome {
            Ok(heard) => heard.map_err(Unheard::Silence),
            Err(error) => Err(Unheard::NoPort(self.lose(&error))),
        }
    }
}
