//! What is known of a device once it was recognised: its map, and when what of it is read.

use std::time::Duration;

use tokio::time::Instant;

use super::access::Fault;
use super::recognise::Identity;
use crate::engine::filter::Filter;
use crate::engine::map::{BlockAt, Map};
use crate::engine::plan::{self, Range};
use crate::engine::schedule::Schedule;
use crate::line::NoAnswer;
use crate::profile::Profile;

/// So often one is asked whose line is not there: it costs nothing.
pub(super) const NO_LINE: Duration = Duration::from_millis(500);
/// A device that is busy is asked again after this.
const BUSY: Duration = Duration::from_secs(1);

/// A device that was recognised.
pub(super) struct Running {
    pub(super) identity: Identity,
    pub(super) map: Map,
    pub(super) schedule: Schedule,
    /// The blocks that are read under what is known.
    wanted: Vec<bool>,
    /// Everything was asked once, and has answered or is known not to: before that, what needs several registers may be wrong.
    pub(super) is_whole: bool,
}

impl Running {
    /// Everything of a map is due.
    pub(super) fn new(profile: &Profile, identity: Identity, map: Map, now: Instant) -> Running {
        let (schedule, wanted) = (Schedule::default(), Vec::new());
        let mut running = Running { identity, map, schedule, wanted, is_whole: false };
        running.wanted = running.wanted(&Filter::default());
        running.plan_anew(profile, now);
        running
    }

    /// Other blocks are read if the points now say so.
    pub(super) fn choose(&mut self, profile: &Profile, points: &Filter, now: Instant) {
        let wanted = self.wanted(points);
        if wanted != self.wanted {
            self.wanted = wanted;
            self.plan_anew(profile, now);
        }
    }

    /// What was split because it was refused is asked for in one again.
    pub(super) fn plan_anew(&mut self, profile: &Profile, now: Instant) {
        self.schedule = self.schedule.renewed(self.requests(profile), now);
    }

    /// A read brought nothing. Returns what is too old now because of it.
    pub(super) fn failed(&mut self, n: usize, fault: &Fault, now: Instant) -> Option<Range> {
        match fault {
            Fault::NoAnswer(NoAnswer::NoLine(_)) => {
                self.schedule.again(n, now + NO_LINE);
                None
            }
            Fault::NoAnswer(_) => self.schedule.failed(n, now, None),
            fault if fault.is_absent() => self.schedule.denied(n, now),
            Fault::Exception(_) | Fault::Odd => self.schedule.failed(n, now, Some(now + BUSY)),
        }
    }

    fn wanted(&self, points: &Filter) -> Vec<bool> {
        let point = |name: &str| points.number(name);
        let holds = |block: &BlockAt| block.when.as_ref().is_none_or(|when| when.holds(&point));
        self.map.blocks.iter().map(holds).collect()
    }

    fn requests(&self, profile: &Profile) -> Vec<plan::Request> {
        let is_wanted = |block: &BlockAt| {
            let number = self.map.blocks.iter().position(|known| std::ptr::eq(known, block));
            number.and_then(|number| self.wanted.get(number)).copied().unwrap_or(true)
        };
        plan::plan(&self.map, &profile.link, is_wanted)
    }
}
