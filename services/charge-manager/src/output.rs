//! From the limit that the rules give to the one that is published: reductions at once, everything else with patience.
//!
//! - A rise is slewed, to what the limit was at least in the last seconds, and published in steps that are worth it, not more
//!   often than each five seconds.
//! - From 0 the charge current comes back only after a wait, and only to something worth having.
//! - Without data it goes to 0 within two seconds.
//! - A limit that keeps falling is published in steps, each ahead of it.
//! - Whatever happens, it changes at most 60 times a minute: when changes come too often, a fall goes further than it must,
//!   and rises wait.

use serde::{Deserialize, Serialize};

use crate::filter::{Lowest, Since};
use crate::limit::Limit;
use crate::reasons::Reason;
use crate::tick::Tick;

/// How long the way to 0 is without data, s.
const RAMP_S: f64 = 2.0;
/// Changes that may come in a bunch, and how many come back each second: together at most 55 in a minute.
const BUNCH: f64 = 20.0;
const CHANGES_PER_S: f64 = 0.5;
/// The grid that falls use when changes come too often, part of the maximum.
const COARSE: f64 = 0.2;
/// A fall so soon after a change is one of many, s.
const KEEPS_FALLING_S: f64 = 20.0;
/// A rise too small to be worth it is published after all when it has stood so long, s.
const SMALL_AFTER_S: f64 = 60.0;

/// How a current may move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// What the steps and speeds are parts of, A.
    pub(crate) maximum_a: f64,
    /// Part of the maximum per second.
    pub(crate) rise_per_s: f64,
    /// Least time at 0, s.
    pub(crate) zero_dwell_s: f64,
    /// Least current after 0, part of the maximum.
    pub(crate) least: f64,
    /// Rise that is worth publishing, part of the maximum.
    pub(crate) step: f64,
    /// Least time between two published rises, s.
    pub(crate) rise_dwell_s: f64,
}

/// What happens in this tick beside the limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances<'a> {
    /// There are no data: to 0, slowly enough not to be a blow.
    pub(crate) no_data: bool,
    /// A 0 is for want of data, now or at first.
    pub(crate) waiting: bool,
    /// Nothing may rise, and why.
    pub(crate) frozen: Option<&'a Reason>,
    /// What was at 0 for want of data comes back in one step.
    pub(crate) back_at_once: bool,
    /// What must be kept to the last milliampere, A: everything but the control of the cells, which aims below what it
    /// guards anyway. None: the limit itself.
    pub(crate) hard_a: Option<f64>,
}

/// What the current is at 0 for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ZeroBy {
    /// It is not at 0.
    Nothing,
    /// Want of data.
    Data,
    /// Anything else.
    Cause,
}

/// One published current and its memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CurrentOut {
    published_a: Option<f64>,
    slewed_a: f64,
    since_rise: Since,
    since_change: Since,
    recent: Lowest,
    /// The last change was a fall.
    fell: bool,
    budget: f64,
    zero_by: ZeroBy,
    /// At 0 for a cause.
    zero: Since,
    ramp: Option<(f64, f64)>,
    /// What last kept it down.
    kept_by: Reason,
}

impl Default for CurrentOut {
    fn default() -> Self {
        CurrentOut {
            published_a: None,
            slewed_a: 0.0,
            since_rise: Since::default(),
            since_change: Since::default(),
            recent: Lowest::default(),
            fell: false,
            budget: BUNCH,
            zero_by: ZeroBy::Data,
            zero: Since::default(),
            ramp: None,
            kept_by: Reason::Starting { who: None },
        }
    }
}

impl CurrentOut {
    /// The current that is published, A; none before the first.
    pub(crate) fn get(&self) -> Option<f64> {
        self.published_a
    }

    /// The reason that last kept it down.
    pub(crate) fn kept_by(&self) -> &Reason {
        &self.kept_by
    }

