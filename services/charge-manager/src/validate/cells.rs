//! Cell voltages that can be believed.
//!
//! | what | rule |
//! | --- | --- |
//! | range | outside what the chemistry can be: no value at all |
//! | jump | more than 0.3 V in a second without a step of the current: a miss |
//! | sum | off the pack by more than 0.5 V and 1 %: a miss of the odd cell, or of the battery |
//! | three misses | the cell is invalid, until a minute of good readings |
//! | frozen | to the last bit for 300 s while current flows and the others move: suspect |
//!
//! A miss still counts for the highest cell, because a stop is harmless; for the lowest it does not, because an inverter
//! that feeds a house would die of one bad frame.

use serde::{Deserialize, Serialize};

use super::frozen::Frozen;
use super::misses::Misses;
use crate::name::Name;

/// Most cells of a battery that are looked at.
pub(crate) const MOST_CELLS: usize = 512;
const JUMP_V: f64 = 0.3;
/// Part of the capacity in A by which the current must have changed to explain a jump.
const STEP_C: f64 = 0.1;
const SUM_V: f64 = 0.5;
const SUM_PART: f64 = 0.01;
const FROZEN_S: f64 = 300.0;
/// Part of the capacity in A that must flow for a frozen voltage to be odd.
const FROZEN_C: f64 = 0.05;
/// The mean of the others must have moved so far, V.
const FROZEN_OTHERS_V: f64 = 0.005;

/// Which cell, and its voltage.
type Found = (usize, f64);

/// The memory of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Cell {
    last_v: Option<f64>,
    misses: Misses,
    frozen: Frozen,
    others_at_change_v: f64,
}

/// The memory of a battery's cells.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
    sum_misses: Misses,
    all_frozen: Frozen,
    last_data: Option<(f64, f64)>,
    last_current_a: Option<f64>,
}

/// A cell at one end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Extreme {
    /// V.
    pub(crate) v: f64,
    /// Which one.
    pub(crate) id: Name,
}

/// What is known of the cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct CellPicture {
    /// Highest, misses included.
    pub(crate) highest: Option<Extreme>,
    /// Lowest, misses left out.
    pub(crate) lowest: Option<Extreme>,
    /// Mean of what can be believed, V.
    pub(crate) mean_v: Option<f64>,
    /// Something is odd at the moment: nothing may rise.
    pub(crate) odd: bool,
    /// What is not to be trusted.
    pub(crate) suspect: Option<Name>,
    /// Cells and pack contradict each other.
    pub(crate) contradicts: bool,
    /// How many cells the battery shows; 0 where it shows its extremes only.
    pub(crate) shown: usize,
}

/// What the cells are judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    /// Time since the sample before, when this is a new one.
    pub(crate) sample_s: Option<f64>,
    /// Pack voltage, V.
    pub(crate) pack_v: Option<f64>,
    /// Pack current, A.
    pub(crate) current_a: Option<f64>,
    /// Ah.
    pub(crate) capacity_ah: f64,
    /// Range of believable voltages, V.
    pub(crate) believable_v: (f64, f64),
}

impl Cells {
    /// Judges all the cells of a battery.
    pub(crate) fn look(&mut self, raw: &[Option<f64>], sight: Sight) -> CellPicture {
        let raw = raw.get(..raw.len().min(MOST_CELLS)).unwrap_or(raw);
        if raw.is_empty() {
            self.cells.clear();
            return CellPicture::default();
        }
        self.cells.resize(raw.len(), Cell::default());
        let (low_v, high_v) = sight.believable_v;
        let usable = |v: &Option<f64>| v.filter(|v| (low_v..=high_v).contains(v));
        let values: Vec<Option<f64>> = raw.iter().map(usable).collect();
        let odd_one = self.odd_one_of_the_sum(&values, sight);
        let sum_off = matches!(odd_one, Sum::Off);
        if sight.sample_s.is_some() {
            self.sum_misses.step(sum_off, sight.sample_s.unwrap_or(0.0));
        }
        let explained = self.explains_a_jump(sight);
        let sum_v: f64 = values.iter().flatten().sum();
        let count = values.iter().flatten().count();

        let mut picture = CellPicture { shown: raw.len(), odd: sum_off, ..CellPicture::default() };
        let (mut highest, mut lowest): (Option<Found>, Option<Found>) = (None, None);
        let (mut good_sum_v, mut good) = (0.0, 0u32);
        for (index, (cell, &value)) in self.cells.iter_mut().zip(&values).enumerate() {
            let jumped = !explained && cell.jumped(value, sight.sample_s);
            let miss = value.is_none() || jumped || odd_one == Sum::Cell(index);
            if let Some(sample_s) = sight.sample_s {
                let others = count.saturating_sub(usize::from(value.is_some()));
                let others_v = (sum_v - value.unwrap_or(0.0)) / others.max(1) as f64;
                cell.age(value, miss, others_v, sample_s, sight);
            }
            let invalid = cell.misses.invalid();
            if invalid || cell.frozen.is_on() {
                picture.suspect.get_or_insert_with(|| label(index));
            }
            // A cell that has never shown anything is not there.
            picture.odd |= miss && !invalid && cell.last_v.is_some();
            let Some(v) = value.filter(|_| !invalid) else { continue };
            if highest.is_none_or(|(_, highest_v)| v > highest_v) {
                highest = Some((index, v));
            }
            if !miss {
                if lowest.is_none_or(|(_, lowest_v)| v < lowest_v) {
                    lowest = Some((index, v));
                }
                (good_sum_v, good) = (good_sum_v + v, good + 1);
            }
        }
        let extreme = |(index, v)| Extreme { v, id: label(index) };
        (picture.highest, picture.lowest) = (highest.map(extreme), lowest.map(extreme));
        if good > 0 {
            picture.mean_v = Some(good_sum_v / f64::from(good));
        }
        self.watch_for_old_frames(&values, sight);
        if self.all_frozen.is_on() {
            picture.suspect.get_or_insert_with(|| "everything".into());
        }
        picture.contradicts = self.sum_misses.invalid();
        if sight.sample_s.is_some() {
            self.last_current_a = sight.current_a.or(self.last_current_a);
        }
        picture
    }

