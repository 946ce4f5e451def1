//! The lines of the process: one for each place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service_kit::random_seed;

use super::Line;
use super::address::Address;
use crate::pulse::Loops;

/// The lines of the process, each begun when it is first asked for. Clones are the same lines.
#[derive(Debug, Clone)]
pub struct Lines {
    loops: Loops,
    known: Arc<Mutex<Vec<(Address, Line)>>>,
}

impl Lines {
    /// None as yet; each that begins is one of these loops.
    #[must_use]
    pub fn new(loops: Loops) -> Lines {
        Lines { loops, known: Arc::default() }
    }

    /// The line at an address.
    #[must_use]
    pub fn at(&self, address: &Address) -> Line {
        let mut known = self.known();
        if let Some((_, line)) = known.iter().find(|(known, _)| known == address) {
            return line.clone();
        }
        let line = Line::start(address.clone(), Some(self.loops.join()), random_seed());
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
