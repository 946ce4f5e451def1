//! What a search asks, hears and finds.

use std::collections::BTreeSet;

use crate::device::recognise::Identity;
use crate::engine::plan::Range;

/// The units at one rate, and the profiles whose devices usually are there, by their ids.
pub type Units = Vec<(u8, BTreeSet<String>)>;

/// A read that the search wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// At which of the rates.
    pub rate: usize,
    /// Of which unit.
    pub unit: u8,
    /// What.
    pub range: Range,
    /// It is the last call of one who has said nothing, and the answer may take long.
    pub is_patient: bool,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The registers.
    Values(Vec<u16>),
    /// The device is there and does not have them: the code of its exception.
    Refused(u8),
    /// Nothing.
    Silence,
    /// Something that cannot be understood.
    Garbage,
}

/// What a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A device of this profile.
    Is(String),
    /// A device that these profiles fit equally.
    Either(Vec<String>),
    /// A device without a profile, as it is called.
    Like(String),
    /// It answers, and nothing is known about it.
    Unknown,
}

/// A unit that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// At which of the rates.
    pub rate: usize,
    /// Its address on the line.
    pub unit: u8,
    /// What it is.
    pub verdict: Verdict,
    /// Who it is.
    pub identity: Identity,
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Questions that were asked.
    pub asked: usize,
    /// Those still to come, as far as that can be foreseen: who answers is asked more.
    pub left: usize,
    /// Those of them that go to units which have said nothing so far.
    pub unheard: usize,
    /// Those of them that wait long for an answer.
    pub patient: usize,
}
