//! Which dialect the bus speaks, as the traffic shows it: found out where the user left it open, checked where not.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::Frame;
use crate::protocols::Protocol;
use crate::recognise::{Evidence, Verdict};

/// How often the evidence is weighed while there is something to find out.
const WEIGH: Duration = Duration::from_secs(1);
/// After so long with the same traffic nothing more is to be found out; listening costs.
const ENOUGH: Duration = Duration::from_secs(60);

/// What has been heard since the link came up.
#[derive(Debug)]
pub(crate) struct Dialect {
    evidence: Evidence,
    first: Option<Instant>,
    weigh_at: Option<Instant>,
}

impl Dialect {
    /// Nothing heard yet.
    pub(crate) fn new() -> Self {
        Dialect { evidence: Evidence::default(), first: None, weigh_at: None }
    }

    /// Takes in a frame.
    pub(crate) fn see(&mut self, frame: &Frame, now: Instant) {
        let first = *self.first.get_or_insert(now);
        let heard_for = now.duration_since(first);
        if heard_for < ENOUGH {
            self.evidence.see(frame, heard_for);
            self.weigh_at.get_or_insert(now + WEIGH);
        }
    }

    /// Begins anew: the adapter was opened again, or the battery was gone for good.
    pub(crate) fn reset(&mut self) {
        *self = Dialect::new();
    }

    /// When the evidence is to be weighed next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.weigh_at
    }

    /// Whether to weigh the evidence now.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let is_due = self.weigh_at.is_some_and(|at| at <= now);
        if is_due {
            self.weigh_at =
                self.first.filter(|first| now.duration_since(*first) < ENOUGH).map(|_| now + WEIGH);
        }
        is_due
    }

    /// What the traffic shows.
    pub(crate) fn verdict(&self, now: Instant) -> Verdict {
        self.evidence.verdict(self.heard_for(now))
    }

    /// What speaks against a dialect that the user chose, in a sentence that names the better choice.
    pub(crate) fn contradiction(&self, configured: &'static Protocol, now: Instant) -> Option<String> {
        self.evidence.contradiction(configured, self.heard_for(now))
    }

    fn heard_for(&self, now: Instant) -> Duration {
        self.first.map_or(Duration::ZERO, |first| now.duration_since(first))
    }
}
