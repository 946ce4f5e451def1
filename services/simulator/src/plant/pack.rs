//! A pack: cells in series with their harness, balancer and temperatures.

use super::balancer::Balancer;
use super::cell::{Cell, CellSpec, Decay, Effects};
use super::chemistry::Chemistry;
use super::rng::Rng;

/// Heat from a cell to the surroundings and to each neighbour, in W/K.
const TO_AMBIENT_W_PER_K: f64 = 0.5;
const TO_NEIGHBOUR_W_PER_K: f64 = 2.0;

/// How a pack is built.
#[derive(Debug, Clone)]
pub struct PackSpec {
    /// Chemistry of its cells.
    pub chemistry: &'static Chemistry,
    /// The cells in series, from the negative end.
    pub cells: Vec<CellSpec>,
    /// Resistance of wires, fuse and switches, in Ω.
    pub harness_ohm: f64,
    /// How it evens out its cells.
    pub balancer: Balancer,
    /// Temperature of cells and surroundings at the start, in °C.
    pub temperature_c: f64,
    /// Second-order effects of the cell model.
    pub effects: Effects,
}

/// How far the cells of a pack differ, as standard deviations of normal distributions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// Of the capacity, relative: 0.01 new, 0.025 aged.
    pub capacity: f64,
    /// Of the state of charge, absolute (fraction).
    pub soc: f64,
    /// Of both resistances, relative.
    pub resistance: f64,
    /// Of the self-discharge, per month.
    pub self_discharge: f64,
}

impl PackSpec {
    /// `count` equal cells, harness 1 mΩ, no balancer, 25 °C.
    pub fn even(
        chemistry: &'static Chemistry,
        count: usize,
        capacity_ah: f64,
        soc: f64,
        effects: Effects,
    ) -> Self {
        Self {
            chemistry,
            cells: vec![CellSpec::of(chemistry, capacity_ah, soc); count],
            harness_ohm: 0.001,
            balancer: Balancer::None,
            temperature_c: 25.0,
            effects,
        }
    }

    /// The same pack with cells that differ by chance.
    pub fn spread(mut self, spread: Spread, rng: &mut Rng) -> Self {
        for cell in &mut self.cells {
            let resistance = (1.0 + spread.resistance * rng.normal()).max(0.1);
            cell.capacity_ah *= (1.0 + spread.capacity * rng.normal()).max(0.1);
            cell.soc += spread.soc * rng.normal();
            cell.r0_ohm *= resistance;
            cell.r1_ohm *= resistance;
            let leak = cell.self_discharge_per_month + spread.self_discharge * rng.normal();
            cell.self_discharge_per_month = leak.max(0.0);
        }
        self
    }
}

/// The state of a pack. Current is positive into the pack; voltages are those at the end of the last step.
#[derive(Debug, Clone)]
pub struct Pack {
    chemistry: &'static Chemistry,
    cells: Vec<Cell>,
    cells_v: Vec<f64>,
    balancing_a: Vec<f64>,
    harness_ohm: f64,
    balancer: Balancer,
    effects: Effects,
    ambient_c: f64,
    current_a: f64,
}

impl Pack {
    /// A pack at rest.
    pub fn new(spec: PackSpec) -> Self {
        let PackSpec { chemistry, cells, harness_ohm, balancer, temperature_c, effects } = spec;
        let cells: Vec<Cell> =
            cells.into_iter().map(|cell| Cell::new(chemistry, effects, cell, temperature_c)).collect();
        let cells_v = cells.iter().map(|cell| cell.voltage_v(0.0)).collect();
        let balancing_a = vec![0.0; cells.len()];
        let ambient_c = temperature_c;
        Self {
            chemistry,
            cells,
            cells_v,
            balancing_a,
            harness_ohm,
            balancer,
            effects,
            ambient_c,
            current_a: 0.0,
        }
    }

    /// The cells, from the negative end.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Terminal voltage of each cell in V.
    pub fn cells_v(&self) -> &[f64] {
        &self.cells_v
    }

    /// Current out of each cell through the balancer in A.
    pub fn balancing_a(&self) -> &[f64] {
        &self.balancing_a
    }

