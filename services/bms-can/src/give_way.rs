//! Who speaks for the battery's limits on `/Info`: the battery itself, or the manager of the bank that it is a member of.
//!
//! systemcalc takes one BMS, and no member's limit is true for a bank of several.

use std::time::Duration;

use dbus_interfaces::classes::bank;
use dbus_interfaces::{BusAddress, BusError, Events, Filter, Monitor};
use tokio::time::{Instant, timeout};

/// A manager that decides shows a new number within this time.
const FRESH: Duration = Duration::from_secs(5);
/// Within this time it may start again without anyone noticing.
const RESTART: Duration = Duration::from_secs(10);
/// A manager that hangs is ended by its own watchdog 10 s after its last decision. Until then its limits stand on the bus,
/// and none may stand beside them.
const HUNG: Duration = Duration::from_secs(15);
/// After this time nobody stands behind the bank's limits any more.
const LOST: Duration = Duration::from_secs(60);

/// Who speaks for the battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// The battery shows its own limits.
    Battery,
    /// The manager does, or did until a moment ago: the battery shows none.
    Manager,
    /// The manager of several batteries is lost: the battery allows nothing.
    Nobody,
}

/// What the manager shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Bus names of the batteries in its decision.
    pub(crate) members: Vec<String>,
    /// Its sign of life.
    pub(crate) update_index: Option<i32>,
}

/// Follows the manager on a connection of its own.
#[derive(Debug)]
pub(crate) struct Manager {
    monitor: Monitor,
    events: Events,
}

impl Manager {
    /// Begins to follow; the manager need not be there. One that is there is known then, if it answers.
    pub(crate) async fn watch(bus: &BusAddress) -> Result<Self, BusError> {
        let filter = Filter::new().service(bank::NAME).item(bank::MEMBERS).item(bank::UPDATE_INDEX);
        let (monitor, events) = Monitor::start(bus, filter).await?;
        // One that does not answer does not live either.
        let _ = timeout(FRESH, monitor.settled()).await;
        Ok(Manager { monitor, events })
    }

    /// Resolves when the manager shows something new, has come or has gone.
    ///
    /// # Errors
    /// The connection is gone. Without it a manager that lives would look like one that is lost.
    pub(crate) async fn changed(&mut self) -> Result<(), BusError> {
        match self.events.next().await {
            Some(_) => Ok(()),
            None => Err(BusError::Lost("the connection that follows the manager has ended".to_owned())),
        }
    }

    /// What it shows now; `None` while it is not on the bus.
    pub(crate) fn sight(&self) -> Option<Sight> {
        self.monitor.service(bank::NAME)?;
        Some(Sight {
            members: self.monitor.get(bank::NAME, bank::MEMBERS).unwrap_or_default(),
            update_index: self.monitor.get(bank::NAME, bank::UPDATE_INDEX),
        })
    }
}

/// One battery's side of it.
#[derive(Debug)]
pub(crate) struct GiveWay {
    /// The user wants the battery to stand alone when the manager is lost.
    standalone: bool,
    speaks: Speaks,
    index: Option<i32>,
    /// When a number was seen first.
    met_at: Option<Instant>,
    alive_at: Option<Instant>,
    /// Since when it waits for the manager that it had before it was started.
    remembered_at: Option<Instant>,
    is_listed: bool,
    members: usize,
}

impl GiveWay {
    /// The battery speaks for itself until a manager is seen to.
    pub(crate) fn new(standalone: bool) -> Self {
        GiveWay {
            standalone,
            speaks: Speaks::Battery,
            index: None,
            met_at: None,
            alive_at: None,
            remembered_at: None,
            is_listed: false,
            members: 0,
        }
    }

    /// The battery belonged to a bank of so many before it was started. If those were several it waits for their manager as
    /// if it had just been lost: its own limits are still not true for the bank. Whether it waits is returned.
    pub(crate) fn remember(&mut self, members: usize, now: Instant) -> bool {
        let waits =
            members > 1 && !self.standalone && self.alive_at.is_none() && self.remembered_at.is_none();
        if waits {
            self.members = members;
            self.remembered_at = Some(now);
            self.speaks = Speaks::Manager;
        }
        waits
    }

    /// How many batteries the manager has in its decision, 0 if not this one; `None` as long as none was seen to live.
    pub(crate) fn bank(&self) -> Option<usize> {
        self.alive_at.map(|_| self.members)
    }

    /// Who speaks now.
    pub(crate) fn speaks(&self) -> Speaks {
        self.speaks
    }

    /// Whether it does not know yet if the manager that lists it lives: then a battery does not come onto the bus, because
    /// limits that it had shown once would count for ever.
    pub(crate) fn is_undecided(&self, now: Instant) -> bool {
        self.is_listed
            && self.alive_at.is_none()
            && self.met_at.is_some_and(|at| now.duration_since(at) <= FRESH)
    }

