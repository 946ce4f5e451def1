//! The battery that an inverter sees: what is told, by whom, and the frames that are due. No input or output.

use dbus_interfaces::classes::told;
use tokio::time::Instant;

use super::claim::Claim;
use super::partner::Partner;
use super::procedure::Stage;
use super::profile::{Profile, Rhythm, Say, Silence};
use super::rhythm::Cycle;
use super::source::View;
use super::sunny_island::{Cluster, Reserve, Switch};
use super::told::{Facts, Told};
use crate::frame::{CanId, Frame};
use crate::protocols::Protocol;

/// The state of charge at which a Sunny Island takes its grid, %: 0 would be an empty battery, and switch it off.
const ASKS_GRID_PCT: f64 = 1.0;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Doing {
    /// The bus is not open.
    NoBus,
    /// Listening for another battery.
    Listening,
    /// Another battery is on the bus.
    Another,
    /// No data yet.
    Waiting,
    /// Telling the decision.
    Telling,
    /// Telling the safe set.
    Safe,
    /// The data are lost, and nothing is told any more.
    Stopped,
}

impl Doing {
    /// In words, as the bus shows them.
    pub(crate) fn words(self) -> &'static str {
        told::DOING_WORDS.get(self as usize).copied().unwrap_or_default()
    }
}

/// One bus on which we are the battery.
#[derive(Debug)]
pub(crate) struct Station {
    profile: &'static Profile,
    dialect: &'static Protocol,
    silence: Silence,
    facts: Facts,
    claim: Claim,
    partner: Partner,
    stage: Stage,
    is_open: bool,
    cycle: Option<Cycle>,
    /// Frames that the inverter has asked for.
    asked: std::collections::VecDeque<&'static Say>,
    told: Option<Told>,
    soc: Option<(f64, Instant)>,
    own: Vec<CanId>,
    cluster: Option<Cluster>,
    switch: Option<Switch>,
    reserve: Reserve,
    /// It is told to charge from the grid.
    asks_grid: bool,
    doing: (Doing, Option<Instant>),
}

impl Station {
    /// A station on a bus that is not open. `silence` is the profile's, or what the user has made of it.
    pub(crate) fn new(
        profile: &'static Profile,
        dialect: &'static Protocol,
        silence: Silence,
        facts: Facts,
        cluster: Option<Cluster>,
        reserve: Reserve,
        seed: u64,
    ) -> Self {
        let own = profile.says().filter_map(|say| say.can_id(dialect)).collect();
        Station {
            profile,
            dialect,
            silence,
            facts,
            claim: Claim::new(profile.every(), seed),
            partner: Partner::new(profile.keep_alive),
            stage: Stage::Waiting,
            is_open: false,
            cycle: None,
            asked: std::collections::VecDeque::new(),
            told: None,
            soc: None,
            own,
            cluster,
            switch: None,
            reserve,
            asks_grid: false,
            doing: (Doing::NoBus, None),
        }
    }

    /// The bus has been opened, or is gone.
    pub(crate) fn link(&mut self, is_open: bool, now: Instant) {
        self.is_open = is_open;
        if is_open {
            self.claim.opened(now);
        } else {
            self.claim.closed();
            self.partner.forget();
            if let Some(cluster) = &mut self.cluster {
                cluster.forget();
            }
        }
    }

    /// Takes in a frame that somebody else has sent.
    pub(crate) fn frame(&mut self, frame: &Frame, now: Instant) {
        let is_its = self.partner.hear(frame, now);
        if let Some(cluster) = &mut self.cluster {
            cluster.hear(frame, now);
        }
        if !is_its && !frame.is_remote() && self.own.contains(&frame.id()) {
            self.claim.heard(now);
        }
        if let Rhythm::Asked { asks, sets, .. } = self.profile.rhythm
            && let Some(set) = asks(frame).and_then(|set| sets.get(set))
            && self.asked.is_empty()
        {
            // No more than one set waits: an inverter that asks faster gets the newest.
            self.asked.extend(set.iter());
        }
    }

