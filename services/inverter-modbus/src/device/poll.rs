//! The machine around a device: recognised, then read block by block in its turn, with what is to be written before.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use service_kit::Repeating;
use tokio::time::{Instant, sleep_until};

use super::access::{Access, Fault};
use super::presence::Asked;
use super::recognise::Identity;
use super::running::Running;
use crate::engine::decode::decode;
use crate::engine::encode::Written;
use crate::engine::filter::Filter;
use crate::engine::image::Image;
use crate::engine::map::Map;
use crate::engine::plan::{self, Instead, Range};
use crate::engine::schedule::Schedule;
use crate::line::resident::Resident;
use crate::line::{Out, Turn};
use crate::profile::Profile;

/// So often one that is not there is asked.
pub(super) const LOOK: Duration = Duration::from_secs(5);
/// Values are no older than this on a full line either, as far as they are read.
const LONGEST_CYCLE: Duration = Duration::from_millis(1500);
/// Reads whose ages are told.
const SHOWN: u16 = 64;

/// A device.
pub struct Device {
    pub(super) profile: Arc<Profile>,
    pub(super) access: Access,
    pub(super) is_controlled: bool,
    pub(super) phase: Phase,
    pub(super) doing: Option<Doing>,
    pub(super) commands: VecDeque<(u64, Vec<Written>)>,
    pub(super) image: Image,
    pub(super) filter: Filter,
    reads: u64,
    pub(super) heard_at: Option<Instant>,
    /// Who it was when it was recognised first.
    pub(super) known: Option<Identity>,
    /// It answers what is asked to exclude others; nothing before it was recognised.
    pub(super) answers: Option<bool>,
    /// How often its line was interrupted when it was asked who it is.
    pub(super) interruptions: u64,
    /// It was silent, and is asked who it is at this time, before anything else.
    pub(super) doubt: Option<Instant>,
    /// It was not there when it was last looked for.
    pub(super) is_missing: bool,
    /// What answers in its place.
    pub(super) stranger: Option<String>,
    pub(super) failure: Repeating,
    /// Something was read since the last cycle was over.
    is_new: bool,
    cycle_at: Option<Instant>,
    most_blocks: u16,
}

pub(super) enum Phase {
    /// It is to be recognised at this time.
    Looking(Instant),
    /// It is read.
    Running(Box<Running>),
}

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

pub(super) enum Doing {
    Recognise(Pending<Asked>),
    Read(usize, Range, Out, Pending<Result<Vec<u16>, Fault>>),
    Write(u64, Pending<Result<(), Fault>>),
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// It was recognised: its map is another one.
    Recognised,
    /// Another device answers in its place.
    Exchanged,
    /// Everything that was due was read.
    Cycle,
    /// A command was carried out, or not.
    Command(u64, Result<(), Fault>),
    /// A command does not go out: the device may be another one.
    Unsent(u64),
    /// Nothing that concerns anybody.
    Nothing,
}

impl Device {
    /// A device that is looked for from now on.
    #[must_use]
    pub fn new(profile: Arc<Profile>, access: Access, is_controlled: bool, now: Instant) -> Device {
        access.line().inhabit(access.unit(), Resident::new(&profile, is_controlled));
        Device {
            profile,
            access,
            is_controlled,
            phase: Phase::Looking(now),
            doing: None,
            commands: VecDeque::new(),
            image: Image::default(),
            filter: Filter::default(),
            reads: 0,
            heard_at: None,
            known: None,
            answers: None,
            interruptions: 0,
            doubt: None,
            is_missing: false,
            stranger: None,
            failure: Repeating::default(),
            is_new: false,
            cycle_at: None,
            most_blocks: 0,
        }
    }

