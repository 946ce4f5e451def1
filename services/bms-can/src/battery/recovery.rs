//! After a longer loss of data a charge current comes back late and slowly; a discharge current in one step, because an
//! inverter that feeds a house ends at 0 A.

use std::time::Duration;

use tokio::time::Instant;

/// The data have to be good for so long.
const HEALTHY: Duration = Duration::from_secs(10);
/// Then the current rises to its limit within this time.
const RISING: Duration = Duration::from_secs(100);

/// How far a battery has recovered from a loss of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recovery {
    /// There was no loss, or it is forgotten.
    #[default]
    Whole,
    /// There are no data that may be obeyed.
    Lost,
    /// They are good again since then.
    Since(Instant),
}

impl Recovery {
    /// Takes in whether the data may be obeyed.
    pub fn step(&mut self, are_good: bool, now: Instant) {
        *self = match *self {
            _ if !are_good => Recovery::Lost,
            Recovery::Lost => Recovery::Since(now),
            Recovery::Since(at) if now.duration_since(at) >= HEALTHY + RISING => Recovery::Whole,
            other => other,
        }
    }

    /// How much of the charge current limit may be shown, 0 to 1.
    #[must_use]
    pub fn charge_part(&self, now: Instant) -> f64 {
        match *self {
            Recovery::Whole => 1.0,
            Recovery::Lost => 0.0,
            Recovery::Since(at) => {
                let rising = now.duration_since(at).saturating_sub(HEALTHY);
                (rising.as_secs_f64() / RISING.as_secs_f64()).min(1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_loss_the_charge_current_waits_ten_seconds_and_rises_for_a_hundred() {
        let (start, mut recovery) = (Instant::now(), Recovery::default());
        let mut part = |s: u64, are_good| {
            let now = start + Duration::from_secs(s);
            recovery.step(are_good, now);
            recovery.charge_part(now)
        };
        assert_eq!(part(0, true), 1.0, "a start is no loss");
        assert_eq!(part(20, false), 0.0);
        assert_eq!(part(30, true), 0.0);
        assert_eq!(part(40, true), 0.0);
        assert_eq!(part(90, true), 0.5);
        assert_eq!(part(95, false), 0.0, "lost again");
        assert_eq!(part(100, true), 0.0);
        assert_eq!(part(209, true), 0.99);
        assert_eq!(part(211, true), 1.0);
        assert_eq!(recovery, Recovery::Whole);
    }
}
