//! One current limit over time: obeyed, held, ramped to zero, and given back.

use std::time::Duration;

use tokio::time::Instant;

/// Up to this age data may raise a limit.
pub(super) const FRESH: Duration = Duration::from_secs(3);
/// Up to this age the last limit stays.
pub(super) const HOLD: Duration = Duration::from_secs(10);
/// How long the way to 0 A takes.
pub(super) const RAMP: Duration = Duration::from_secs(2);
/// How long data must have been fresh before charging comes back.
const HEALTHY: Duration = Duration::from_secs(10);
/// The part of the limit that a charge current which comes back rises by in a second.
const RISE_PER_S: f64 = 0.01;
/// The part of the limit that the first step from 0 A makes: less is below what chargers can regulate.
const FIRST_RISE: f64 = 0.015;
/// How long a rise from zero takes. So long every rise is a slow one.
const RISING: Duration = Duration::from_secs(100);
/// A loop that has not come by for longer does not catch up.
const LONGEST_STEP: Duration = Duration::from_secs(5);

/// How a limit is come by. From the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stance {
    /// Fresh data, obeyed.
    Obeying,
    /// Back after a loss: the charge current rises by 1 % of the limit per second.
    Rising,
    /// Back after a loss: charging waits until data have been fresh for 10 s.
    Returning,
    /// No fresh data for less than 10 s: the last limits, not raised, lower ones obeyed.
    Holding,
    /// On the way to 0 A within 2 s.
    Ramping,
    /// 0 A.
    Zero,
    /// There have never been data: 0 A, and nothing that would have to be sent.
    Waiting,
}

/// How a limit comes back after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comeback {
    /// An inverter that feeds a house dies at a discharge limit of 0.
    AtOnce,
    /// A battery that was out of sight is not charged at full power at once.
    Slowly,
}

#[derive(Debug, Clone)]
pub(super) struct Track {
    comeback: Comeback,
    output_a: f64,
    /// When the newest data with a valid limit were alive.
    good_at: Option<Instant>,
    /// Since when, and from where, the output goes to zero.
    ramp: Option<(Instant, f64)>,
    /// A ramp has begun since the limit was last obeyed in full.
    lost: bool,
    healthy_since: Option<Instant>,
    stepped_at: Option<Instant>,
}

/// What a step knows of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    /// The limit as the source shows it now; none where it shows none that is valid.
    pub(super) limit_a: Option<f64>,
    /// The newest sign of life of the source.
    pub(super) alive_at: Option<Instant>,
    /// Since when the source has said that there is nothing to take.
    pub(super) denied_since: Option<Instant>,
}

impl Track {
    pub(super) fn new(comeback: Comeback) -> Self {
        Track {
            comeback,
            output_a: 0.0,
            good_at: None,
            ramp: None,
            lost: false,
            healthy_since: None,
            stepped_at: None,
        }
    }

    pub(super) fn output_a(&self) -> f64 {
        self.output_a
    }

    pub(super) fn step(&mut self, now: Instant, input: Input) -> Stance {
        let since = |then: Instant| now.saturating_duration_since(then);
        let passed = self.stepped_at.replace(now).map_or(Duration::ZERO, since).min(LONGEST_STEP);
        // The first data of all must be fresh to be any.
        let alive_at = input.alive_at.filter(|at| self.good_at.is_some() || since(*at) <= FRESH);
        if input.limit_a.is_some() {
            self.good_at = self.good_at.max(alive_at);
        }
        let Some(good_at) = self.good_at else { return Stance::Waiting };
        // Whatever else holds, a lower limit is obeyed in this step.
        let most = input.limit_a.map_or(self.output_a, |limit| limit.min(self.output_a));

        let stale_since = (since(good_at) > HOLD).then(|| good_at + HOLD);
        if let Some(from) = [stale_since, input.denied_since].into_iter().flatten().min() {
            (self.lost, self.healthy_since) = (true, None);
            let (from, start_a) = *self.ramp.get_or_insert((from, self.output_a));
            let left = 1.0 - since(from).as_secs_f64() / RAMP.as_secs_f64();
            self.output_a = most.min(start_a * left.max(0.0));
            return if left > 0.0 { Stance::Ramping } else { Stance::Zero };
        }
        self.ramp = None;

        let Some(limit_a) = input.limit_a.filter(|_| since(good_at) <= FRESH) else {
            self.healthy_since = None;
            self.output_a = most;
            return Stance::Holding;
        };
        if !self.lost || self.comeback == Comeback::AtOnce {
            self.lost = false;
            self.output_a = limit_a;
            return Stance::Obeying;
        }
        let healthy = since(*self.healthy_since.get_or_insert(now));
        if healthy < HEALTHY {
            self.output_a = most;
            return Stance::Returning;
        }
        let risen = self.output_a + limit_a * RISE_PER_S * passed.as_secs_f64();
        self.output_a = limit_a.min(risen.max(limit_a * FIRST_RISE));
        if self.output_a < limit_a {
            return Stance::Rising;
        }
        self.lost = healthy < HEALTHY + RISING;
        Stance::Obeying
    }
}
