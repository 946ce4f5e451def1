//! What the members are together.

use crate::history::{Flow, History};
use crate::membership::{Roster, Unit};
use crate::memory::Memory;
use crate::settings::{Key, Settings};
use crate::soc::{self, Charged, Soc};
use crate::tick::Tick;
use crate::validate::Sound;

/// The bank at this moment, by its members.
#[derive(Debug, Clone, Default)]
pub(super) struct Bank {
    /// Mean voltage of the members, V.
    pub(super) bus_v: Option<f64>,
    /// Sum of their currents, A.
    pub(super) current_a: f64,
    /// Sum of their capacities, Ah.
    pub(super) capacity_ah: f64,
    /// Highest cell (or mean) of all, V.
    pub(super) top_v: Option<f64>,
    /// Lowest cell (or mean) of all, V.
    pub(super) bottom_v: Option<f64>,
    /// Mean of all cells, V.
    pub(super) mean_v: Option<f64>,
    /// Hottest temperature, °C.
    pub(super) hottest_c: Option<f64>,
    /// Cells in series: least and most.
    pub(super) cells: Option<(f64, f64)>,
}

/// The members, in the order of the roster.
pub(super) fn inside<'a>(units: &'a [Unit], roster: &'a Roster) -> impl Iterator<Item = &'a Unit> {
    roster.inside.iter().filter_map(|&index| units.get(index))
}

impl Bank {
    pub(super) fn of(units: &[Unit], roster: &Roster) -> Bank {
        let mut bank = Bank::default();
        let (mut sum_v, mut count, mut cell_sum_v, mut cell_count) = (0.0, 0.0, 0.0, 0.0);
        let most = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        let least = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::min);
        for Unit { sound, .. } in inside(units, roster) {
            bank.current_a += sound.current_a.unwrap_or(0.0);
            bank.capacity_ah += sound.capacity_ah;
            if let Some(v) = sound.voltage_v {
                (sum_v, count) = (sum_v + v, count + 1.0);
            }
            if let Some(v) = sound.mean_v {
                (cell_sum_v, cell_count) = (cell_sum_v + v, cell_count + 1.0);
            }
            bank.top_v = most(bank.top_v, sound.top_v());
            bank.bottom_v = least(bank.bottom_v, sound.bottom_v());
            bank.hottest_c = most(bank.hottest_c, sound.heat.hottest.as_ref().map(|spot| spot.celsius));
            let (fewest, largest) = bank.cells.unwrap_or((sound.n(), sound.n()));
            bank.cells = Some((fewest.min(sound.n()), largest.max(sound.n())));
        }
        bank.bus_v = (count > 0.0).then(|| sum_v / count);
        bank.mean_v = (cell_count > 0.0).then(|| cell_sum_v / cell_count);
        bank
    }

    /// Most cells in series of a member.
    pub(super) fn most_cells(&self) -> f64 {
        self.cells.map_or(1.0, |(_, most)| most)
    }

    /// Current in parts of the capacity.
    pub(super) fn current_c(&self) -> f64 {
        if self.capacity_ah > 0.0 { self.current_a / self.capacity_ah } else { 0.0 }
    }
}

fn charged(sound: &Sound) -> Charged {
    Charged {
        label: sound.label.clone(),
        soc: sound.soc,
        capacity_ah: sound.capacity_ah,
        current_a: sound.current_a.unwrap_or(0.0),
        cell_v: sound.mean_v,
        sample_s: sound.sample_s,
    }
}

/// The state of charge of the bank.
pub(super) fn soc(
    units: &[Unit],
    roster: &Roster,
    memory: &mut Memory,
    starts: bool,
    settings: &Settings,
    tick: Tick,
) -> Soc {
    let members: Vec<Charged> = inside(units, roster).map(|unit| charged(&unit.sound)).collect();
    let monitor = roster.monitor.and_then(|index| units.get(index)).map(|unit| charged(&unit.sound));
    soc::step(&members, monitor.as_ref(), &mut memory.soc, starts, settings, tick)
}

/// Counts what flowed, sample by sample, and widens the extremes.
pub(super) fn count(units: &[Unit], roster: &Roster, bank: &Bank, memory: &mut Memory) {
    let history = &mut memory.history;
    for Unit { sound, .. } in inside(units, roster) {
        let Some(sample_s) = sound.sample_s else { continue };
        if let (Some(voltage_v), Some(current_a)) = (sound.voltage_v, sound.current_a) {
            history.flow(Flow { voltage_v, current_a, sample_s }, bank.capacity_ah);
            History::widen(&mut history.voltage_v, voltage_v, voltage_v);
        }
        if let (Some(highest), Some(lowest)) = (&sound.highest, &sound.lowest) {
            History::widen(&mut history.cell_v, lowest.v, highest.v);
        }
        if let (Some(coldest), Some(hottest)) = (&sound.heat.coldest, &sound.heat.hottest) {
            History::widen(&mut history.temperature_c, coldest.celsius, hottest.celsius);
        }
    }
    memory.bank.last_bus_v = bank.bus_v.or(memory.bank.last_bus_v);
}

/// The lowest voltage of the bank under load: the highest of those that the members may have.
pub(super) fn low_voltage_v(units: &[Unit], roster: &Roster, settings: &Settings) -> Option<f64> {
    let own = |unit: &Unit| {
        let stop_v = unit.sound.n() * settings.get(Key::DischargeStop);
        unit.sound.low_voltage_v.map_or(stop_v, |v| v.max(stop_v))
    };
    inside(units, roster).map(own).reduce(f64::max)
}
