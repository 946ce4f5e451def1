//! A sensor that misses three times is invalid, until it has been good for a minute.

use serde::{Deserialize, Serialize};

const MISSES: u8 = 3;
const GOOD_AGAIN_S: f64 = 60.0;

/// Counts misses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Misses {
    missed: u8,
    good_s: f64,
}

impl Misses {
    /// Takes one sample, `sample_s` after the one before.
    pub(crate) fn step(&mut self, miss: bool, sample_s: f64) {
        if miss {
            (self.missed, self.good_s) = ((self.missed + 1).min(MISSES), 0.0);
        } else if self.invalid() {
            self.good_s += sample_s;
            if self.good_s >= GOOD_AGAIN_S {
                *self = Misses::default();
            }
        } else {
            self.missed = 0;
        }
    }

    /// Three misses, and not yet good again.
    pub(crate) fn invalid(self) -> bool {
        self.missed >= MISSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_misses_in_a_row_make_it_invalid_and_a_minute_good_again() {
        let mut misses = Misses::default();
        for miss in [true, true, false, true, true] {
            misses.step(miss, 1.0);
            assert!(!misses.invalid());
        }
        misses.step(true, 1.0);
        assert!(misses.invalid());
        (0..59).for_each(|_| misses.step(false, 1.0));
        assert!(misses.invalid());
        misses.step(false, 1.0);
        assert!(!misses.invalid());
    }
}
