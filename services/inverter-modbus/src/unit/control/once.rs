//! What is set once, and what is set again while its answer is under way.

use super::bench::{Bench, deye};
use super::*;
use crate::profile::write::{Mode, ON_OFF};

const LIMIT: &str = "charge_current_limit";
/// Where a Deye has its switch and its limit.
const SWITCH: u16 = 43;
const LIMIT_AT: u16 = 210;

fn want_once(bench: &mut Bench, name: &str, value: f64) {
    bench.with(|control, sight, _| control.want_once(name, value, sight));
}

#[test]
fn an_inverter_that_is_switched_off_at_its_panel_later_is_left_off() {
    let mut bench = deye();
    bench.has(SWITCH, &[0]);
    want_once(&mut bench, ON_OFF, 1.0);
    assert_eq!(bench.pass(120), [ON_OFF]);
    assert_eq!(bench.holds(SWITCH), Some(1));
    bench.has(SWITCH, &[0]);
    assert_eq!(bench.pass(3600), [""; 0]);
    want_once(&mut bench, ON_OFF, 1.0);
    assert_eq!(bench.pass(120), [ON_OFF], "it can be switched on again");
}

#[test]
fn what_a_client_has_set_in_memory_that_wears_out_is_no_matter_of_dispute_and_what_follows_is() {
    let mut bench = deye();
    want_once(&mut bench, LIMIT, 30.0);
    assert_eq!(bench.pass(120), [LIMIT]);
    bench.has(LIMIT_AT, &[60]);
    assert_eq!(bench.pass(3600), [""; 0], "another client is as right");
    bench.want(LIMIT, 30.0);
    assert_eq!(bench.pass(120), [LIMIT]);
    bench.has(LIMIT_AT, &[60]);
    assert_eq!(bench.pass(120), [LIMIT]);
    assert_eq!(bench.holds(LIMIT_AT), Some(30));
}

#[test]
fn the_answer_to_a_forced_charge_is_not_taken_for_that_to_its_end_nor_the_other_way_round() {
    let (mut bench, charge) = (deye(), Mode::Charge.key());
    bench.want(charge, 2000.0);
    let begin = bench.order().unwrap();
    assert!(bench.control.end(charge));
    assert_eq!(bench.order(), None, "its answer is under way");
    bench.ends(&begin, End::Taken);
    let end = bench.order().unwrap();
    bench.want(charge, 2000.0);
    assert_eq!(bench.order(), None);
    bench.ends(&end, End::Taken);
    assert!(!bench.control.is_confirmed(charge));
    assert_eq!(bench.order().map(|order| order.name), Some(charge.to_owned()));
}

#[test]
fn a_limit_that_would_lapse_can_be_left_as_it_is() {
    let (mut sunspec, mut deye) = (Bench::new("sunspec-hybrid"), deye());
    deye.want(LIMIT, 30.0);
    deye.pass(60);
    assert_eq!(deye.with(|control, sight, _| control.last_as_it_is(LIMIT, sight)), []);

    sunspec.has(40_470, &[0; 190]);
    sunspec.has(40_472, &[5000]);
    sunspec.read();
    sunspec.want("charge_power_limit", 1000.0);
    sunspec.pass(60);
    let last = sunspec.with(|control, sight, _| control.last_as_it_is("charge_power_limit", sight));
    // Revert after no time at all: SunSpec model 124, InOutWRte_RvrtTms.
    let stays = last.iter().any(|write| (write.addr, &write.values[..]) == (40_470 + 15, &[0]));
    assert!(stays, "it holds no more than two minutes otherwise: {last:?}");
}

#[test]
fn what_did_not_leave_the_process_is_nothing_that_the_device_may_have() {
    let mut bench = deye();
    bench.has(LIMIT_AT, &[20]);
    bench.read();
    bench.want(LIMIT, 80.0);
    let order = bench.order().unwrap();
    bench.ends(&order, End::Unsent);
    bench.want(LIMIT, 60.0);
    let rise = bench.with(|control, sight, _| {
        let write = sight.map.write(LIMIT, sight.point)?;
        control.points.get(LIMIT)?.rise(write, sight)
    });
    assert_eq!(rise, Some(40.0), "of the 20 A that it has");
}
