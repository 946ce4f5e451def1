//! One cell: a one-RC Thevenin model with an exact update, as in PyBaMM's `equivalent_circuit.Thevenin`.

use super::chemistry::Chemistry;

const SECONDS_PER_HOUR: f64 = 3_600.0;
const HOURS_PER_MONTH: f64 = 720.0;
/// Part of the capacity that must flow before the hysteresis has followed the current's direction.
const HYSTERESIS_SPAN: f64 = 0.02;

/// Which second-order effects the model has. With none of them it is the plain circuit of the reference results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effects {
    /// Open-circuit voltage lies higher after charge and lower after discharge.
    pub hysteresis: bool,
    /// Cells warm up and cool down; resistance and capacity follow the temperature.
    pub temperature: bool,
    /// Resistance rises toward both ends of the charge.
    pub resistance_over_soc: bool,
    /// Not all charge comes back, and some leaks away.
    pub charge_loss: bool,
}

impl Effects {
    /// Everything: what the simulated battery on a bus has.
    pub const ALL: Self =
        Self { hysteresis: true, temperature: true, resistance_over_soc: true, charge_loss: true };
    /// Nothing beside the circuit: 25 °C for ever, constant resistances, no losses of charge.
    pub const NONE: Self =
        Self { hysteresis: false, temperature: false, resistance_over_soc: false, charge_loss: false };
}

/// What makes one cell differ from its neighbour.
#[derive(Debug, Clone, PartialEq)]
pub struct CellSpec {
    /// Capacity in Ah.
    pub capacity_ah: f64,
    /// State of charge at the start, a fraction.
    pub soc: f64,
    /// Ohmic resistance at 25 °C in Ω.
    pub r0_ohm: f64,
    /// Resistance of the RC element at 25 °C in Ω.
    pub r1_ohm: f64,
    /// Part of the capacity lost per month.
    pub self_discharge_per_month: f64,
}

impl CellSpec {
    /// A cell as the chemistry's table has it: resistance falls as the size grows.
    pub fn of(chemistry: &Chemistry, capacity_ah: f64, soc: f64) -> Self {
        let scale = chemistry.nominal_ah / capacity_ah;
        Self {
            capacity_ah,
            soc,
            r0_ohm: chemistry.r0_ohm * scale,
            r1_ohm: chemistry.r1_ohm * scale,
            self_discharge_per_month: chemistry.self_discharge_per_month,
        }
    }
}

/// What a time leaves of the RC element's voltage, a fraction. The same for all cells of a pack.
#[derive(Debug, Clone, Copy)]
pub struct Decay(f64);

impl Decay {
    /// After `dt_s` seconds.
    pub fn of(chemistry: &Chemistry, dt_s: f64) -> Self {
        Self((-dt_s / chemistry.tau_s).exp())
    }
}

/// The state of one cell. Current is positive into the cell.
#[derive(Debug, Clone)]
pub struct Cell {
    chemistry: &'static Chemistry,
    effects: Effects,
    spec: CellSpec,
    soc: f64,
    relaxation_v: f64,
    hysteresis_v: f64,
    temperature_c: f64,
    /// What the tables give for this state; looking it up costs more than all the rest of a step.
    looked_up: LookedUp,
}

#[derive(Debug, Clone, Copy, Default)]
struct LookedUp {
    table_v: f64,
    r0_ohm: f64,
    r1_ohm: f64,
}

impl Cell {
    /// A cell at rest.
    pub fn new(chemistry: &'static Chemistry, effects: Effects, spec: CellSpec, temperature_c: f64) -> Self {
        let (lowest, highest) = chemistry.soc_bounds();
        let soc = spec.soc.clamp(lowest, highest);
        let looked_up = LookedUp::default();
        let mut cell = Self {
            chemistry,
            effects,
            spec,
            soc,
            relaxation_v: 0.0,
            hysteresis_v: 0.0,
            temperature_c,
            looked_up,
        };
        cell.look_up();
        cell
    }

    /// State of charge, a fraction of this cell's own capacity; a little below 0 and above 1 when abused.
    pub fn soc(&self) -> f64 {
        self.soc
    }

    /// Capacity in Ah.
    pub fn capacity_ah(&self) -> f64 {
        self.spec.capacity_ah
    }

    /// Temperature in °C.
    pub fn temperature_c(&self) -> f64 {
        self.temperature_c
    }

    /// Voltage over the RC element in V.
    pub fn relaxation_v(&self) -> f64 {
        self.relaxation_v
    }

    /// Voltage after endless rest in V.
    pub fn open_circuit_v(&self) -> f64 {
        self.looked_up.table_v + self.hysteresis_v
    }

