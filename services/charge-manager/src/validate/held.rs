//! A value that stays valid for a while after the last good reading.

use serde::{Deserialize, Serialize};

/// How long a last value stands.
pub(crate) const STANDS_S: f64 = 10.0;

/// The last good reading and how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Held(Option<(f64, f64)>);

/// What there is of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Standing {
    /// A reading of now.
    Good(f64),
    /// The last one, not yet too old.
    Late(f64),
    /// There was one, too long ago.
    Gone,
    /// There never was one.
    Never,
}

impl Held {
    /// Takes this moment's reading, where there is a good one.
    pub(crate) fn step(&mut self, good: Option<f64>, elapsed_s: f64) -> Standing {
        if let Some(value) = good {
            self.0 = Some((value, 0.0));
            return Standing::Good(value);
        }
        let Some((value, age_s)) = &mut self.0 else { return Standing::Never };
        *age_s += elapsed_s;
        if *age_s <= STANDS_S { Standing::Late(*value) } else { Standing::Gone }
    }

    /// The last good reading, however old.
    pub(crate) fn last(self) -> Option<f64> {
        self.0.map(|(value, _)| value)
    }
}

impl Standing {
    /// The value that stands.
    pub(crate) fn value(self) -> Option<f64> {
        match self {
            Standing::Good(value) | Standing::Late(value) => Some(value),
            Standing::Gone | Standing::Never => None,
        }
    }

    /// It is missing at the moment, and was there.
    pub(crate) fn is_missing(self) -> bool {
        matches!(self, Standing::Late(_) | Standing::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_stands_for_ten_seconds() {
        let mut held = Held::default();
        assert_eq!(held.step(None, 1.0), Standing::Never);
        assert_eq!(held.step(Some(5.0), 1.0), Standing::Good(5.0));
        assert_eq!(held.step(None, 10.0), Standing::Late(5.0));
        assert_eq!(held.step(None, 0.1), Standing::Gone);
        assert_eq!(held.last(), Some(5.0));
        assert_eq!(held.step(Some(6.0), 1.0), Standing::Good(6.0));
    }
}
