//! On and off by 0x35C, as warrenridley/PolyndriverVenus: dbus-sma/dbus-sma.py does it. Pure.
//!
//! The id means something else to every other inverter, so nothing but a command of the user ever sends it.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::{CanId, Frame};

/// A command is said again until the cluster does it.
const AGAIN: Duration = Duration::from_secs(2);
/// So often, and then it is given up.
const TIMES: u32 = 5;

/// A wish to switch the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switch {
    on: bool,
    next: Instant,
    left: u32,
}

impl Switch {
    /// A wish of now.
    pub(crate) fn new(on: bool, now: Instant) -> Self {
        Switch { on, next: now, left: TIMES }
    }

    /// Whether it is done, or given up.
    pub(crate) fn is_over(&self, is_on: Option<bool>, now: Instant) -> bool {
        is_on == Some(self.on) || (self.left == 0 && self.next <= now)
    }

    /// What is wished.
    pub(crate) fn wants_on(&self) -> bool {
        self.on
    }

    /// The frame, if it is time.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Frame> {
        if self.left == 0 || self.next > now {
            return None;
        }
        self.left -= 1;
        self.next = now + AGAIN;
        Frame::new(CanId::standard(0x35C)?, &[if self.on { 1 } else { 2 }, 0, 0, 0])
    }

    /// When it is time.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_command_is_said_five_times_or_until_it_is_done() {
        let start = Instant::now();
        let mut switch = Switch::new(false, start);
        let mut said = 0;
        for second in 0..30 {
            let now = start + Duration::from_secs(second);
            if let Some(frame) = switch.take(now) {
                assert_eq!((frame.id().number(), frame.data()), (0x35C, &[2, 0, 0, 0][..]));
                said += 1;
            }
            assert_eq!(switch.is_over(Some(true), now), second >= 10);
        }
        assert_eq!(said, 5);
        assert!(Switch::new(true, start).is_over(Some(true), start));
    }
}