    /// Terminal voltage at this moment with `current_a` flowing.
    pub fn voltage_v(&self, current_a: f64) -> f64 {
        self.open_circuit_v() + self.relaxation_v + self.looked_up.r0_ohm * current_a
    }

    /// Ohmic and RC resistance as they are now, in Ω.
    pub fn resistances_ohm(&self) -> (f64, f64) {
        (self.looked_up.r0_ohm, self.looked_up.r1_ohm)
    }

    /// Source voltage and resistance that predict the terminal voltage at the end of a step.
    pub fn thevenin(&self, Decay(decay): Decay) -> (f64, f64) {
        let (r0, r1) = self.resistances_ohm();
        (self.open_circuit_v() + self.relaxation_v * decay, r0 + r1 * (1.0 - decay))
    }

    /// Lets a constant current flow for `dt_s` seconds; the decay is that of the same time.
    pub fn step(&mut self, current_a: f64, dt_s: f64, Decay(decay): Decay) {
        let (_, r1) = self.resistances_ohm();
        self.relaxation_v = self.relaxation_v * decay + r1 * current_a * (1.0 - decay);

        let hours = dt_s / SECONDS_PER_HOUR;
        let mut stored_ah = current_a * hours;
        if self.effects.charge_loss {
            if current_a > 0.0 {
                stored_ah *= self.chemistry.coulombic_efficiency;
            }
            stored_ah -= self.spec.capacity_ah * self.spec.self_discharge_per_month * hours / HOURS_PER_MONTH;
        }
        let (lowest, highest) = self.chemistry.soc_bounds();
        self.soc = (self.soc + stored_ah / self.spec.capacity_ah).clamp(lowest, highest);

        if self.effects.hysteresis && current_a != 0.0 {
            let target = self.chemistry.hysteresis_v.copysign(current_a);
            let moved = current_a.abs() * hours / (HYSTERESIS_SPAN * self.spec.capacity_ah);
            self.hysteresis_v = target + (self.hysteresis_v - target) * (-moved).exp();
        }
        self.look_up();
    }

    /// Heat set free in the resistances, in W.
    pub fn heat_w(&self, current_a: f64) -> f64 {
        let (r0, r1) = self.resistances_ohm();
        let in_rc = if r1 > 0.0 { self.relaxation_v * self.relaxation_v / r1 } else { 0.0 };
        current_a * current_a * r0 + in_rc
    }

    /// Heat capacity in J/K.
    pub(crate) fn heat_capacity_j_per_k(&self) -> f64 {
        self.chemistry.heat_capacity_j_per_k * self.spec.capacity_ah / self.chemistry.nominal_ah
    }

    /// Sets the temperature; the tables follow with the next step.
    pub(crate) fn warm_to(&mut self, temperature_c: f64) {
        self.temperature_c = temperature_c;
    }

    pub(crate) fn set_soc(&mut self, soc: f64) {
        let (lowest, highest) = self.chemistry.soc_bounds();
        self.soc = soc.clamp(lowest, highest);
        self.look_up();
    }

