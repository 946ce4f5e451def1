//! Reading a type from a tree in several passes, each of which goes beyond the fault that stopped the one before.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::mistake::{Kind, Mistake};
use super::path::{Path, Step};
use super::reader::Reader;
use super::tree::Node;

/// Serde stops at its first fault, so finding another costs another pass. This many are enough for any reader.
const PASSES: usize = 40;

/// What reading a tree gives.
pub(super) struct Reading<T> {
    /// The value, as far as it could be read (unknown keys do not prevent it).
    pub(super) value: Option<T>,
    /// Where a stand-in takes the place of what is missing or does not fit: only without any is it what the user wrote.
    pub(super) stand_ins: BTreeSet<Path>,
    /// What is wrong, in no order.
    pub(super) mistakes: Vec<Mistake>,
}

/// Reads a `T`. Where a key is missing or does not fit, a stand-in takes its place in the next pass, so that the pass
/// gets beyond it.
pub(super) fn read<T: DeserializeOwned>(tree: &Node) -> Reading<T> {
    let mut mistakes = Vec::new();
    let mut survey = Survey::default();
    for _ in 0..PASSES {
        let fault = match T::deserialize(Reader::of(tree, &survey)) {
            Ok(value) => {
                mistakes.extend(survey.unknown_keys());
                return Reading { value: Some(value), stand_ins: survey.stand_ins, mistakes };
            }
            Err(fault) => fault,
        };
        let path = fault.path.unwrap_or_default();
        let replaced = survey.stand_ins.iter().find(|stand_in| path.within(stand_in)).cloned();
        let next = match replaced {
            // The stand-in itself does not fit: replace what is around it.
            Some(stand_in) => stand_in.parent(),
            None => {
                mistakes.push(Mistake { path: path.clone(), at: None, kind: fault.kind });
                Some(path)
            }
        };
        match next {
            Some(path) if !path.0.is_empty() => survey.stand_ins.insert(path),
            _ => break,
        };
    }
    mistakes.extend(survey.unknown_keys());
    Reading { value: None, stand_ins: survey.stand_ins, mistakes }
}

/// What is known about the tree so far.
#[derive(Default)]
pub(super) struct Survey {
    /// Where a stand-in takes the place of what is missing or does not fit.
    pub(super) stand_ins: BTreeSet<Path>,
    /// The keys that each table of the type has.
    pub(super) tables: RefCell<BTreeMap<Path, &'static [&'static str]>>,
    /// Keys that are written but not in the type, with those that are.
    pub(super) unknown: RefCell<BTreeMap<Path, &'static [&'static str]>>,
}

impl Survey {
    fn unknown_keys(&self) -> Vec<Mistake> {
        let tables = self.tables.borrow();
        let described = |(path, allowed): (&Path, &&'static [&'static str])| {
            let elsewhere = match path.0.last() {
                Some(Step::Key(key)) => tables.iter().find(|(_, keys)| keys.contains(&key.as_str())),
                _ => None,
            };
            let table = elsewhere.map(|(table, _)| match (table.0.last(), table.parent()) {
                (Some(Step::Index(_)), Some(list)) => format!("[[{list}]]"),
                (Some(Step::Key(_)), _) => format!("[{table}]"),
                _ => "the top of the file, before the first [table]".to_owned(),
            });
            let kind = Kind::UnknownKey { allowed, elsewhere: table };
            Mistake { path: path.clone(), at: None, kind }
        };
        self.unknown.borrow().iter().map(described).collect()
    }
}
