//! What the converter has said, and when: the newest of every reply, whoever asked for it. Who shows values to the bus reads
//! them here, so that what a request of the web API has read is not read again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::eza::command as c;
use crate::eza::reply::Trouble;
use crate::eza::retry::{CommandError, Failure};

/// The words of one group of commands, and when they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<const N: usize>(Option<([u16; N], Instant)>);

impl<const N: usize> Default for Seen<N> {
    fn default() -> Self {
        Self(None)
    }
}

impl<const N: usize> Seen<N> {
    /// The words, however old.
    #[must_use]
    pub fn words(&self) -> Option<[u16; N]> {
        self.0.map(|(words, _)| words)
    }

    /// The words, unless they are older than `limit`.
    #[must_use]
    pub fn within(&self, limit: Duration, now: Instant) -> Option<[u16; N]> {
        self.0.filter(|(_, at)| now.saturating_duration_since(*at) <= limit).map(|(words, _)| words)
    }

    /// When they came.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        self.0.map(|(_, at)| at)
    }

    fn see(&mut self, words: &[u16], now: Instant) {
        if let Ok(words) = words.try_into() {
            self.0 = Some((words, now));
        }
    }
}

/// What has gone wrong on the line since the process started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Troubles {
    /// Attempts without an answer.
    pub timeouts: i32,
    /// Attempts with a broken one.
    pub broken: i32,
    /// Refusals.
    pub refusals: i32,
    /// Attempts after the first of a command.
    pub retries: i32,
    /// Why a command failed for good, the last time.
    pub last: Option<Arc<str>>,
}

/// The newest words of each group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Mode.
    pub mode: Seen<1>,
    /// Status and further status.
    pub status: Seen<2>,
    /// As 10-1 lists them.
    pub meters: Seen<8>,
    /// Alarm words.
    pub alarms: Seen<3>,
    /// Grid voltage and droop that are set.
    pub target: Seen<2>,
    /// As 6-1 lists them.
    pub limits: Seen<6>,
    /// Battery voltage and droop that are set.
    pub battery_target: Seen<2>,
    /// As 7-1 lists them.
    pub charging: Seen<5>,
    /// Dead zones around the grid voltage.
    pub dead_zones: Seen<2>,
    /// As 11-1 lists them.
    pub auxiliary: Seen<8>,
    /// Two versions, minor number first.
    pub versions: [Seen<2>; 2],
    /// The newest reply of any kind.
    pub heard_at: Option<Instant>,
    /// The port is open.
    pub is_open: bool,
    /// What has gone wrong.
    pub troubles: Troubles,
    /// Why the converter has been stopped or is not allowed to start.
    pub held: Option<Arc<str>>,
}

impl Picture {
    /// Takes in a reply: what a write is acknowledged with is what is in force.
    pub(super) fn note(&mut self, code: u8, words: &[u16], now: Instant) {
        self.heard_at = Some(now);
        let is = |shape: &c::Shape| shape.code == code;
        if is(c::READ_MODE.shape()) {
            self.mode.see(words, now);
        } else if is(c::READ_STATUS.shape()) {
            self.status.see(words, now);
        } else if is(c::READ_METERS.shape()) {
            self.meters.see(words, now);
        } else if is(c::READ_ALARMS.shape()) {
            self.alarms.see(words, now);
        } else if is(c::READ_GRID_TARGET.shape()) {
            self.target.see(words, now);
        } else if is(c::READ_LIMITS.shape()) {
            self.limits.see(words, now);
        } else if is(c::READ_BATTERY_TARGET.shape()) {
            self.battery_target.see(words, now);
        } else if is(c::READ_CHARGING.shape()) {
            self.charging.see(words, now);
        } else if is(c::READ_DEAD_ZONES.shape()) {
            self.dead_zones.see(words, now);
        } else if is(c::READ_AUXILIARY.shape()) {
            self.auxiliary.see(words, now);
        } else {
            let versions = [c::READ_VERSION.shape(), c::READ_SECOND_VERSION.shape()];
            for (version, shape) in self.versions.iter_mut().zip(versions) {
                if is(shape) {
                    version.see(words, now);
                }
            }
        }
    }

    /// When a command of this code was last answered.
    pub(super) fn seen_at(&self, code: u8) -> Option<Instant> {
        let at = [
            (c::READ_MODE.shape(), self.mode.at()),
            (c::READ_STATUS.shape(), self.status.at()),
            (c::READ_METERS.shape(), self.meters.at()),
            (c::READ_ALARMS.shape(), self.alarms.at()),
            (c::READ_GRID_TARGET.shape(), self.target.at()),
            (c::READ_LIMITS.shape(), self.limits.at()),
            (c::READ_BATTERY_TARGET.shape(), self.battery_target.at()),
            (c::READ_CHARGING.shape(), self.charging.at()),
            (c::READ_DEAD_ZONES.shape(), self.dead_zones.at()),
            (c::READ_AUXILIARY.shape(), self.auxiliary.at()),
        ];
        at.into_iter().find(|(shape, _)| shape.code == code).and_then(|(_, at)| at)
    }

    /// Everything that a device on the bus shows at least has been read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let words = [self.mode.at(), self.status.at(), self.meters.at(), self.alarms.at()];
        words.iter().all(Option::is_some) && self.target.at().is_some() && self.limits.at().is_some()
    }
}

impl Troubles {
    /// An attempt has failed, and with `error` the whole command.
    pub(super) fn count(&mut self, failure: Failure, error: Option<&CommandError>) {
        match failure {
            Failure::Refused(_) => self.refusals += 1,
            Failure::Unanswered(Trouble::Silence) => self.timeouts += 1,
            Failure::Unanswered(_) => self.broken += 1,
        }
        if let Some(error) = error {
            self.last = Some(error.to_string().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_write_is_acknowledged_with_is_seen_and_clearing_alarms_is_no_reading_of_them() {
        let (mut picture, now) = (Picture::default(), Instant::now());
        picture.note(0x00, &[0x41], now);
        picture.note(0x12, &[0, 0], now);
        assert_eq!(picture.mode.words(), Some([0x41]));
        assert_eq!(picture.alarms.words(), None);
        assert_eq!(picture.seen_at(0x00), Some(now));
        assert_eq!(picture.mode.within(Duration::from_secs(1), now + Duration::from_secs(2)), None);
    }
}
