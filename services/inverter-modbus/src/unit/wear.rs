//! How often memory is written: an allowance of three writes, which fills up by one in a time that depends on what wears out.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::map::WriteAt;
use crate::profile::write::Persist;

/// Writes that an allowance holds.
const ALLOWANCE: f64 = 3.0;
/// What a raise leaves in it.
const RESERVE: f64 = 1.0;
/// Usual times between two writes.
const FLASH: Duration = Duration::from_secs(30);
const RAM: Duration = Duration::from_secs(1);

/// The writes that are left.
#[derive(Debug)]
pub(super) struct Allowance {
    left: f64,
    filled_at: Instant,
}

impl Allowance {
    /// A full one.
    pub(super) fn new(now: Instant) -> Allowance {
        Allowance { left: ALLOWANCE, filled_at: now }
    }

    /// Fills up with the time.
    pub(super) fn fill(&mut self, write: &WriteAt, now: Instant) {
        let usual = if write.spec.persist == Persist::Flash { FLASH } else { RAM };
        let every = write.spec.every_s.map_or(usual, Duration::from_secs).max(Duration::from_millis(100));
        let more = now.duration_since(self.filled_at).as_secs_f64() / every.as_secs_f64();
        self.left = (self.left + more).min(ALLOWANCE);
        self.filled_at = now;
    }

    /// Whether there is a write left, and one more after a raise.
    pub(super) fn allows(&self, is_rise: bool) -> bool {
        self.left >= 1.0 + if is_rise { RESERVE } else { 0.0 }
    }

    /// A write goes out. One that must go out whatever is left is owed.
    pub(super) fn take(&mut self) {
        self.left -= 1.0;
    }
}
