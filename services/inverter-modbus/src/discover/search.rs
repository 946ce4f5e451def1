//! The search of one line: what is asked next, and what follows from the answer. Pure.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::judge;
use super::knowledge::{Knowledge, reads, telling};
use super::place::{ATTEMPTS, Place, Rate, Stage};
pub use super::said::{Finding, Heard, Progress, Question, Units, Verdict};
use crate::engine::plan::Range;
use crate::engine::sunspec::Chain;
use crate::profile::Profile;
use crate::profile::scalar::Table;

/// The search of one line. [`Search::ask`] and [`Search::take`] alternate until there is nothing to ask.
#[derive(Debug, Clone)]
pub struct Search {
    knowledge: Arc<Knowledge>,
    rates: Vec<Rate>,
    places: Vec<Place>,
    /// The place and range that were asked last, and how often.
    waiting: Option<(usize, Range)>,
    attempts: u8,
    asked: usize,
    is_closed: bool,
}

impl Search {
    /// A search of a line at these rates, in this order.
    #[must_use]
    pub fn new(knowledge: Arc<Knowledge>, rates: &[Units]) -> Search {
        let chains = knowledge.profiles().filter_map(|profile| profile.sunspec.as_ref());
        let mut bases: Vec<u16> = Vec::new();
        for base in chains.flat_map(|sunspec| &sunspec.bases) {
            if !bases.contains(base) {
                bases.push(*base);
            }
        }
        let range = |addr| Range { table: Table::Holding, addr, count: 2 };
        let (late, early): (Vec<u16>, Vec<u16>) =
            bases.into_iter().partition(|base| knowledge.is_dangerous(range(*base)));
        let place = |(rate, units): (usize, &Units)| {
            let place = |(unit, usual): &(u8, BTreeSet<String>)| {
                Place::new(rate, *unit, usual.clone(), [&early, &late])
            };
            units.iter().map(place).collect::<Vec<_>>()
        };
        let places = rates.iter().enumerate().flat_map(place).collect();
        let rates = vec![Rate::default(); rates.len()];
        Search { knowledge, rates, places, waiting: None, attempts: 0, asked: 0, is_closed: false }
    }

    /// A device is on the line that may be endangered: what is dangerous is read of nobody.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// What is to be read next; nothing when the search is over.
    pub fn ask(&mut self) -> Option<Question> {
        for late in [false, true] {
            for at in 0..self.places.len() {
                if self.is_idle(at, late) || late && !self.may_be_endangering(at) {
                    continue;
                }
                if let Some(range) = self.question(at, late) {
                    return self.send(at, range);
                }
                if let Some(idle) =
                    self.places.get_mut(at).and_then(|place| place.is_idle.get_mut(usize::from(late)))
                {
                    *idle = true;
                }
            }
        }
        None
    }

    fn is_idle(&self, at: usize, late: bool) -> bool {
        let place = self.places.get(at);
        place.and_then(|place| place.is_idle.get(usize::from(late))).copied().unwrap_or(true)
    }

    fn send(&mut self, at: usize, range: Range) -> Option<Question> {
        // Whatever is wanted: nothing leaves that may endanger a device.
        if self.knowledge.is_dangerous(range) && !self.may_be_endangering(at) {
            self.waiting = Some((at, range));
            self.take(Heard::Refused(0));
            return self.ask();
        }
        let call = self.last_call(at).filter(|_| self.knowledge.is_dangerous(range));
        let place = self.places.get_mut(at)?;
        place.was_called |= call.is_some();
        let range = call.unwrap_or(range);
        self.waiting = Some((at, range));
        self.asked += 1;
        Some(Question { rate: place.rate, unit: place.unit, range, is_patient: call.is_some() })
    }

