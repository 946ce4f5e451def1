//! The lines of the process: one for each place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service_kit::{Heartbeat, random_seed};

use super::Line;
use super::address::Address;

/// The lines of the process, each begun when it is first asked for. Clones are the same lines.
#[derive(Debug, Clone)]
pub struct Lines {
    heartbeat: Heartbeat,
    known: Arc<Mutex<Vec<(Address, Line)>>>,
}

impl Lines {
    /// None as yet; each that begins makes itself felt at this heartbeat.
    #[must_use]
    pub fn new(heartbeat: Heartbeat) -> Lines {
        Lines { heartbeat, known: Arc::default() }
    }

    /// The line at an address.
    #[must_use]
    pub fn at(&self, address: &Address) -> Line {
        let mut known = self.known();
        if let Some((_, line)) = known.iter().find(|(known, _)| known == address) {
            return line.clone();
        }
        let line = Line::start(address.clone(), Some(self.heartbeat.clone()), random_seed());
        known.push((address.clone(), line.clone()));
        line
    }

    /// All of them, in the order in which they began.
    #[must_use]
    pub fn all(&self) -> Vec<(Address, Line)> {
        self.known().clone()
    }

    fn known(&self) -> MutexGuard<'_, Vec<(Address, Line)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
