//! A line to devices with one owner: a serial port or a TCP connection, requests in turn, answers that belong to them.
//!
//! - [`address`]: where a line is
//! - [`resident`]: the devices of this process on it, and what nobody else may do beside them
//! - [`looks`]: looking again for those that are not there
//! - `way`: when a request that is under way gives way to others
//! - `wire`: one exchange on the open port or connection, `stream`
//! - `overdue`: answers that may still come, and what must wait for them
//! - `task`: the owner, with the queue
//! - [`lines`]: all lines of the process

pub mod address;
pub mod lines;
pub mod looks;
mod overdue;
pub mod resident;
mod stream;
mod task;
mod way;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::modbus::pdu::{Answer, Request};
use crate::modbus::raw::Span;
use crate::pulse::Pulse;
use address::Address;
use looks::{Look, Looks};
use resident::{Refused, Resident, Residents};

/// Requests that wait; a further one waits at its sender.
const QUEUE: usize = 32;
/// A request that can be asked again gives way so often.
const GIVES_WAY: u32 = 3;

/// A way to send requests on a line.
#[derive(Debug, Clone)]
pub struct Line {
    jobs: mpsc::Sender<Job>,
    figures: Arc<Mutex<Figures>>,
    residents: Arc<Mutex<Residents>>,
    /// One request of somebody else's at a time, so that what is due comes between them.
    guests: Arc<tokio::sync::Mutex<()>>,
    looks: Looks,
}

/// What a line has done.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// The port is open, or the connection stands.
    pub is_open: bool,
    /// Requests that went out.
    pub requests: u64,
    /// Requests without an answer.
    pub silences: u64,
    /// How often it was away or has failed since: behind it may be something else by now.
    pub interruptions: u64,
    /// Part of the last seconds in which a request was under way, 0 to 1.
    pub utilisation: f64,
}

/// A request for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Address of the device on the line.
    pub unit: u8,
    /// What.
    pub request: Request,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Silence that the device needs behind an answer.
    pub gap: Duration,
    /// When it must go.
    pub turn: Turn,
}

/// When a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Before all reads, in order.
    Now,
    /// Before those whose time is later.
    By(Instant),
}

/// What it may mean that a connection stands and nothing comes on it.
pub const TAKEN: &str = "is another program connected? Many devices serve one at a time: end it (the app of the maker, \
                                Home Assistant, a second busbar), or let all go through one Modbus proxy; and check the unit";

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Nothing came in time.
    #[error("no answer")]
    Silence,
    /// Something came in time on a serial line, and it cannot be understood, or answers something else.
    #[error("no answer that can be understood")]
    Garbage,
    /// Nothing came for so long, and then others needed the line.
    #[error("no answer as long as the line was free")]
    GaveWay(Duration),
    /// The port is not there or the connection does not stand.
    #[error("{0}")]
    NoLine(String),
}

impl NoAnswer {
    /// Whether nothing was sent.
    #[must_use]
    pub fn is_no_line(&self) -> bool {
        matches!(self, NoAnswer::NoLine(_))
    }
}

#[derive(Debug)]
struct Job {
    ask: Ask,
    room: Room,
    out: Out,
    answer: oneshot::Sender<Result<Answer, NoAnswer>>,
}

/// Whether a request is under way: one that still waits for its turn can be taken back, and nobody has noticed it.
#[derive(Debug, Clone, Default)]
pub struct Out(Arc<AtomicBool>);

impl Out {
    /// Whether it is.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, is_under_way: bool) {
        self.0.store(is_under_way, Ordering::Relaxed);
    }
}

/// Whom a request makes room for that is under way and has no sign of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Nobody: it goes on until its time is over.
    Nobody,
    /// After so long, whoever waits.
    All(Duration),
    /// Once the answer is later than answers of its device are, what another device must be told at once.
    Urgent,
}

impl Line {
    /// Begins to look after the line at `address`, with its pulse where there is a watchdog. The task ends when nobody can send
    /// to it any more.
    #[must_use]
    pub fn start(address: Address, pulse: Option<Pulse>, seed: u64) -> Line {
        Line::begin(address, pulse, seed).0
    }

