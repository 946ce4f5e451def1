//! The open port or connection, and one exchange on it.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use service_kit::serial::{self, Port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::address::{Address, Framing};
use super::{Ask, NoAnswer};
use crate::modbus::pdu::{Answer, LONGEST, Length, Request};
use crate::modbus::{rtu, tcp};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// More than any frame with garbage before it; what is more is dropped from the front.
const MOST_BYTES: usize = 1024;
/// After so long without a further byte an answer of unknown length is complete.
const PAUSE: Duration = Duration::from_millis(30);
/// An answer later than this is not waited for any more.
const LATEST: Duration = Duration::from_secs(10);
/// So long an answer is waited for at least before the device is asked anything else.
const PATIENCE: Duration = Duration::from_secs(1);
/// More than answers to the same device differ in their delay.
const MARGIN: Duration = Duration::from_millis(50);
/// A line that is never silent is used nevertheless.
const LONGEST_NOISE: Duration = Duration::from_millis(500);

/// An open line.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    baud: Option<u32>,
    is_rtu: bool,
    transaction: u16,
    /// Before this nothing is sent.
    quiet_until: Instant,
    /// Requests that were not answered: their answers may still come.
    unanswered: Vec<Unanswered>,
    /// Something came to the last request.
    has_heard: bool,
    /// The last request gave way to others after so long.
    gave_way: Option<Duration>,
}

#[derive(Debug)]
struct Unanswered {
    sent: Instant,
    unit: u8,
    request: Request,
}

#[derive(Debug)]
enum Stream {
    Serial(Port),
    Tcp(TcpStream),
}

/// Why a line cannot be opened or used any more.
#[derive(Debug)]
pub(super) struct Broken {
    /// In words.
    pub(super) why: String,
    /// What helps.
    pub(super) how: How,
}

/// How a line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It is away, and coming back is an event.
    Missing,
    /// It is there and fails.
    Failed,
    /// It is sound, but an answer on it is overdue and would meet the next request. With a time, others needed the line after
    /// it.
    Overdue(Option<Duration>),
}

impl Broken {
    fn of(error: &io::Error) -> Broken {
        let how = if serial::is_unplugged(error) { How::Missing } else { How::Failed };
        Broken { why: error.to_string(), how }
    }
}

impl Stream {
    async fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Serial(port) => port.read(bytes).await,
            Stream::Tcp(stream) => match stream.read(bytes).await? {
                0 => {
                    Err(io::Error::new(io::ErrorKind::ConnectionReset, "the other end closed the connection"))
                }
                count => Ok(count),
            },
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Serial(port) => port.write_all(bytes).await,
            Stream::Tcp(stream) => stream.write_all(bytes).await,
        }
    }
}