    fn explains_a_jump(&self, sight: Sight) -> bool {
        match (sight.current_a, self.last_current_a) {
            (Some(now_a), Some(before_a)) => (now_a - before_a).abs() >= STEP_C * sight.capacity_ah,
            _ => false,
        }
    }

    /// Compares the sum of the cells with the pack.
    fn odd_one_of_the_sum(&self, values: &[Option<f64>], sight: Sight) -> Sum {
        let complete: Vec<f64> = values.iter().flatten().copied().collect();
        let (Some(pack_v), true) = (sight.pack_v, complete.len() == values.len()) else { return Sum::Right };
        let tolerance_v = SUM_V.max(SUM_PART * pack_v);
        let excess_v = complete.iter().sum::<f64>() - pack_v;
        if excess_v.abs() <= tolerance_v {
            return Sum::Right;
        }
        let mut sorted = complete.clone();
        sorted.sort_by(f64::total_cmp);
        let median_v = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let far = |v: f64| (v - median_v).abs();
        let farthest = complete.iter().copied().enumerate().max_by(|a, b| far(a.1).total_cmp(&far(b.1)));
        match farthest {
            Some((index, v)) if (excess_v - (v - median_v)).abs() <= tolerance_v => Sum::Cell(index),
            _ => Sum::Off,
        }
    }

    /// A driver that repeats old frames: all bits of everything stay as they are while current flows.
    fn watch_for_old_frames(&mut self, values: &[Option<f64>], sight: Sight) {
        let Some(sample_s) = sight.sample_s else { return };
        let data = values.iter().flatten().sum::<f64>();
        let current_a = sight.current_a.unwrap_or(0.0);
        let same = self.last_data.is_some_and(|(sum, amps)| sum == data && amps == current_a);
        self.last_data = Some((data, current_a));
        let flows = current_a.abs() > FROZEN_C * sight.capacity_ah;
        self.all_frozen.step(same, flows, FROZEN_S, true, sample_s);
    }
}

/// What the sum of the cells says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sum {
    /// It is that of the pack, or cannot be compared.
    Right,
    /// One cell explains the difference.
    Cell(usize),
    /// No single cell explains it.
    Off,
}

impl Cell {
    fn jumped(&self, value: Option<f64>, sample_s: Option<f64>) -> bool {
        match (value, self.last_v, sample_s) {
            (Some(v), Some(last_v), Some(sample_s)) => (v - last_v).abs() > JUMP_V * sample_s.max(1.0),
            _ => false,
        }
    }

    fn age(&mut self, value: Option<f64>, miss: bool, others_v: f64, sample_s: f64, sight: Sight) {
        let same = value.is_some() && value == self.last_v;
        if !same {
            self.others_at_change_v = others_v;
        }
        let flows = sight.current_a.is_some_and(|a| a.abs() > FROZEN_C * sight.capacity_ah);
        let others_moved = (others_v - self.others_at_change_v).abs() >= FROZEN_OTHERS_V;
        self.frozen.step(same, flows, FROZEN_S, others_moved, sample_s);
        self.misses.step(miss, sample_s);
        // An invalid cell is judged by its own newest readings, or it would never come back.
        if !miss || self.misses.invalid() {
            self.last_v = value.or(self.last_v);
        }
    }
}