    /// Decides what is told from now on.
    pub(crate) fn decide(&mut self, view: &View, now: Instant) {
        self.stage = self.stage.step(view.is_licensed, &self.silence, now);
        let is_safe = view.is_to_stop || matches!(self.stage, Stage::Safe { .. });
        self.told = view
            .measured
            .as_ref()
            .filter(|_| self.stage.sends())
            .and_then(|measured| Told::new(self.profile, &self.facts, &view.limits, measured, is_safe));
        self.keep_reserve(now);
        self.slow_soc(now);
        let is_ours = self.claim.step(now);
        let sends = is_ours && self.told.is_some();
        if !sends {
            self.cycle = None;
            self.asked.clear();
        } else if self.cycle.is_none()
            && let Rhythm::Cycle { every, gap, at_least, frames, .. } = self.profile.rhythm
        {
            self.cycle = Some(Cycle::new(frames.len() as u32, every, gap, at_least, now));
        }
        let doing = match (self.is_open, self.told.is_some(), self.stage) {
            (false, ..) => Doing::NoBus,
            _ if self.claim.is_theirs() => Doing::Another,
            _ if !is_ours => Doing::Listening,
            (_, true, _) if is_safe => Doing::Safe,
            (_, true, Stage::Telling) => Doing::Telling,
            (_, _, Stage::Stopped) => Doing::Stopped,
            _ => Doing::Waiting,
        };
        if self.doing.0 != doing || self.doing.1.is_none() {
            self.doing = (doing, Some(now));
        }
    }

    /// What the user wants done about a battery that is nearly empty.
    fn keep_reserve(&mut self, now: Instant) {
        let (Some(cluster), Some(told)) = (&self.cluster, &mut self.told) else { return };
        let (view, measured) = (cluster.view(now), &mut told.measured);
        if let Some(on) = self.reserve.switch(view.has_grid, measured.soc_pct, view.is_on, now) {
            self.switch = Some(Switch::new(on, now));
        }
        self.asks_grid = self.reserve.asks_grid(view.has_grid, measured.voltage_v, now);
        if self.asks_grid {
            measured.soc_pct = measured.soc_pct.min(ASKS_GRID_PCT);
        }
    }

    /// Where a jump of the state of charge does harm it rises slowly; it falls at once.
    fn slow_soc(&mut self, now: Instant) {
        let (Some(rise), Some(told)) = (self.profile.soc_rise_pct_per_s, &mut self.told) else { return };
        let soc = &mut told.measured.soc_pct;
        if let Some((last, at)) = self.soc {
            *soc = soc.min(last + rise * now.duration_since(at).as_secs_f64());
        }
        self.soc = Some((*soc, now));
    }

    /// Switches the inverter on or off, as the user has asked for.
    pub(crate) fn switch(&mut self, on: bool, now: Instant) {
        self.switch = Some(Switch::new(on, now));
    }

    /// The command that is due. One that is done or given up is over; then it says what was wished, and whether it is so.
    pub(crate) fn command(&mut self, now: Instant) -> (Option<Frame>, Option<(bool, bool)>) {
        let is_on = self.cluster.as_ref().and_then(|cluster| cluster.view(now).is_on);
        let Some(switch) = &mut self.switch else { return (None, None) };
        if switch.is_over(is_on, now) {
            let wanted = switch.wants_on();
            self.switch = None;
            return (None, Some((wanted, is_on == Some(wanted))));
        }
        (switch.take(now), None)
    }

    /// What the inverter tells of itself.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// The next frame that is due; to be called until there is none. What is told is the newest at that moment.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Frame> {
        loop {
            let say = match (&mut self.cycle, self.profile.rhythm_frames()) {
                (Some(cycle), Some(frames)) => frames.get(cycle.take(now)?)?,
                _ => self.asked.pop_front()?,
            };
            // A frame that has nothing to say is left out, and the cycle goes on.
            if let Some(frame) = self.told.as_ref().and_then(|told| say.frame(told, self.dialect)) {
                return Some(frame);
            }
        }
    }

    /// When something is due, whatever happens.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        let cycle = self.cycle.as_ref().and_then(Cycle::next);
        let switch = self.switch.as_ref().map(Switch::next);
        let times =
            [cycle, switch, self.claim.next(), self.stage.next(&self.silence), self.partner.next(now)];
        times.into_iter().flatten().min()
    }

    /// What is told now; none while nothing is sent.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.as_ref().filter(|_| self.claim.is_ours())
    }

    /// What is being done, and since when.
    pub(crate) fn doing(&self) -> (Doing, Option<Instant>) {
        self.doing
    }

    /// What is to be done by hand, where the inverter does not come back by itself.
    pub(crate) fn by_hand(&self) -> Option<&'static str> {
        self.silence.by_hand.filter(|_| matches!(self.doing.0, Doing::Safe | Doing::Stopped))
    }

    /// Whether it is told that the battery is empty, so that it charges from the grid.
    pub(crate) fn asks_grid(&self) -> bool {
        self.asks_grid && self.told.is_some()
    }

    /// Whether the inverter is there.
    pub(crate) fn has_inverter(&self, now: Instant) -> bool {
        self.partner.is_there(now)
    }

    /// The ids that it has to hear: the inverter's, and those that another battery would send.
    pub(crate) fn ids(&self) -> impl Iterator<Item = CanId> {
        let cluster = self.cluster.iter().flat_map(|_| Cluster::ids());
        self.own.iter().chain(self.partner.ids()).copied().chain(cluster)
    }
}
