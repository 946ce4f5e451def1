//! Who is the battery on this bus. One is, or the inverter obeys now the one and now the other.
//!
//! Whoever starts listens first, and stays silent while another one sends frames that only a battery sends. Two that begin
//! in the same moment, or whose buses are joined, hear each other, both fall silent, and each waits for a time of its own.
//! Another process of this machine is heard too: the kernel shows the frames of one local socket to all others.

use std::time::Duration;

use tokio::time::Instant;

/// What is added to each wait, by chance.
const CHANCE: Duration = Duration::from_millis(1500);
/// So many foreign frames within [`DOUBT`] are another battery; one alone may be a bit of noise or somebody's test.
const ANOTHER: u32 = 2;
const DOUBT: Duration = Duration::from_secs(10);

/// What is known of who is the battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The bus is not open.
    Closed,
    /// Nobody has been heard yet.
    Listening { until: Instant },
    /// We are.
    Ours,
    /// Another one is.
    Theirs { until: Instant },
}

/// The claim to be the battery of one bus.
#[derive(Debug)]
pub(crate) struct Claim {
    state: State,
    /// A battery is heard at least so often.
    every: Duration,
    heard: u32,
    heard_at: Option<Instant>,
    random: u64,
}

impl Claim {
    /// `every`: how often a battery of the profile sends. Processes on one bus must have different seeds.
    pub(crate) fn new(every: Duration, seed: u64) -> Self {
        Claim { state: State::Closed, every, heard: 0, heard_at: None, random: seed }
    }

    /// The bus has been opened.
    pub(crate) fn opened(&mut self, now: Instant) {
        self.state = State::Listening { until: now + self.every.mul_f64(1.2) + self.chance() };
    }

    /// The bus is not open any more.
    pub(crate) fn closed(&mut self) {
        self.state = State::Closed;
    }

    /// Somebody else has sent a frame that only the battery sends.
    pub(crate) fn heard(&mut self, now: Instant) {
        if self.heard_at.is_none_or(|at| now.duration_since(at) > DOUBT) {
            self.heard = 0;
        }
        self.heard += 1;
        self.heard_at = Some(now);
        let gives_way = match self.state {
            State::Closed => false,
            State::Listening { .. } | State::Theirs { .. } => true,
            State::Ours => self.heard >= ANOTHER,
        };
        if gives_way {
            self.state = State::Theirs { until: now + self.every.mul_f64(3.0) + self.chance() };
        }
    }

    /// Whether we are the battery now.
    pub(crate) fn step(&mut self, now: Instant) -> bool {
        if let State::Listening { until } | State::Theirs { until } = self.state
            && until <= now
        {
            self.state = State::Ours;
            self.heard = 0;
        }
        self.is_ours()
    }

    /// Whether we are the battery.
    pub(crate) fn is_ours(&self) -> bool {
        self.state == State::Ours
    }

    /// Whether another one is.
    pub(crate) fn is_theirs(&self) -> bool {
        matches!(self.state, State::Theirs { .. })
    }

    /// When the passing of time alone will change it.
    pub(crate) fn next(&self) -> Option<Instant> {
        match self.state {
            State::Listening { until } | State::Theirs { until } => Some(until),
            State::Closed | State::Ours => None,
        }
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

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_listens_for_more_than_a_period_before_it_is_the_battery() {
        let (start, mut claim) = (Instant::now(), Claim::new(SECOND, 1));
        assert!(!claim.step(start), "the bus is not open");
        claim.opened(start);
        assert!(!claim.step(start + SECOND.mul_f64(1.2) - Duration::from_millis(1)));
        assert!(claim.step(start + SECOND.mul_f64(1.2) + CHANCE));
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_stays_silent_until_the_first_is_gone() {
        let (start, mut claim) = (Instant::now(), Claim::new(SECOND, 1));
        claim.opened(start);
        for second in 0..100 {
            claim.heard(start + second * SECOND);
            assert!(!claim.step(start + second * SECOND) && claim.is_theirs());
        }
        assert!(!claim.step(start + 102 * SECOND));
        assert!(claim.step(start + 99 * SECOND + 3 * SECOND + CHANCE));
    }

    #[tokio::test(start_paused = true)]
    async fn one_foreign_frame_does_not_silence_the_battery_and_two_do() {
        let (start, mut claim) = (Instant::now(), Claim::new(SECOND, 1));
        claim.opened(start);
        claim.step(start + 3 * SECOND);
        claim.heard(start + 4 * SECOND);
        assert!(claim.is_ours());
        claim.heard(start + 20 * SECOND);
        assert!(claim.is_ours(), "long ago does not count");
        claim.heard(start + 21 * SECOND);
        assert!(claim.is_theirs());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Processes that open the bus at the same time, each hearing the others' cycles of six frames.
        #[test]
        fn of_several_that_begin_together_one_becomes_the_battery(
            seeds in proptest::collection::btree_set(any::<u64>(), 2..5),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let _guard = runtime.enter();
            let start = Instant::now();
            let mut claims: Vec<Claim> = seeds.iter().map(|seed| Claim::new(SECOND, *seed)).collect();
            claims.iter_mut().for_each(|claim| claim.opened(start));
            let (mut began, mut senders) = (vec![None; claims.len()], Vec::new());
            for ms in 0..60_000_u64 {
                let now = start + Duration::from_millis(ms);
                // All who are the battery in one millisecond have sent before any hears the others.
                for (claim, began) in claims.iter_mut().zip(&mut began) {
                    *began = claim.step(now).then(|| began.unwrap_or(ms));
                }
                let sending: Vec<usize> =
                    (0..claims.len()).filter(|n| began[*n].is_some_and(|at: u64| (ms - at).is_multiple_of(1000))).collect();
                for &sender in &sending {
                    let others = claims.iter_mut().enumerate().filter(|(n, _)| *n != sender);
                    others.for_each(|(_, claim)| (0..6).for_each(|_| claim.heard(now)));
                }
                if ms > 30_000 {
                    senders.extend(sending);
                }
            }
            senders.dedup();
            prop_assert_eq!(senders.len(), 1, "from 30 s on one alone sends");
        }
    }
}
