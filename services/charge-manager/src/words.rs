//! Reasons as they are shown: in words that do not flicker.

use serde::{Deserialize, Serialize};

use crate::tick::Tick;

/// Changes of one text that may come in a bunch, and how many come back each second: together at most 6 in a minute.
const BUNCH: f64 = 3.0;
const CHANGES_PER_S: f64 = 0.05;
/// How long a text with the same id stays although its numbers have changed, s.
const NUMBERS_S: f64 = 20.0;

/// A text and what is remembered of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Words {
    id: String,
    text: String,
    for_s: f64,
    budget: f64,
}

impl Default for Words {
    fn default() -> Self {
        Words { id: String::new(), text: String::new(), for_s: 0.0, budget: BUNCH }
    }
}

impl Words {
    /// The text to show for this id now.
    pub(crate) fn step(&mut self, id: &str, text: impl FnOnce() -> String, tick: Tick) -> &str {
        self.for_s = (self.for_s + tick.dt_s).min(1e9);
        self.budget = (self.budget + CHANGES_PER_S * tick.dt_s).min(BUNCH);
        let another = self.id != id;
        if self.budget >= 1.0 && (another || self.for_s >= NUMBERS_S) {
            let text = text();
            if text != self.text {
                (self.text, self.id) = (text, id.to_owned());
                (self.for_s, self.budget) = (0.0, self.budget - 1.0);
            }
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_changes_at_most_six_times_a_minute() {
        let mut words = Words::default();
        let tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };
        let mut changes = Vec::new();
        for second in 0..600u32 {
            let before = words.text.clone();
            let id = if second % 2 == 0 { "cold" } else { "bms" };
            words.step(id, || format!("{id} {second}"), tick);
            if words.text != before {
                changes.push(second);
            }
        }
        let most = changes
            .iter()
            .map(|from| changes.iter().filter(|at| (*from..from + 60).contains(at)).count())
            .max();
        assert!(most <= Some(6), "{most:?}");
    }
}
