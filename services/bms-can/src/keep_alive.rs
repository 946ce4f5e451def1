//! The sign of life that a battery expects from its inverter once a second: frame 0x305, eight zeros (Pylontech, CAN bus
//! protocol low voltage V1.3), 0x301 for Growatt's packs, which only speak when asked. Others too stay silent, or open
//! after minutes, without it. So it is also sent to a bus that stays silent, all kinds in turn until one is answered.
//!
//! One node on a bus sends it: two with one id disturb each other. Another inverter is heard on the wire, another process
//! of this machine through the kernel, which shows the frames of one local socket to all others, and both count. So that
//! two of us do not begin together, fall silent together and begin again together, each waits for a time of its own.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::{CanId, Frame};
use crate::message::Message;
use crate::protocols::{PROTOCOLS, Protocol};

const EVERY: Duration = Duration::from_secs(1);
/// An inverter that is there is heard within this time; a battery that speaks by itself too.
const LISTEN: Duration = Duration::from_millis(1200);
/// An inverter that was there and is not heard for this time is gone, unless it is a slow one.
const LOST: Duration = Duration::from_secs(3);
/// A slow one is gone after so many of its periods.
const PERIODS: u32 = 3;
/// No inverter is slower than this.
const SLOWEST: Duration = Duration::from_secs(20);
/// What is added to either, by chance.
const CHANCE: Duration = Duration::from_millis(1500);

/// Sends the sign of life, unless somebody else does.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    is_enabled: bool,
    /// The calls that the batteries want: of all dialects while theirs are not known, none where they want none.
    calls: Vec<Frame>,
    /// The ids of all calls. Whoever sends one is an inverter, whatever the batteries are.
    ids: Vec<CanId>,
    turn: usize,
    next: Option<Instant>,
    /// Another inverter talks to the battery.
    is_foreign: bool,
    /// When one was heard last.
    foreign_at: Option<Instant>,
    /// How long it lets one wait.
    period: Duration,
    random: u64,
}

impl KeepAlive {
    /// Nothing is ever sent unless `enabled`. Processes on one bus must have different seeds.
    #[must_use]
    pub(crate) fn new(enabled: bool, seed: u64) -> Self {
        let calls = calls(PROTOCOLS.iter().copied());
        KeepAlive {
            is_enabled: enabled,
            ids: calls.iter().map(Frame::id).collect(),
            calls,
            turn: 0,
            next: None,
            is_foreign: false,
            foreign_at: None,
            period: EVERY,
            random: seed,
        }
    }

    /// The bus has been opened: nobody has been heard on it.
    pub(crate) fn opened(&mut self, now: Instant) {
        (self.is_foreign, self.foreign_at) = (false, None);
        self.next = Some(now + LISTEN + self.chance());
    }

    /// These are the dialects of the batteries, as far as they are known.
    pub(crate) fn expect(&mut self, protocols: impl Iterator<Item = &'static Protocol>) {
        let mut protocols = protocols.peekable();
        if protocols.peek().is_some() {
            self.calls = calls(protocols);
        }
    }

    /// Takes in a frame of the bus, sent by somebody else.
    pub(crate) fn heard(&mut self, frame: &Frame, now: Instant) {
        if self.ids.contains(&frame.id()) {
            if self.is_enabled && !self.is_foreign && !self.calls.is_empty() {
                tracing::info!(
                    "another inverter talks to the battery: its sign of life ({}) will do",
                    frame.id()
                );
            }
            self.is_foreign = true;
            if let Some(before) = self.foreign_at.replace(now) {
                self.period = (now - before).min(SLOWEST).max(self.period / 2);
            }
            self.next = Some(now + LOST.max(self.period * PERIODS) + self.chance());
        } else if self.next.is_none() {
            self.next = Some(now + LISTEN + self.chance());
        }
    }

    /// The frame to send now, if it is time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Frame> {
        let next = self.next.filter(|next| *next <= now)?;
        // Keeps the rhythm, and does not catch up on what was missed.
        self.next = Some((next + EVERY).max(now));
        if !self.is_enabled || self.calls.is_empty() {
            return None;
        }
        if std::mem::take(&mut self.is_foreign) {
            tracing::info!("the other inverter is gone: the sign of life comes from here");
        }
        let call = self.calls.get(self.turn % self.calls.len()).copied();
        self.turn = self.turn.wrapping_add(1);
        call
    }

    /// When the next one is due.
    #[must_use]
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.filter(|_| self.is_enabled && !self.calls.is_empty())
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
    use crate::protocols::by_name;
    use proptest::prelude::*;

    fn frame(id: u32) -> Frame {
        Frame::new(CanId::standard(id).unwrap(), &[0; 8]).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn once_a_second_after_listening_for_another_inverter() {
        let (start, mut alive) = (Instant::now(), KeepAlive::new(true, 1));
        alive.expect(by_name("pylontech_lv").into_iter());
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
        assert!(alive.due(again).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_inverter_is_not_talked_over() {
        let (start, mut alive) = (Instant::now(), KeepAlive::new(true, 1));
        alive.expect(by_name("pylontech_lv").into_iter());
        let mut sent = Vec::new();
        for ms in 0..120_000_u64 {
            let now = start + Duration::from_millis(ms);
            if ms % 5000 == 0 {
                alive.heard(&frame(0x305), now);
            }
            sent.extend(alive.due(now).map(|_| ms));
        }
        assert!(sent.iter().all(|ms| *ms < 5000), "once its period is known: {sent:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn beside_an_inverter_no_dialect_sends_anything_and_none_that_has_no_call() {
        for protocol in PROTOCOLS.iter().copied() {
            for call in [0x305, 0x301] {
                let (start, mut alive) = (Instant::now(), KeepAlive::new(true, 1));
                alive.opened(start);
                alive.expect([protocol].into_iter());
                let mut sent = 0;
                for ms in 0..60_000_u64 {
                    let now = start + Duration::from_millis(ms);
                    if ms % 1000 == 0 {
                        alive.heard(&frame(0x351), now);
                        alive.heard(&frame(call), now);
                    }
                    sent += usize::from(alive.due(now).is_some());
                }
                assert_eq!(sent, 0, "{}, {call:x}", protocol.name);
            }
        }
        let (start, mut alive) = (Instant::now(), KeepAlive::new(true, 1));
        alive.opened(start);
        alive.expect(by_name("sma_bms").into_iter());
        assert_eq!(alive.next(), None, "its battery is called by nobody");
        assert_eq!(alive.due(start + 10 * EVERY), None);
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
