//! What goes wrong with serial ports, in words that say what to do.

use std::io;
use std::path::PathBuf;

use super::holder::Holder;

/// Why a port cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing has this name. Worth [`wait_for`](super::wait_for), not a backoff.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The port.
        path: PathBuf,
    },
    /// It is something else: a file, a directory, another kind of device.
    #[error("{} is no serial port", path.display())]
    NoPort {
        /// The path that is none.
        path: PathBuf,
    },
    /// The permissions do not allow it.
    #[error("this user may not open {}: add it to the group {group}", path.display())]
    Denied {
        /// The port.
        path: PathBuf,
        /// The group that the device belongs to, by name if it has one.
        group: String,
    },
    /// Somebody else has it.
    #[error("{} is in use by {}", path.display(), holder.as_ref().map_or("another process".to_owned(), ToString::to_string))]
    Busy {
        /// The port.
        path: PathBuf,
        /// Who, if `/proc` tells.
        holder: Option<Holder>,
    },
    /// The port does not run at this baud rate.
    #[error("{} does not run at {asked} baud but at {actual}", path.display())]
    BaudRate {
        /// The port.
        path: PathBuf,
        /// Baud rate that was asked for.
        asked: u32,
        /// Baud rate that the driver chose; 0 if it refused.
        actual: u32,
    },
    /// Anything else that the system says.
    #[error("{} cannot be opened: {source}", path.display())]
    Io {
        /// The port.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl OpenError {
    /// Whether waiting for the port to appear is what helps.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// The port is gone: unplugged, or the other end of a pseudo-terminal closed. Opening it anew by its path is what helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} was unplugged", path.display())]
pub struct Unplugged {
    /// The port, as it was opened.
    pub path: PathBuf,
}

impl From<Unplugged> for io::Error {
    fn from(unplugged: Unplugged) -> Self {
        Self::new(io::ErrorKind::NotConnected, unplugged)
    }
}

/// Whether reading or writing a [`Port`](super::Port) failed with `error` because it was [`Unplugged`].
#[must_use]
pub fn is_unplugged(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Unplugged>())
}