    /// Chemistry of the cells.
    pub fn chemistry(&self) -> &'static Chemistry {
        self.chemistry
    }

    /// Current of the last step in A.
    pub fn current_a(&self) -> f64 {
        self.current_a
    }

    /// Sum of the cell voltages in V.
    pub fn cell_sum_v(&self) -> f64 {
        self.cells_v.iter().sum()
    }

    /// Voltage at the terminals in V.
    pub fn terminal_v(&self) -> f64 {
        self.cell_sum_v() + self.harness_ohm * self.current_a
    }

    /// Highest cell voltage in V.
    pub fn highest_v(&self) -> f64 {
        self.cells_v.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Lowest cell voltage in V.
    pub fn lowest_v(&self) -> f64 {
        self.cells_v.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Mean state of charge of the cells, a fraction.
    pub fn mean_soc(&self) -> f64 {
        self.cells.iter().map(Cell::soc).sum::<f64>() / self.cells.len().max(1) as f64
    }

    /// Capacity of the weakest cell in Ah: what a series string can give.
    pub fn capacity_ah(&self) -> f64 {
        self.cells.iter().map(Cell::capacity_ah).fold(f64::INFINITY, f64::min)
    }

    /// Source voltage and resistance that predict the terminal voltage at the end of a step of `dt_s`.
    pub fn thevenin(&self, dt_s: f64) -> (f64, f64) {
        let decay = Decay::of(self.chemistry, dt_s);
        self.cells
            .iter()
            .map(|cell| cell.thevenin(decay))
            .fold((0.0, self.harness_ohm), |(v, r), cell| (v + cell.0, r + cell.1))
    }

    /// Lets a constant current flow for `dt_s` seconds (at most a few seconds: balancer and temperatures are
    /// taken as constant within a step).
    pub fn step(&mut self, current_a: f64, dt_s: f64) {
        self.current_a = current_a;
        let charging = current_a > 0.0;
        let from_v = self.chemistry.balance_from_v;
        let bleed_w = self.balancer.plan(&self.cells_v, from_v, charging, &mut self.balancing_a);
        if self.effects.temperature {
            self.exchange_heat(current_a, bleed_w / self.cells.len().max(1) as f64, dt_s);
        }
        let decay = Decay::of(self.chemistry, dt_s);
        let voltages = self.cells_v.iter_mut().zip(&self.balancing_a);
        for (cell, (voltage, taken_a)) in self.cells.iter_mut().zip(voltages) {
            cell.step(current_a - taken_a, dt_s, decay);
            *voltage = cell.voltage_v(current_a - taken_a);
        }
    }

    /// Sets the temperature of the surroundings in °C.
    pub fn set_ambient_c(&mut self, ambient_c: f64) {
        self.ambient_c = ambient_c;
    }

    /// Puts every cell at this temperature in °C: a pack carried in from the cold.
    pub fn set_temperature_c(&mut self, temperature_c: f64) {
        self.cells.iter_mut().for_each(|cell| cell.warm_to(temperature_c));
    }

    /// Moves every cell by the same charge so that the mean becomes `soc`, imbalance kept.
    pub fn set_mean_soc(&mut self, soc: f64) {
        let moved_ah = (soc - self.mean_soc()) * self.capacity_ah();
        for (cell, voltage) in self.cells.iter_mut().zip(&mut self.cells_v) {
            cell.set_soc(cell.soc() + moved_ah / cell.capacity_ah());
            *voltage = cell.voltage_v(self.current_a);
        }
    }

    fn exchange_heat(&mut self, current_a: f64, bleed_w: f64, dt_s: f64) {
        let mut from_previous_w = 0.0;
        let ambient_c = self.ambient_c;
        let mut cells = self.cells.iter_mut().peekable();
        while let Some(cell) = cells.next() {
            let own_c = cell.temperature_c();
            let to_next_w =
                cells.peek().map_or(0.0, |next| TO_NEIGHBOUR_W_PER_K * (own_c - next.temperature_c()));
            let to_ambient_w = TO_AMBIENT_W_PER_K * (own_c - ambient_c);
            let gain_w = cell.heat_w(current_a) + bleed_w + from_previous_w - to_next_w - to_ambient_w;
            cell.warm_to(own_c + gain_w * dt_s / cell.heat_capacity_j_per_k());
            from_previous_w = to_next_w;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chemistry::LFP;
    use super::*;

    #[test]
    fn terminal_voltage_is_the_cells_plus_the_harness_and_the_prediction_agrees() {
        let mut pack = Pack::new(PackSpec::even(&LFP, 16, 280.0, 0.5, Effects::NONE));
        let (source_v, resistance_ohm) = pack.thevenin(1.0);
        pack.step(100.0, 1.0);
        assert!((pack.terminal_v() - pack.cell_sum_v() - 0.1).abs() < 1e-9);
        assert!((source_v + 100.0 * resistance_ohm - pack.terminal_v()).abs() < 1e-3);
    }

    #[test]
    fn the_balancer_reduces_imbalance_near_the_top_and_the_least_time_is_the_charge_over_its_current() {
        let mut spec = PackSpec::even(&LFP, 4, 100.0, 0.99, Effects::NONE);
        spec.balancer = Balancer::Passive { bleed_a: 0.15, duty: 1.0 };
        spec.cells[2].soc = 0.995;
        let mut pack = Pack::new(spec);
        let spread = |pack: &Pack| pack.highest_v() - pack.lowest_v();
        let before_v = spread(&pack);
        let mut hours = 0.0;
        while spread(&pack) > 0.0101 && hours < 24.0 {
            // A charger that holds the pack at 3.45 V per cell.
            let (source_v, resistance_ohm) = pack.thevenin(10.0);
            pack.step(((4.0 * 3.45 - source_v) / resistance_ohm).clamp(0.0, 5.0), 10.0);
            hours += 10.0 / 3_600.0;
        }
        assert!(before_v > 0.025, "{before_v}");
        let excess_ah = 0.5;
        assert!(hours < 1.5 * excess_ah / 0.15, "{hours} h");
        let mut socs: Vec<f64> = pack.cells().iter().map(Cell::soc).collect();
        socs.sort_by(f64::total_cmp);
        assert!(socs[3] - socs[0] < 0.002, "{socs:?}");
    }

    #[test]
    fn a_loaded_pack_warms_up_most_in_the_middle_and_returns_to_ambient() {
        let mut pack = Pack::new(PackSpec::even(&LFP, 16, 280.0, 0.5, Effects::ALL));
        pack.set_ambient_c(15.0);
        pack.set_temperature_c(15.0);
        (0..1_800).for_each(|second| pack.step(if second % 2 == 0 { 140.0 } else { -140.0 }, 1.0));
        let (end_c, middle_c) = (pack.cells()[0].temperature_c(), pack.cells()[8].temperature_c());
        assert!((16.0..25.0).contains(&middle_c) && middle_c >= end_c, "{end_c} {middle_c}");
        (0..24 * 360).for_each(|_| pack.step(0.0, 10.0));
        assert!((pack.cells()[8].temperature_c() - 15.0).abs() < 0.1);
    }

    #[test]
    fn a_spread_pack_differs_within_reason_and_the_same_way_for_the_same_seed() {
        let spread = Spread { capacity: 0.025, soc: 0.01, resistance: 0.1, self_discharge: 0.01 };
        let build =
            |seed| PackSpec::even(&LFP, 16, 280.0, 0.5, Effects::ALL).spread(spread, &mut Rng::new(seed, 1));
        assert_eq!(build(3).cells, build(3).cells);
        assert_ne!(build(3).cells, build(4).cells);
        for cell in build(3).cells {
            assert!((250.0..310.0).contains(&cell.capacity_ah) && (0.46..0.54).contains(&cell.soc));
        }
    }

    #[test]
    fn setting_the_charge_of_a_pack_keeps_its_imbalance() {
        let mut spec = PackSpec::even(&LFP, 2, 100.0, 0.5, Effects::NONE);
        spec.cells[1].soc = 0.52;
        let mut pack = Pack::new(spec);
        pack.set_mean_soc(0.9);
        let socs: Vec<f64> = pack.cells().iter().map(Cell::soc).collect();
        assert!((socs[0] - 0.89).abs() < 1e-9 && (socs[1] - 0.91).abs() < 1e-9, "{socs:?}");
    }
}
