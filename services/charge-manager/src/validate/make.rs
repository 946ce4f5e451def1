//! How a battery is made: its capacity and its cells in series, as it says or as it must be.

use super::DataMemory;
use crate::input::Battery;
use crate::notes::Note;
use crate::settings::{Key, Settings};
use crate::tick::Tick;

/// The largest capacity that is believed, Ah.
const MOST_AMP_HOURS: f64 = 100_000.0;
/// Most cells in series.
const MOST_CELLS: u32 = 400;
/// A charge voltage limit this far above the pack says nothing about the number of cells.
const CVL_OF_FULL_PACK: f64 = 1.35;

/// Installed capacity, Ah.
pub(super) fn capacity(
    battery: &Battery,
    settings: &Settings,
    memory: &mut DataMemory,
    tick: Tick,
    notes: &mut Vec<Note>,
) -> f64 {
    let shown = battery.capacity_ah.filter(|ah| (1.0..=MOST_AMP_HOURS).contains(ah));
    memory.capacity.step(shown, true, tick.dt_s).unwrap_or_else(|| {
        let capacity_ah = settings.get(Key::AssumedCapacity);
        notes.push(Note::CapacityAssumed { who: battery.label.clone(), capacity_ah });
        capacity_ah
    })
}

/// Cells in series: as the battery says, as it shows them, as the user says, or the least that fits.
pub(super) fn cells_in_series(
    battery: &Battery,
    settings: &Settings,
    memory: &mut DataMemory,
    tick: Tick,
    notes: &mut Vec<Note>,
) -> u32 {
    let told = battery.cells_in_series.filter(|cells| (1..=MOST_CELLS).contains(cells));
    let shown = u32::try_from(battery.cells_v.len()).ok().filter(|cells| (1..=MOST_CELLS).contains(cells));
    let known = memory.in_series.step(told.or(shown).map(f64::from), false, tick.dt_s);
    if let Some(cells) = known.or(settings.above_zero(Key::CellsInSeries)) {
        return cells as u32;
    }
    let Some(pack_v) = battery.voltage_v.filter(|v| *v > 0.0 && v.is_finite()) else {
        return memory.inferred_cells.max(1);
    };
    // The highest charge voltage that has been seen is nearest to a full pack; rounding down can only charge less.
    let charge_v = battery.limits.charge_voltage_v.filter(|v| *v > 0.0 && *v <= pack_v * CVL_OF_FULL_PACK);
    if let Some(charge_v) = charge_v {
        let cells = (charge_v / settings.get(Key::AbsorptionVoltage) + 1e-6).floor() as u32;
        memory.inferred_cells = memory.inferred_cells.max(cells.min(MOST_CELLS));
    }
    if memory.inferred_cells == 0 {
        let [small, medium, large] = settings.chemistry().nature().in_series;
        memory.inferred_cells = match pack_v {
            v if v < 17.0 => small,
            v if v < 34.0 => medium,
            _ => large,
        };
    }
    notes.push(Note::CellsAssumed { who: battery.label.clone(), cells: memory.inferred_cells });
    memory.inferred_cells
}
