//! Tests of limits that go down: whatever the device says, they are tried again soon, and said.

use std::time::Duration;

use super::bench::{Bench, deye};
use super::*;
use crate::engine::map::Map;
use crate::engine::sunspec::{Chain, Model};
use crate::profile::builtin;
use crate::profile::scalar::Table;

const LIMIT: &str = "charge_current_limit";

/// A Deye, whose limits lie in flash, that shows 100 A and takes nothing; 0 A is decided. When it goes out within a quarter of an
/// hour, in seconds; and what is said at the end.
async fn tried(end: End) -> (Vec<u64>, Option<String>) {
    let map = Map::new(&builtin::by_id("deye-one-phase").unwrap(), None, true);
    let (mut control, mut image, start) = (Control::default(), Image::default(), Instant::now());
    let mut at = Vec::new();
    for second in 0..900 {
        let now = start + Duration::from_secs(second);
        image.put(Table::Holding, 210, &[100], second + 1);
        let sight =
            Sight { map: &map, image: &image, point: &|_| None, secret: &|_| None, reads: second + 1 };
        control.want(LIMIT, 0.0, &sight);
        control.outcomes(&sight, now);
        if control.next(&sight, now).is_some() {
            at.push(second);
            control.done(LIMIT, end, &sight, now);
        }
    }
    let sight = Sight { map: &map, image: &image, point: &|_| None, secret: &|_| None, reads: 900 };
    (at, control.unheeded(&sight))
}

#[tokio::test(start_paused = true)]
async fn a_reduction_that_is_refused_or_lost_is_tried_again_soon_and_said() {
    for end in [End::Refused, End::Lost, End::Taken] {
        let (at, said) = tried(end).await;
        assert!(at[1] <= 3, "{end:?}: {at:?}");
        let longest = at.windows(2).map(|two| two[1] - two[0]).max().unwrap();
        assert!(longest <= 70, "{end:?}: {longest} s without a try: {at:?}");
        assert!(at.len() <= 40, "memory wears out: {at:?}");
        assert_eq!(
            said.as_deref(),
            Some("charge_current_limit 0 is not taken: the device shows 100"),
            "{end:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_cannot_be_computed_is_said() {
    let profile = builtin::by_id("sunspec-hybrid").unwrap();
    let models = [103, 120, 124, 160, 802].into_iter().zip((0_u16..).map(|n| 40_070 + 200 * n));
    let chain = Chain { models: models.map(|(id, addr)| Model { id, addr, length: 190 }).collect() };
    let map = Map::new(&profile, Some(&chain), true);
    let (mut control, mut image, start) = (Control::default(), Image::default(), Instant::now());
    image.put(Table::Holding, 40_470, &[0xFFFF; 30], 1);
    let mut outcomes = Vec::new();
    for second in 0..60 {
        let now = start + Duration::from_secs(second);
        let sight = Sight { map: &map, image: &image, point: &|_| None, secret: &|_| None, reads: second };
        control.want("charge_power_limit", 500.0, &sight);
        outcomes.extend(control.outcomes(&sight, now));
        assert_eq!(control.next(&sight, now), None);
    }
    let [Outcome::Failed(name, _, _)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(name, "charge_power_limit");
    let sight = Sight { map: &map, image: &image, point: &|_| None, secret: &|_| None, reads: 60 };
    assert!(control.unheeded(&sight).is_some());
}

#[test]
fn a_limit_that_would_lapse_stays_when_the_process_ends() {
    let profile = builtin::by_id("sunspec-hybrid").unwrap();
    let models = [103, 120, 124, 160, 802].into_iter().zip((0_u16..).map(|n| 40_070 + 200 * n));
    let chain = Chain { models: models.map(|(id, addr)| Model { id, addr, length: 190 }).collect() };
    let map = Map::new(&profile, Some(&chain), true);
    let mut image = Image::default();
    image.put(Table::Holding, 40_470, &[0; 30], 1);
    let point = |name: &str| (name == "_charge_power_max").then_some(5000.0);
    let sight = Sight { map: &map, image: &image, point: &point, secret: &|_| None, reads: 1 };
    let mut control = Control::default();
    // Revert after no time at all: SunSpec model 124, InOutWRte_RvrtTms.
    let revert = |writes: &[Written]| {
        writes.iter().find(|write| write.addr == 40_470 + 15).map(|write| write.values.clone())
    };
    control.want("charge_power_limit", 1000.0, &sight);
    let order = control.next(&sight, Instant::now()).unwrap();
    assert_eq!(revert(&order.writes), Some(vec![120]));
    assert_eq!(revert(&control.last("charge_power_limit", 0.0, &sight)), Some(vec![0]));
}

#[test]
fn what_is_bounded_is_rounded_towards_nothing_on_either_side() {
    let map = Map::new(&builtin::by_id("solis-hybrid").unwrap(), None, true);
    let write = map.write("battery_power_setpoint", &|_| None).unwrap();
    assert_eq!(write.clip(1027.0, &|_| None), 1020.0);
    assert_eq!(write.clip(-1027.0, &|_| None), -1020.0);
}

/// One whose limits are 100 A.
fn deye_of_100_a() -> Bench {
    let mut bench = deye();
    bench.has(210, &[100, 100]);
    bench.read();
    bench
}

#[test]
fn a_reduction_that_counts_waits_for_no_memory() {
    let mut bench = deye_of_100_a();
    for amps in [70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0, 0.0] {
        bench.want(LIMIT, amps);
        bench.pass(1);
        assert_eq!(bench.holds(210), Some(amps as u16));
    }
    bench.want(LIMIT, 60.0);
    bench.pass(60);
    assert_eq!(bench.holds(210), Some(0), "what was owed is paid back before a raise");
    bench.pass(300);
    assert_eq!(bench.holds(210), Some(60));
    for amps in [57.0, 56.0, 55.0, 0.0] {
        bench.want(LIMIT, amps);
        bench.pass(1);
    }
    assert_eq!(bench.holds(210), Some(0));
}

#[test]
fn a_device_that_ignores_reductions_is_not_told_for_ever_at_once() {
    let mut bench = deye_of_100_a();
    let mut written = 0;
    for second in 0..3600_u32 {
        bench.has(210, &[100, 100]);
        bench.want(LIMIT, f64::from(second % 50));
        written += bench.pass(1).len();
    }
    assert!(written <= 3600 / 30 + 25, "{written}");
}

#[test]
fn a_small_reduction_waits_for_one_write_whatever_is_owed() {
    let mut bench = deye_of_100_a();
    for amps in [80.0, 70.0, 60.0, 50.0, 40.0, 35.0] {
        bench.want(LIMIT, amps);
        bench.pass(1);
    }
    bench.want(LIMIT, 34.0);
    bench.pass(20);
    assert_eq!(bench.holds(210), Some(35));
    bench.pass(15);
    assert_eq!(bench.holds(210), Some(34));
}