    /// Looks at the manager. The first number seen is no sign of life: it may be the last of a manager that hangs.
    pub(crate) fn step(&mut self, own_name: &str, sight: Option<&Sight>, now: Instant) -> Speaks {
        if let Some(index) = sight.and_then(|sight| sight.update_index) {
            if self.index.is_some_and(|before| before != index) {
                self.alive_at = Some(now);
            }
            self.index = Some(index);
            self.met_at.get_or_insert(now);
        }
        let silent_for = self.alive_at.map(|at| now.duration_since(at));
        let is_fresh = sight.is_some() && silent_for.is_some_and(|silent| silent <= FRESH);
        self.is_listed = sight.is_some_and(|sight| sight.members.iter().any(|member| member == own_name));
        self.speaks = match (is_fresh, self.is_listed) {
            (true, true) => {
                self.members = sight.map_or(0, |sight| sight.members.len());
                Speaks::Manager
            }
            (true, false) => {
                self.members = 0;
                Speaks::Battery
            }
            (false, _) => {
                let lost_at = self.alive_at.or(self.remembered_at);
                self.without_manager(lost_at.map(|at| now.duration_since(at)), sight.is_some())
            }
        };
        self.speaks
    }

    fn without_manager(&self, silent_for: Option<Duration>, is_there: bool) -> Speaks {
        let Some(silent_for) = silent_for.filter(|_| self.speaks != Speaks::Battery) else {
            return Speaks::Battery;
        };
        match silent_for {
            silent if silent <= RESTART => Speaks::Manager,
            silent if is_there && silent <= HUNG => Speaks::Manager,
            _ if self.members <= 1 || self.standalone => Speaks::Battery,
            silent if silent <= LOST => Speaks::Manager,
            _ => Speaks::Nobody,
        }
    }