    /// What one who has said nothing is asked once more, before it is taken for nobody.
    fn last_call(&self, at: usize) -> Option<Range> {
        let is_silent = |place: &&Place| !place.has_answered && !place.was_called;
        self.places.get(at).filter(is_silent).filter(|_| !self.knowledge.is_chosen)?;
        let mut dangers = self.knowledge.steps.iter().filter(|step| step.danger.is_some());
        dangers.find_map(|step| step.sign_reads().next())
    }

    /// Takes the answer to the last question.
    pub fn take(&mut self, heard: Heard) {
        let Some((at, range)) = self.waiting.take() else { return };
        // An answer of another length is none.
        let heard = match heard {
            Heard::Values(values) if values.len() != usize::from(range.count) => Heard::Garbage,
            heard => heard,
        };
        let is_low = !self.knowledge.is_dangerous(range);
        let Search { knowledge, places, rates, .. } = self;
        let Some(place) = places.get_mut(at) else { return };
        if let Some(rate) = rates.get_mut(place.rate) {
            match heard {
                Heard::Values(_) | Heard::Refused(_) => rate.answers += 1,
                Heard::Garbage => rate.garbage += 1,
                Heard::Silence => {}
            }
        }
        place.is_idle = [false; 2];
        place.has_low_values |= is_low && matches!(heard, Heard::Values(_));
        let is_lost = matches!(heard, Heard::Silence | Heard::Garbage);
        self.attempts = if is_lost { self.attempts + 1 } else { 0 };
        let is_given_up = !is_lost || self.attempts >= ATTEMPTS;
        match &mut place.stage {
            Stage::Looking => {
                place.note(range, &heard, is_low);
                self.attempts = 0;
                self.judge(at);
            }
            Stage::Confirming(profiles, ranges) if is_given_up => {
                self.attempts = 0;
                let tried = knowledge.profiles().filter(|profile| profiles.contains(&profile.id));
                let telling: Vec<Range> = tried.flat_map(telling).collect();
                if let Heard::Values(values) = &heard
                    && judge::agrees(&place.image, range, values, &telling)
                {
                    ranges.pop_front();
                    place.image.put(range.table, range.addr, values, 1);
                } else {
                    place.rejected.extend(profiles.drain(..));
                    place.stage = Stage::Looking;
                }
            }
            Stage::Detailing(_, ranges) if is_given_up => {
                self.attempts = 0;
                ranges.pop_front();
                place.note(range, &heard, is_low);
            }
            Stage::Confirming(..) | Stage::Detailing(..) | Stage::Settled(_) => {}
        }
        self.advance(at);
    }

    /// The rate of the last question cannot be had: nothing more is asked at it.
    pub fn give_up(&mut self) {
        let Some((at, _)) = self.waiting.take() else { return };
        let rate = self.places.get(at).map(|place| place.rate);
        if let Some(rate) = rate.and_then(|rate| self.rates.get_mut(rate)) {
            rate.is_over = true;
        }
    }

    /// Draws the conclusions from what is known of a place.
    fn judge(&mut self, at: usize) {
        let Search { knowledge, places, .. } = self;
        let Some(place) = places.get_mut(at) else { return };
        place.walk(|late, range| late == 0 && knowledge.is_dangerous(range));
        let (image, chain) = (&place.image, place.chain.as_ref());
        let endangered =
            knowledge.steps.iter().find(|step| step.danger.is_some() && judge::has_sign(step, image));
        place.is_endangered |= endangered.is_some();
        let all = knowledge.profiles().filter(|profile| !place.rejected.contains(&profile.id));
        let mut best = judge::best(all, image, chain);
        if let Some(step) = endangered {
            best.retain(|profile| step.profiles.iter().any(|of| of.id == profile.id));
            if best.is_empty() {
                place.stage = Stage::Settled(Verdict::Like(step.device.clone().unwrap_or_default()));
                return;
            }
        }
        if best.is_empty() {
            return;
        }
        let mut again: VecDeque<Range> = best.iter().flat_map(|profile| reads(profile)).collect();
        again.extend(
            chain.and_then(first_of).filter(|_| best.iter().any(|profile| profile.sunspec.is_some())),
        );
        let mut seen = BTreeSet::new();
        again.retain(|range| seen.insert(*range));
        place.stage = Stage::Confirming(ids(&best), again);
    }