    /// What it is.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The way to it.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Who it is, once it was recognised.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.running().map(|running| &running.identity)
    }

    /// Its map, once it was recognised.
    #[must_use]
    pub fn map(&self) -> Option<&Map> {
        self.running().map(|running| &running.map)
    }

    /// Its reads, once it was recognised.
    #[must_use]
    pub fn schedule(&self) -> Option<&Schedule> {
        self.running().map(|running| &running.schedule)
    }

    /// How many of its reads are shown, at most 64.
    #[must_use]
    pub fn blocks(&self) -> u16 {
        let count = self.schedule().map_or(0, |schedule| schedule.iter().count());
        u16::try_from(count).unwrap_or(SHOWN).min(SHOWN)
    }

    /// How many there were at most.
    #[must_use]
    pub fn most_blocks(&self) -> u16 {
        self.most_blocks
    }

    pub(super) fn running(&self) -> Option<&Running> {
        match &self.phase {
            Phase::Running(running) => Some(running),
            Phase::Looking(_) => None,
        }
    }

    /// What is believed of it.
    #[must_use]
    pub fn points(&self) -> &Filter {
        &self.filter
    }

    /// Its registers as they were read.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The number of reads so far; a register that was read later has a higher one.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// When it last said something.
    #[must_use]
    pub fn heard_at(&self) -> Option<Instant> {
        self.heard_at
    }

    /// Whether every block was asked, and has answered or is known not to; and one of them did.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.schedule().is_some_and(Schedule::is_complete)
    }

    /// Whether everything was asked since it was recognised, and has answered or is known not to: refused, or without an answer
    /// at all of its attempts. A device of which one block never answers is shown without what that would bring.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.running().is_some_and(|running| running.is_whole)
    }

    /// Waits for the next thing that happens. Dropping the future loses nothing: what is under way goes on at the next call.
    pub async fn happen(&mut self) -> Happened {
        self.give_way();
        if self.doing.is_none() {
            let now = Instant::now();
            if self.doubted(now).is_some()
                && let Some((number, _)) = self.commands.pop_front()
            {
                return Happened::Unsent(number);
            }
            match self.begin(now) {
                Ok(doing) => self.doing = Some(doing),
                Err(wake) => {
                    sleep_until(wake).await;
                    return Happened::Nothing;
                }
            }
        }
        match &mut self.doing {
            Some(Doing::Recognise(pending)) => {
                let outcome = pending.await;
                self.doing = None;
                self.recognised(outcome)
            }
            Some(Doing::Read(n, range, _, pending)) => {
                let (n, range, outcome) = (*n, *range, pending.await);
                self.doing = None;
                self.was_read(n, range, outcome)
            }
            Some(Doing::Write(number, pending)) => {
                let (number, outcome) = (*number, pending.await);
                self.doing = None;
                Happened::Command(number, outcome)
            }
            None => Happened::Nothing,
        }
    }

    /// What is done next, or when there will be something.
    fn begin(&mut self, now: Instant) -> Result<Doing, Instant> {
        match &self.phase {
            Phase::Looking(at) if *at > now => return Err(*at),
            Phase::Looking(_) => return Ok(Doing::Recognise(self.looked_for())),
            Phase::Running(_) => {}
        }
        match self.doubted(now) {
            Some(at) if at > now => return Err(at),
            Some(_) => {
                let access = self.access.clone().unhurried();
                return Ok(Doing::Recognise(self.asked_who(access)));
            }
            None => {}
        }
        let Phase::Running(running) = &mut self.phase else { return Err(now + LOOK) };
        let access = self.access.clone();
        if let Some((number, writes)) = self.commands.pop_front() {
            return Ok(Doing::Write(number, Box::pin(async move { access.write(&writes).await })));
        }
        let Some((n, deadline)) = running.schedule.next(now) else {
            return Err(running.schedule.wake().unwrap_or(now + LOOK).min(now + LOOK));
        };
        let Some(entry) = running.schedule.get(n) else { return Err(now + LOOK) };
        let range = entry.request.range;
        // Each attempt has twice the time of the one before.
        let patience = 1 << entry.tries;
        let out = Out::default();
        let noting = out.clone();
        let read = async move { access.read_noting(range, Turn::By(deadline), patience, &noting).await };
        Ok(Doing::Read(n, range, out, Box::pin(read)))
    }

    fn was_read(&mut self, n: usize, range: Range, outcome: Result<Vec<u16>, Fault>) -> Happened {
        let now = Instant::now();
        let Phase::Running(running) = &mut self.phase else { return Happened::Nothing };
        match outcome {
            Ok(values) => {
                self.reads += 1;
                self.image.put(range.table, range.addr, &values, self.reads);
                self.heard_at = Some(now);
                if running.schedule.was_read(n, now) {
                    // The refusals were of the moment.
                    running.plan_anew(&self.profile, now);
                }
                self.take_in(now);
            }
            Err(fault) if fault.is_absent() && !running.schedule.has_answered(n) => {
                self.heard_at = Some(now);
                self.refused(n, &fault, now);
                self.take_in(now);
                if self.schedule().is_some_and(Schedule::is_barren) {
                    self.is_gone("it has none of its registers", now + LOOK, now);
                    return Happened::Nothing;
                }
            }
            Err(fault) => {
                self.brought_nothing(n, &fault, now);
                self.misses(&fault, now);
                if self.running().is_none() {
                    return Happened::Nothing;
                }
            }
        }
        self.cycle(now)
    }

    /// A read came to nothing: it is tried again, and what it brought before is forgotten once it is too old.
    fn brought_nothing(&mut self, n: usize, fault: &Fault, now: Instant) {
        let Phase::Running(running) = &mut self.phase else { return };
        if let Some(Range { table, addr, count }) = running.failed(n, fault, now) {
            self.image.forget(table, addr, count);
            self.take_in(now);
        }
    }

    /// Everything that was due is there, or as good as; on a full line, where something is always due, what there is.
    fn cycle(&mut self, now: Instant) -> Happened {
        let is_over = self.schedule().is_some_and(|schedule| schedule.next(now).is_none());
        let is_complete = self.is_complete();
        let Phase::Running(running) = &mut self.phase else { return Happened::Nothing };
        running.is_whole |= is_complete;
        let is_long = self.cycle_at.is_none_or(|at| now >= at + LONGEST_CYCLE);
        if running.is_whole && self.is_new && (is_over || is_long) {
            (self.is_new, self.cycle_at) = (false, Some(now));
            return Happened::Cycle;
        }
        Happened::Nothing
    }

    /// Decodes what is there now.
    fn take_in(&mut self, now: Instant) {
        self.most_blocks = self.most_blocks.max(self.blocks());
        let Phase::Running(running) = &mut self.phase else { return };
        let heard = decode(&running.map, &self.image);
        for (point, number) in self.filter.take(&heard) {
            tracing::warn!(
                device = self.access.label(),
                point,
                number,
                "a state that the profile has no word for"
            );
        }
        self.is_new = true;
        running.choose(&self.profile, &self.filter, now);
    }

    /// The device does not have what was read together.
    fn refused(&mut self, n: usize, fault: &Fault, now: Instant) {
        let Phase::Running(running) = &mut self.phase else { return };
        let Some(entry) = running.schedule.get(n) else { return };
        match plan::refused(&entry.request, &running.map) {
            Instead::Requests(requests) => running.schedule.replace(n, requests, now),
            Instead::Nothing(range) => {
                let block = entry.request.parts.first().and_then(|part| running.map.blocks.get(part.block));
                let is_optional = block.is_some_and(|block| block.optional);
                let Range { table, addr, count } = range;
                if running.schedule.refused(n, now, is_optional) {
                    tracing::info!(device = self.access.label(), %table, addr, count, is_optional, "the device has no such registers: {fault}");
                }
                self.image.forget(table, addr, count);
            }
        }
    }
}
