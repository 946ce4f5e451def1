//! The battery's voltage as limits of power are made of it.

use std::collections::VecDeque;

/// So many readings are looked at.
const READINGS: usize = 3;

/// The newest readings. One odd reading neither raises nor lowers a limit, and one that is missing changes nothing.
#[derive(Debug, Default)]
pub(super) struct Volts {
    newest: VecDeque<f64>,
}

impl Volts {
    /// A reading, V.
    pub(super) fn hear(&mut self, volts: Option<f64>) {
        let Some(volts) = volts.filter(|volts| volts.is_finite() && *volts > 0.0) else { return };
        self.newest.push_back(volts);
        if self.newest.len() > READINGS {
            self.newest.pop_front();
        }
    }

    /// The one in the middle, of two the lower one; none before the first.
    pub(super) fn steady(&self) -> Option<f64> {
        let mut sorted: Vec<f64> = self.newest.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_reading_counts_for_nothing() {
        let mut volts = Volts::default();
        assert_eq!(volts.steady(), None);
        for (heard, steady) in [
            (Some(200.0), 200.0),
            (Some(6553.5), 200.0),
            (Some(201.0), 201.0),
            (None, 201.0),
            (Some(0.0), 201.0),
            (Some(-1.0), 201.0),
            (Some(202.0), 202.0),
            (Some(203.0), 202.0),
        ] {
            volts.hear(heard);
            assert_eq!(volts.steady(), Some(steady), "{heard:?}");
        }
    }
}
