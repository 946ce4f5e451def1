//! The battery behind the converter: two registers over Modbus RTU, on a port of its own.
//!
//! - `rtu`: the frames, pure
//! - `owner`: the task that owns the port; [`Handle`] is how the others reach it
//! - `watch`: the converter is sent to waiting while the battery denies sharing energy

mod owner;
pub mod rtu;
mod watch;

use service_kit::Heartbeat;
use tokio::sync::{mpsc, oneshot};

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

type Job = oneshot::Sender<Result<Reading, Error>>;

/// The way to the battery. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    jobs: Option<mpsc::Sender<Job>>,
}

impl Handle {
    /// Reads the battery.
    ///
    /// # Errors
    /// Why not.
    pub async fn read(&self) -> Result<Reading, Error> {
        let jobs = self.jobs.as_ref().ok_or(Error::NoBattery)?;
        let (answer, answered) = oneshot::channel();
        jobs.try_send(answer).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy,
            mpsc::error::TrySendError::Closed(_) => Error::Stopping,
        })?;
        answered.await.unwrap_or(Err(Error::Stopping))
    }
}

/// Starts the owner of the battery's port, where there is one.
pub fn start(config: Option<&Battery>, heartbeat: &Heartbeat) -> Handle {
    let Some((battery, port)) = config.and_then(|battery| Some((battery, battery.port.clone()?))) else {
        return Handle { jobs: None };
    };
    let (jobs, waiting) = mpsc::channel(WAITING);
    tokio::spawn(owner::Owner::new(battery.clone(), port).run(waiting, heartbeat.clone()));
    Handle { jobs: Some(jobs) }
}
