//! Whether the inverter is there: its sign of life.

use tokio::time::Instant;

use super::profile::KeepAlive;
use crate::frame::{CanId, Frame};

/// The inverter at the other end.
#[derive(Debug)]
pub(crate) struct Partner {
    expects: KeepAlive,
    ids: Vec<CanId>,
    heard_at: Option<Instant>,
}

impl Partner {
    /// One that has not been heard.
    pub(crate) fn new(expects: KeepAlive) -> Self {
        let id = if expects.extended { CanId::extended } else { CanId::standard };
        Partner { expects, ids: expects.ids.iter().copied().filter_map(id).collect(), heard_at: None }
    }

    /// Takes in a frame; whether it is the inverter's.
    pub(crate) fn hear(&mut self, frame: &Frame, now: Instant) -> bool {
        let is_its = self.ids.contains(&frame.id());
        if is_its {
            self.heard_at = Some(now);
        }
        is_its
    }

    /// The bus is gone, and the inverter with it.
    pub(crate) fn forget(&mut self) {
        self.heard_at = None;
    }

    /// Whether it is there.
    pub(crate) fn is_there(&self, now: Instant) -> bool {
        self.heard_at.is_some_and(|at| now.duration_since(at) < self.expects.lost_after)
    }

    /// When it will be gone unless it is heard.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        self.heard_at.map(|at| at + self.expects.lost_after).filter(|gone| *gone > now)
    }

    /// The ids that it is heard by.
    pub(crate) fn ids(&self) -> &[CanId] {
        &self.ids
    }
}