    /// Goes on to the next stage when there is nothing left of one.
    fn advance(&mut self, at: usize) {
        let Search { knowledge, places, .. } = self;
        let Some(place) = places.get_mut(at) else { return };
        if let Stage::Confirming(profiles, ranges) = &place.stage
            && ranges.is_empty()
        {
            let (image, chain) = (&place.image, place.chain.as_ref());
            let one = knowledge.profiles().find(|profile| profiles.first() == Some(&profile.id));
            let details = one.map(|one| judge::detail_reads(one, image, chain)).unwrap_or_default();
            place.stage = Stage::Detailing(profiles.clone(), details.into());
        }
        if let Stage::Detailing(profiles, ranges) = &mut place.stage
            && ranges.is_empty()
        {
            let profiles = std::mem::take(profiles);
            place.stage = Stage::Settled(match <[String; 1]>::try_from(profiles) {
                Ok([one]) => Verdict::Is(one),
                Err(several) => Verdict::Either(several),
            });
        }
    }

    /// Whether nothing more is asked of a place: its rate is the wrong one, or somebody answers at another. A line has one.
    fn is_over(&self, at: usize) -> bool {
        let Some(place) = self.places.get(at) else { return true };
        let is_elsewhere = |other: &Place| other.rate != place.rate && other.has_answered;
        self.rates.get(place.rate).is_none_or(Rate::is_over) || self.places.iter().any(is_elsewhere)
    }

    /// What is wanted of a place.
    fn question(&self, at: usize, late: bool) -> Option<Range> {
        match &self.places.get(at)?.stage {
            Stage::Settled(_) => return None,
            _ if self.is_over(at) => return None,
            Stage::Confirming(_, ranges) | Stage::Detailing(_, ranges) => return ranges.front().copied(),
            Stage::Looking => {}
        }
        self.wanted(at, late).first().copied()
    }

    /// What is still to be asked of a place whose device is not known, as far as it can be foreseen.
    fn wanted(&self, at: usize, late: bool) -> Vec<Range> {
        let mut wanted = Vec::new();
        let Some(place) = self.places.get(at) else { return wanted };
        if self.is_over(at) {
            return wanted;
        }
        for step in &self.knowledge.steps {
            let is_danger = step.danger.is_some();
            let mut add = |range: Range| {
                if !wanted.contains(&range) && place.is_open(range, is_danger) {
                    wanted.push(range);
                }
            };
            // Somebody who answers may be anything.
            let is_ours = |profile: &&Profile| place.has_answered || place.usual.contains(&profile.id);
            let ours: Vec<&Profile> = step.profiles.iter().filter(is_ours).collect();
            let now = ours.iter().filter(|profile| self.knowledge.is_late(profile) == late);
            now.flat_map(|profile| reads(profile)).for_each(&mut add);
            if !late && (is_danger || !ours.is_empty()) {
                step.sign_reads().for_each(&mut add);
            }
            if ours.iter().any(|profile| profile.sunspec.is_some()) {
                place.next_of_chain(usize::from(late)).into_iter().for_each(&mut add);
            }
        }
        wanted
    }

    /// Whether registers may be read at a place that would endanger some devices: none of them is here or anywhere on the line.
    fn may_be_endangering(&self, at: usize) -> bool {
        if self.is_closed {
            return false;
        }
        if self.knowledge.is_chosen {
            return true;
        }
        let dangers = self.knowledge.steps.iter().filter(|step| step.danger.is_some());
        let questions =
            dangers.flat_map(|step| step.sign_reads().chain(step.profiles.iter().flat_map(reads)));
        let is_excluded = self.places.get(at).is_some_and(|place| place.excludes(questions));
        is_excluded && self.held_back_by().is_none()
    }

