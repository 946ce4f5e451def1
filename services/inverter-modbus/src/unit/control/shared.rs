//! Set points that share registers, at a device that is read seldom.

use std::time::Duration;

use super::*;
use crate::engine::decode::decode;
use crate::engine::filter::Filter;
use crate::engine::map::Map;
use crate::profile::builtin;
use crate::profile::scalar::Table;

const CHARGE_LIMIT: &str = "charge_current_limit";
const DISCHARGE_LIMIT: &str = "discharge_current_limit";

/// A device whose registers change when they are written, and are known when they are read.
struct Bench {
    map: Map,
    read: Image,
    real: Image,
    reads: u64,
    control: Control,
    now: Instant,
}

impl Bench {
    fn new(profile: &str) -> Bench {
        let map = Map::new(&builtin::by_id(profile).unwrap(), None, true);
        let (read, real, control) = (Image::default(), Image::default(), Control::default());
        Bench { map, read, real, reads: 0, control, now: Instant::now() }
    }

    fn has(&mut self, addr: u16, values: &[u16]) {
        self.real.put(Table::Holding, addr, values, 0);
    }

    fn holds(&self, addr: u16) -> Option<u16> {
        self.real.get(Table::Holding, addr)
    }

    /// All registers are read.
    fn read(&mut self) {
        self.reads += 1;
        for (table, addr, value) in self.real.iter() {
            self.read.put(table, addr, &[value], self.reads);
        }
    }

    fn with<T>(&mut self, then: impl FnOnce(&mut Control, &Sight<'_>, Instant) -> T) -> T {
        let Bench { map, read, reads, control, now, .. } = self;
        let mut points = Filter::default();
        points.take(&decode(map, read));
        let point = |name: &str| points.number(name);
        then(control, &Sight { map, image: read, point: &point, secret: &|_| None, reads: *reads }, *now)
    }

    fn want(&mut self, name: &str, value: f64) {
        self.with(|control, sight, _| control.want(name, value, sight));
    }

    /// What goes out next.
    fn order(&mut self) -> Option<Order> {
        self.with(|control, sight, now| control.next(sight, now))
    }

    /// It arrives, or not.
    fn ends(&mut self, order: &Order, end: End) {
        for write in order.writes.iter().filter(|_| end == End::Taken) {
            let at = (write.addr..).take(write.values.len());
            let present: Vec<u16> = at.map(|addr| self.holds(addr).unwrap_or(0)).collect();
            self.has(write.addr, &write.over(&present));
        }
        self.with(|control, sight, now| control.done(&order.name, end, sight, now));
    }

    /// What is written next; the device takes it.
    fn written(&mut self) -> Option<String> {
        let order = self.order()?;
        self.ends(&order, End::Taken);
        Some(order.name)
    }

    /// Seconds pass in which everything is read and written in time. Returns what was written.
    fn pass(&mut self, seconds: u64) -> Vec<String> {
        let mut written = Vec::new();
        for _ in 0..seconds {
            self.read();
            self.with(|control, sight, now| control.outcomes(sight, now));
            written.extend(self.written());
            self.now += Duration::from_secs(1);
        }
        written
    }
}

/// A Sofar takes the description of its battery, with both limits in hundredths, only as a whole.
fn sofar() -> Bench {
    let mut bench = Bench::new("sofar-hyd");
    let mut battery: Vec<u16> = (1..=17).collect();
    battery[7..9].fill(10_000);
    bench.has(0x1044, &battery);
    bench.read();
    bench
}

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
