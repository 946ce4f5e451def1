//! Whether a device does what it is told, with the time allowed for that it needs.

use serde::{Deserialize, Serialize};

use crate::filter::{Lagging, Since};
use crate::settings::{Key, Settings};
use crate::tick::Tick;

/// Room above what is allowed: part of it, and A.
const ROOM: f64 = 1.1;
const ROOM_A: f64 = 1.0;

/// Follows one device, or all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Obedience {
    /// What it may still take while it follows a reduction, A.
    allowed: Lagging,
    over: Since,
    under: Since,
    disobeys: bool,
    strikes: u8,
}

impl Obedience {
    /// Takes what the device was told, and what it takes.
    pub(crate) fn step(
        &mut self,
        told_a: f64,
        taken_a: f64,
        response_s: f64,
        settings: &Settings,
        tick: Tick,
    ) {
        let response_s = if response_s.is_finite() { response_s.clamp(0.5, 120.0) } else { 120.0 };
        self.allowed.arrived(told_a.max(taken_a));
        let over = taken_a > self.allowed.step(told_a, tick.dt_s, response_s) * ROOM + ROOM_A;
        let over_s = self.over.step(over, tick.dt_s);
        let under_s = self.under.step(!over, tick.dt_s);
        if over_s >= settings.get(Key::OverrunTime) {
            if !self.disobeys {
                self.strikes = self.strikes.saturating_add(1);
            }
            self.disobeys = true;
        }
        // Who does it again and again is forgiven later and later.
        let again = f64::from(1u32 << self.strikes.saturating_sub(1).min(5));
        if under_s >= settings.get(Key::OverrunForgiven) * again {
            self.disobeys = false;
        }
        if under_s >= FORGOTTEN_S {
            self.strikes = 0;
        }
    }

    /// It has been above what it may take for too long.
    pub(crate) fn disobeys(self) -> bool {
        self.disobeys
    }

    /// What it may take at this moment, its slowness allowed for, A.
    pub(crate) fn allowed_a(self) -> f64 {
        self.allowed.get()
    }

    /// It takes too much at this moment.
    pub(crate) fn is_over(self) -> bool {
        self.over.s() > 0.0
    }
}

/// After a day of obedience nothing is remembered, s.
const FORGOTTEN_S: f64 = 24.0 * 3_600.0;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };

    fn seconds_until_found(response_s: f64, taken_a: impl Fn(f64) -> f64) -> Option<u32> {
        let settings = Settings::default();
        let mut obedience = Obedience::default();
        obedience.step(100.0, 100.0, response_s, &settings, SECOND);
        (1..200).find(|&second| {
            obedience.step(0.0, taken_a(f64::from(second)), response_s, &settings, SECOND);
            obedience.disobeys()
        })
    }

    #[test]
    fn a_charger_that_ignores_a_reduction_is_found_within_fifteen_seconds_however_slow_its_kind_is() {
        assert!(seconds_until_found(5.0, |_| 100.0) <= Some(15));
        assert!(seconds_until_found(12.0, |_| 100.0) <= Some(15));
    }

    #[test]
    fn one_that_took_little_of_a_high_limit_is_found_as_soon() {
        let settings = Settings::default();
        let mut obedience = Obedience::default();
        obedience.step(500.0, 60.0, 12.0, &settings, SECOND);
        (0..15).for_each(|_| obedience.step(10.0, 60.0, 12.0, &settings, SECOND));
        assert!(obedience.disobeys());
    }

    #[test]
    fn a_slow_charger_that_obeys_is_not_blamed() {
        let sma = |t: f64| if t < 2.0 { 100.0 } else { 100.0 * (-(t - 2.0) / 10.0).exp() };
        assert_eq!(seconds_until_found(12.0, sma), None);
        let victron = |t: f64| if t < 3.0 { 100.0 } else { 100.0 * (-(t - 3.0) / 2.0).exp() };
        assert_eq!(seconds_until_found(5.0, victron), None);
        assert_eq!(
            seconds_until_found(5.0, |t| if t < 8.0 { 100.0 } else { 0.5 }),
            None,
            "the half ampere of a Multi"
        );
    }

    #[test]
    fn a_minute_of_obedience_is_enough_the_first_time() {
        let settings = Settings::default();
        let mut obedience = Obedience::default();
        (0..20).for_each(|_| obedience.step(0.0, 50.0, 5.0, &settings, SECOND));
        assert!(obedience.disobeys());
        (0..59).for_each(|_| obedience.step(0.0, 0.0, 5.0, &settings, SECOND));
        assert!(obedience.disobeys());
        obedience.step(0.0, 0.0, 5.0, &settings, SECOND);
        assert!(!obedience.disobeys());
    }
}
