//! Simulated inverters do what is written to their registers, as each maker means it. Registers and numbers are typed from
//! the makers' lists: neither a profile's sequences nor the service that writes them are asked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

#[path = "inverters_obey/bench.rs"]
mod bench;

use simulator::inverters::plant::{Kind, State};

use bench::{Bench, close, folder};

#[test]
fn limits_of_current_power_and_voltage_and_of_the_state_of_charge_hold() {
    // A profile, its register for charging and for discharging, raw values for 10 A or 500 W.
    for (id, charge, discharge, raw, is_power) in [
        ("deye-one-phase", 210, 211, 10, false),
        ("deye-three-phase-lv", 108, 109, 10, false),
        ("goodwe-et", 45353, 45355, 100, false),
        ("luxpower", 101, 102, 10, false),
        ("solis-hybrid", 43117, 43118, 100, false),
        ("sungrow-sh", 33046, 33047, 50, true),
    ] {
        let mut bench = Bench::new(id, 4_000.0, 300.0, 0.5);
        assert!(bench.flow().battery_a > 20.0, "{id}");
        bench.write(charge, &[raw]).unwrap();
        let flow = bench.flow();
        if is_power {
            close(flow.battery_w, 500.0)
        } else {
            close(flow.battery_a, 10.0)
        }
        bench.unit.plant.site.sun_w = 0.0;
        bench.unit.plant.site.load_w = 3_000.0;
        bench.write(discharge, &[raw]).unwrap();
        let flow = bench.pass(1);
        if is_power {
            close(flow.battery_w, -500.0)
        } else {
            close(flow.battery_a, -10.0)
        }
        assert!(flow.ac_in_w > 2_000.0, "{id}: the grid has the rest");
    }
    let mut bench = Bench::new("deye-one-phase", 4_000.0, 300.0, 0.5);
    let amps = bench.flow().battery_a;
    // The battery without current has 51.7 V: 51.80 V leave it little.
    bench.write(202, &[5_180]).unwrap();
    assert!((0.0..0.6 * amps).contains(&bench.flow().battery_a), "{:?}", bench.flow());
    bench.write(202, &[5_000]).unwrap();
    assert_eq!(bench.flow().battery_a, 0.0);
    let mut bench = Bench::new("sungrow-sh", 4_000.0, 300.0, 0.5);
    bench.write(13057, &[450]).unwrap();
    assert_eq!(bench.flow().battery_w, 0.0, "45 % is enough");
    bench.unit.plant.site.sun_w = 0.0;
    bench.write(13058, &[550]).unwrap();
    assert_eq!(bench.flow().battery_w, 0.0, "55 % stay in it");
}

#[test]
fn a_deye_s_time_table_charges_from_the_grid_only_where_all_of_it_says_so() {
    for (id, in_use, targets, charges, grid, grid_a) in [
        ("deye-one-phase", 248, 268, 274, 232, 230),
        ("deye-three-phase-lv", 146, 166, 172, 130, 128),
        ("deye-three-phase-hv", 146, 166, 172, 130, 128),
    ] {
        let mut bench = Bench::new(id, 0.0, 300.0, 0.5);
        assert!(bench.flow().battery_w < 0.0);
        bench.write(in_use, &[1]).unwrap();
        bench.write(targets, &[80; 6]).unwrap();
        bench.write(charges, &[1, 1, 1, 1, 1, 0]).unwrap();
        assert!(bench.flow().battery_w < 0.0, "{id}: the last slot does not charge");
        bench.write(charges, &[1; 6]).unwrap();
        bench.write(grid_a, &[25]).unwrap();
        close(bench.flow().battery_a, 25.0);
        assert!(bench.flow().grid_w > 1_500.0, "{id}");
        bench.write(grid, &[0]).unwrap();
        assert_eq!(bench.flow().battery_w, 0.0, "{id}: the grid may not");
        bench.write(grid, &[1]).unwrap();
        bench.write(targets, &[40; 6]).unwrap();
        assert!(bench.flow().battery_w < 0.0, "{id}: 40 % are there");
    }
}