    /// The unit because of which registers are not read on the whole line that endanger some devices.
    #[must_use]
    pub fn held_back_by(&self) -> Option<Finding> {
        let is_danger = |place: &&Place| match &place.stage {
            Stage::Looking | Stage::Confirming(..) | Stage::Detailing(..) => place.has_low_values,
            Stage::Settled(Verdict::Is(id)) => {
                place.is_endangered
                    || self.profile(id).is_none_or(|profile| {
                        profile.link.forbidden.iter().any(|range| range.to >= self.knowledge.danger_from)
                    })
            }
            Stage::Settled(_) => true,
        };
        let place = self.places.iter().filter(|_| !self.knowledge.is_chosen).find(is_danger)?;
        // A unit that is being recognised by registers that endanger nobody is known in a moment.
        self.finding(place)
    }

    /// A profile by its id.
    #[must_use]
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.knowledge.profiles().find(|profile| profile.id == id)
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress = Progress { asked: self.asked, left: 0, unheard: 0, patient: 0 };
        for (at, place) in self.places.iter().enumerate() {
            let is_looking = place.stage == Stage::Looking;
            let open = |late| {
                let wanted = if is_looking { self.wanted(at, late) } else { return 0 };
                let of_chain = place.next_of_chain(usize::from(late)).filter(|next| wanted.contains(next));
                wanted.len() + of_chain.map_or(0, |_| place.rest_of_chain(usize::from(late)))
            };
            let is_held_back = place.has_low_values || place.is_endangered;
            let late = if is_held_back { 0 } else { open(true) };
            let (quick, call) = (open(false) + late, usize::from(late > 0 && self.last_call(at).is_some()));
            progress.left += quick + call;
            progress.unheard += if place.has_answered { 0 } else { quick };
            progress.patient += call;
        }
        progress
    }

    /// The units that answered, each device once.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for finding in self.places.iter().filter_map(|place| self.finding(place)) {
            // Behind a gateway a device may have several units.
            let is_same = |known: &Finding| {
                known.verdict == finding.verdict
                    && known.identity.serial == finding.identity.serial
                    && known.identity.serial.is_some()
            };
            if !findings.iter().any(is_same) {
                findings.push(finding);
            }
        }
        findings
    }

    fn finding(&self, place: &Place) -> Option<Finding> {
        let verdict = match &place.stage {
            Stage::Settled(verdict) => verdict.clone(),
            _ if !place.has_answered => return None,
            _ => {
                let mut known =
                    self.knowledge.steps.iter().filter(|step| judge::has_sign(step, &place.image));
                known.find_map(|step| step.device.clone()).map_or(Verdict::Unknown, Verdict::Like)
            }
        };
        let id = match &verdict {
            Verdict::Is(id) => Some(id),
            Verdict::Either(ids) => ids.first(),
            Verdict::Like(_) | Verdict::Unknown => None,
        };
        let profile = id.and_then(|id| self.profile(id));
        let identity = profile.map(|profile| judge::identity(profile, &place.image, place.chain.as_ref()));
        Some(Finding { rate: place.rate, unit: place.unit, verdict, identity: identity.unwrap_or_default() })
    }

    /// The rates at which something came that could not be understood, and nothing else.
    pub fn garbled(&self) -> impl Iterator<Item = usize> {
        let is_garbled = |(_, rate): &(usize, &Rate)| rate.garbage > 0 && rate.answers == 0;
        self.rates.iter().enumerate().filter(is_garbled).map(|(at, _)| at)
    }
}

fn ids(profiles: &[&Profile]) -> Vec<String> {
    profiles.iter().map(|profile| profile.id.clone()).collect()
}

/// The marker of a chain.
fn first_of(chain: &Chain) -> Option<Range> {
    let addr = chain.models.first()?.addr.checked_sub(2)?;
    Some(Range { table: Table::Holding, addr, count: 2 })
}
