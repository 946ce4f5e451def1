//! What is counted over the life of the bank, and how long it has been without a full charge.

use serde::{Deserialize, Serialize};

use crate::input::{Now, Wall};
use crate::tick::Tick;

const DAY_S: f64 = 86_400.0;
/// A jump of the wall clock ahead by more than this is not believed until it has stood for a while, s.
const BELIEVED_JUMP_S: f64 = DAY_S;
const CONFIRMED_S: f64 = 3_600.0;
/// The wall clock runs beside the other one within this, s.
const BESIDE_S: f64 = 2.0;
/// So long and no longer, s: no overflow in a lifetime.
const LONGEST_S: f64 = 1e10;

/// The counters of the bank.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// Put in, Ah.
    pub charged_ah: f64,
    /// Taken out, Ah.
    pub discharged_ah: f64,
    /// Put in, kWh.
    pub charged_kwh: f64,
    /// Taken out, kWh.
    pub discharged_kwh: f64,
    /// Taken out in capacities of the bank.
    pub cycles: f64,
    /// Full charges.
    pub full_charges: u32,
    /// Times that the bank was empty.
    pub full_discharges: u32,
    /// Since the last full charge, s; none while none is known of.
    pub since_full_s: Option<f64>,
    /// Watched without a full charge while none is known of, s.
    pub unknown_s: f64,
    /// Since the cells were last even, s.
    pub since_balanced_s: Option<f64>,
    /// Since the last equalisation, s.
    pub since_equalised_s: Option<f64>,
    /// Deepest discharge since a full charge, Ah.
    pub deepest_discharge_ah: f64,
    /// Discharge since the last full charge, Ah.
    pub last_discharge_ah: f64,
    /// Lowest and highest voltage of the bank, V.
    pub voltage_v: Option<(f64, f64)>,
    /// Lowest and highest voltage of a cell, V.
    pub cell_v: Option<(f64, f64)>,
    /// Lowest and highest temperature, °C.
    pub temperature_c: Option<(f64, f64)>,
    wall: WallMemory,
}

/// What is remembered of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct WallMemory {
    last_unix_s: Option<i64>,
    jump_s: f64,
    jump_stands_s: f64,
}

/// What flowed in one sample of one member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow {
    pub(crate) voltage_v: f64,
    pub(crate) current_a: f64,
    pub(crate) sample_s: f64,
}

impl History {
    /// Days since the last full charge, or since watching began.
    #[must_use]
    pub fn days_since_full(&self) -> f64 {
        self.since_full_s.unwrap_or(self.unknown_s) / DAY_S
    }

    /// Begins anew; how long ago things were stays.
    pub(crate) fn clear(&mut self) {
        *self = History {
            since_full_s: self.since_full_s,
            unknown_s: self.unknown_s,
            since_balanced_s: self.since_balanced_s,
            since_equalised_s: self.since_equalised_s,
            wall: self.wall,
            ..History::default()
        };
    }

    /// Lets time pass, by the wall clock where it can be believed: the manager may have been off.
    pub(crate) fn age(&mut self, now: Now, tick: Tick) {
        let passed_s = self.wall.passed_s(now.wall, tick);
        let older = |s: f64| (s + passed_s).min(LONGEST_S);
        match &mut self.since_full_s {
            Some(s) => *s = older(*s),
            None => self.unknown_s = older(self.unknown_s),
        }
        self.since_balanced_s = self.since_balanced_s.map(older);
        self.since_equalised_s = self.since_equalised_s.map(older);
    }

    /// Counts what flowed.
    pub(crate) fn flow(&mut self, flow: Flow, bank_ah: f64) {
        let hours = flow.sample_s / 3_600.0;
        let ah = flow.current_a.abs() * hours;
        let kwh = ah * flow.voltage_v / 1_000.0;
        if flow.current_a > 0.0 {
            self.charged_ah += ah;
            self.charged_kwh += kwh;
            self.last_discharge_ah = (self.last_discharge_ah - ah).max(0.0);
        } else {
            self.discharged_ah += ah;
            self.discharged_kwh += kwh;
            self.cycles += ah / bank_ah.max(1e-6);
            self.last_discharge_ah += ah;
            self.deepest_discharge_ah = self.deepest_discharge_ah.max(self.last_discharge_ah);
        }
    }

