//! The converter: one task owns its port, and works off requests one after the other.
//!
//! - `owner`: the task; [`Handle`] is how the others reach it
//! - `line`-level work is in [`crate::line`]; `exchange` sends commands with their retries
//! - `picture`: the newest of everything it has said; `poll` keeps that new where somebody shows it
//! - `ceiling`: what it may do by the word of whoever decides about the battery's current; `limit` has it kept
//! - `sequences`: what a request means in commands
//! - `set_points`: parameters, what is remembered of them, and what they become
//! - `snapshot`: what was read on the way

pub mod ceiling;
mod exchange;
mod limit;
mod owner;
pub mod picture;
mod poll;
mod sequences;
mod set_points;
mod snapshot;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

pub use ceiling::Ceiling;
pub use picture::Picture;
pub use set_points::{Given, is_standstill};
pub use snapshot::{Meters, Snapshot};

use crate::config::Config;
use crate::error::Error;
use crate::eza::command::Shape;

/// So many requests may wait; a further one is refused.
const WAITING: usize = 32;

/// What can be asked of the converter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Mode, status, targets, alarms, meters, limits.
    Everything,
    /// Mode, status, meters.
    Status,
    /// Mode and all set points.
    Set(Given),
    /// The grid current alone.
    SetCurrent(Given),
    /// The grid voltage, and with it the droop.
    SetVoltage(Given),
    /// The configuration, read anew and written.
    Configure,
    /// Alarms cleared, then everything.
    ClearAlarms,
    /// Waiting, whatever was asked before.
    ForceWaiting,
    /// What is remembered of set points is forgotten. Nothing is sent.
    Forget,
    /// Some set points alone, read back. The rest stays as it is.
    Change(Given),
    /// Any command, with its words.
    Raw(&'static Shape, Vec<u16>),
}

impl Request {
    /// Whether it changes the converter.
    fn writes(&self) -> bool {
        match self {
            Self::Everything | Self::Status => false,
            Self::Raw(shape, _) => !shape.sends.is_empty(),
            _ => true,
        }
    }

    /// Whether it stops the converter.
    fn stops(&self) -> bool {
        match self {
            Self::ForceWaiting => true,
            Self::Set(given) | Self::Change(given) => is_standstill(given),
            _ => false,
        }
    }
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Job {
    request: Request,
    answer: oneshot::Sender<Result<Snapshot, Error>>,
}

/// The way to the converter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    config: watch::Receiver<Arc<Config>>,
    picture: watch::Receiver<Picture>,
}

impl Handle {
    /// Has a request carried out, in order with all others.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn ask(&self, request: Request) -> Result<Snapshot, Error> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { request, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy,
            mpsc::error::TrySendError::Closed(_) => Error::Stopping,
        })?;
        answered.await.unwrap_or(Err(Error::Stopping))
    }

    /// The configuration that is in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }

    /// What the converter has said so far, to look at and to wait for.
    #[must_use]
    pub fn picture(&self) -> watch::Receiver<Picture> {
        self.picture.clone()
    }
}

/// What the owner of the port does by itself.
#[derive(Debug)]
pub struct Duties {
    /// It reads what nobody asks for, for those who show it.
    pub polls: bool,
    /// It keeps the converter within these limits.
    pub ceiling: watch::Receiver<Ceiling>,
}

/// Starts the owner of the converter's port. `path` is the file that [`Request::Configure`] reads again; with `is_talkative`,
/// requests that fail are logged.
pub fn start(
    config: Config,
    path: PathBuf,
    is_talkative: bool,
    duties: Duties,
    heartbeat: service_kit::Heartbeat,
) -> Handle {
    let (jobs, waiting) = mpsc::channel(WAITING);
    let (sender, receiver) = watch::channel(Arc::new(config));
    let (picture, pictures) = watch::channel(Picture::default());
    let owner = owner::Owner::new(sender, picture, path, is_talkative, duties, heartbeat);
    tokio::spawn(owner.run(waiting));
    Handle { jobs, config: receiver, picture: pictures }
}