    /// Publishes, and says why it is that.
    pub(crate) fn step(&mut self, limit: &Limit, now: Circumstances<'_>, pace: Pace, tick: Tick) -> Limit {
        let maximum_a = pace.maximum_a.max(1e-3);
        self.budget = (self.budget + CHANGES_PER_S * tick.dt_s).min(BUNCH);
        let rise_s = self.since_rise.step(true, tick.dt_s);
        let change_s = self.since_change.step(true, tick.dt_s);
        let before_a = self.published_a.unwrap_or(0.0);

        let target_a = self.ramped(limit.value, before_a, now.no_data, tick);
        let held = self.at_zero(target_a, before_a, pace, maximum_a);
        let wish_a = if held.is_some() { 0.0 } else { target_a };
        let at_once = now.back_at_once && self.zero_by == ZeroBy::Data;
        let lowest_a = self.recent.step(wish_a, tick.dt_s);
        if wish_a <= self.slewed_a {
            self.slewed_a = wish_a;
        } else if now.frozen.is_none() {
            let most_a = self.slewed_a + pace.rise_per_s * maximum_a * tick.dt_s;
            self.slewed_a = if at_once { wish_a } else { lowest_a.min(most_a).max(self.slewed_a) };
        }

        let rise_a = self.slewed_a - before_a;
        let mut now_a = before_a;
        let small = -rise_a < pace.step * maximum_a && self.slewed_a > 0.0 && !now.no_data;
        if rise_a < 0.0 && small && now.hard_a.is_some_and(|hard_a| before_a <= hard_a) {
            // Not worth a change.
        } else if rise_a < 0.0 {
            let again = small && self.fell && change_s <= KEEPS_FALLING_S;
            // Never ahead to 0, which would be another limit with a wait of its own.
            let ahead_a = (before_a - pace.step * maximum_a).max(0.5 * before_a);
            now_a = if self.budget >= 1.0 || self.slewed_a <= 0.0 {
                if again { self.slewed_a.min(ahead_a) } else { self.slewed_a }
            } else {
                (self.slewed_a / (COARSE * maximum_a)).floor() * COARSE * maximum_a
            };
        } else if rise_a > 0.0 && self.budget >= 1.0 && now.frozen.is_none() && tick.dt_s > 0.0 {
            let patient = rise_s.min(change_s) >= pace.rise_dwell_s;
            let worth = rise_a >= pace.step * maximum_a || change_s >= SMALL_AFTER_S;
            let enough = before_a > 0.0 || self.slewed_a >= pace.least * maximum_a;
            if at_once || (patient && worth && enough) {
                now_a = self.slewed_a;
                self.since_rise.reset();
            }
        }
        if now_a != before_a {
            self.since_change.reset();
            self.fell = now_a < before_a;
            self.budget = (self.budget - 1.0).max(0.0);
        }
        self.published_a = Some(now_a);
        self.zero_by = match self.zero_by {
            _ if now_a > 0.0 => ZeroBy::Nothing,
            ZeroBy::Nothing if now.waiting => ZeroBy::Data,
            _ if limit.value <= 0.0 && !now.waiting => ZeroBy::Cause,
            by => by,
        };
        self.zero.step(self.zero_by == ZeroBy::Cause, tick.dt_s);
        Limit::new(now_a, self.reason(limit, now, held, now_a, pace.step * maximum_a))
    }

    /// The way to 0 without data.
    fn ramped(&mut self, target_a: f64, before_a: f64, no_data: bool, tick: Tick) -> f64 {
        if !no_data {
            self.ramp = None;
            return target_a;
        }
        let (from_a, for_s) = self.ramp.get_or_insert((before_a, 0.0));
        *for_s += tick.elapsed_s;
        *from_a * (1.0 - *for_s / RAMP_S).max(0.0)
    }

    /// Why it stays at 0 although the rules would let it rise: the seconds to go.
    fn at_zero(&self, target_a: f64, before_a: f64, pace: Pace, maximum_a: f64) -> Option<f64> {
        if before_a > 0.0 || target_a <= 0.0 {
            return None;
        }
        if self.zero_by == ZeroBy::Cause && self.zero.s() < pace.zero_dwell_s {
            return Some(pace.zero_dwell_s - self.zero.s());
        }
        (target_a < pace.least * maximum_a).then_some(0.0)
    }

