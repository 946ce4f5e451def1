//! What a cluster does about a battery that is nearly empty, where the user has asked for it: with a grid it charges,
//! without one it is switched off. As warrenridley/PolyndriverVenus: dbus-sma/dbus-sma.py does both, but neither on one
//! reading nor to and fro. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// So long something must be low.
const LOW_FOR: Duration = Duration::from_secs(10);
/// So long the grid is asked to charge at least: the inverter itself goes on to 233# GdSocTm1Stp.
const CHARGES_FOR: Duration = Duration::from_secs(600);
/// How far above its mark the voltage ends it, V.
const ABOVE_V: f64 = 1.0;
/// How far above its mark the state of charge switches on again, %.
const ABOVE_PCT: f64 = 2.0;
/// A command that was not followed is given again after this time.
const AGAIN: Duration = Duration::from_secs(60);

/// The marks of the user.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Marks {
    /// With the grid there it charges below this pack voltage, V.
    pub(crate) grid_charge_below_v: Option<f64>,
    /// Without a grid it is off below this state of charge, %.
    pub(crate) island_off_below_soc_pct: Option<f64>,
}

/// What is being done about it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reserve {
    marks: Marks,
    voltage_low: Option<Instant>,
    charges: Option<Instant>,
    soc_low: Option<Instant>,
    off: Off,
}

/// Whether we have switched it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Off {
    /// No.
    #[default]
    No,
    /// It was told so.
    Told { at: Instant },
    /// It was, and is.
    Is,
    /// It was, and somebody has switched it on in spite of that.
    Overruled,
}

impl Reserve {
    /// With nothing done yet.
    pub(crate) fn new(marks: Marks) -> Self {
        Reserve { marks, ..Reserve::default() }
    }

    /// Whether the grid is asked to charge.
    pub(crate) fn asks_grid(&mut self, has_grid: Option<bool>, pack_v: f64, now: Instant) -> bool {
        let Some(mark) = self.marks.grid_charge_below_v.filter(|_| has_grid == Some(true)) else {
            (self.voltage_low, self.charges) = (None, None);
            return false;
        };
        if lasts(&mut self.voltage_low, pack_v < mark, now) && self.charges.is_none() {
            self.charges = Some(now);
        }
        self.charges =
            self.charges.filter(|since| pack_v < mark + ABOVE_V || now.duration_since(*since) < CHARGES_FOR);
        self.charges.is_some()
    }

    /// What it is to be switched to now, if to anything.
    pub(crate) fn switch(
        &mut self,
        has_grid: Option<bool>,
        soc_pct: f64,
        is_on: Option<bool>,
        now: Instant,
    ) -> Option<bool> {
        let mark = self.marks.island_off_below_soc_pct?;
        let is_low = lasts(&mut self.soc_low, has_grid == Some(false) && soc_pct < mark, now);
        let is_over = has_grid == Some(true) || soc_pct >= mark + ABOVE_PCT;
        match (self.off, is_on) {
            (Off::Told { .. }, Some(false)) => self.off = Off::Is,
            (Off::Is, Some(true)) => self.off = Off::Overruled,
            _ => {}
        }
        if is_over {
            let was = std::mem::take(&mut self.off);
            return matches!(was, Off::Told { .. } | Off::Is).then_some(true);
        }
        let is_due = match self.off {
            Off::No => is_low && is_on == Some(true),
            Off::Told { at } => now.duration_since(at) >= AGAIN,
            Off::Is | Off::Overruled => false,
        };
        if is_due {
            self.off = Off::Told { at: now };
        }
        is_due.then_some(false)
    }
}

/// Whether it has been so for long enough; `since` remembers since when.
fn lasts(since: &mut Option<Instant>, is_so: bool, now: Instant) -> bool {
    *since = is_so.then(|| since.unwrap_or(now));
    since.is_some_and(|since| now.duration_since(since) >= LOW_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MARKS: Marks = Marks { grid_charge_below_v: Some(49.6), island_off_below_soc_pct: Some(5.0) };

    #[tokio::test(start_paused = true)]
    async fn a_low_voltage_asks_the_grid_after_ten_seconds_and_for_ten_minutes_at_least() {
        let (start, mut reserve) = (Instant::now(), Reserve::new(MARKS));
        let mut asks = |second: u32, has_grid: bool, volts: f64| {
            reserve.asks_grid(Some(has_grid), volts, start + second * SECOND)
        };
        assert!(!asks(0, true, 49.0) && !asks(5, true, 50.0), "one reading is nothing");
        assert!(!asks(6, true, 49.0) && !asks(15, true, 49.0) && asks(16, true, 49.0));
        assert!(asks(20, true, 53.0), "a charge raises the voltage at once");
        assert!(asks(700, true, 50.0) && !asks(701, true, 50.6));
        assert!(!asks(800, false, 45.0) && !asks(900, false, 45.0), "nobody to ask");
        assert!(!Reserve::new(Marks::default()).asks_grid(Some(true), 40.0, start + 1000 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn an_island_at_its_mark_is_switched_off_and_on_again_with_the_grid_or_with_charge() {
        for (has_grid, soc) in [(true, 4.0), (false, 7.0)] {
            let (start, mut reserve) = (Instant::now(), Reserve::new(MARKS));
            let mut switch = |second: u32, has_grid: bool, soc: f64, is_on: bool| {
                reserve.switch(Some(has_grid), soc, Some(is_on), start + second * SECOND)
            };
            assert_eq!(switch(0, false, 4.9, true), None);
            assert_eq!(switch(10, false, 4.9, true), Some(false));
            assert_eq!(switch(11, false, 4.9, true), None, "told is told");
            assert_eq!(switch(70, false, 4.9, true), Some(false), "unless nobody heard");
            assert_eq!(switch(72, false, 4.9, false), None);
            assert_eq!(switch(500, false, 6.9, false), None, "not to and fro");
            assert_eq!(switch(600, has_grid, soc, false), Some(true));
            assert_eq!(switch(601, has_grid, soc, false), None, "once");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_switches_it_on_by_hand_is_not_overruled() {
        let (start, mut reserve) = (Instant::now(), Reserve::new(MARKS));
        let mut switch =
            |second: u32, is_on: bool| reserve.switch(Some(false), 4.0, Some(is_on), start + second * SECOND);
        switch(0, true);
        assert_eq!((switch(10, true), switch(12, false)), (Some(false), None));
        for second in 20..200 {
            assert_eq!(switch(second, true), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_switched_that_was_not_asked_for_or_while_nobody_knows_of_the_grid() {
        let (start, mut reserve) = (Instant::now(), Reserve::new(Marks::default()));
        let mut knows_nothing = Reserve::new(MARKS);
        for second in 0..100 {
            let now = start + second * SECOND;
            assert_eq!(reserve.switch(Some(false), 1.0, Some(true), now), None);
            assert_eq!(knows_nothing.switch(None, 1.0, Some(true), now), None);
        }
    }
}
