//! The sign of life that a battery expects from its inverter: frame 0x305, eight zeros, once a second (Pylontech, CAN bus
//! protocol low voltage V1.3). Some packs stay silent, or open after minutes, without it.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::{CanId, Frame};

const EVERY: Duration = Duration::from_secs(1);
/// Somebody else's sign of life counts for so long.
const FOREIGN: Duration = Duration::from_secs(10);
const ID: u32 = 0x305;

/// Sends the sign of life, unless somebody else does: two nodes with one id destroy each other's frames.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    frame: Option<Frame>,
    next: Option<Instant>,
    foreign: Option<Instant>,
}

impl KeepAlive {
    /// Nothing is ever sent unless `enabled`.
    #[must_use]
    pub(crate) fn new(enabled: bool) -> Self {
        let frame = CanId::standard(ID).and_then(|id| Frame::new(id, &[0; 8])).filter(|_| enabled);
        KeepAlive { frame, next: None, foreign: None }
    }

    /// Takes in a frame of the bus.
    pub(crate) fn heard(&mut self, frame: &Frame, now: Instant) {
        let id = frame.id();
        if id.number() == ID && !id.is_extended() {
            if self.frame.is_some() && self.foreign.is_none() {
                tracing::info!("another inverter talks to the battery: its sign of life (0x305) will do");
            }
            self.foreign = Some(now);
        } else {
            // The first frame shows that there is a battery to talk to.
            self.next.get_or_insert(now);
        }
    }

    /// The frame to send now, if it is time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Frame> {
        let next = self.next.filter(|next| *next <= now)?;
        // Keeps the rhythm, and does not catch up on what was missed.
        self.next = Some((next + EVERY).max(now));
        if self.foreign.is_some_and(|at| now.duration_since(at) < FOREIGN) {
            return None;
        }
        self.foreign = None;
        self.frame
    }

    /// When the next one is due.
    #[must_use]
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.filter(|_| self.frame.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn once_a_second_from_the_first_frame_on_unless_another_inverter_does_it() {
        let (start, mut alive) = (Instant::now(), KeepAlive::new(true));
        let at = |ms| start + Duration::from_millis(ms);
        let frame = |id| Frame::new(CanId::standard(id).unwrap(), &[0; 8]).unwrap();
        assert_eq!((alive.due(at(0)), alive.next()), (None, None));
        alive.heard(&frame(0x351), at(100));
        assert_eq!(alive.due(at(100)), Some(frame(0x305)));
        assert_eq!((alive.due(at(500)), alive.next()), (None, Some(at(1100))));
        assert_eq!(alive.due(at(1110)), Some(frame(0x305)));
        alive.heard(&frame(0x305), at(1500));
        assert_eq!(alive.due(at(2100)), None);
        assert_eq!(alive.due(at(11_600)), Some(frame(0x305)), "the other one has gone");
        assert_eq!(KeepAlive::new(false).next(), None);
    }
}
