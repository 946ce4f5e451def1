//! The lines of the process: one for each place.

use service_kit::{Heartbeat, random_seed};

use super::Line;
use super::address::Address;

/// The lines of the process, each begun when it is first asked for.
#[derive(Debug)]
pub struct Lines {
    heartbeat: Heartbeat,
    known: Vec<(Address, Line)>,
}

impl Lines {
    /// None as yet; each that begins makes itself felt at this heartbeat.
    #[must_use]
    pub fn new(heartbeat: Heartbeat) -> Lines {
        Lines { heartbeat, known: Vec::new() }
    }

    /// The line at an address.
    pub fn at(&mut self, address: &Address) -> Line {
        if let Some((_, line)) = self.known.iter().find(|(known, _)| known == address) {
            return line.clone();
        }
        let line = Line::start(address.clone(), Some(self.heartbeat.clone()), random_seed());
        self.known.push((address.clone(), line.clone()));
        line
    }

    /// The line at the same port or host, whatever is spoken there, if there is one.
    #[must_use]
    pub fn there(&self, place: &Address) -> Option<&(Address, Line)> {
        self.known.iter().find(|(known, _)| known.is_same_place(place))
    }

    /// All of them, in the order in which they began.
    pub fn iter(&self) -> impl Iterator<Item = &(Address, Line)> {
        self.known.iter()
    }
}