#[test]
fn a_growatt_xh_heeds_its_first_slot_only_where_it_counts_and_lasts_all_day() {
    let mut bench = Bench::new("growatt-xh", 0.0, 300.0, 0.5);
    let feeds_the_house = |bench: &mut Bench| {
        let flow = bench.flow();
        flow.battery_w < -800.0 && flow.grid_w.abs() < 1.0
    };
    assert!(feeds_the_house(&mut bench), "{:?}", bench.flow());
    bench.write(3047, &[40, 100, 1]).unwrap();
    for (slot, why) in [
        ([0x2000, 0x173B], "it does not count"),
        ([0x8000, 0x173B], "the load is first"),
        ([0xA600, 0x173B], "it begins at six"),
        ([0xA000, 0x0C00], "it ends at noon"),
    ] {
        bench.write(3038, &slot).unwrap();
        assert!(feeds_the_house(&mut bench), "{why}: {:?}", bench.flow());
    }
    bench.write(3038, &[0xA000, 0x173B]).unwrap();
    close(bench.flow().battery_w, 2_000.0);
    bench.write(3049, &[0]).unwrap();
    assert_eq!(bench.flow().battery_w, 0.0, "the grid may not");
    bench.write(3047, &[40, 45, 1]).unwrap();
    assert_eq!(bench.flow().battery_w.max(0.0), 0.0, "45 % are there");
    // With the grid first: into the grid, down to 60 %, and so not at all; then down to 20 %.
    bench.write(3036, &[40, 60, 0xC000, 0x173B]).unwrap();
    assert_eq!(bench.flow().battery_w, 0.0);
    bench.write(3037, &[20]).unwrap();
    close(bench.flow().battery_w, -2_000.0);
    assert!(bench.flow().grid_w < -900.0, "{:?}", bench.flow());
}