    fn look_up(&mut self) {
        let chemistry = self.chemistry;
        let (mut factor, mut usable) = (1.0, 1.0);
        if self.effects.temperature {
            factor *= chemistry.resistance_over_c.at(self.temperature_c);
            usable = chemistry.capacity_over_c.at(self.temperature_c);
        }
        if self.effects.resistance_over_soc {
            factor *= chemistry.resistance_over_soc.at(self.soc);
        }
        self.looked_up = LookedUp {
            // Cold hides charge: the cell seems empty sooner, and what it hides is there again when it is warm.
            table_v: chemistry.ocv_v.at(1.0 - (1.0 - self.soc) / usable),
            r0_ohm: self.spec.r0_ohm * factor,
            r1_ohm: self.spec.r1_ohm * factor,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::chemistry::{LFP, NMC};
    use super::*;

    fn run(cell: &mut Cell, current_a: f64, dt_s: f64, steps: usize) {
        let decay = Decay::of(cell.chemistry, dt_s);
        for _ in 0..steps {
            cell.step(current_a, dt_s, decay);
        }
    }

    fn cell(effects: Effects, soc: f64) -> Cell {
        Cell::new(&LFP, effects, CellSpec::of(&LFP, 280.0, soc), 25.0)
    }

    #[test]
    fn after_the_current_stops_the_voltage_relaxes_with_the_time_constant() {
        for (chemistry, capacity_ah) in [(&LFP, 280.0), (&NMC, 50.0)] {
            let mut cell =
                Cell::new(chemistry, Effects::NONE, CellSpec::of(chemistry, capacity_ah, 0.5), 25.0);
            run(&mut cell, 0.5 * capacity_ah, 1.0, 1_000);
            let above = cell.voltage_v(0.0) - cell.open_circuit_v();
            run(&mut cell, 0.0, 1.0, chemistry.tau_s as usize);
            let left = cell.voltage_v(0.0) - cell.open_circuit_v();
            assert!((left / above - (-1f64).exp()).abs() < 1e-9, "{}: {}", chemistry.name, left / above);
            run(&mut cell, 0.0, 1.0, (10.0 * chemistry.tau_s) as usize);
            assert!((cell.voltage_v(0.0) - chemistry.ocv_v.at(cell.soc())).abs() < 1e-5);
        }
    }

    #[test]
    fn the_update_is_exact_so_that_the_length_of_a_step_does_not_matter() {
        let (mut fine, mut coarse) = (cell(Effects::NONE, 0.4), cell(Effects::NONE, 0.4));
        run(&mut fine, 100.0, 0.1, 600);
        run(&mut coarse, 100.0, 60.0, 1);
        assert!((fine.relaxation_v() - coarse.relaxation_v()).abs() < 1e-12);
        assert!((fine.soc() - coarse.soc()).abs() < 1e-12);
    }

    #[test]
    fn charge_put_in_is_charge_stored_over_the_efficiency() {
        let mut cell = cell(Effects { charge_loss: true, ..Effects::NONE }, 0.2);
        cell.spec.self_discharge_per_month = 0.0;
        run(&mut cell, 28.0, 1.0, 3_600);
        let stored_ah = (cell.soc() - 0.2) * 280.0;
        assert!((stored_ah / 28.0 - LFP.coulombic_efficiency).abs() < 1e-9);
        run(&mut cell, -28.0, 1.0, 3_600);
        assert!((cell.soc() - (0.2 - 0.1 * (1.0 - LFP.coulombic_efficiency))).abs() < 1e-9);
    }

    #[test]
    fn electrical_work_is_energy_stored_plus_heat() {
        let mut cell = cell(Effects::NONE, 0.3);
        let dt_s = 0.05;
        let (mut work_j, mut stored_j, mut heat_j) = (0.0, 0.0, 0.0);
        for step in 0..40_000 {
            let current_a = if step < 20_000 { 140.0 } else { -90.0 };
            let before = (cell.voltage_v(current_a), cell.open_circuit_v(), cell.heat_w(current_a));
            run(&mut cell, current_a, dt_s, 1);
            work_j += 0.5 * (before.0 + cell.voltage_v(current_a)) * current_a * dt_s;
            stored_j += 0.5 * (before.1 + cell.open_circuit_v()) * current_a * dt_s;
            heat_j += 0.5 * (before.2 + cell.heat_w(current_a)) * dt_s;
        }
        let in_capacitor_j = 0.5 * LFP.tau_s / LFP.r1_ohm * cell.relaxation_v().powi(2);
        let difference = work_j - stored_j - heat_j - in_capacitor_j;
        assert!(difference.abs() < 1e-5 * work_j.abs(), "{difference} J of {work_j} J");
    }

    #[test]
    fn hysteresis_follows_the_direction_of_the_current_and_stays_at_rest() {
        let mut cell = cell(Effects { hysteresis: true, ..Effects::NONE }, 0.5);
        let offset = |cell: &Cell| cell.open_circuit_v() - LFP.ocv_v.at(cell.soc());
        run(&mut cell, 56.0, 1.0, 3_600);
        assert!((offset(&cell) - 0.008).abs() < 1e-4);
        run(&mut cell, 0.0, 1.0, 3_600);
        assert!((offset(&cell) - 0.008).abs() < 1e-4);
        run(&mut cell, -56.0, 1.0, 3_600);
        assert!((offset(&cell) + 0.008).abs() < 1e-4);
    }

    #[test]
    fn a_cold_cell_has_more_resistance_and_seems_emptier_but_loses_no_charge() {
        let spec = CellSpec::of(&LFP, 280.0, 0.1);
        let warm = Cell::new(&LFP, Effects::ALL, spec.clone(), 25.0);
        let cold = Cell::new(&LFP, Effects::ALL, spec, 0.0);
        assert!(cold.open_circuit_v() < warm.open_circuit_v() - 0.05);
        assert_eq!(cold.soc(), warm.soc());
        assert!((cold.resistances_ohm().0 / warm.resistances_ohm().0 - 2.4).abs() < 1e-9);
    }
}
