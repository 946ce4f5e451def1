//! What is charged: the packs of the reference table, and banks of them.

use simulator::plant::balancer::Balancer;
use simulator::plant::bank::Bank;
use simulator::plant::bms::BmsSpec;
use simulator::plant::cell::Effects;
use simulator::plant::chemistry::LFP;
use simulator::plant::module::{Module, ModuleSpec};
use simulator::plant::pack::PackSpec;
use simulator::plant::rng::Rng;
use simulator::plant::sensors::Noise;

pub(crate) const CELLS: usize = 16;
pub(crate) const CAPACITY_AH: f64 = 280.0;

/// 16 even cells of 280 Ah at this state of charge (a fraction), without anything but the circuit.
pub(crate) fn healthy(soc: f64) -> PackSpec {
    PackSpec::even(&LFP, CELLS, CAPACITY_AH, soc, Effects::NONE)
}

/// The same with everything a real one has.
pub(crate) fn real(capacity_ah: f64, soc: f64) -> PackSpec {
    PackSpec::even(&LFP, CELLS, capacity_ah, soc, Effects::ALL)
}

/// Capacities from 95 % to 100 % in even steps, all cells at the same state of charge.
pub(crate) fn capacity_spread(soc: f64) -> PackSpec {
    let mut spec = healthy(soc);
    for (index, cell) in spec.cells.iter_mut().enumerate() {
        cell.capacity_ah = CAPACITY_AH * (0.95 + 0.05 * index as f64 / (CELLS - 1) as f64);
    }
    spec
}

/// The same, all cells full at the same moment; the smallest one at 20 %.
pub(crate) fn top_balanced() -> PackSpec {
    let mut spec = capacity_spread(0.2);
    for cell in &mut spec.cells {
        cell.soc = 1.0 - 0.8 * 0.95 * CAPACITY_AH / cell.capacity_ah;
    }
    spec
}

/// One cell with this many times the resistance.
pub(crate) fn one_bad_cell(soc: f64, times: f64) -> PackSpec {
    let mut spec = healthy(soc);
    spec.cells[5].r0_ohm *= times;
    spec.cells[5].r1_ohm *= times;
    spec
}

pub(crate) fn passive(mut spec: PackSpec, bleed_a: f64) -> PackSpec {
    spec.balancer = Balancer::Passive { bleed_a, duty: 1.0 };
    spec
}

/// A module whose BMS always allows 0.5C to charge and 200 A to discharge, up to 57.6 V.
pub(crate) fn module(pack: PackSpec, noise: Noise, seed: u64) -> Module {
    let capacity_ah = pack.cells.iter().map(|cell| cell.capacity_ah).fold(0.0, f64::max);
    let soc = pack.cells.iter().map(|cell| cell.soc).sum::<f64>() / pack.cells.len() as f64;
    let cells = pack.cells.len() as f64;
    let bms = BmsSpec {
        charge_voltage_limit_v: 3.6 * cells,
        discharge_voltage_limit_v: 2.8 * cells,
        max_charge_current_a: 0.5 * capacity_ah,
        max_discharge_current_a: 200.0,
        tapers: false,
        nominal_ah: capacity_ah,
        soc,
        soc_gain_error: 0.0,
        soh_percent: 100.0,
    };
    Module::new(ModuleSpec { pack, bms, noise }, Rng::new(seed, 0))
}

pub(crate) fn bank(packs: Vec<PackSpec>, noise: Noise) -> Bank {
    Bank::new(packs.into_iter().zip(1..).map(|(pack, seed)| module(pack, noise, seed)).collect())
}
