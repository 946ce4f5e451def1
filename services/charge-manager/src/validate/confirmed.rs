//! A property that one wrong frame must not change: capacity, health, cells in series.

use serde::{Deserialize, Serialize};

use crate::filter::Since;

const CONFIRMED_S: f64 = 60.0;

/// The property as it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Confirmed {
    believed: Option<f64>,
    wished: Option<f64>,
    stands: Since,
}

impl Confirmed {
    /// Takes what is shown now, and gives what is believed; none until something was shown. Another value is believed when it
    /// has stood a minute; `less_at_once`: a lower one at once.
    pub(crate) fn step(&mut self, shown: Option<f64>, less_at_once: bool, dt_s: f64) -> Option<f64> {
        let at_once = |shown: &f64| self.believed.is_none_or(|believed| less_at_once && *shown <= believed);
        if let Some(shown) = shown.filter(at_once) {
            self.believed = Some(shown);
        }
        let other = shown.filter(|shown| Some(*shown) != self.believed);
        let stands_s = self.stands.step(other.is_some() && other == self.wished, dt_s);
        self.wished = other;
        if stands_s >= CONFIRMED_S {
            (self.believed, self.wished) = (other, None);
        }
        self.believed
    }

    /// Another value than the believed one is shown.
    pub(crate) fn is_odd(self) -> bool {
        self.wished.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_counts_at_once_and_more_after_a_minute() {
        let mut capacity = Confirmed::default();
        assert_eq!(capacity.step(None, true, 1.0), None);
        assert_eq!(capacity.step(Some(280.0), true, 1.0), Some(280.0));
        assert_eq!(capacity.step(Some(100.0), true, 1.0), Some(100.0));
        for _ in 0..60 {
            assert_eq!(capacity.step(Some(280.0), true, 1.0), Some(100.0));
            assert!(capacity.is_odd());
        }
        assert_eq!(capacity.step(Some(280.0), true, 1.0), Some(280.0));
        assert_eq!(capacity.step(None, true, 1.0), Some(280.0));
    }

    #[test]
    fn where_less_is_no_safer_it_waits_as_well() {
        let mut cells = Confirmed::default();
        cells.step(Some(16.0), false, 1.0);
        assert_eq!(cells.step(Some(8.0), false, 1.0), Some(16.0));
        assert!(cells.is_odd());
        assert_eq!(cells.step(Some(16.0), false, 1.0), Some(16.0));
        assert!(!cells.is_odd());
    }
}
