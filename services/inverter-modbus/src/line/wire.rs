//! The open port or connection, and one exchange on it.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use service_kit::serial::Port;
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::address::{Address, Framing};
use super::overdue::Overdue;
use super::stream::{Broken, How, Stream};
use super::way::{Delays, Way};
use super::{Ask, NoAnswer, Room, TAKEN};
use crate::modbus::pdu::{Answer, LONGEST, Length};
use crate::modbus::{rtu, tcp};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// More than any frame with garbage before it; what is more is dropped from the front.
const MOST_BYTES: usize = 1024;
/// After so long without a further byte an answer of unknown length is complete.
const PAUSE: Duration = Duration::from_millis(30);
/// A line that is never silent is used nevertheless.
const LONGEST_NOISE: Duration = Duration::from_millis(500);

/// An open line.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    baud: Option<u32>,
    is_rtu: bool,
    /// Something came to the last request.
    has_heard: bool,
    /// So long after it.
    delay: Duration,
    /// There was an answer since it was opened.
    has_answered: bool,
    /// The last request gave way to others after so long.
    gave_way: Option<Duration>,
}

/// What outlasts a connection: a gateway passes a late answer on to whoever is connected when it comes.
#[derive(Debug)]
pub(super) struct Past {
    transaction: u16,
    /// Before this nothing is sent.
    quiet_until: Instant,
    /// Answers of a serial line that may still come.
    overdue: Overdue,
    /// How long answers take to begin.
    delays: Delays,
    /// What came last and nobody asked for.
    nobodys: Vec<u8>,
}

/// What came of a request on a serial line.
enum Outcome {
    Answer(Answer),
    /// A refusal, of it or of another.
    Unsure,
    Nothing,
}

impl Past {
    /// Nothing was ever sent.
    pub(super) fn new() -> Past {
        let (overdue, delays, nobodys) = (Overdue::default(), Delays::default(), Vec::new());
        Past { transaction: 0, quiet_until: Instant::now(), overdue, delays, nobodys }
    }

    /// From when on a request may go: the answer to another one to the same device must not be taken for its own.
    pub(super) fn free_at(&self, ask: &Ask, now: Instant) -> Instant {
        self.overdue.free_at(ask.unit, &ask.request, now)
    }

    /// Whether the device owes an answer to an earlier request.
    pub(super) fn owes(&self, unit: u8, now: Instant) -> bool {
        self.overdue.owes(unit, now)
    }

    /// When a request that goes now gives way, and to what.
    pub(super) fn way(&self, ask: &Ask, room: Room, is_rtu: bool) -> Way {
        let overdue = (is_rtu && room == Room::Urgent).then(|| self.overdue.clone());
        Way::new(ask, room, overdue, self.delays.patience(ask.unit))
    }

    /// Something came that nobody asked for. True if it was waited for nevertheless.
    fn hears(&mut self, bytes: &[u8]) -> bool {
        self.nobodys.extend_from_slice(bytes);
        let excess = self.nobodys.len().saturating_sub(MOST_BYTES);
        self.nobodys.drain(..excess);
        let has_heard = self.overdue.hears(&self.nobodys, None, Instant::now());
        if has_heard {
            self.nobodys.clear();
        }
        has_heard
    }
}