fn label(index: usize) -> Name {
    Name::from(format!("cell {}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGHT: Sight = Sight {
        sample_s: Some(1.0),
        pack_v: None,
        current_a: Some(50.0),
        capacity_ah: 280.0,
        believable_v: (1.0, 4.5),
    };

    fn even() -> Vec<Option<f64>> {
        vec![Some(3.33); 16]
    }

    fn pack(raw: &[Option<f64>]) -> Sight {
        Sight { pack_v: Some(16.0 * raw[0].unwrap_or(3.33)), ..SIGHT }
    }

    #[test]
    fn a_cell_that_jumps_up_counts_at_once_and_is_invalid_after_three_samples() {
        let mut cells = Cells::default();
        let mut raw = even();
        cells.look(&raw, pack(&raw));
        raw[4] = Some(3.9);
        for _ in 0..2 {
            let picture = cells.look(&raw, pack(&raw));
            assert_eq!(picture.highest, Some(Extreme { v: 3.9, id: "cell 5".into() }));
            assert!(picture.odd && picture.suspect.is_none());
        }
        let picture = cells.look(&raw, pack(&raw));
        assert_eq!(picture.highest.map(|cell| cell.v), Some(3.33));
        assert_eq!(picture.suspect.as_deref(), Some("cell 5"));
        assert!((picture.mean_v.unwrap() - 3.33).abs() < 1e-9);
    }

    #[test]
    fn a_cell_that_was_wrong_from_the_start_is_found_by_the_sum() {
        let mut cells = Cells::default();
        let mut raw = even();
        raw[7] = Some(3.95);
        for _ in 0..3 {
            cells.look(&raw, pack(&even()));
        }
        let picture = cells.look(&raw, pack(&even()));
        assert_eq!(picture.suspect.as_deref(), Some("cell 8"));
        assert!(!picture.contradicts);
    }

    #[test]
    fn a_pack_voltage_that_no_single_cell_explains_is_a_contradiction_after_three_samples() {
        let mut cells = Cells::default();
        let sight = Sight { pack_v: Some(50.0), ..SIGHT };
        let raw = even();
        assert!([true, true, false].into_iter().all(|early| cells.look(&raw, sight).contradicts != early));
    }

    #[test]
    fn a_cell_at_zero_volts_is_no_value_and_trips_nothing() {
        let mut cells = Cells::default();
        cells.look(&even(), SIGHT);
        let mut raw = even();
        raw[0] = Some(0.0);
        for _ in 0..5 {
            assert_eq!(cells.look(&raw, SIGHT).lowest.map(|cell| cell.v), Some(3.33));
        }
        assert_eq!(cells.look(&raw, SIGHT).suspect.as_deref(), Some("cell 1"));
    }

    #[test]
    fn a_step_of_the_current_explains_a_jump_of_all_cells() {
        let mut cells = Cells::default();
        cells.look(&even(), SIGHT);
        let picture = cells.look(&vec![Some(3.0); 16], Sight { current_a: Some(-100.0), ..SIGHT });
        assert!(!picture.odd);
        assert_eq!(picture.lowest.map(|cell| cell.v), Some(3.0));
    }

    #[test]
    fn a_cell_that_stands_still_while_the_others_rise_is_suspect_after_five_minutes() {
        let mut cells = Cells::default();
        let mut suspect_at = None;
        for second in 0..400 {
            let v = 3.33 + 0.0001 * f64::from(second);
            let mut raw = vec![Some(v); 16];
            raw[2] = Some(3.33);
            if cells.look(&raw, SIGHT).suspect.is_some() {
                suspect_at.get_or_insert(second);
            }
        }
        assert_eq!(suspect_at, Some(300));
    }

    #[test]
    fn on_the_plateau_a_voltage_that_does_not_move_is_no_fault_but_a_repeated_frame_is() {
        let mut cells = Cells::default();
        for second in 0..900 {
            let sight = Sight { current_a: Some(50.0 + 0.1 * f64::from(second % 3)), ..SIGHT };
            assert_eq!(cells.look(&even(), sight).suspect, None);
        }
        let suspects = (0..400).filter(|_| cells.look(&even(), SIGHT).suspect.is_some()).count();
        assert!((95..=101).contains(&suspects), "{suspects}");
    }

    #[test]
    fn the_same_sample_again_changes_nothing() {
        let mut cells = Cells::default();
        let mut raw = even();
        cells.look(&raw, SIGHT);
        raw[4] = Some(3.9);
        cells.look(&raw, SIGHT);
        let before = cells.clone();
        (0..10).for_each(|_| drop(cells.look(&raw, Sight { sample_s: None, ..SIGHT })));
        assert_eq!(cells, before);
    }
}
