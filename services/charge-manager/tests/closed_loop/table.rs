//! Our laws against the ideal charge, with publish grid, slew and dwell as they are in use.

use simulator::charger::ChargerSpec;
use simulator::plant::pack::{Pack, PackSpec};
use simulator::plant::sensors::Noise;

use crate::ideal::{ABSORPTION_V, CEILING_V, ideal};
use crate::packs::{self, CAPACITY_AH, CELLS};
use crate::rig::{Device, Rig};

const MAX_A: f64 = 140.0;

fn packs_of_the_table() -> [(&'static str, PackSpec); 4] {
    [
        ("healthy", packs::healthy(0.2)),
        ("top balanced", packs::top_balanced()),
        ("equal charge", packs::capacity_spread(0.2)),
        ("double R", packs::one_bad_cell(0.2, 2.0)),
    ]
}

fn charger(dead_time_s: f64, lag_s: f64) -> ChargerSpec {
    ChargerSpec { dead_time_s, lag_s, voltage_step_v: 0.1, current_step_a: 0.1, ..ChargerSpec::IDEAL }
}

struct Row {
    time: f64,
    highest_v: f64,
    soc: f64,
    changes: f64,
    rises: f64,
    worst_changes: usize,
    worst_rises: usize,
    above_360_s: f64,
}

/// Charges from the cold start of the manager until the current is down to the tail, and compares with the ideal.
fn charge(pack: &PackSpec, spec: ChargerSpec, noise: Noise, most_a: f64) -> Option<Row> {
    let tail_a = 0.05 * CAPACITY_AH;
    let best = ideal(Pack::new(pack.clone()), most_a, tail_a);
    let bank = packs::bank(vec![pack.clone()], noise);
    let mut rig = Rig::new(bank, vec![Device::follower(spec, most_a)]);
    rig.devices[0].facts.response_s = spec.dead_time_s + spec.lag_s;
    // From the moment at which current may flow: the ten seconds of the start and the way up are ours.
    let from_s = rig.now_s;
    let full = |rig: &Rig| {
        let module = rig.module(0);
        let volts = module.pack.cell_sum_v() >= CELLS as f64 * ABSORPTION_V - 0.15
            || module.pack.highest_v() >= CEILING_V - 0.010
            || rig.ccl() < tail_a;
        rig.now_s - from_s > 300.0 && volts && rig.bank.current_a() <= tail_a
    };
    let taken_s = rig.run_until(6.0 * 3_600.0, full)?;
    let minutes = taken_s / 60.0;
    let module = rig.module(0);
    Some(Row {
        time: taken_s / best.full_s,
        highest_v: rig.measured.highest_v,
        soc: module.pack.mean_soc() - best.mean_soc,
        changes: f64::from(rig.measured.changes) / minutes,
        rises: f64::from(rig.measured.rises) / minutes,
        worst_changes: rig.invariants.worst_changes_per_min,
        worst_rises: rig.invariants.worst_rises_per_min,
        above_360_s: rig.measured.above_360_s,
    })
}

#[test]
fn no_charge_takes_more_than_a_twentieth_longer_than_the_ideal_one() {
    let noisy = Noise { voltage_sigma_v: 0.002, voltage_step_v: 0.001, ..Noise::NONE };
    let current_only =
        |dead, lag, step| ChargerSpec { obeys_voltage: false, current_step_a: step, ..charger(dead, lag) };
    let quick = charger(2.0, 2.0);
    let none = Noise::NONE;
    let chargers = [
        ("2 s + 2 s", quick, none, MAX_A),
        ("2 s + 2 s, 84 A", quick, none, 84.0),
        ("2 s + 2 s, 56 A", quick, none, 56.0),
        ("5 s + 5 s", charger(5.0, 5.0), none, MAX_A),
        ("8 s + 3 s", charger(8.0, 3.0), none, MAX_A),
        ("CCL only, 3 s + 3 s", current_only(3.0, 3.0, 0.1), none, MAX_A),
        ("CCL only, 8 s + 3 s, 1 A", current_only(8.0, 3.0, 1.0), none, MAX_A),
        ("CVL only, 3 s + 3 s", ChargerSpec { obeys_current: false, ..charger(3.0, 3.0) }, none, MAX_A),
        ("meter −0.2 V", ChargerSpec { meter_offset_v: -0.2, ..quick }, none, MAX_A),
        ("meter +0.2 V", ChargerSpec { meter_offset_v: 0.2, ..quick }, none, MAX_A),
        ("current gain +1 %", ChargerSpec { current_gain_error: 0.01, ..quick }, none, MAX_A),
        ("2 mV cell noise", quick, noisy, MAX_A),
        ("typical noise", quick, Noise::TYPICAL, MAX_A),
        ("SMA", ChargerSpec::SMA, none, MAX_A),
        ("Victron", ChargerSpec::VICTRON, none, MAX_A),
    ];
    println!(
        "{:<26}{:<14}{:>8}{:>9}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "charger", "pack", "t/ideal", "Vmax", "ΔSoC %", "chg/min", "rise/mn", "worst c", "worst r", ">3.60"
    );
    let mut broken = Vec::new();
    for (name, spec, noise, most_a) in chargers {
        for (pack_name, pack) in packs_of_the_table() {
            let Some(row) = charge(&pack, spec, noise, most_a) else {
                println!("{name:<26}{pack_name:<14}never full");
                broken.push(format!("{name}, {pack_name}: never full"));
                continue;
            };
            println!(
                "{name:<26}{pack_name:<14}{:>8.3}{:>9.3}{:>10.2}{:>8.2}{:>8.2}{:>8}{:>8}{:>8}",
                row.time,
                row.highest_v,
                100.0 * row.soc,
                row.changes,
                row.rises,
                row.worst_changes,
                row.worst_rises,
                row.above_360_s
            );
            // A charge that ends a little early must not have left more than 0.3 % out.
            if row.time > 1.05 || row.soc < -0.003 || row.above_360_s > 0.0 {
                broken.push(format!("{name}, {pack_name}: {:.3}, {:.3} V", row.time, row.highest_v));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
