//! Set points that share registers, at a device that is read seldom.

use super::bench::{Bench, deye, map_of, sofar};
use super::*;
use crate::config;
use crate::profile::builtin;
use crate::profile::scalar::Table;
use crate::profile::write::Mode;
use crate::unit::bounds;
use crate::unit::following::Wanted;
use crate::unit::orders::DECIDED;
use crate::unit::volts::Steady;

const CHARGE_LIMIT: &str = "charge_current_limit";
const DISCHARGE_LIMIT: &str = "discharge_current_limit";

fn limits(bench: &Bench) -> (Option<u16>, Option<u16>) {
    (bench.holds(0x104B), bench.holds(0x104C))
}

#[test]
fn a_limit_is_written_with_the_other_one_as_the_device_took_it_and_not_as_it_was_read_before() {
    let mut bench = sofar();
    bench.want(CHARGE_LIMIT, 30.0);
    bench.want(DISCHARGE_LIMIT, 20.0);
    assert_eq!(bench.written().as_deref(), Some(CHARGE_LIMIT));
    assert_eq!(bench.written().as_deref(), Some(DISCHARGE_LIMIT), "nothing was read between them");
    assert_eq!(limits(&bench), (Some(3000), Some(2000)));
    assert_eq!(bench.pass(60), Vec::<String>::new(), "both are as they are wanted");
    assert_eq!(bench.control.flash_writes(), 2);
}

#[test]
fn a_limit_is_never_raised_again_by_the_reduction_of_the_other_one() {
    let mut bench = sofar();
    for amps in [90_u16, 60, 30, 0] {
        bench.want(CHARGE_LIMIT, amps.into());
        bench.want(DISCHARGE_LIMIT, amps.into());
        while bench.written().is_some() {
            let (charge, discharge) = limits(&bench);
            assert!(charge <= Some(100 * amps), "{charge:?} and {discharge:?} at {amps} A");
        }
        bench.pass(30);
        assert_eq!(limits(&bench), (Some(100 * amps), Some(100 * amps)));
    }
    assert_eq!(bench.control.flash_writes(), 8, "each of them once for each change");
}

#[test]
fn what_stands_beside_a_value_is_waited_for_while_nobody_knows_it() {
    let mut bench = sofar();
    bench.want(CHARGE_LIMIT, 30.0);
    bench.want(DISCHARGE_LIMIT, 20.0);
    let charge = bench.order().unwrap();
    assert_eq!(bench.order(), None, "it is under way");
    bench.ends(&charge, End::Lost);
    assert_eq!(bench.order().map(|order| order.name), None, "nobody knows whether it has arrived");
    assert_eq!(bench.control.uncertain(&bench.read), [(Table::Holding, 0x104B)], "which is read");
    bench.read();
    assert_eq!(bench.written().as_deref(), Some(CHARGE_LIMIT));
    assert_eq!(bench.written().as_deref(), Some(DISCHARGE_LIMIT));
    assert_eq!(limits(&bench), (Some(3000), Some(2000)));
}

#[test]
fn the_last_limits_of_both_directions_stand_beside_each_other() {
    let mut bench = sofar();
    for name in [CHARGE_LIMIT, DISCHARGE_LIMIT] {
        let writes = bench.with(|control, sight, _| control.last(name, 0.0, sight));
        for write in writes {
            bench.has(write.addr, &write.values);
        }
    }
    assert_eq!(limits(&bench), (Some(0), Some(0)));
}

#[test]
fn a_mode_that_is_chosen_after_a_set_point_is_not_undone_by_it() {
    let mut bench = deye();
    bench.want("on_off", 0.0);
    assert_eq!(bench.pass(100), ["on_off"]);
    bench.want(Mode::On.key(), 0.0);
    assert_eq!(bench.pass(100), [Mode::On.key()]);
    assert_eq!(bench.holds(43), Some(1));
    bench.want("on_off", 0.0);
    assert_eq!(bench.pass(100), ["on_off"], "and the other way round");
    assert_eq!(bench.holds(43), Some(0));
}

#[test]
fn a_current_that_was_set_does_not_defend_itself_against_a_forced_charge_and_is_back_after_it() {
    let mut bench = deye();
    bench.want("grid_charge_current", 7.0);
    assert_eq!(bench.pass(100), ["grid_charge_current"]);
    bench.want(Mode::Charge.key(), 2000.0);
    assert_eq!(bench.pass(200), [Mode::Charge.key()]);
    assert_eq!(bench.holds(230), Some(40));
    assert!(bench.control.end(Mode::Charge.key()));
    assert_eq!(bench.pass(100), [Mode::Charge.key()]);
    assert_eq!(bench.holds(230), Some(7));
}

