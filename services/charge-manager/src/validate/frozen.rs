//! A sensor that shows the same to the last bit for too long.

use serde::{Deserialize, Serialize};

use crate::filter::Since;

/// So many changes show that it lives again.
const CHANGES: u8 = 10;

/// Watches one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Frozen {
    unchanged: Since,
    changes: u8,
    on: bool,
}

impl Frozen {
    /// Takes one sample. `same` as the one before; time counts only while it should have changed (`counts`); after
    /// `most_s` of that it is frozen, if what else there is shows that it `should` have moved.
    pub(crate) fn step(&mut self, same: bool, counts: bool, most_s: f64, should: bool, sample_s: f64) {
        if same {
            self.unchanged.add_while(counts, sample_s);
            if self.unchanged.s() >= most_s && should {
                (self.on, self.changes) = (true, 0);
            }
        } else {
            self.unchanged.reset();
            self.changes = (self.changes + 1).min(CHANGES);
            self.on &= self.changes < CHANGES;
        }
    }

    /// Frozen, and not yet seen alive again.
    pub(crate) fn is_on(self) -> bool {
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_frozen_after_its_time_if_it_should_have_moved_and_alive_after_ten_changes() {
        let mut frozen = Frozen::default();
        (0..299).for_each(|_| frozen.step(true, true, 300.0, true, 1.0));
        assert!(!frozen.is_on());
        frozen.step(true, true, 300.0, false, 1.0);
        assert!(!frozen.is_on(), "nothing says that it should have moved");
        frozen.step(true, true, 300.0, true, 1.0);
        assert!(frozen.is_on());
        (0..9).for_each(|_| frozen.step(false, true, 300.0, true, 1.0));
        assert!(frozen.is_on());
        frozen.step(false, true, 300.0, true, 1.0);
        assert!(!frozen.is_on());
    }
}