    /// The bank is full.
    pub(crate) fn full(&mut self) {
        self.full_charges = self.full_charges.saturating_add(1);
        self.since_full_s = Some(0.0);
        self.last_discharge_ah = 0.0;
    }

    /// Widens a pair of extremes.
    pub(crate) fn widen(extremes: &mut Option<(f64, f64)>, low: f64, high: f64) {
        let (lowest, highest) = extremes.unwrap_or((low, high));
        *extremes = Some((lowest.min(low), highest.max(high)));
    }
}

impl WallMemory {
    /// The time that has passed: that of the wall clock if it agrees or has slept, else that of the other one.
    fn passed_s(&mut self, wall: Option<Wall>, tick: Tick) -> f64 {
        let own_s = tick.elapsed_s;
        let Some(wall) = wall else { return own_s };
        let Some(last_unix_s) = self.last_unix_s.replace(wall.unix_s) else { return own_s };
        let wall_s = wall.unix_s.saturating_sub(last_unix_s) as f64;
        let ahead_s = wall_s - own_s;
        if ahead_s.abs() <= BESIDE_S {
            return own_s + self.confirm(own_s);
        }
        if ahead_s < 0.0 {
            // Set back: whatever jump was waiting was none.
            self.jump_s = (self.jump_s + ahead_s).max(0.0);
            return own_s;
        }
        if ahead_s <= BELIEVED_JUMP_S {
            return own_s + ahead_s;
        }
        (self.jump_s, self.jump_stands_s) = (ahead_s.min(LONGEST_S), 0.0);
        own_s
    }

    fn confirm(&mut self, own_s: f64) -> f64 {
        if self.jump_s <= 0.0 {
            return 0.0;
        }
        self.jump_stands_s += own_s;
        if self.jump_stands_s < CONFIRMED_S {
            return 0.0;
        }
        std::mem::take(&mut self.jump_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn after(history: &mut History, unix_s: i64, own_s: f64) -> f64 {
        let now = Now { monotonic: Duration::ZERO, wall: Some(Wall { unix_s, utc_offset_s: 0 }) };
        history.age(now, Tick { dt_s: own_s.min(5.0), elapsed_s: own_s });
        history.days_since_full()
    }

    fn full() -> History {
        let mut history = History::default();
        history.full();
        after(&mut history, 1_000_000, 0.0);
        history
    }

    #[test]
    fn a_night_without_power_counts() {
        let mut history = full();
        assert_eq!(after(&mut history, 1_000_000 + 43_200, 1.0), 0.5);
    }

    #[test]
    fn a_clock_that_jumps_three_days_ahead_counts_only_after_an_hour() {
        let mut history = full();
        let mut unix_s = 1_000_000 + 3 * 86_400;
        assert!(after(&mut history, unix_s, 1.0) < 0.001);
        for _ in 0..3_599 {
            unix_s += 1;
            assert!(after(&mut history, unix_s, 1.0) < 0.05);
        }
        unix_s += 1;
        assert!((after(&mut history, unix_s, 1.0) - 3.04).abs() < 0.01);
    }

    #[test]
    fn a_clock_that_jumps_ahead_and_back_has_not_moved() {
        let mut history = full();
        after(&mut history, 1_000_000 + 3 * 86_400, 1.0);
        after(&mut history, 1_000_002, 1.0);
        for second in 0..7_200 {
            after(&mut history, 1_000_003 + second, 1.0);
        }
        assert!((history.days_since_full() - 7_202.0 / 86_400.0).abs() < 0.001);
    }

    #[test]
    fn an_hour_back_changes_nothing() {
        let mut history = full();
        after(&mut history, 1_086_400, 86_400.0);
        assert!((after(&mut history, 1_082_800, 1.0) - 1.0).abs() < 0.001);
    }
}
