//! The sign of life that a battery expects from its inverter once a second: frame 0x305, eight zeros (Pylontech, CAN bus
//! protocol low voltage V1.3), 0x301 for Growatt's packs, which only speak when asked. Others too stay silent, or open
//! after minutes, without it. So it is also sent to a bus that stays silent, all kinds in turn until one is answered.
//!
//! One node on a bus sends it: two with one id disturb each other. Another inverter is heard on the wire, another process
//! of this machine through the kernel, which shows the frames of one local socket to all others, and both count. So that
//! two of us do not begin together, fall silent together and begin again together, each waits for a time of its own.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::Frame;
use crate::message::Message;
use crate::protocols::{PROTOCOLS, Protocol};

const EVERY: Duration = Duration::from_secs(1);
/// An inverter that is there is heard within this time; a battery that speaks by itself too.
const LISTEN: Duration = Duration::from_millis(1200);
/// An inverter that was there and is not heard for this time is gone.
const LOST: Duration = Duration::from_secs(3);
/// What is added to either, by chance.
const CHANCE: Duration = Duration::from_millis(1500);

/// Sends the sign of life, unless somebody else does.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    is_enabled: bool,
    /// All kinds; those of the batteries' dialects come first.
    frames: Vec<Frame>,
    /// How many are those of the batteries' dialects.
    expected: usize,
    turn: usize,
    is_heard: bool,
    next: Option<Instant>,
    is_foreign: bool,
    random: u64,
}

impl KeepAlive {
    /// Nothing is ever sent unless `enabled`. Processes on one bus must have different seeds.
    #[must_use]
    pub(crate) fn new(enabled: bool, seed: u64) -> Self {
        KeepAlive {
            is_enabled: enabled,
            frames: calls(PROTOCOLS.iter().copied()),
            expected: usize::MAX,
            turn: 0,
            is_heard: false,
            next: None,
            is_foreign: false,
            random: seed,
        }
    }

    /// The bus has been opened: nobody has been heard on it.
    pub(crate) fn opened(&mut self, now: Instant) {
        self.is_heard = false;
        self.next = Some(now + LISTEN + self.chance());
    }

    /// These are the dialects of the batteries, as far as they are known.
    pub(crate) fn expect(&mut self, protocols: impl Iterator<Item = &'static Protocol>) {
        let protocols: Vec<_> = protocols.collect();
        if !protocols.is_empty() {
            self.expected = calls(protocols.iter().copied()).len();
            self.frames = calls(protocols.into_iter().chain(PROTOCOLS.iter().copied()));
        }
    }

    /// Takes in a frame of the bus, sent by somebody else.
    pub(crate) fn heard(&mut self, frame: &Frame, now: Instant) {
        if self.frames.iter().take(self.expected).any(|call| call.id() == frame.id()) {
            if self.is_enabled && !self.is_foreign {
                tracing::info!(
                    "another inverter talks to the battery: its sign of life ({}) will do",
                    frame.id()
                );
            }
            self.is_foreign = true;
            self.next = Some(now + LOST + self.chance());
            return;
        }
        self.is_heard = true;
        if self.next.is_none() {
            self.next = Some(now + LISTEN + self.chance());
        }
    }

    /// The frame to send now, if it is time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Frame> {
        let next = self.next.filter(|next| *next <= now)?;
        // Keeps the rhythm, and does not catch up on what was missed.
        self.next = Some((next + EVERY).max(now));
        if self.is_enabled && self.is_foreign {
            tracing::info!("the other inverter is gone: the sign of life comes from here");
        }
        self.is_foreign = false;
        let turn = if self.is_heard { 0 } else { self.turn % self.frames.len().max(1) };
        self.turn = turn + 1;
        self.frames.get(turn).filter(|_| self.is_enabled).copied()
    }

    /// When the next one is due.
    #[must_use]
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.filter(|_| self.is_enabled)
    }

    /// The next of an even spread. Multiplier and increment are Knuth's (MMIX); the upper bits are the good ones.
    fn chance(&mut self) -> Duration {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        CHANCE.mul_f64((self.random >> 32) as f64 / f64::from(u32::MAX))
    }
}

/// The signs of life of some dialects, each once.
fn calls(protocols: impl Iterator<Item = &'static Protocol>) -> Vec<Frame> {
    let mut calls: Vec<Frame> = Vec::new();
    for call in protocols.filter_map(|protocol| protocol.encode(&Message::InverterAlive)) {
        if !calls.iter().any(|known| known.id() == call.id()) {
            calls.push(call);
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::CanId;
    use crate::protocols::by_name;
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

    #[tokio::test(start_paused = true)]
    async fn a_silent_bus_is_called_in_every_way_until_it_is_known_which_is_meant() {
        let (start, mut alive) = (Instant::now(), KeepAlive::new(true, 1));
        alive.opened(start);
        let mut called = Vec::new();
        for _ in 0..4 {
            called.extend(alive.next().and_then(|next| alive.due(next)).map(|frame| frame.id().number()));
        }
        called.sort_unstable();
        assert_eq!(called, [0x301, 0x301, 0x305, 0x305]);
        alive.heard(&frame(0x313), start + 10 * EVERY);
        alive.expect(by_name("growatt_lv").into_iter());
        let growatt =
            Frame::new(CanId::standard(0x301).unwrap(), &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
        assert_eq!(alive.next().and_then(|next| alive.due(next)), growatt);
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