    /// As [`Line::start`], with what ends when the port is free again.
    #[must_use]
    pub fn begin(address: Address, pulse: Option<Pulse>, seed: u64) -> (Line, JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let figures = Arc::<Mutex<Figures>>::default();
        let task = tokio::spawn(task::run(address, queue, figures.clone(), pulse, seed));
        (
            Line {
                jobs,
                figures,
                residents: Arc::default(),
                guests: Arc::default(),
                looks: Looks::default(),
            },
            task,
        )
    }

    /// Asks a device.
    ///
    /// # Errors
    /// [`NoAnswer`]; an exception of the device is an answer.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, NoAnswer> {
        self.send(ask, Room::Nobody, Out::default()).await
    }

    /// Asks a device for what can be asked again: once its answer is later than usual, what another device must be told at once
    /// goes first. A device that is off would keep it waiting for as long as an answer may take. `out` shows while it is under way.
    ///
    /// # Errors
    /// [`NoAnswer`]; an exception of the device is an answer.
    pub async fn ask_again(&self, ask: Ask, out: &Out) -> Result<Answer, NoAnswer> {
        for _ in 0..GIVES_WAY {
            match self.send(ask.clone(), Room::Urgent, out.clone()).await {
                Err(NoAnswer::GaveWay(_)) => out.set(false),
                answered => return answered,
            }
        }
        // Who gives way for ever never finds out.
        self.send(ask, Room::Nobody, out.clone()).await
    }

    /// Asks a device that may not be there and may be slow. When nothing has come after `least`, whoever else needs the line
    /// goes first.
    ///
    /// # Errors
    /// [`NoAnswer`], [`NoAnswer::GaveWay`] too; an exception of the device is an answer.
    pub async fn call(&self, ask: Ask, least: Duration) -> Result<Answer, NoAnswer> {
        self.send(ask, Room::All(least), Out::default()).await
    }

    async fn send(&self, ask: Ask, room: Room, out: Out) -> Result<Answer, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        let gone = || NoAnswer::NoLine("the line is not served any more".to_owned());
        self.jobs.send(Job { ask, room, out, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// A device of this process stands on the line.
    pub fn inhabit(&self, unit: u8, resident: Resident) {
        self.residents().insert(unit, resident);
    }

    /// A device of this process was recognised, and `own` is what this process sets at it; without it, the device is not
    /// there any more.
    pub fn recognised(&self, unit: u8, own: Option<Vec<Span>>) {
        self.residents().recognised(unit, own);
    }

    /// The devices of this process on the line, by unit.
    #[must_use]
    pub fn inhabitants(&self) -> Vec<(u8, Resident)> {
        self.residents().all()
    }

    /// Waits until a unit may be looked for that was not there the last time. Those that live on the line go first.
    pub async fn look(&self, unit: u8) -> Look {
        let is_company = |(other, resident): (u8, Resident)| other != unit && resident.is_there;
        self.looks.next(|| self.inhabitants().into_iter().any(is_company)).await
    }

    /// Whether somebody else's request may go to a unit.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn may(&self, unit: u8, function: u8, data: &[u8]) -> Result<(), Refused> {
        self.residents().judge(unit, function, data)
    }

    /// Somebody else's request, which [`may`](Line::may) go: in its turn behind the reads that are due, and not longer than usual
    /// while a device of ours must be told something at once.
    ///
    /// # Errors
    /// [`NoAnswer`], [`NoAnswer::GaveWay`] too; an exception of the device is an answer.
    pub async fn ask_for_another(
        &self,
        unit: u8,
        function: u8,
        data: Vec<u8>,
        timeout: Duration,
    ) -> Result<Answer, NoAnswer> {
        let _one = self.guests.lock().await;
        let (gap, turn) = (self.residents().gap(unit), Turn::By(Instant::now()));
        let request = Request::Raw { function, data };
        self.send(Ask { unit, request, timeout, gap, turn }, Room::Urgent, Out::default()).await
    }

    fn residents(&self) -> MutexGuard<'_, Residents> {
        self.residents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has done.
    #[must_use]
    pub fn figures(&self) -> Figures {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