impl Wire {
    /// Opens the line.
    pub(super) async fn open(address: &Address, past: &mut Past) -> Result<Wire, Broken> {
        let (stream, is_rtu) = match address {
            Address::Serial { path, baud, character } => {
                let port = Port::open_as(path, *baud, *character);
                let port = port.map_err(|error| {
                    let how = if error.is_missing() { How::Missing } else { How::Failed };
                    Broken { how, why: error.to_string(), is_mute: false }
                })?;
                (Stream::Serial(port), true)
            }
            Address::Tcp { host, port, framing } => {
                let connected = timeout(CONNECT, TcpStream::connect((host.as_str(), *port))).await;
                let stream = connected
                    .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "nobody answers there")))
                    .and_then(|stream| stream.set_nodelay(true).map(|()| stream));
                let failed =
                    |error| Broken { why: format!("{address}: {error}"), how: How::Failed, is_mute: false };
                (Stream::Tcp(stream.map_err(failed)?), *framing == Framing::Rtu)
            }
        };
        let baud = address.baud();
        past.quiet_until = past.quiet_until.max(Instant::now() + baud.map_or(Duration::ZERO, silence));
        past.nobodys.clear();
        let (has_heard, delay) = (false, Duration::ZERO);
        Ok(Wire { stream, baud, is_rtu, has_heard, delay, has_answered: false, gave_way: None })
    }

    /// Reads what nobody asked for, and returns when the line breaks. Dropping the future loses nothing that counts.
    pub(super) async fn watch(&mut self, past: &mut Past) -> Broken {
        loop {
            if let Err(broken) = self.listen(past).await {
                return broken;
            }
        }
    }

    /// Reads what nobody asked for, until something comes that a request waits for to be over.
    pub(super) async fn listen(&mut self, past: &mut Past) -> Result<(), Broken> {
        let mut part = [0; 256];
        loop {
            let count = match self.stream.read(&mut part).await {
                Ok(count) => count,
                Err(error) => return Err(self.broken(&error)),
            };
            if self.heard(part.get(..count).unwrap_or_default(), past) {
                return Ok(());
            }
        }
    }

    /// Why it cannot be used any more: what closes before a first answer may have another client.
    fn broken(&self, error: &io::Error) -> Broken {
        let closes = [
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::UnexpectedEof,
        ];
        let is_mute = matches!(self.stream, Stream::Tcp(_)) && !self.has_answered;
        if is_mute && closes.contains(&error.kind()) {
            let why = format!("the connection was accepted and closed before a first answer: {TAKEN}");
            return Broken { why, how: How::Failed, is_mute };
        }
        Broken::of(error)
    }

    fn heard(&self, bytes: &[u8], past: &mut Past) -> bool {
        if let Some(baud) = self.baud {
            past.quiet_until = past.quiet_until.max(Instant::now() + silence(baud));
        }
        self.is_rtu && past.hears(bytes)
    }

    /// Whether answers do not say which request they belong to.
    pub(super) fn is_rtu(&self) -> bool {
        self.is_rtu
    }

    /// Waits until a request may go.
    pub(super) async fn ready(&mut self, past: &mut Past) -> Result<(), Broken> {
        self.settle(past).await.map_err(|error| self.broken(&error))
    }

    /// One request and its answer on a line that is ready. The answer is not waited for any more once others `needed` the line
    /// and nothing has come.
    pub(super) async fn exchange(
        &mut self,
        ask: &Ask,
        past: &mut Past,
        needed: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Result<Answer, NoAnswer>, Broken> {
        (self.gave_way, self.has_heard) = (None, false);
        let sent = Instant::now();
        let outcome = match self.is_rtu {
            true => self.exchange_rtu(ask, past, needed).await,
            false => self.exchange_tcp(ask, past, needed).await,
        };
        let now = Instant::now();
        past.quiet_until = now + self.baud.map_or(ask.gap, |baud| ask.gap.max(silence(baud)));
        match outcome {
            Ok(Outcome::Answer(answer)) => {
                self.has_answered = true;
                past.delays.took(ask.unit, self.delay);
                past.overdue.answered(ask.unit, &ask.request, sent, now);
                Ok(Ok(answer))
            }
            Ok(Outcome::Unsure) => {
                past.overdue.unsure(ask.unit, &ask.request, sent, ask.timeout);
                Ok(Err(NoAnswer::Silence))
            }
            Ok(Outcome::Nothing) => {
                if self.is_rtu {
                    past.overdue.silent(ask.unit, &ask.request, sent, ask.timeout, now);
                }
                if matches!(self.stream, Stream::Tcp(_)) {
                    // A late answer must not meet the next request.
                    let why = format!("no answer within {:?}", ask.timeout);
                    let is_mute = !self.has_answered && self.gave_way.is_none();
                    return Err(Broken { why, how: How::Overdue(self.gave_way), is_mute });
                }
                Ok(Err(match self.gave_way {
                    Some(after) => NoAnswer::GaveWay(after),
                    None if self.has_heard => NoAnswer::Garbage,
                    None => NoAnswer::Silence,
                }))
            }
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// Waits until the line may be used, and drops what has come meanwhile.
    async fn settle(&mut self, past: &mut Past) -> io::Result<()> {
        if !self.is_rtu {
            sleep_until(past.quiet_until).await;
            return Ok(());
        }
        // What the kernel has is seen after this, however long we were kept from looking.
        yield_now().await;
        let last = Instant::now().max(past.quiet_until) + LONGEST_NOISE;
        let mut part = [0; 256];
        while Instant::now() < last {
            // When the time is over, what is there already is read nevertheless.
            match timeout_at(past.quiet_until.min(last), self.stream.read(&mut part)).await {
                Ok(count) => {
                    self.heard(part.get(..count?).unwrap_or_default(), past);
                }
                Err(_) => break,
            }
        }
        past.nobodys.clear();
        if let Stream::Serial(port) = &mut self.stream {
            port.discard_input()?;
        }
        Ok(())
    }

    /// Something comes to the request that was sent at this time.
    fn hears(&mut self, sent: Instant) {
        if !std::mem::replace(&mut self.has_heard, true) {
            self.delay = sent.elapsed();
        }
    }

    async fn exchange_rtu(
        &mut self,
        ask: &Ask,
        past: &mut Past,
        mut needed: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<Outcome> {
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
        loop {
            let until =
                if is_any && !received.is_empty() { deadline.min(Instant::now() + PAUSE) } else { deadline };
            let read = tokio::select! {
                biased;
                read = timeout_at(until, self.stream.read(&mut part)) => read,
                () = needed.as_mut(), if !self.has_heard => {
                    self.gave_way = Some(sent.elapsed());
                    return Ok(Outcome::Nothing);
                }
            };
            let is_over = match read {
                Ok(count) => {
                    received.extend_from_slice(part.get(..count?).unwrap_or_default());
                    self.hears(sent);
                    false
                }
                Err(_) if until < deadline => true,
                Err(_) => {
                    past.overdue.hears(&received, None, Instant::now());
                    return Ok(Outcome::Nothing);
                }
            };
            if let rtu::Found::Answer(answer) = rtu::find(&received, ask.unit, &ask.request, is_over) {
                let now = Instant::now();
                past.overdue.hears(&received, Some(ask.unit), now);
                let is_refusal = matches!(answer, Answer::Exception(_));
                return Ok(match is_refusal && past.overdue.is_doubtful(ask.unit, &ask.request, now) {
                    true => Outcome::Unsure,
                    false => Outcome::Answer(answer),
                });
            }
            let excess = received.len().saturating_sub(MOST_BYTES);
            received.drain(..excess);
        }
    }

    async fn exchange_tcp(
        &mut self,
        ask: &Ask,
        past: &mut Past,
        mut needed: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<Outcome> {
        past.transaction = past.transaction.wrapping_add(1);
        let transaction = past.transaction;
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
                    return Ok(Outcome::Nothing);
                }
            };
            match read {
                Ok(count) => {
                    received.extend_from_slice(part.get(..count?).unwrap_or_default());
                    self.hears(sent);
                }
                Err(_) => return Ok(Outcome::Nothing),
            }
            loop {
                match tcp::find(&received, transaction, ask.unit, &ask.request) {
                    tcp::Found::Answer(answer, _) => return Ok(Outcome::Answer(answer)),
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