    fn reason(
        &mut self,
        limit: &Limit,
        now: Circumstances<'_>,
        held_s: Option<f64>,
        now_a: f64,
        step_a: f64,
    ) -> Reason {
        if now_a + step_a > limit.value || now.no_data {
            self.kept_by = limit.reason.clone();
            return limit.reason.clone();
        }
        if let Some(left_s) = held_s {
            return self.kept_by.clone().held(left_s);
        }
        match now.frozen {
            Some(frozen) => frozen.clone(),
            None => self.kept_by.clone().rising(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };
    const PACE: Pace = Pace {
        maximum_a: 100.0,
        rise_per_s: 0.01,
        zero_dwell_s: 30.0,
        least: 0.015,
        step: 0.01,
        rise_dwell_s: 5.0,
    };

    fn at(value: f64) -> Limit {
        let reason = if value < 100.0 { Reason::User { limit: value } } else { Reason::None };
        Limit::new(value, reason)
    }

    fn settled(value: f64) -> CurrentOut {
        let mut out = CurrentOut::default();
        let first = Circumstances { back_at_once: true, ..Circumstances::default() };
        out.step(&at(value), first, PACE, SECOND);
        assert_eq!(out.get(), Some(value));
        out
    }

    fn run(out: &mut CurrentOut, limit: &Limit, seconds: usize) -> Vec<Limit> {
        (0..seconds).map(|_| out.step(limit, Circumstances::default(), PACE, SECOND)).collect()
    }

    #[test]
    fn a_reduction_is_published_in_the_same_tick_and_a_rise_at_one_per_cent_a_second_each_five_seconds() {
        let mut out = settled(100.0);
        let fallen = run(&mut out, &at(40.0), 1).remove(0);
        assert_eq!((fallen.value, fallen.reason.id()), (40.0, "user"));
        let rising = run(&mut out, &at(100.0), 80);
        assert_eq!(rising[3].value, 40.0, "it may have been a moment only");
        for (second, limit) in rising.iter().enumerate() {
            assert!(limit.value <= 40.0 + second as f64 + 1.0 + 1e-9, "{second}: {limit:?}");
        }
        assert_eq!(rising[10].reason.to_string(), "rising slowly after: user limit 40");
        assert_eq!((rising[79].value, rising[79].reason.id()), (100.0, "none"));
        assert!(rising.windows(2).filter(|pair| pair[1].value > pair[0].value).count() <= 13);
    }

    #[test]
    fn after_zero_it_waits_half_a_minute_and_says_so() {
        let mut out = settled(100.0);
        assert_eq!(run(&mut out, &at(0.0), 3)[0].value, 0.0);
        let after = run(&mut out, &at(50.0), 40);
        assert_eq!(after[0].reason.id(), "hold");
        assert_eq!(
            after.iter().take_while(|limit| limit.value == 0.0).count(),
            36,
            "half a minute, the limit lasting, and to 1.5 A"
        );
        assert!(run(&mut settled(0.0), &at(1.4), 200).iter().all(|limit| limit.value == 0.0));
    }

    #[test]
    fn without_data_it_is_at_zero_within_two_seconds_and_comes_back_without_a_wait() {
        let mut out = settled(80.0);
        let gone = Limit::new(0.0, Reason::ZeroData { member: None, age_s: 11.0 });
        let no_data = Circumstances { no_data: true, waiting: true, ..Circumstances::default() };
        let path: Vec<f64> = (0..3).map(|_| out.step(&gone, no_data, PACE, SECOND).value).collect();
        assert_eq!(path, [40.0, 0.0, 0.0]);
        let back = Circumstances { back_at_once: true, ..Circumstances::default() };
        assert_eq!(out.step(&at(80.0), back, PACE, SECOND).value, 80.0);
    }

    #[test]
    fn a_zero_with_a_cause_does_not_come_back_at_once() {
        let mut out = settled(80.0);
        run(&mut out, &at(0.0), 1);
        let back = Circumstances { back_at_once: true, ..Circumstances::default() };
        assert_eq!(out.step(&at(80.0), back, PACE, SECOND).value, 0.0);
    }

    #[test]
    fn a_small_fall_is_published_only_where_the_limit_is_a_hard_one() {
        let mut out = settled(80.0);
        let soft = Circumstances { hard_a: Some(100.0), ..Circumstances::default() };
        assert_eq!(out.step(&at(79.2), soft, PACE, SECOND).value, 80.0);
        assert_eq!(out.step(&at(78.9), soft, PACE, SECOND).value, 78.9);
        run(&mut out, &at(78.9), 30);
        let hard = Circumstances { hard_a: Some(78.8), ..Circumstances::default() };
        assert_eq!(out.step(&at(78.8), hard, PACE, SECOND).value, 78.8);
    }

    #[test]
    fn a_limit_that_keeps_falling_is_published_in_steps_ahead_of_it() {
        let mut out = settled(80.0);
        let (mut changes, mut before) = (0, 80.0);
        for second in 1..=300 {
            let limit = 80.0 - 0.1 * f64::from(second);
            let now = out.step(&at(limit), Circumstances::default(), PACE, SECOND).value;
            assert!(now <= limit + 1e-9 && now >= limit - 1.0 - 1e-9, "{now} {limit}");
            changes += u32::from(now != before);
            before = now;
        }
        assert!(changes <= 32, "{changes}");
    }

    #[test]
    fn nothing_rises_while_it_is_frozen() {
        let mut out = settled(50.0);
        let late = Reason::Late { who: "B1".into() };
        let frozen = Circumstances { frozen: Some(&late), ..Circumstances::default() };
        for _ in 0..100 {
            let limit = out.step(&at(90.0), frozen, PACE, SECOND);
            assert_eq!((limit.value, limit.reason.id()), (50.0, "late"));
        }
        assert_eq!(out.step(&at(20.0), frozen, PACE, SECOND).value, 20.0);
    }

    #[test]
    fn whatever_comes_it_changes_at_most_sixty_times_a_minute_and_is_never_above_the_limit() {
        let mut out = settled(100.0);
        let quick = Tick { dt_s: 0.05, elapsed_s: 0.05 };
        let mut seed = 1u64;
        let mut changes = Vec::new();
        for tick in 0..200_000u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = (seed >> 40) as f64 / (1u64 << 24) as f64 * 100.0;
            let before = out.get();
            let limit = out.step(&at(value), Circumstances::default(), PACE, quick);
            assert!(limit.value <= value + 1e-9);
            if Some(limit.value) != before {
                changes.push(tick);
            }
        }
        let most = changes
            .iter()
            .map(|from| changes.iter().filter(|at| (*from..from + 1_200).contains(at)).count())
            .max();
        assert!(most <= Some(60), "{most:?}");
    }
}
