//! The battery's voltage as limits of power are made of it.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::device::presence::OFFLINE;

/// So many readings are looked at.
const READINGS: usize = 3;

/// The newest readings. One odd reading neither raises nor lowers a limit.
#[derive(Debug, Default)]
pub(super) struct Volts {
    newest: VecDeque<f64>,
    heard_at: Option<Instant>,
}

/// What is made of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Steady {
    /// The reading in the middle, of two the lower one, V.
    pub(super) volts: f64,
    /// There was no reading for so long that it may be another voltage by now: it raises nothing.
    pub(super) is_old: bool,
}

impl Volts {
    /// A reading, V.
    pub(super) fn hear(&mut self, volts: Option<f64>, now: Instant) {
        let Some(volts) = volts.filter(|volts| volts.is_finite() && *volts > 0.0) else { return };
        self.heard_at = Some(now);
        self.newest.push_back(volts);
        if self.newest.len() > READINGS {
            self.newest.pop_front();
        }
    }

    /// The voltage; none before the first reading.
    pub(super) fn steady(&self, now: Instant) -> Option<Steady> {
        let mut sorted: Vec<f64> = self.newest.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let volts = sorted.get(sorted.len().saturating_sub(1) / 2).copied()?;
        Some(Steady { volts, is_old: self.heard_at.is_none_or(|at| now.duration_since(at) > OFFLINE) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_odd_reading_counts_for_nothing() {
        let (mut volts, now) = (Volts::default(), Instant::now());
        assert_eq!(volts.steady(now), None);
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
            volts.hear(heard, now);
            assert_eq!(volts.steady(now), Some(Steady { volts: steady, is_old: false }), "{heard:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_voltage_that_is_not_read_any_more_is_old() {
        let (mut volts, now) = (Volts::default(), Instant::now());
        volts.hear(Some(400.0), now);
        let later = now + OFFLINE + Duration::from_millis(1);
        volts.hear(None, later);
        assert_eq!(volts.steady(later), Some(Steady { volts: 400.0, is_old: true }));
        volts.hear(Some(300.0), later);
        assert_eq!(volts.steady(later), Some(Steady { volts: 300.0, is_old: false }));
    }
}