#[test]
fn a_forced_charge_restores_what_was_set_a_moment_before_it() {
    let charge = Mode::Charge.key();
    for is_over in [true, false] {
        let mut bench = deye();
        bench.has(230, &[99]);
        bench.read();
        bench.want("grid_charge_current", 7.0);
        let order = bench.order().unwrap();
        if is_over {
            bench.ends(&order, End::Taken);
        }
        assert_eq!(bench.with(|control, sight, _| control.check(charge, 2000.0, sight)), Ok(()));
        bench.want(charge, 2000.0);
        if !is_over {
            assert_eq!(bench.order(), None, "what will stand there is not certain yet");
            bench.ends(&order, End::Taken);
        }
        assert_eq!(bench.written().as_deref(), Some(charge), "nothing was read since");
        bench.pass(100);
        assert!(bench.control.end(charge));
        bench.pass(100);
        assert_eq!(bench.holds(230), Some(7), "and not the 99 that were read before");
    }
}

/// Lets a client force this power for some minutes while 50 A are decided and the voltage drifts. Returns the writes.
fn forced(bench: &mut Bench, power_w: f64) -> usize {
    let decided = Wanted::decided(50.0, 50.0);
    let (config, mut writes) = (config::Device::at("deye-one-phase"), 0);
    for second in 0..600_u16 {
        let centivolts = 5200 + 3 * (second % 7);
        bench.has(183, &[centivolts]);
        bench.read();
        let volts = Some(Steady { volts: f64::from(centivolts) / 100.0, is_old: false });
        let room = bounds::room(Some(&decided), &config, volts).unwrap();
        bench.with(|control, sight, _| bounds::keep_within(control, room, power_w, sight));
        writes += bench.pass(1).len();
    }
    writes
}

#[test]
fn a_forced_charge_is_not_written_anew_for_every_watt_that_the_voltage_makes_of_the_decided_current() {
    let charge = Mode::Charge.key();
    let mut bench = deye();
    bench.want(charge, 5000.0);
    assert_eq!(forced(&mut bench, 5000.0), 1);
    assert_eq!(bench.holds(230), Some(50), "50 A of 5000 W");
    // As much as is decided, now more and now less.
    bench.want(charge, 2605.0);
    assert!(forced(&mut bench, 2605.0) <= 1);
    assert!(bench.control.wanted(charge) >= Some(2550.0));
}

#[test]
fn what_is_the_same_words_to_a_device_is_not_written_again() {
    let charge = Mode::Charge.key();
    let mut bench = deye();
    bench.want(charge, 2000.0);
    assert_eq!(bench.pass(60), [charge]);
    assert_eq!(bench.holds(230), Some(40));
    bench.want(charge, 2010.0);
    assert_eq!(bench.pass(60), Vec::<String>::new(), "it is 40 A as well");
    assert_eq!(bench.control.wanted(charge), Some(2010.0));
    bench.want(charge, 2060.0);
    assert_eq!(bench.pass(60), [charge]);
    assert_eq!(bench.holds(230), Some(41));
    bench.has(232, &[0]);
    assert_eq!(bench.pass(60), [charge], "who changes it at the device does not pass unseen");
}

#[test]
fn limits_that_are_decided_together_are_in_force_together() {
    let mut pairs = 0;
    for id in builtin::ids() {
        let map = map_of(id);
        let is_limit = |write: &&WriteAt| DECIDED.contains(&write.spec.name.as_str());
        for one in map.writes.iter().filter(is_limit) {
            let others = map.writes.iter().filter(is_limit);
            for other in others.filter(|other| other.spec.name != one.spec.name) {
                assert!(!undo::touch(one, other), "{id}: {} and {}", one.spec.name, other.spec.name);
                pairs += 1;
            }
        }
    }
    assert!(pairs > 20, "{pairs}");
}

#[test]
fn two_limits_that_say_alike_how_long_they_hold_do_not_end_each_other() {
    let mut bench = Bench::new("sunspec-hybrid");
    let storage = 40_070 + 400;
    bench.has(40_070, &[0; 1000]);
    bench.has(storage + 2, &[5000]);
    bench.has(storage + 12, &[100, 100]);
    bench.read();
    let (charge, discharge) = ("charge_power_limit", "discharge_power_limit");
    for watts in [2000.0, 1000.0] {
        for name in [charge, discharge] {
            bench.want(name, watts);
        }
        assert_eq!(bench.pass(30), [charge, discharge]);
        assert_eq!(bench.holds(storage + 5), Some(3), "both count");
    }
}

#[test]
fn a_limit_that_is_written_with_another_one_is_not_written_again_for_it() {
    let (charge, discharge) = ("charge_current_limit", "discharge_current_limit");
    let mut bench = sofar();
    bench.want(charge, 80.0);
    bench.want(discharge, 90.0);
    bench.pass(120);
    bench.want(charge, 10.0);
    let mut written = Vec::new();
    for _ in 0..60 {
        // Read less often than written.
        written.extend((0..3).filter_map(|_| bench.written()));
        written.extend(bench.pass(1));
    }
    assert_eq!(written, [charge]);
}
