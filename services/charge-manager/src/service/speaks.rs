//! When the bank may show limits to systemcalc, which takes one BMS: first its members are listed, they take their own
//! limits off `/Info`, and only then the bank's stand there.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::name::Name;

/// Members have this time to see that they are listed.
const A_TICK: Duration = Duration::from_millis(950);
/// A member of ours that still shows its limits after this time will not withdraw: better two BMS than none.
const PATIENCE: Duration = Duration::from_secs(5);
/// A member that is gone stays listed so long: one that restarts is not to show limits of its own in between.
const RESTART: Duration = Duration::from_secs(60);

/// A battery on the bus, as far as this matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    /// It is one that withdraws when it is listed.
    pub(crate) gives_way: bool,
    /// It shows a charge voltage on `/Info`.
    pub(crate) limits: bool,
}

/// Who is listed, and whether the bank speaks.
#[derive(Debug, Default)]
pub(crate) struct Speaks {
    /// When each member was last seen in the bank.
    listed: BTreeMap<Name, Instant>,
    /// When the first of them was listed.
    since: Option<Instant>,
    is_warm: bool,
    speaks: bool,
}

impl Speaks {
    /// `is_warm`: the members have been listed by an earlier process a moment ago.
    pub(crate) fn new(is_warm: bool) -> Speaks {
        Speaks { is_warm, ..Speaks::default() }
    }

    /// Takes in who is in the decision's care. `on_the_bus` tells of a battery that is there.
    pub(crate) fn step(
        &mut self,
        members: &[Name],
        on_the_bus: impl Fn(&Name) -> Option<Shown>,
        now: Instant,
    ) {
        for member in members {
            self.listed.insert(member.clone(), now);
        }
        self.listed.retain(|member, seen| {
            members.contains(member) || (on_the_bus(member).is_none() && now.duration_since(*seen) <= RESTART)
        });
        if self.listed.is_empty() {
            (self.since, self.speaks) = (None, false);
            return;
        }
        let since = *self.since.get_or_insert(now);
        let waited = now.duration_since(since);
        let shows = |member: &Name| on_the_bus(member).is_some_and(|shown| shown.gives_way && shown.limits);
        let all_withdrawn = !self.listed.keys().any(shows);
        let in_time = self.is_warm || waited >= A_TICK;
        self.speaks |= (all_withdrawn && in_time) || waited >= PATIENCE;
    }

    /// `/Members`.
    pub(crate) fn members(&self) -> Vec<String> {
        self.listed.keys().map(|name| name.to_string()).collect()
    }

    /// Whether the bank's limits may stand on `/Info`.
    pub(crate) fn speaks(&self) -> bool {
        self.speaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHDRAWN: Shown = Shown { gives_way: true, limits: false };
    const SHOWS: Shown = Shown { gives_way: true, limits: true };

    fn at(start: Instant, s: f64) -> Instant {
        start + Duration::from_secs_f64(s)
    }

    #[tokio::test(start_paused = true)]
    async fn members_are_listed_first_and_the_bank_speaks_when_they_have_withdrawn() {
        let (mut speaks, start, a) = (Speaks::new(false), Instant::now(), Name::from("a"));
        speaks.step(std::slice::from_ref(&a), |_| Some(SHOWS), start);
        assert_eq!((speaks.members(), speaks.speaks()), (vec!["a".to_owned()], false));
        speaks.step(std::slice::from_ref(&a), |_| Some(WITHDRAWN), at(start, 0.1));
        assert!(!speaks.speaks(), "a tick has not gone by");
        speaks.step(std::slice::from_ref(&a), |_| Some(WITHDRAWN), at(start, 1.0));
        assert!(speaks.speaks());
        let both = [a.clone(), Name::from("b")];
        speaks.step(&both, |_| Some(SHOWS), at(start, 2.0));
        assert!(speaks.speaks(), "one that joins does not take the limits off the bus");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_restart_it_speaks_at_once_where_its_members_are_still_withdrawn() {
        let (start, a) = (Instant::now(), Name::from("a"));
        let mut speaks = Speaks::new(true);
        speaks.step(std::slice::from_ref(&a), |_| Some(WITHDRAWN), start);
        assert!(speaks.speaks());
        let mut speaks = Speaks::new(true);
        speaks.step(std::slice::from_ref(&a), |_| Some(SHOWS), start);
        assert!(!speaks.speaks());
    }

    #[tokio::test(start_paused = true)]
    async fn a_foreign_battery_is_not_waited_for_and_a_stubborn_one_not_for_ever() {
        let (start, a) = (Instant::now(), Name::from("a"));
        let foreign = Shown { gives_way: false, limits: true };
        let mut speaks = Speaks::new(false);
        speaks.step(std::slice::from_ref(&a), |_| Some(foreign), start);
        speaks.step(std::slice::from_ref(&a), |_| Some(foreign), at(start, 1.0));
        assert!(speaks.speaks());
        let mut speaks = Speaks::new(false);
        for (s, so) in [(0.0, false), (1.0, false), (4.9, false), (5.0, true)] {
            speaks.step(std::slice::from_ref(&a), |_| Some(SHOWS), at(start, s));
            assert_eq!(speaks.speaks(), so, "{s}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_member_that_restarts_stays_listed_and_one_that_was_let_go_does_not() {
        let (mut speaks, start) = (Speaks::new(false), Instant::now());
        let (a, b) = (Name::from("a"), Name::from("b"));
        let both = [a.clone(), b.clone()];
        speaks.step(&both, |_| Some(WITHDRAWN), start);
        let gone = |name: &Name| (*name == a).then_some(WITHDRAWN);
        speaks.step(std::slice::from_ref(&a), gone, at(start, 60.0));
        assert_eq!(speaks.members(), ["a", "b"]);
        speaks.step(std::slice::from_ref(&a), gone, at(start, 60.1));
        assert_eq!(speaks.members(), ["a"]);
        speaks.step(&both, |_| Some(WITHDRAWN), at(start, 61.0));
        speaks.step(std::slice::from_ref(&a), |_| Some(WITHDRAWN), at(start, 62.0));
        assert_eq!(speaks.members(), ["a"], "b is on the bus and no member");
    }
}