#[test]
fn forced_powers_are_what_each_maker_calls_them() {
    // Writes, and the power of the battery that they mean.
    type Case = (&'static str, &'static [(u16, &'static [u16])], f64);
    let cases: &[Case] = &[
        ("goodwe-et", &[(47511, &[11, 1_000])], 1_000.0),
        ("goodwe-et", &[(47511, &[12, 1_500])], -1_500.0),
        ("goodwe-et", &[(47511, &[8, 1_500])], 0.0),
        ("goodwe-et", &[(47603, &[20]), (47545, &[1])], 1_000.0),
        ("sma-sunny-island", &[(40149, &[0xFFFF, 0xFC18, 0, 802, 0, 0])], 1_000.0),
        ("sma-sunny-island", &[(40149, &[0, 1_500, 0, 802, 0, 0])], -1_500.0),
        ("sofar-hyd", &[(0x1187, &[0, 0, 0, 1_000, 0, 1_000]), (0x1110, &[3])], 1_000.0),
        ("sofar-hyd", &[(0x1187, &[0, 0, 0xFFFF, 0xFA24, 0xFFFF, 0xFA24]), (0x1110, &[3])], -1_500.0),
        ("solis-hybrid", &[(43136, &[100]), (43135, &[1])], 1_000.0),
        ("solis-hybrid", &[(43129, &[150]), (43135, &[2])], -1_500.0),
        ("sungrow-sh", &[(13049, &[2]), (13050, &[0xAA, 1_000])], 1_000.0),
        ("sungrow-sh", &[(13049, &[2]), (13050, &[0xBB, 1_500])], -1_500.0),
        ("growatt-sph", &[(1092, &[1]), (1090, &[20]), (1091, &[90]), (1100, &[0, 0x173B, 1])], 1_000.0),
        ("growatt-xh", &[(3047, &[20, 90, 1]), (3038, &[0xA000, 0x173B])], 1_000.0),
        ("growatt-xh", &[(3036, &[30, 20, 0xC000, 0x173B])], -1_500.0),
    ];
    for (id, writes, watts) in cases {
        for sun_w in [0.0, 3_000.0] {
            let mut bench = Bench::new(id, sun_w, 1_800.0, 0.5);
            for (first, words) in *writes {
                bench.write(*first, words).unwrap_or_else(|code| panic!("{id} {first}: exception {code}"));
            }
            close(bench.flow().battery_w, *watts);
        }
    }
}

#[test]
fn a_set_point_that_nobody_repeats_lapses() {
    type Case = (&'static str, &'static [(u16, &'static [u16])], u64);
    let cases: &[Case] = &[
        ("sma-sunny-island", &[(40149, &[0xFFFF, 0xFC18, 0, 802, 0, 0])], 60),
        ("solis-hybrid", &[(43136, &[100]), (43135, &[1])], 300),
        ("sofar-hyd", &[(0x1110, &[3]), (0x1187, &[0, 0, 0, 1_000, 0, 1_000])], 60),
        ("luxpower", &[(234, &[10]), (233, &[1])], 600),
    ];
    for (id, writes, lasts_s) in cases {
        let mut bench = Bench::new(id, 0.0, 1_000.0, 0.5);
        let all = |bench: &mut Bench| writes.iter().for_each(|(at, words)| bench.write(*at, words).unwrap());
        all(&mut bench);
        for _ in 0..4 {
            assert!(bench.pass(lasts_s / 2).battery_w > 900.0, "{id} is repeated");
            all(&mut bench);
        }
        assert!(bench.pass(lasts_s - 1).battery_w > 900.0, "{id}");
        assert!(bench.pass(2).battery_w < 0.0, "{id} is left alone");
    }
}

#[test]
fn an_off_grid_unit_without_leave_to_discharge_sheds_its_load_and_that_is_counted() {
    for (id, island) in [
        ("deye-one-phase", (281, 1)),
        ("deye-three-phase-lv", (179, 1)),
        ("goodwe-et", (47000, 1)),
        ("sofar-hyd", (0x1110, 5)),
        ("solis-hybrid", (43110, 4)),
    ] {
        let mut bench = Bench::new(id, 0.0, 1_000.0, 0.5);
        bench.write(island.0, &[island.1]).unwrap();
        assert_eq!(bench.unit.plant.state(), State::Inverting, "{id}");
        let flow = bench.flow();
        assert_eq!((flow.ac_out_w, flow.ac_in_w), (1_000.0, 0.0), "{id}");
        assert_eq!(flow.grid_w, 500.0, "the rest of the house is still on the grid");
    }
    let mut bench = Bench::new("deye-one-phase", 0.0, 1_000.0, 0.5);
    bench.unit.plant.site.grid = false;
    bench.pass(1);
    bench.write(211, &[0]).unwrap();
    assert_eq!((bench.unit.plant.state(), bench.flow().ac_out_w), (State::Dark, 0.0));
    bench.pass(30);
    bench.write(211, &[100]).unwrap();
    assert_eq!(bench.flow().ac_out_w, 1_000.0);
    let dark = bench.unit.plant.darkness();
    assert_eq!((dark.times, dark.seconds), (1, 30.0));
}

#[test]
fn a_switched_off_inverter_lets_the_grid_through() {
    for (id, register, off, on) in [
        ("deye-one-phase", 43, 0, 1),
        ("luxpower", 21, 0, 0x8280),
        ("sofar-hyd", 0x1104, 0, 1),
        ("solis-hybrid", 43007, 222, 190),
        ("sungrow-sh", 12999, 0xCE, 0xCF),
        ("growatt-spf", 0, 0, 1),
        ("growatt-xh", 0, 0, 1),
    ] {
        let mut bench = Bench::new(id, 3_000.0, 1_000.0, 0.5);
        bench.write(register, &[off]).unwrap();
        assert_eq!(bench.unit.plant.state(), State::Off, "{id}");
        let flow = bench.flow();
        assert_eq!((flow.pv_w, flow.battery_w, flow.ac_in_w), (0.0, 0.0, 1_000.0), "{id}");
        bench.write(register, &[on]).unwrap();
        assert_eq!(bench.unit.plant.state(), State::Running, "{id}");
    }
}

#[test]
fn what_may_not_be_fed_in_stays_in_the_panels() {
    type Case = (&'static str, &'static [(u16, &'static [u16])], f64);
    let cases: &[Case] = &[
        ("deye-one-phase", &[(247, &[0])], 0.0),
        ("deye-one-phase", &[(245, &[800])], 800.0),
        ("goodwe-et", &[(47509, &[1, 800])], 800.0),
        ("sungrow-sh", &[(13073, &[800]), (13086, &[0xAA])], 800.0),
        ("sofar-hyd", &[(0x1023, &[1, 8])], 800.0),
        ("growatt-sph", &[(122, &[1]), (123, &[160])], 800.0),
        ("solis-hybrid", &[(43074, &[8])], 800.0),
    ];
    for (id, writes, watts) in cases {
        let mut bench = Bench::new(id, 6_000.0, 300.0, 1.0);
        bench.unit.plant.site.house_w = 0.0;
        assert!(bench.pass(1).grid_w < -4_500.0, "{id} {:?}", bench.flow());
        for (first, words) in *writes {
            bench.write(*first, words).unwrap();
        }
        close(bench.flow().grid_w, -watts);
        assert!(bench.flow().pv_w < 2_000.0, "{id}");
    }
    let mut bench = Bench::new("growatt-spf", 6_000.0, 300.0, 1.0);
    bench.unit.plant.site.house_w = 0.0;
    assert_eq!(bench.pass(1).grid_w, 0.0, "an off-grid unit never feeds in");
}

#[test]
fn a_sunspec_inverter_keeps_a_limit_as_long_as_it_is_told() {
    for (model, length, percent, reverts, enable) in [(123, 24, 5, 7, 9), (704, 65, 15, 19, 14)] {
        let mut bench = Bench::with_models("sunspec-inverter", 4_000.0, 0.0, 0.5, &[103, 120, model]);
        let at = (40_000..40_600).find(|at| bench.holding(*at) == model && bench.holding(at + 1) == length);
        let at = at.unwrap();
        close(bench.flow().ac_out_w, 3_890.0);
        // 20.0 % for 60 s, which do not count before they are enabled.
        let limit = |bench: &mut Bench| {
            for (offset, word) in [(percent, 200), (reverts, 60), (enable, 1)] {
                // What is wide is written whole.
                let wide = if offset == 19 {
                    bench.write(at + 18, &[0, word])
                } else {
                    bench.write(at + offset, &[word])
                };
                wide.unwrap_or_else(|code| panic!("{model} {offset}: exception {code}"));
            }
        };
        bench.write(at + percent, &[200]).unwrap();
        close(bench.flow().ac_out_w, 3_890.0);
        limit(&mut bench);
        close(bench.flow().ac_out_w, 1_000.0);
        close(bench.pass(59).ac_out_w, 1_000.0);
        limit(&mut bench);
        close(bench.pass(59).ac_out_w, 1_000.0);
        close(bench.pass(2).ac_out_w, 3_890.0);
    }
}

#[test]
fn a_sunspec_battery_is_led_by_its_rates() {
    let mut bench = Bench::new("sunspec-hybrid", 4_000.0, 300.0, 0.5);
    let storage =
        (40_000..40_600).find(|at| bench.holding(*at) == 124 && bench.holding(at + 1) == 24).unwrap();
    let (control, out, into) = (storage + 5, storage + 12, storage + 13);
    bench.write(into, &[100]).unwrap();
    assert!(bench.flow().battery_w > 2_000.0);
    // Charging at 10 % of 5 kW at most; then, with a negative discharge, at least with 20 %.
    bench.write(control, &[1]).unwrap();
    close(bench.flow().battery_w, 500.0);
    bench.unit.plant.site.sun_w = 0.0;
    bench.write(out, &[(-200_i16).cast_unsigned()]).unwrap();
    bench.write(into, &[200]).unwrap();
    bench.write(control, &[3]).unwrap();
    close(bench.flow().battery_w, 1_000.0);
}

#[test]
fn what_cannot_be_set_is_refused() {
    let mut deye = Bench::new("deye-one-phase", 0.0, 0.0, 0.5);
    assert_eq!(deye.write(184, &[50]), Err(2), "the state of charge is only shown");
    assert_eq!(deye.write(210, &[241]), Err(3), "more than 240 A");
    assert_eq!(deye.write(500, &[1]), Err(2), "there is no such register");
    assert_eq!(deye.ask(&[6, 0, 210, 0, 10]), [0x86, 1], "function 6");
    assert_eq!(deye.holding(210), 100);
    let mut sungrow = Bench::new("sungrow-sh", 0.0, 0.0, 0.5);
    assert_eq!(sungrow.write(33047, &[0]), Err(3));
    let mut spf = Bench::new("growatt-spf", 0.0, 0.0, 0.5);
    let answered = spf.write(34, &[5]);
    assert!(answered == Err(3) || (answered == Ok(()) && spf.holding(34) == 100), "below 10 A");
    let mut sofar = Bench::new("sofar-hyd", 0.0, 0.0, 0.5);
    assert_eq!(sofar.write(0x1187, &[0, 0, 0, 100]), Err(3), "six registers or none");
    let mut sma = Bench::new("sma-sunny-island", 0.0, 0.0, 0.5);
    sma.unit.code = 4_711;
    assert_eq!(sma.write(40705, &[0, 20]), Err(2), "it is locked");
    sma.write(43090, &[0, 4_712]).unwrap();
    assert_eq!(sma.write(40705, &[0, 20]), Err(2), "with the wrong code it stays so");
    sma.write(43090, &[0, 4_711]).unwrap();
    assert_eq!(sma.write(40705, &[20]), Err(3), "half of a number");
    sma.write(40705, &[0, 20]).unwrap();
    assert_eq!(sma.unit.plant.orders.min_soc, 0.2);
}

#[test]
fn writes_to_memory_that_wears_out_are_counted() {
    let mut deye = Bench::new("deye-one-phase", 0.0, 0.0, 0.5);
    for amps in [10, 20, 30] {
        deye.write(210, &[amps]).unwrap();
    }
    deye.write(211, &[10]).unwrap();
    assert_eq!(deye.unit.wear(), (4, 3));
    let mut goodwe = Bench::new("goodwe-et", 0.0, 0.0, 0.5);
    goodwe.write(47511, &[11, 100]).unwrap();
    assert_eq!(goodwe.unit.wear(), (0, 0), "EMS modes are kept in RAM");
}

#[test]
fn every_profile_balances_in_every_state() {
    let mut states = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        let id = path.file_stem().unwrap().to_str().unwrap();
        for sun_w in [0.0, 200.0, 6_000.0] {
            for load_w in [0.0, 300.0, 4_000.0] {
                for soc in [0.0, 0.5, 1.0] {
                    let mut bench = Bench::new(id, sun_w, load_w, soc);
                    for (grid, house_w) in [(true, 500.0), (true, -900.0), (false, 0.0)] {
                        for imposed_w in [None, Some(2_000.0), Some(-2_000.0), Some(0.0)] {
                            for (charge_a, discharge_a) in [(100.0, 100.0), (0.0, 100.0), (100.0, 0.0)] {
                                let plant = &mut bench.unit.plant;
                                (plant.site.grid, plant.site.house_w) = (grid, house_w);
                                plant.imposed_w = imposed_w;
                                (plant.orders.charge_a, plant.orders.discharge_a) = (charge_a, discharge_a);
                                plant.settle();
                                let flow = bench.flow();
                                assert!(
                                    flow.battery_a <= charge_a + 1e-9
                                        && flow.battery_a >= -discharge_a - 1e-9
                                );
                                assert!(flow.pv_w <= sun_w && (grid || flow.ac_in_w == 0.0), "{flow:?}");
                                let is_carried = flow.ac_out_w == load_w;
                                let plant = &bench.unit.plant;
                                assert!(
                                    is_carried || plant.kind == Kind::Solar || plant.state() == State::Dark,
                                    "{id} {flow:?}"
                                );
                                states += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(states > 13_000, "{states}");
}
