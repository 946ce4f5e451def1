//! The sign of life that a battery expects from its inverter: frame 0x305, eight zeros, once a second (Pylontech, CAN bus
//! protocol low voltage V1.3). Some packs stay silent, or open after minutes, without it.
//!
//! One node on a bus sends it: two with one id disturb each other. Another inverter is heard on the wire, another process
//! of this machine through the kernel, which shows the frames of one local socket to all others, and both count. So that
//! two of us do not begin together, fall silent together and begin again together, each waits for a time of its own.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::{CanId, Frame};

const EVERY: Duration = Duration::from_secs(1);
/// An inverter that is there is heard within this time.
const LISTEN: Duration = Duration::from_millis(1200);
/// An inverter that was there and is not heard for this time is gone.
const LOST: Duration = Duration::from_secs(3);
/// What is added to either, by chance.
const CHANCE: Duration = Duration::from_millis(1500);
const ID: u32 = 0x305;

/// Sends the sign of life, unless somebody else does.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    frame: Option<Frame>,
    next: Option<Instant>,
    is_foreign: bool,
    random: u64,
}

impl KeepAlive {
    /// Nothing is ever sent unless `enabled`. Processes on one bus must have different seeds.
    #[must_use]
    pub(crate) fn new(enabled: bool, seed: u64) -> Self {
        let frame = CanId::standard(ID).and_then(|id| Frame::new(id, &[0; 8])).filter(|_| enabled);
        KeepAlive { frame, next: None, is_foreign: false, random: seed }
    }

    /// Takes in a frame of the bus, sent by somebody else.
    pub(crate) fn heard(&mut self, frame: &Frame, now: Instant) {
        let id = frame.id();
        if id.number() == ID && !id.is_extended() {
            if self.frame.is_some() && !self.is_foreign {
                tracing::info!("another inverter talks to the battery: its sign of life (0x305) will do");
            }
            self.is_foreign = true;
            self.next = Some(now + LOST + self.chance());
        } else if self.next.is_none() {
            // The first frame shows that there is a battery to talk to.
            self.next = Some(now + LISTEN + self.chance());
        }
    }

    /// The frame to send now, if it is time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Frame> {
        let next = self.next.filter(|next| *next <= now)?;
        // Keeps the rhythm, and does not catch up on what was missed.
        self.next = Some((next + EVERY).max(now));
        if self.frame.is_some() && self.is_foreign {
            tracing::info!("the other inverter is gone: the sign of life (0x305) comes from here");
        }
        self.is_foreign = false;
        self.frame
    }

    /// When the next one is due.
    #[must_use]
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.filter(|_| self.frame.is_some())
    }

    /// The next of an even spread. Multiplier and increment are Knuth's (MMIX); the upper bits are the good ones.
    fn chance(&mut self) -> Duration {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        CHANCE.mul_f64((self.random >> 32) as f64 / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(id: u32) -> Frame {
        Frame::new(CanId::standard(id).unwrap(), &[0; 8]).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn once_a_second_after_listening_for_another_inverter() {
        let (start, mut alive) = (Instant::now(), KeepAlive::new(true, 1));
        assert_eq!((alive.due(start), alive.next()), (None, None), "nobody is there");
        alive.heard(&frame(0x351), start);
        let first = alive.next().unwrap();
        assert!((LISTEN..=LISTEN + CHANCE).contains(&(first - start)));
        assert_eq!(alive.due(first - Duration::from_millis(1)), None);
        assert_eq!(alive.due(first), Some(frame(0x305)));
        assert_eq!(alive.next(), Some(first + EVERY));
        assert_eq!(alive.due(first + EVERY + Duration::from_millis(5)), Some(frame(0x305)));
        assert_eq!(alive.next(), Some(first + 2 * EVERY), "late once is not late for ever");
        assert_eq!(KeepAlive::new(false, 1).next(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn another_inverter_silences_it_until_it_is_gone() {
        let (start, mut alive) = (Instant::now(), KeepAlive::new(true, 1));
        for second in 0..20 {
            alive.heard(&frame(0x351), start + second * EVERY);
            alive.heard(&frame(0x305), start + second * EVERY);
            assert_eq!(alive.due(start + second * EVERY), None);
        }
        let last = start + 19 * EVERY;
        let again = alive.next().unwrap();
        assert!((LOST..=LOST + CHANCE).contains(&(again - last)));
        assert_eq!(alive.due(again), Some(frame(0x305)));
    }

    proptest! {
        /// Processes that start with the battery's first frame, as after a power cut.
        #[test]
        fn one_of_several_sends_and_the_others_stay_silent(seeds in proptest::collection::btree_set(any::<u64>(), 2..5)) {
            let start = Instant::now();
            let mut nodes: Vec<KeepAlive> = seeds.iter().map(|seed| KeepAlive::new(true, *seed)).collect();
            let (mut senders, mut longest_gap, mut last) = (Vec::new(), 0, 0);
            for ms in 0..60_000_u64 {
                let now = start + Duration::from_millis(ms);
                if ms % 1000 == 0 {
                    nodes.iter_mut().for_each(|node| node.heard(&frame(0x351), now));
                }
                // All who are due in one millisecond have sent before any hears the others.
                let sending: Vec<usize> = (0..nodes.len()).filter(|n| nodes[*n].due(now).is_some()).collect();
                for &sender in &sending {
                    let others = nodes.iter_mut().enumerate().filter(|(n, _)| *n != sender);
                    others.for_each(|(_, node)| node.heard(&frame(0x305), now));
                }
                if !sending.is_empty() {
                    longest_gap = longest_gap.max(ms - last);
                    last = ms;
                }
                if ms >= 30_000 {
                    senders.extend(sending);
                }
            }
            senders.dedup();
            prop_assert_eq!(senders.len(), 1, "from 30 s on one alone sends");
            prop_assert!(longest_gap <= 10_000, "{} ms without a sign of life", longest_gap);
        }
    }
}
