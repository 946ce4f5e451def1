//! The battery behind the converter: two registers over Modbus RTU, on a port of its own.
//!
//! - `rtu`: the frames, pure
//! - `owner`: the task that owns the port; [`Handle`] is how the others reach it
//! - `watch`: the converter is sent to waiting while the battery denies sharing energy

mod owner;
pub mod rtu;
mod watch;

use std::time::Duration;

use service_kit::Heartbeat;
use tokio::sync::watch::{Receiver, channel};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

pub use watch::watch;

use crate::config::Battery;
use crate::error::Error;

/// So many requests may wait; a further one is refused.
const WAITING: usize = 32;

/// What a battery says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// State of charge, tenths of a per cent, as it comes.
    pub rsoc: u16,
    /// Bit 0: sharing energy is denied.
    pub status: u16,
}

impl Reading {
    /// State of charge, per cent, as it comes.
    #[must_use]
    pub fn rsoc_percent(self) -> f64 {
        f64::from(self.rsoc) / 10.0
    }

    /// Whether sharing energy is permitted.
    #[must_use]
    pub fn is_permitted(self) -> bool {
        self.status & 1 == 0
    }
}

/// What is asked of a battery.
#[derive(Debug)]
enum Job {
    /// Both registers.
    Read(oneshot::Sender<Result<Reading, Error>>),
    /// A request of the caller's own: function and data, without unit and CRC.
    Raw(RawRequest, oneshot::Sender<Result<Vec<u8>, Error>>),
}

/// A Modbus request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// Unit address.
    pub unit: u8,
    /// Function and data.
    pub pdu: Vec<u8>,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

/// What is known of a battery.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// The newest reading, and when it came.
    pub reading: Option<(Reading, Instant)>,
    /// The port is open.
    pub is_open: bool,
}

/// The way to the battery. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    jobs: Option<mpsc::Sender<Job>>,
    known: Receiver<Known>,
}

impl Handle {
    /// Reads the battery.
    ///
    /// # Errors
    /// Why not.
    pub async fn read(&self) -> Result<Reading, Error> {
        self.ask(Job::Read).await
    }

    /// Has any request answered, with function and data.
    ///
    /// # Errors
    /// Why not.
    pub async fn raw(&self, request: RawRequest) -> Result<Vec<u8>, Error> {
        self.ask(|answer| Job::Raw(request, answer)).await
    }

    /// What the battery has said last, to look at and to wait for.
    #[must_use]
    pub fn known(&self) -> Receiver<Known> {
        self.known.clone()
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Job) -> Result<T, Error> {
        let jobs = self.jobs.as_ref().ok_or(Error::NoBattery)?;
        let (answer, answered) = oneshot::channel();
        jobs.try_send(job(answer)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy,
            mpsc::error::TrySendError::Closed(_) => Error::Stopping,
        })?;
        answered.await.unwrap_or(Err(Error::Stopping))
    }
}

/// Starts the owner of the battery's port, where there is one. With `polls` it reads what nobody asks for, for those who
/// show it.
pub fn start(config: Option<&Battery>, polls: bool, heartbeat: &Heartbeat) -> Handle {
    let (sender, known) = channel(Known::default());
    let Some((battery, port)) = config.and_then(|battery| Some((battery, battery.port.clone()?))) else {
        return Handle { jobs: None, known };
    };
    let (jobs, waiting) = mpsc::channel(WAITING);
    tokio::spawn(owner::Owner::new(battery.clone(), port, polls, sender).run(waiting, heartbeat.clone()));
    Handle { jobs: Some(jobs), known }
}
