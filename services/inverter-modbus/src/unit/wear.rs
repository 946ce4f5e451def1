//! How often memory is written: an allowance of three writes, which fills up by one in a time that depends on what wears out.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::map::WriteAt;
use crate::profile::write::{MODE, Persist};

/// Writes that an allowance holds.
const ALLOWANCE: f64 = 3.0;
/// What a raise leaves in it.
const RESERVE: f64 = 1.0;
/// What reductions that cannot wait may owe it, and later writes wait for. Raises wait, so more than a device that
/// does not do as it is told has to be told so often.
const OWED: f64 = 20.0;
/// A reduction can wait for as long as its memory takes for one write if the device has so little more than is decided, as a part
/// of it: of a current or a power, and of a voltage.
const LITTLE: f64 = 0.1;
const LITTLE_VOLTAGE: f64 = 0.005;
/// Usual times between two writes.
const FLASH: Duration = Duration::from_secs(30);
const RAM: Duration = Duration::from_secs(1);

/// What a limit in memory that wears out is a multiple of: a limit that drifts is not worth a write each time.
const CURRENT_A: f64 = 1.0;
const POWER_W: f64 = 50.0;
const VOLTAGE_V: f64 = 0.05;
const HIGH_VOLTAGE_V: f64 = 0.5;
/// From here on a battery is one of high voltage, V.
const HIGH_FROM_V: f64 = 100.0;

/// The limit to write for one that is decided, with the one that is wanted so far: for memory that wears out a round one
/// that is not higher, and no raise of less than two steps.
pub(super) fn spared(write: &WriteAt, limit: f64, before: Option<f64>) -> f64 {
    let step = match write.spec.name.as_str() {
        _ if write.spec.persist != Persist::Flash => return limit,
        name if name.ends_with("power_limit") || name.starts_with(MODE) => POWER_W,
        name if !name.ends_with("voltage_limit") => CURRENT_A,
        _ if limit < HIGH_FROM_V => VOLTAGE_V,
        _ => HIGH_VOLTAGE_V,
    };
    // A hair more, so that 56.1 in steps of 0.05 is not 56.05.
    let round = (limit / step + 1e-6).floor() * step;
    before.filter(|before| limit >= *before && round < before + 2.0 * step - 1e-6).unwrap_or(round)
}

/// Whether a write can wait for its turn, or what stands at the device must not stay for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hurry {
    /// It raises what the device may do.
    Raise,
    /// Neither nor.
    Some,
    /// A reduction that counts.
    Now,
}

impl Hurry {
    /// Of a write of this value that raises what the device has by so much, where that is known; the last one was so long ago.
    pub(super) fn of(write: &WriteAt, value: f64, rise: Option<f64>, since_last: Option<Duration>) -> Hurry {
        let little = if write.spec.name.ends_with("voltage_limit") { LITTLE_VOLTAGE } else { LITTLE };
        let is_little = |rise: f64| -rise <= little * value.max(0.0);
        let is_soon = since_last.is_some_and(|passed| passed < every(write));
        match rise {
            Some(rise) if rise > 0.0 => Hurry::Raise,
            Some(rise) if rise < 0.0 && write.is_limit() && !(is_little(rise) && is_soon) => Hurry::Now,
            _ => Hurry::Some,
        }
    }
}

/// The writes that are left.
#[derive(Debug)]
pub(super) struct Allowance {
    left: f64,
    filled_at: Instant,
}

impl Allowance {
    /// A full one.
    pub(super) fn new(now: Instant) -> Allowance {
        Allowance { left: ALLOWANCE, filled_at: now }
    }

    /// Fills up with the time.
    pub(super) fn fill(&mut self, write: &WriteAt, now: Instant) {
        let more = now.duration_since(self.filled_at).as_secs_f64() / every(write).as_secs_f64();
        self.left = (self.left + more).min(ALLOWANCE);
        self.filled_at = now;
    }

    /// Whether there is a write left, and one more after a raise; what cannot wait is owed.
    pub(super) fn allows(&self, hurry: Hurry) -> bool {
        self.left >= least_left(hurry)
    }

    /// How long until there is one.
    pub(super) fn wait(&self, write: &WriteAt, hurry: Hurry) -> Duration {
        every(write).mul_f64((least_left(hurry) - self.left).max(0.0))
    }

    /// A write did not go out after all.
    pub(super) fn give_back(&mut self) {
        self.left = (self.left + 1.0).min(ALLOWANCE);
    }

    /// A write goes out. One that must go out whatever is left is owed.
    pub(super) fn take(&mut self) {
        self.left -= 1.0;
    }
}

/// What must be left of an allowance before a write.
fn least_left(hurry: Hurry) -> f64 {
    match hurry {
        Hurry::Raise => 1.0 + RESERVE,
        Hurry::Some => 1.0,
        Hurry::Now => 1.0 - OWED,
    }
}

/// The time in which an allowance fills up by one.
fn every(write: &WriteAt) -> Duration {
    let usual = if write.spec.persist == Persist::Flash { FLASH } else { RAM };
    write.spec.every_s.map_or(usual, Duration::from_secs).max(Duration::from_millis(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::map::Map;
    use crate::profile::builtin;

    fn write(profile: &str, name: &str) -> WriteAt {
        let map = Map::new(&builtin::by_id(profile).unwrap(), None, true);
        map.write(name, &|_| None).unwrap().clone()
    }

    /// How often another limit is wanted while the one that is decided goes this way, and all that are.
    fn limits(write: &WriteAt, decided: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut wanted: Vec<f64> = Vec::new();
        for limit in decided {
            let next = spared(write, limit, wanted.last().copied());
            assert!(next <= limit + 1e-9, "{next} of {limit}");
            if wanted.last() != Some(&next) {
                wanted.push(next);
            }
        }
        wanted
    }

    #[test]
    fn a_limit_that_drifts_is_written_once() {
        let drift = |mean: f64, by: f64| (0..1000).map(move |n| mean + by * f64::from(n % 7 - 3) / 3.0);
        for (profile, name, mean, by) in [
            ("deye-one-phase", "charge_current_limit", 80.0, 0.4),
            ("deye-one-phase", "charge_voltage_limit", 56.0, 0.02),
            ("sungrow-sh", "charge_power_limit", 5000.0, 20.0),
        ] {
            let wanted = limits(&write(profile, name), drift(mean, by));
            assert!(wanted.len() <= 2, "{profile} {name}: {wanted:?}");
        }
    }

    #[test]
    fn a_reduction_counts_at_once_and_a_raise_from_two_steps_on() {
        let write = write("deye-one-phase", "charge_current_limit");
        assert_eq!(
            limits(&write, [80.0, 79.9, 80.0, 80.9, 81.0, 60.5, 0.0, 1.9, 2.0]),
            [80.0, 79.0, 81.0, 60.0, 0.0, 2.0]
        );
    }

    #[test]
    fn memory_that_does_not_wear_out_has_every_value() {
        let mut write = write("sungrow-sh", "charge_power_limit");
        assert_eq!(spared(&write, 1234.5, Some(1000.0)), 1200.0);
        write.spec.persist = Persist::Ram;
        assert_eq!(spared(&write, 1234.5, Some(1000.0)), 1234.5);
    }
}
