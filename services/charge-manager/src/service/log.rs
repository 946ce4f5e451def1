//! What the log is told: notes when they come and when they go, states and reasons when they change. Never what goes on.

use std::collections::BTreeMap;

use crate::decision::Decision;
use crate::notes::Note;
use crate::state::State;

/// A note that comes and goes is told again only when it has been away this many decisions.
const FORGET: u32 = 60;
/// Lines about states in a bunch, and decisions until another one is let through.
const BUNCH: u32 = 8;
const REFILL: u32 = 60;

/// What the log knows.
#[derive(Debug)]
pub(crate) struct Log {
    /// Each note by what it is about, its words, and how many decisions it has been away.
    notes: BTreeMap<(&'static str, String), (String, u32)>,
    state: State,
    budget: u32,
    decisions: u32,
}

impl Default for Log {
    fn default() -> Self {
        Log { notes: BTreeMap::new(), state: State::Start, budget: BUNCH, decisions: 0 }
    }
}

impl Log {
    /// Tells what is new in a decision.
    pub(crate) fn tell(&mut self, decision: &Decision) {
        for note in &decision.notes {
            let about = key(note);
            match self.notes.get_mut(&about) {
                Some((_, away)) => *away = 0,
                None => {
                    let words = note.to_string();
                    tracing::warn!(note = note.id(), "{words}");
                    self.notes.insert(about, (words, 0));
                }
            }
        }
        self.notes.retain(|about, (words, away)| {
            if decision.notes.iter().any(|note| key(note) == *about) {
                return true;
            }
            *away += 1;
            if *away > FORGET {
                tracing::info!(note = about.0, "no longer: {words}");
            }
            *away <= FORGET
        });
        self.decisions = self.decisions.wrapping_add(1);
        if self.decisions.is_multiple_of(REFILL) {
            self.budget = (self.budget + 1).min(BUNCH);
        }
        if decision.state != self.state && self.budget > 0 {
            self.budget -= 1;
            self.state = decision.state;
            let because = decision.because.words();
            let because = if because.is_empty() { String::new() } else { format!(" ({because})") };
            tracing::info!("{}{because}; {}", decision.state, decision.charge.reason);
        }
    }
}

fn key(note: &Note) -> (&'static str, String) {
    (note.id(), note.who().map(|who| who.to_string()).unwrap_or_default())
}
