//! What is known of one rate, and of one unit at it, while a line is searched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::search::{Heard, Verdict};
use crate::engine::image::Image;
use crate::engine::plan::Range;
use crate::engine::sunspec::{Chain, Next, Walker};
use crate::profile::scalar::Table;

/// A question that was not answered is asked so often, where it matters or somebody is there.
pub(super) const ATTEMPTS: u8 = 2;

/// So many answers of a rate that cannot be understood, and no other: it is the wrong one.
const GARBAGE: u32 = 2;

/// A rate with its parity.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rate {
    /// What was understood.
    pub(super) answers: u32,
    /// What came and could not be understood.
    pub(super) garbage: u32,
    /// It cannot be had.
    pub(super) is_over: bool,
}

impl Rate {
    /// Nothing more is asked at it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over || self.answers == 0 && self.garbage >= GARBAGE
    }
}

/// One unit at one rate.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Which of the rates.
    pub(super) rate: usize,
    /// Its address on the line.
    pub(super) unit: u8,
    /// The profiles whose devices usually have this address.
    pub(super) usual: BTreeSet<String>,
    /// What was read.
    pub(super) image: Image,
    /// Its chain of models.
    pub(super) chain: Option<Chain>,
    /// How far it is.
    pub(super) stage: Stage,
    /// It has answered, if only with refusals.
    pub(super) has_answered: bool,
    /// It has answered in registers that endanger nobody, if only with refusals.
    has_answered_low: bool,
    /// It has said nothing, and was called once more with time to answer.
    pub(super) was_called: bool,
    /// It has values in registers that endanger nobody.
    pub(super) has_low_values: bool,
    /// It has a sign of a device that can be endangered.
    pub(super) is_endangered: bool,
    /// There is nothing to ask of it in harmless registers, and in others, until something is heard.
    pub(super) is_idle: [bool; 2],
    asked: BTreeMap<Range, Asked>,
    /// The walks along a chain that begins in harmless registers, and in others.
    walks: [Walker; 2],
    /// Profiles that fitted once and not again.
    pub(super) rejected: BTreeSet<String>,
}

/// How far a unit is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    /// It is not known.
    Looking,
    /// These profiles fit; what says so is read again.
    Confirming(Vec<String>, VecDeque<Range>),
    /// It is known; who it is is read.
    Detailing(Vec<String>, VecDeque<Range>),
    /// It is known.
    Settled(Verdict),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Answered,
    Refused,
    Silent(u8),
    Garbled(u8),
}

impl Place {
    pub(super) fn new(rate: usize, unit: u8, usual: BTreeSet<String>, bases: [&[u16]; 2]) -> Place {
        Place {
            rate,
            unit,
            usual,
            image: Image::default(),
            chain: None,
            stage: Stage::Looking,
            has_answered: false,
            has_answered_low: false,
            was_called: false,
            has_low_values: false,
            is_endangered: false,
            is_idle: [false; 2],
            asked: BTreeMap::new(),
            walks: bases.map(Walker::new),
            rejected: BTreeSet::new(),
        }
    }

    /// Whether a range is still to be asked for. What `matters` is asked again after silence, as is everything where somebody
    /// is there.
    pub(super) fn is_open(&self, range: Range, matters: bool) -> bool {
        if self.covers(range) {
            return false;
        }
        let most = if matters || self.has_answered { ATTEMPTS } else { 1 };
        match self.asked.get(&range) {
            None => true,
            Some(Asked::Answered | Asked::Refused) => false,
            Some(Asked::Silent(times) | Asked::Garbled(times)) => *times < most,
        }
    }

    fn covers(&self, range: Range) -> bool {
        let mut all = (range.addr..=u16::MAX).take(usize::from(range.count));
        all.all(|addr| self.image.get(range.table, addr).is_some())
    }

    /// Takes down what came of a question; `is_low` for registers that endanger nobody.
    pub(super) fn note(&mut self, range: Range, heard: &Heard, is_low: bool) {
        let before = match self.asked.get(&range) {
            Some(Asked::Silent(times) | Asked::Garbled(times)) => *times,
            _ => 0,
        };
        let was_garbled = matches!(self.asked.get(&range), Some(Asked::Garbled(_)));
        let asked = match heard {
            Heard::Values(values) => {
                self.image.put(range.table, range.addr, values, 1);
                Asked::Answered
            }
            Heard::Refused(_) => Asked::Refused,
            Heard::Silence if !was_garbled => Asked::Silent(before.saturating_add(1)),
            Heard::Silence | Heard::Garbage => Asked::Garbled(before.saturating_add(1)),
        };
        let is_answer = matches!(asked, Asked::Answered | Asked::Refused);
        if is_answer && is_low && self.was_called && !self.has_answered {
            // Somebody is there after all, and was slow or asleep: the silence before says nothing.
            self.asked.retain(|_, asked| !matches!(asked, Asked::Silent(_)));
        }
        self.has_answered |= is_answer;
        self.has_answered_low |= is_answer && is_low;
        self.asked.insert(range, asked);
    }

    /// Whether these questions, all of them for registers that endanger nobody, say that it is none of the devices that they are
    /// about: all were answered, or nobody is there. Silence of somebody who answers other questions says nothing.
    pub(super) fn excludes(&self, mut ranges: impl Iterator<Item = Range>) -> bool {
        let (mut has_answers, mut has_silences) = (self.has_answered_low, false);
        let is_clear = ranges.all(|range| match self.asked.get(&range) {
            Some(Asked::Answered | Asked::Refused) => {
                has_answers = true;
                true
            }
            Some(Asked::Silent(times)) => {
                has_silences = true;
                *times >= ATTEMPTS
            }
            Some(Asked::Garbled(_)) => false,
            None => {
                has_answers = true;
                self.covers(range)
            }
        });
        is_clear && !(has_answers && has_silences) && !self.is_endangered
    }

    /// The next two registers of the chain that are to be read, where it begins in harmless registers (`late` = 0) or in
    /// others (1).
    pub(super) fn next_of_chain(&self, late: usize) -> Option<Range> {
        match self.walks.get(late)?.next() {
            Next::Read(addr) => Some(two(addr)).filter(|range| self.is_open(*range, false)),
            Next::Found(_) | Next::Nothing => None,
        }
    }

    /// So many more reads may follow the next one before it is known where the chain begins.
    pub(super) fn rest_of_chain(&self, late: usize) -> usize {
        self.walks.get(late).map_or(0, Walker::bases_left)
    }

    /// Goes along the chains as far as their registers were read. What `is_barred` is taken as not there.
    pub(super) fn walk(&mut self, is_barred: impl Fn(usize, Range) -> bool) {
        for late in 0..self.walks.len() {
            while let Some(Next::Read(addr)) = self.walks.get(late).map(Walker::next) {
                let range = two(addr);
                let both = self.covers(range).then(|| {
                    [addr, addr.saturating_add(1)]
                        .map(|at| self.image.get(range.table, at).unwrap_or_default())
                });
                if both.is_none() && !is_barred(late, range) && self.is_open(range, false) {
                    break;
                }
                if let Some(walk) = self.walks.get_mut(late) {
                    walk.take(both);
                }
            }
            if let Some(Next::Found(chain)) = self.walks.get(late).map(Walker::next) {
                self.chain.get_or_insert(chain);
            }
        }
    }
}

fn two(addr: u16) -> Range {
    Range { table: Table::Holding, addr, count: 2 }
}