    /// When the passing of time alone will next change the answer.
    pub(crate) fn next_change(&self, now: Instant) -> Option<Instant> {
        let met = self.met_at.filter(|_| self.alive_at.is_none()).map(|at| at + FRESH);
        let lost_at = self.alive_at.or(self.remembered_at).filter(|_| self.speaks == Speaks::Manager);
        let edges = [FRESH, RESTART, HUNG, LOST].into_iter().filter_map(|edge| Some(lost_at? + edge));
        edges.chain(met).map(|edge| edge + Duration::from_nanos(1)).filter(|edge| *edge > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "com.victronenergy.battery.bmscan_can0";

    struct Bed {
        start: Instant,
        give_way: GiveWay,
        index: i32,
    }

    impl Bed {
        fn new(standalone: bool) -> Bed {
            Bed { start: Instant::now(), give_way: GiveWay::new(standalone), index: 0 }
        }

        fn at(&self, s: f64) -> Instant {
            self.start + Duration::from_secs_f64(s)
        }

        /// A live manager at this moment.
        fn alive(&mut self, s: f64, members: &[&str]) -> Speaks {
            self.index = (self.index + 1) % 256;
            let members = members.iter().map(|member| (*member).to_owned()).collect();
            let sight = Sight { members, update_index: Some(self.index) };
            self.give_way.step(OWN, Some(&sight), self.at(s))
        }

        /// A manager that is there and hangs.
        fn hanging(&mut self, s: f64, members: &[&str]) -> Speaks {
            let members = members.iter().map(|member| (*member).to_owned()).collect();
            let sight = Sight { members, update_index: Some(self.index) };
            self.give_way.step(OWN, Some(&sight), self.at(s))
        }

        fn gone(&mut self, s: f64) -> Speaks {
            self.give_way.step(OWN, None, self.at(s))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_withdraws_when_a_living_manager_lists_it_and_not_before() {
        let mut bed = Bed::new(false);
        assert_eq!(bed.gone(0.0), Speaks::Battery);
        assert_eq!(bed.alive(1.0, &[]), Speaks::Battery);
        assert_eq!(bed.alive(2.0, &["com.victronenergy.battery.other"]), Speaks::Battery);
        assert_eq!(bed.alive(3.0, &[OWN]), Speaks::Manager);
        assert_eq!(bed.alive(4.0, &[]), Speaks::Battery, "a living manager has let it go");
    }

    #[tokio::test(start_paused = true)]
    async fn a_manager_that_hung_before_we_came_is_none() {
        let mut bed = Bed::new(false);
        for s in 0..20 {
            assert_eq!(bed.hanging(f64::from(s), &[OWN]), Speaks::Battery);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn listed_by_a_manager_of_which_nothing_else_is_known_it_waits_for_a_sign_of_life() {
        let mut bed = Bed::new(false);
        bed.gone(0.0);
        assert!(!bed.give_way.is_undecided(bed.at(0.0)), "there is no manager");
        bed.hanging(1.0, &["com.victronenergy.battery.other"]);
        assert!(!bed.give_way.is_undecided(bed.at(1.0)), "a manager of others");
        bed.hanging(1.5, &[OWN]);
        assert!(bed.give_way.is_undecided(bed.at(1.5)));
        assert_eq!(bed.give_way.next_change(bed.at(1.5)), Some(bed.at(6.0) + Duration::from_nanos(1)));
        assert!(!bed.give_way.is_undecided(bed.at(6.001)), "it hangs");

        let mut bed = Bed::new(false);
        bed.hanging(1.0, &[OWN]);
        bed.alive(2.0, &[OWN]);
        assert!(!bed.give_way.is_undecided(bed.at(2.0)));
        assert_eq!(bed.give_way.speaks(), Speaks::Manager);
    }

    #[tokio::test(start_paused = true)]
    async fn beside_a_manager_that_hangs_it_says_nothing_until_its_watchdog_must_have_ended_it() {
        let mut bed = Bed::new(false);
        bed.alive(0.0, &[OWN]);
        bed.alive(1.0, &[OWN]);
        assert_eq!(bed.hanging(11.5, &[OWN]), Speaks::Manager);
        assert_eq!(bed.gone(11.6), Speaks::Battery, "now it is gone");

        let mut bed = Bed::new(false);
        bed.alive(0.0, &[OWN]);
        bed.alive(1.0, &[OWN]);
        assert_eq!(bed.hanging(16.0, &[OWN]), Speaks::Manager);
        assert_eq!(bed.hanging(16.001, &[OWN]), Speaks::Battery);
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_within_ten_seconds_shows_nothing() {
        let mut bed = Bed::new(false);
        bed.alive(0.0, &[OWN]);
        bed.alive(1.0, &[OWN]);
        assert_eq!(bed.gone(2.0), Speaks::Manager);
        assert_eq!(bed.hanging(10.9, &[]), Speaks::Manager, "it is back and has not listed anyone yet");
        assert_eq!(bed.alive(10.95, &[OWN]), Speaks::Manager);
    }

    #[tokio::test(start_paused = true)]
    async fn alone_it_speaks_for_itself_again_after_ten_seconds() {
        let mut bed = Bed::new(false);
        bed.alive(0.0, &[OWN]);
        bed.alive(1.0, &[OWN]);
        assert_eq!(bed.gone(11.0), Speaks::Manager);
        assert_eq!(bed.give_way.next_change(bed.at(6.5)), Some(bed.at(11.0) + Duration::from_nanos(1)));
        assert_eq!(bed.gone(11.001), Speaks::Battery);
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_none_speaks_and_after_a_minute_none_allows_anything_until_the_manager_is_back() {
        let mut bed = Bed::new(false);
        bed.alive(0.0, &[OWN, "b"]);
        bed.alive(1.0, &[OWN, "b"]);
        assert_eq!(bed.gone(61.0), Speaks::Manager);
        assert_eq!(bed.gone(61.001), Speaks::Nobody);
        assert_eq!(bed.hanging(500.0, &[OWN, "b"]), Speaks::Nobody);
        assert_eq!(bed.alive(501.0, &[OWN, "b"]), Speaks::Manager);
    }

    #[tokio::test(start_paused = true)]
    async fn started_again_it_remembers_the_bank_and_waits_for_its_manager() {
        let mut bed = Bed::new(false);
        bed.give_way.remember(2, bed.at(0.0));
        assert_eq!(bed.gone(0.0), Speaks::Manager);
        assert_eq!(bed.give_way.next_change(bed.at(11.0)), Some(bed.at(15.0) + Duration::from_nanos(1)));
        assert_eq!(bed.hanging(3.0, &["b"]), Speaks::Manager, "a manager that hangs lets nobody go");
        assert_eq!(bed.gone(60.0), Speaks::Manager);
        assert_eq!(bed.gone(60.001), Speaks::Nobody);
        assert_eq!(bed.give_way.bank(), None, "nothing new is known of the bank");
        bed.alive(70.0, &[OWN, "b", "c"]);
        assert_eq!(bed.alive(71.0, &[OWN, "b", "c"]), Speaks::Manager);
        assert_eq!(bed.give_way.bank(), Some(3));
        assert_eq!(bed.alive(72.0, &["b", "c"]), Speaks::Battery);
        assert_eq!(bed.give_way.bank(), Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_alone_or_shall_be_has_nobody_to_wait_for() {
        for (standalone, members) in [(false, 0), (false, 1), (true, 3)] {
            let mut bed = Bed::new(standalone);
            bed.give_way.remember(members, bed.at(0.0));
            assert_eq!(bed.gone(0.0), Speaks::Battery);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_user_can_have_it_stand_alone() {
        let mut bed = Bed::new(true);
        bed.alive(0.0, &[OWN, "b"]);
        bed.alive(1.0, &[OWN, "b"]);
        assert_eq!(bed.gone(11.001), Speaks::Battery);
    }
}
