//! The fastest possible charge of four packs, found by bisection second by second, against reference results that
//! were computed with an independent implementation of the same circuit. If these agree, the plant is right.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "helpers of tests, where a panic is the message"
)]

use simulator::plant::cell::{Cell, Effects};
use simulator::plant::chemistry::LFP;
use simulator::plant::pack::{Pack, PackSpec};

const CELLS: usize = 16;
const ABSORPTION_V: f64 = 3.45;
const CEILING_V: f64 = 3.50;

/// What a charge was like.
struct Charge {
    limited_from_s: f64,
    full_s: f64,
    charge_ah: f64,
    highest_v: f64,
    mean_soc: f64,
}

/// At each second the largest current for which, at its end, the cells stay below both targets; done when that
/// current has fallen to the tail.
fn ideal_charge(mut pack: Pack, max_a: f64, tail_a: f64) -> Charge {
    let allowed = |pack: &Pack, current_a: f64| {
        let mut next = pack.clone();
        next.step(current_a, 1.0);
        next.cell_sum_v() <= CELLS as f64 * ABSORPTION_V && next.highest_v() <= CEILING_V
    };
    let (mut seconds, mut charge_ah, mut limited_from_s) = (0.0, 0.0, None);
    while seconds < 40_000.0 {
        let mut current_a = max_a;
        if limited_from_s.is_some() || !allowed(&pack, max_a) {
            limited_from_s.get_or_insert(seconds);
            let (mut low_a, mut high_a) = (0.0, max_a);
            while high_a - low_a > 0.01 {
                let middle_a = 0.5 * (low_a + high_a);
                if allowed(&pack, middle_a) { low_a = middle_a } else { high_a = middle_a }
            }
            current_a = low_a;
            if current_a <= tail_a {
                break;
            }
        }
        pack.step(current_a, 1.0);
        seconds += 1.0;
        charge_ah += current_a / 3_600.0;
    }
    Charge {
        limited_from_s: limited_from_s.expect("the charge must end"),
        full_s: seconds,
        charge_ah,
        highest_v: pack.highest_v(),
        mean_soc: pack.mean_soc(),
    }
}

fn healthy() -> PackSpec {
    PackSpec::even(&LFP, CELLS, 280.0, 0.2, Effects::NONE)
}

/// Capacities from 95 % to 100 % in even steps.
fn capacity_spread() -> PackSpec {
    let mut spec = healthy();
    for (index, cell) in spec.cells.iter_mut().enumerate() {
        cell.capacity_ah = 280.0 * (0.95 + 0.05 * index as f64 / (CELLS - 1) as f64);
    }
    spec
}

/// The same, all cells full at the same moment; the smallest one at 20 %.
fn top_balanced() -> PackSpec {
    let mut spec = capacity_spread();
    for cell in &mut spec.cells {
        cell.soc = 1.0 - 0.8 * 0.95 * 280.0 / cell.capacity_ah;
    }
    spec
}

fn one_cell_with_double_resistance() -> PackSpec {
    let mut spec = healthy();
    spec.cells[5].r0_ohm *= 2.0;
    spec.cells[5].r1_ohm *= 2.0;
    spec
}

fn as_in_the_reference(what: &str, got: f64, reference: f64) {
    assert!((got / reference - 1.0).abs() < 0.001, "{what}: {got:.1}, reference {reference}");
}

#[test]
fn at_140_a_the_ideal_charge_of_each_pack_is_that_of_the_reference_as_in_the_reference() {
    for (name, spec, limited_from_s, full_s, to_4_a_s, charge_ah, highest_v, mean_soc) in [
        ("healthy", healthy(), 5683.0, 5868.0, 5996.0, 223.61, 3.450, 0.9986),
        ("top balanced", top_balanced(), 5397.0, 5578.0, 5704.0, 212.41, 3.450, 0.9986),
        ("equal charge", capacity_spread(), 5448.0, 5553.0, 5656.0, 213.15, 3.500, 0.9808),
        (
            "double resistance",
            one_cell_with_double_resistance(),
            3276.0,
            6075.0,
            6207.0,
            223.59,
            3.465,
            0.9985,
        ),
    ] {
        let charge = ideal_charge(Pack::new(spec.clone()), 140.0, 14.0);
        println!(
            "{name}: limited from {} s, full at {} s, {:.2} Ah, {:.3} V, mean {:.4}",
            charge.limited_from_s, charge.full_s, charge.charge_ah, charge.highest_v, charge.mean_soc
        );
        as_in_the_reference(name, charge.limited_from_s, limited_from_s);
        as_in_the_reference(name, charge.full_s, full_s);
        as_in_the_reference(name, charge.charge_ah, charge_ah);
        assert!((charge.highest_v - highest_v).abs() < 0.002, "{name}: {}", charge.highest_v);
        assert!((charge.mean_soc - mean_soc).abs() < 0.002, "{name}: {}", charge.mean_soc);
        as_in_the_reference(name, ideal_charge(Pack::new(spec), 140.0, 4.0).full_s, to_4_a_s);
    }
}

#[test]
fn at_lower_currents_the_ideal_charge_of_each_pack_is_that_of_the_reference_as_in_the_reference() {
    for (name, spec, at_84_a_s, at_56_a_s) in [
        ("healthy", healthy(), 9653.0, 14412.0),
        ("top balanced", top_balanced(), 9171.0, 13691.0),
        ("equal charge", capacity_spread(), 9169.0, 13720.0),
        ("double resistance", one_cell_with_double_resistance(), 9657.0, 14415.0),
    ] {
        as_in_the_reference(name, ideal_charge(Pack::new(spec.clone()), 84.0, 14.0).full_s, at_84_a_s);
        as_in_the_reference(name, ideal_charge(Pack::new(spec), 56.0, 14.0).full_s, at_56_a_s);
    }
}

#[test]
fn in_the_ideal_charge_of_the_uneven_pack_the_lowest_cell_stays_on_the_plateau() {
    let mut pack = Pack::new(capacity_spread());
    (0..5_448).for_each(|_| pack.step(140.0, 1.0));
    let emptiest = pack.cells().iter().map(Cell::soc).fold(f64::INFINITY, f64::min);
    assert!(emptiest < 0.97 && pack.lowest_v() < 3.45, "{emptiest} {}", pack.lowest_v());
}