impl Wire {
    /// Opens the line.
    pub(super) async fn open(address: &Address) -> Result<Wire, Broken> {
        let (stream, is_rtu) = match address {
            Address::Serial { path, baud, character } => {
                let port = Port::open_as(path, *baud, *character);
                let port = port.map_err(|error| {
                    let how = if error.is_missing() { How::Missing } else { How::Failed };
                    Broken { how, why: error.to_string() }
                })?;
                (Stream::Serial(port), true)
            }
            Address::Tcp { host, port, framing } => {
                let connected = timeout(CONNECT, TcpStream::connect((host.as_str(), *port))).await;
                let stream = connected
                    .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "nobody answers there")))
                    .and_then(|stream| stream.set_nodelay(true).map(|()| stream));
                let failed = |error| Broken { why: format!("{address}: {error}"), how: How::Failed };
                (Stream::Tcp(stream.map_err(failed)?), *framing == Framing::Rtu)
            }
        };
        let baud = address.baud();
        let quiet_until = Instant::now() + baud.map_or(Duration::ZERO, silence);
        Ok(Wire {
            stream,
            baud,
            is_rtu,
            transaction: 0,
            quiet_until,
            unanswered: Vec::new(),
            has_heard: false,
            gave_way: None,
        })
    }

    /// Reads what nobody asked for, and returns when the line breaks. Dropping the future loses nothing that counts.
    pub(super) async fn watch(&mut self) -> Broken {
        let mut nobodys = [0; 256];
        loop {
            if let Err(error) = self.stream.read(&mut nobodys).await {
                return Broken::of(&error);
            }
            self.heard();
        }
    }

    fn heard(&mut self) {
        if let Some(baud) = self.baud {
            self.quiet_until = self.quiet_until.max(Instant::now() + silence(baud));
        }
    }

    /// One request and its answer, which is not waited for any more once others `needed` the line and nothing has come.
    pub(super) async fn exchange(
        &mut self,
        ask: &Ask,
        needed: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Result<Answer, NoAnswer>, Broken> {
        self.settle().await.map_err(|error| Broken::of(&error))?;
        self.gave_way = None;
        let began = Instant::now();
        let outcome = match self.is_rtu {
            true => self.exchange_rtu(ask, needed).await,
            false => self.exchange_tcp(ask, needed).await,
        };
        let now = Instant::now();
        self.quiet_until = now + self.baud.map_or(ask.gap, |baud| ask.gap.max(silence(baud)));
        match outcome {
            Ok(Some(answer)) => {
                self.wait_for_the_late(ask.unit, now);
                Ok(Ok(answer))
            }
            Ok(None) if matches!(self.stream, Stream::Tcp(_)) => {
                // A late answer must not meet the next request.
                let how = How::Overdue(self.gave_way);
                Err(Broken { why: format!("no answer within {:?}", ask.timeout), how })
            }
            Ok(None) => {
                let sent = match self.gave_way {
                    Some(_) => began,
                    None => now.checked_sub(ask.timeout).unwrap_or(now),
                };
                self.unanswered.retain(|late| now.duration_since(late.sent) < LATEST);
                self.unanswered.push(Unanswered { sent, unit: ask.unit, request: ask.request.clone() });
                Ok(Err(match self.gave_way {
                    Some(after) => NoAnswer::GaveWay(after),
                    None if self.has_heard => NoAnswer::Garbage,
                    None => NoAnswer::Silence,
                }))
            }
            Err(error) => Err(Broken::of(&error)),
        }
    }

    /// On a serial line an answer does not say which request it belongs to. After requests without an answer, the answers
    /// to them may follow the one that has just come, as late as the first of them: so long nothing else is asked.
    fn wait_for_the_late(&mut self, unit: u8, now: Instant) {
        self.unanswered.retain(|late| now.duration_since(late.sent) < LATEST);
        if let Some(first) = self.unanswered.iter().find(|late| late.unit == unit) {
            let delay = now.duration_since(first.sent);
            self.quiet_until = self.quiet_until.max(now + delay + MARGIN);
            self.unanswered.retain(|late| late.unit != unit);
        }
    }

    /// When a request may go: the answer to one that was not waited for long enough must not meet another to the same device.
    pub(super) fn ready_at(&self, ask: &Ask) -> Option<Instant> {
        let others =
            self.unanswered.iter().filter(|late| late.unit == ask.unit && late.request != ask.request);
        others.map(|late| late.sent + ask.timeout.max(PATIENCE)).max()
    }

    /// Waits until the line may be used, and drops what comes meanwhile.
    async fn settle(&mut self) -> io::Result<()> {
        if !self.is_rtu {
            sleep_until(self.quiet_until).await;
            return Ok(());
        }
        let last = Instant::now().max(self.quiet_until) + LONGEST_NOISE;
        let mut nobodys = [0; 256];
        while Instant::now() < self.quiet_until.min(last) {
            match timeout_at(self.quiet_until.min(last), self.stream.read(&mut nobodys)).await {
                Ok(count) => {
                    count?;
                    self.heard();
                }
                Err(_) => break,
            }
        }
        if let Stream::Serial(port) = &mut self.stream {
            port.discard_input()?;
        }
        Ok(())
    }

    async fn exchange_rtu(
        &mut self,
        ask: &Ask,
        mut needed: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<Option<Answer>> {
        let frame = rtu::request(ask.unit, &ask.request);
        let on_wire = |bytes| self.baud.map_or(Duration::ZERO, |baud| rtu::on_wire(bytes, baud));
        let longest = match ask.request.answer_length() {
            Length::Exactly(length) => length + 3,
            Length::Any => LONGEST + 3,
        };
        let times = on_wire(frame.len()) + on_wire(longest) + ask.timeout;
        self.stream.write(&frame).await?;
        let sent = Instant::now();
        let deadline = sent + times;
        let is_any = ask.request.answer_length() == Length::Any;
        let (mut received, mut part) = (Vec::with_capacity(64), [0; 256]);
        self.has_heard = false;
        loop {
            let until =
                if is_any && !received.is_empty() { deadline.min(Instant::now() + PAUSE) } else { deadline };
            let read = tokio::select! {
                biased;
                read = timeout_at(until, self.stream.read(&mut part)) => read,
                () = needed.as_mut(), if !self.has_heard => {
                    self.gave_way = Some(sent.elapsed());
                    return Ok(None);
                }
            };
            let is_over = match read {
                Ok(count) => {
                    received.extend_from_slice(part.get(..count?).unwrap_or_default());
                    self.has_heard = true;
                    false
                }
                Err(_) if until < deadline => true,
                Err(_) => return Ok(None),
            };
            if let rtu::Found::Answer(answer) = rtu::find(&received, ask.unit, &ask.request, is_over) {
                return Ok(Some(answer));
            }
            let excess = received.len().saturating_sub(MOST_BYTES);
            received.drain(..excess);
        }
    }

    async fn exchange_tcp(
        &mut self,
        ask: &Ask,
        mut needed: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<Option<Answer>> {
        self.transaction = self.transaction.wrapping_add(1);
        let transaction = self.transaction;
        self.stream.write(&tcp::request(transaction, ask.unit, &ask.request)).await?;
        let sent = Instant::now();
        let deadline = sent + ask.timeout;
        let (mut received, mut part) = (Vec::with_capacity(64), [0; 512]);
        loop {
            let read = tokio::select! {
                biased;
                read = timeout_at(deadline, self.stream.read(&mut part)) => read,
                () = needed.as_mut(), if received.is_empty() => {
                    self.gave_way = Some(sent.elapsed());
                    return Ok(None);
                }
            };
            match read {
                Ok(count) => received.extend_from_slice(part.get(..count?).unwrap_or_default()),
                Err(_) => return Ok(None),
            }
            loop {
                match tcp::find(&received, transaction, ask.unit, &ask.request) {
                    tcp::Found::Answer(answer, _) => return Ok(Some(answer)),
                    tcp::Found::Other(taken) => drop(received.drain(..taken.min(received.len()))),
                    tcp::Found::More => break,
                    tcp::Found::Garbage => {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "the other end speaks no Modbus TCP",
                        ));
                    }
                }
            }
        }
    }
}

fn silence(baud: u32) -> Duration {
    rtu::silence(baud).max(rtu::LEAST_SILENCE)
}
