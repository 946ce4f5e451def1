use std::time::Duration;

use super::*;
use crate::engine::map::Map;
use crate::profile::parse;
use crate::profile::scalar::Table;
use crate::profile::tests::SMALL;
use crate::unit::commander::{Commanders, ended};

const LIMIT: &str = "charge_current_limit";

struct Bench {
    map: Map,
    image: Image,
    reads: u64,
    control: Control,
    now: Instant,
}

impl Bench {
    fn new() -> Bench {
        Bench::of("")
    }

    /// With more set points.
    fn of(more: &str) -> Bench {
        let profile = parse(&format!("{SMALL}{more}"), "test.toml").unwrap_or_else(|why| panic!("{why}"));
        let map = Map::new(&profile, None, true);
        let mut bench = Bench {
            map,
            image: Image::default(),
            reads: 0,
            control: Control::default(),
            now: Instant::now(),
        };
        bench.device_shows(50);
        bench
    }

    fn device_shows(&mut self, value: u16) {
        self.reads += 1;
        self.image.put(Table::Holding, 108, &[value], self.reads);
    }

    fn with<T>(&mut self, then: impl FnOnce(&mut Control, &Sight<'_>, Instant) -> T) -> T {
        let Bench { map, image, reads, control, now } = self;
        let sight = Sight { map, image, point: &|_| None, secret: &|_| None, reads: *reads };
        then(control, &sight, *now)
    }

    fn want(&mut self, value: f64) {
        self.with(|control, sight, _| control.want(LIMIT, value, sight));
    }

    /// What is written now, if anything; the device takes it and shows it.
    fn written(&mut self) -> Option<u16> {
        let order = self.with(|control, sight, now| control.next(sight, now))?;
        let value = order.writes[0].values[0];
        self.with(|control, sight, now| control.done(LIMIT, End::Taken, sight, now));
        self.device_shows(value);
        Some(value)
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        self.with(|control, sight, now| control.outcomes(sight, now))
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wish_is_written_once_and_confirmed_by_what_the_device_shows() {
    let mut bench = Bench::new();
    bench.want(80.0);
    assert_eq!(bench.written(), Some(80));
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(LIMIT.into(), 80.0)]);
    bench.pass(1000);
    assert_eq!((bench.written(), bench.outcomes()), (None, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn wear_is_limited_and_a_reduction_has_a_write_left() {
    let mut bench = Bench::new();
    let mut written = Vec::new();
    for second in 0..300_u32 {
        bench.want(f64::from(60 + second % 100));
        written.extend(bench.written());
        bench.pass(1);
    }
    assert!(written.len() <= 13, "an allowance of 3 and 10 in 300 s: {}", written.len());
    bench.want(190.0);
    let _ = bench.written();
    bench.want(200.0);
    assert_eq!(bench.written(), None, "a raise waits");
    bench.want(10.0);
    assert_eq!(bench.written(), Some(10), "a reduction does not");
    assert!(bench.control.flash_writes() <= 15);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_does_not_show_it_is_told_twice_and_then_left_alone() {
    let mut bench = Bench::new();
    bench.want(80.0);
    let mut sent = 0;
    for _ in 0..40 {
        if bench.with(|control, sight, now| control.next(sight, now)).is_some() {
            sent += 1;
            bench.with(|control, sight, now| control.done(LIMIT, End::Taken, sight, now));
        }
        bench.device_shows(50);
        if let [Outcome::Failed(_, value, why)] = bench.outcomes().as_slice() {
            assert_eq!((*value, why.as_str(), sent), (80.0, "it shows 50", 2));
            return;
        }
        bench.pass(1);
    }
    panic!("nothing was said; {sent} writes");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_write_was_over_confirms_nothing() {
    let mut bench = Bench::new();
    bench.want(80.0);
    assert!(bench.with(|control, sight, now| control.next(sight, now)).is_some());
    bench.device_shows(80);
    bench.with(|control, sight, now| control.done(LIMIT, End::Taken, sight, now));
    assert_eq!(bench.outcomes(), []);
    bench.device_shows(80);
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(LIMIT.into(), 80.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_has_it_already_is_not_written() {
    let mut bench = Bench::new();
    bench.want(50.4);
    assert_eq!(bench.written(), None);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_refused_what_is_out_of_range_and_who_decides_is_clipped() {
    let mut bench = Bench::new();
    let refused = bench.with(|control, sight, _| control.check(LIMIT, 250.0, sight)).unwrap_err();
    assert_eq!(refused.to_string(), "250 is not between 0 and 240");
    bench.want(250.7);
    assert_eq!(bench.written(), Some(240));
}

#[tokio::test(start_paused = true)]
async fn a_small_raise_is_not_worth_a_write_and_a_small_reduction_is() {
    let mut bench = Bench::of("deadband = 5\n");
    bench.want(54.0);
    assert_eq!(bench.written(), None);
    bench.want(56.0);
    assert_eq!(bench.written(), Some(56));
    bench.outcomes();
    bench.want(55.0);
    assert_eq!(bench.written(), Some(55));
}

const MORE: &str = r#"
[[write]]
name = "discharge_current_limit"
addr = 109
min = 0
max = 240
[[write]]
name = "battery_power_setpoint"
min = 0
max = 5000
readback = false
sequence = [{ addr = 110, value = "value" }]
release = [{ addr = 110, value = 0 }]
"#;

#[tokio::test(start_paused = true)]
async fn what_ends_goes_first_then_what_lowers_and_at_last_what_raises() {
    let mut bench = Bench::of(MORE);
    bench.image.put(Table::Holding, 109, &[50], 1);
    let next = |bench: &mut Bench| {
        let order = bench.with(|control, sight, now| control.next(sight, now))?;
        bench.with(|control, sight, now| control.done(&order.name, End::Taken, sight, now));
        Some(order.name)
    };
    bench.with(|control, sight, _| control.want("battery_power_setpoint", 100.0, sight));
    assert_eq!(next(&mut bench).as_deref(), Some("battery_power_setpoint"));
    bench.outcomes();
    bench.with(|control, sight, _| {
        control.want(LIMIT, 80.0, sight);
        control.want("discharge_current_limit", 20.0, sight);
        assert!(control.end("battery_power_setpoint"));
    });
    let order: Vec<_> = std::iter::from_fn(|| next(&mut bench)).collect();
    assert_eq!(order, ["battery_power_setpoint", "discharge_current_limit", LIMIT]);
}

#[tokio::test(start_paused = true)]
async fn what_a_point_shows_is_read_back_from_all_that_it_is_made_of() {
    let more = "[[write]]\nname = \"x_it\"\nmin = -500\nmax = 500\nreadback_from = \"x_shown\"\n\
                sequence = [{ addr = 600, value = \"abs\" }]\n\
                [[point]]\nname = \"x_shown\"\nexpr = \"pv1_power + 0 * battery_temperature\"\n";
    let bench = Bench::of(more);
    let write = bench.map.write("x_it", &|_| None).unwrap();
    assert_eq!(write.seen, [(Table::Holding, 600), (Table::Holding, 586)]);
    let point = |name: &str| (name == "x_shown").then_some(120.4);
    assert_eq!(write.is_shown(120.0, &bench.image, &point), Some(true));
    assert_eq!(write.is_shown(121.0, &bench.image, &point), Some(false));
}

#[tokio::test(start_paused = true)]
async fn the_last_limit_is_written_unless_the_device_certainly_has_it() {
    let mut bench = Bench::new();
    let last = |bench: &mut Bench| {
        bench
            .with(|control, sight, _| control.last(LIMIT, 0.0, sight))
            .iter()
            .map(|write| write.values[0])
            .collect::<Vec<_>>()
    };
    bench.want(0.0);
    assert_eq!(bench.written(), Some(0));
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(LIMIT.into(), 0.0)]);
    assert!(last(&mut bench).is_empty(), "it has it");
    bench.pass(100);
    bench.want(50.0);
    assert!(bench.with(|control, sight, now| control.next(sight, now)).is_some());
    assert_eq!(last(&mut bench), [0], "what it shows is older than what is under way");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_last_write_does_not_say_what_the_device_has() {
    let mut bench = Bench::of("deadband = 5\n");
    bench.want(80.0);
    assert!(bench.with(|control, sight, now| control.next(sight, now)).is_some());
    bench.with(|control, sight, now| control.done(LIMIT, End::Taken, sight, now));
    // It was 50 and nothing was read since.
    bench.want(50.0);
    assert_eq!(bench.outcomes(), []);
    assert_eq!(bench.written(), Some(50));
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(LIMIT.into(), 50.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_reduction_of_what_is_under_way_is_no_small_raise() {
    let mut bench = Bench::of("deadband = 5\n");
    bench.want(80.0);
    assert!(bench.with(|control, sight, now| control.next(sight, now)).is_some());
    bench.with(|control, sight, now| control.done(LIMIT, End::Taken, sight, now));
    bench.want(53.0);
    assert_eq!(bench.written(), Some(53));
}

#[tokio::test(start_paused = true)]
async fn what_was_confirmed_is_not_written_anew_because_it_cannot_be_read_for_a_while() {
    let mut bench = Bench::new();
    bench.want(80.0);
    assert_eq!(bench.written(), Some(80));
    assert_eq!(bench.outcomes().len(), 1);
    bench.image.clear();
    bench.pass(1000);
    assert_eq!(bench.written(), None);
    bench.device_shows(50);
    assert_eq!(bench.written(), Some(80), "and it is once it is read that it has changed");
}

/// Lets time pass in which the device takes everything and shows something else. Returns the writes.
fn clamped(bench: &mut Bench, seconds: u64) -> u32 {
    let mut sent = 0;
    for _ in 0..seconds / 10 {
        if bench.with(|control, sight, now| control.next(sight, now)).is_some() {
            sent += 1;
            bench.with(|control, sight, now| control.done(LIMIT, End::Taken, sight, now));
        }
        bench.device_shows(50);
        bench.outcomes();
        bench.pass(10);
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn memory_that_wears_out_is_spared_by_a_device_that_clamps() {
    let mut bench = Bench::new();
    bench.want(80.0);
    let day = clamped(&mut bench, 86_400);
    assert!((8..=24).contains(&day), "two writes after 1, 2, 4 ... minutes: {day}");
    assert!(clamped(&mut bench, 10 * 86_400) <= 22, "then twice a day");
    bench.want(90.0);
    assert_eq!(clamped(&mut bench, 100), 4, "another value is tried as if nothing had been");
}

#[tokio::test(start_paused = true)]
async fn what_shows_nothing_and_has_no_answer_is_told_twice_and_then_left_alone() {
    let mut bench = Bench::of(MORE);
    let name = "battery_power_setpoint";
    bench.image.put(Table::Holding, 110, &[0], 1);
    bench.with(|control, sight, _| control.want(name, 100.0, sight));
    let lost = |bench: &mut Bench| {
        bench.pass(1);
        let order = bench.with(|control, sight, now| control.next(sight, now));
        if order.is_some() {
            bench.with(|control, sight, now| control.done(name, End::Lost, sight, now));
        }
        (usize::from(order.is_some()), bench.outcomes())
    };
    let said: Vec<_> = (0..60).map(|_| lost(&mut bench)).collect();
    assert_eq!(said.iter().map(|(sent, _)| sent).sum::<usize>(), 2);
    let failed = Outcome::Failed(name.into(), 100.0, "there was no answer".into());
    assert_eq!(said.into_iter().flat_map(|(_, outcomes)| outcomes).collect::<Vec<_>>(), [failed]);

    assert!(bench.control.end(name));
    let ends: usize = (0..60).map(|_| lost(&mut bench).0).sum();
    assert_eq!(ends, 6, "an end goes on, every 10 s");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_before_it_was_read_what_the_device_has() {
    let mut bench = Bench::new();
    bench.image.clear();
    bench.want(50.0);
    assert_eq!(bench.written(), None);
    bench.device_shows(50);
    bench.pass(30);
    assert_eq!(bench.written(), None, "it has it already");
    assert_eq!(bench.control.flash_writes(), 0);

    bench.with(|control, _, _| control.forget_what_was_sent());
    bench.image.clear();
    assert_eq!(bench.written(), None);
    bench.pass(20);
    assert_eq!(bench.written(), Some(50), "it is not waited for without end");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_stands_behind_is_forgotten_begun_or_not() {
    let mut bench = Bench::of(MORE);
    let (now, power) = (bench.now, "battery_power_setpoint");
    bench.image.put(Table::Holding, 110, &[0], 1);
    bench.want(80.0);
    bench.with(|control, sight, _| control.want(power, 100.0, sight));
    let mut commanders = Commanders::new(60);
    for name in [LIMIT, power] {
        commanders.wrote(name, None, now);
    }
    for name in commanders.over(now + Duration::from_secs(60)) {
        assert_eq!(ended(&mut bench.control, &name, "why"), format!("{name} is not wanted any more: why"));
    }
    commanders.retain(|name| bench.control.is_wanted(name));
    assert_eq!(commanders.next(), None);
    assert_eq!(bench.with(|control, sight, now| control.next(sight, now)), None, "it does not begin later");
}

#[tokio::test(start_paused = true)]
async fn what_another_set_point_has_written_is_not_taken_for_what_was_read_before() {
    let more = "[[write]]\nname = \"x_low\"\naddr = 109\nmask = 0x00FF\nmin = 0\nmax = 100\n\
         [[write]]\nname = \"x_high\"\naddr = 109\nmask = 0xFF00\nmin = 0\nmax = 100\n";
    for is_written in [true, false] {
        let mut bench = Bench::of(more);
        bench.image.put(Table::Holding, 109, &[0x0503], 1);
        if is_written {
            bench.with(|control, sight, _| control.want("x_low", 4.0, sight));
            assert!(bench.with(|control, sight, now| control.next(sight, now)).is_some());
            bench.with(|control, sight, now| control.done("x_low", End::Taken, sight, now));
            bench.with(|control, _, _| assert!(!control.end("x_low")));
        }
        bench.with(|control, sight, _| control.want("x_high", 5.0, sight));
        let order = bench.with(|control, sight, now| control.next(sight, now));
        assert_eq!(order.is_some(), is_written, "it was 5, and nothing was read since");
    }
}

#[test]
fn what_waits_for_its_memory_says_until_when_and_goes_out_then() {
    let mut bench = Bench::new();
    // Three writes at once, of which a raise leaves one.
    for value in [60.0, 70.0] {
        bench.want(value);
        assert_eq!(bench.written(), Some(value as u16));
    }
    bench.want(80.0);
    let began = bench.now;
    assert_eq!(bench.written(), None);
    let until = bench.control.waiting().next().map(|(name, value, until)| (name.to_owned(), value, until));
    let (name, value, until) = until.unwrap();
    assert_eq!((name.as_str(), value), (LIMIT, 80.0));
    bench.now = began + (until - began) / 2;
    assert_eq!(bench.written(), None);
    assert_eq!(
        bench.control.waiting().next().map(|(.., again)| again),
        Some(until),
        "it stays what was said"
    );
    bench.now = until + Duration::from_millis(1);
    assert_eq!(bench.written(), Some(80));
    assert_eq!(bench.control.waiting().count(), 0);
}
