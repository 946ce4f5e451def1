//! A device that is read seldom, for tests.

use std::time::Duration;

use super::*;
use crate::engine::decode::decode;
use crate::engine::filter::Filter;
use crate::engine::map::Map;
use crate::engine::sunspec::{Chain, Model};
use crate::profile::builtin;
use crate::profile::scalar::Table;

/// A device whose registers change when they are written, and are known when they are read.
pub(in crate::unit) struct Bench {
    pub(in crate::unit) map: Map,
    pub(in crate::unit) read: Image,
    real: Image,
    reads: u64,
    pub(in crate::unit) control: Control,
    pub(in crate::unit) now: Instant,
}

/// A profile as a device has it whose chain, where it needs one, has all models that are used together.
pub(in crate::unit) fn map_of(profile: &str) -> Map {
    let models = [103, 120, 124, 160, 802].into_iter().zip((0_u16..).map(|n| 40_070 + 200 * n));
    let chain = Chain { models: models.map(|(id, addr)| Model { id, addr, length: 190 }).collect() };
    Map::new(&builtin::by_id(profile).unwrap(), Some(&chain), true)
}

impl Bench {
    pub(in crate::unit) fn new(profile: &str) -> Bench {
        let map = map_of(profile);
        let (read, real, control) = (Image::default(), Image::default(), Control::default());
        Bench { map, read, real, reads: 0, control, now: Instant::now() }
    }

    pub(in crate::unit) fn has(&mut self, addr: u16, values: &[u16]) {
        self.real.put(Table::Holding, addr, values, 0);
    }

    pub(in crate::unit) fn holds(&self, addr: u16) -> Option<u16> {
        self.real.get(Table::Holding, addr)
    }

    /// All registers are read.
    pub(in crate::unit) fn read(&mut self) {
        self.reads += 1;
        for (table, addr, value) in self.real.iter() {
            self.read.put(table, addr, &[value], self.reads);
        }
    }

    pub(in crate::unit) fn with<T>(
        &mut self,
        then: impl FnOnce(&mut Control, &Sight<'_>, Instant) -> T,
    ) -> T {
        let Bench { map, read, reads, control, now, .. } = self;
        let mut points = Filter::default();
        points.take(&decode(map, read));
        let point = |name: &str| points.number(name);
        then(control, &Sight { map, image: read, point: &point, secret: &|_| None, reads: *reads }, *now)
    }

    pub(in crate::unit) fn want(&mut self, name: &str, value: f64) {
        self.with(|control, sight, _| control.want(name, value, sight));
    }

    /// What goes out next.
    pub(in crate::unit) fn order(&mut self) -> Option<Order> {
        self.with(|control, sight, now| control.next(sight, now))
    }

    /// It arrives, or not.
    pub(in crate::unit) fn ends(&mut self, order: &Order, end: End) {
        for write in order.writes.iter().filter(|_| end == End::Taken) {
            let at = (write.addr..).take(write.values.len());
            let present: Vec<u16> = at.map(|addr| self.holds(addr).unwrap_or(0)).collect();
            self.has(write.addr, &write.over(&present));
        }
        self.with(|control, sight, now| control.done(&order.name, end, sight, now));
    }

    /// What is written next; the device takes it.
    pub(in crate::unit) fn written(&mut self) -> Option<String> {
        let order = self.order()?;
        self.ends(&order, End::Taken);
        Some(order.name)
    }

    /// Seconds pass in which everything is read and written in time. Returns what was written.
    pub(in crate::unit) fn pass(&mut self, seconds: u64) -> Vec<String> {
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
pub(in crate::unit) fn sofar() -> Bench {
    let mut bench = Bench::new("sofar-hyd");
    let mut battery: Vec<u16> = (1..=17).collect();
    battery[7..9].fill(10_000);
    bench.has(0x1044, &battery);
    bench.read();
    bench
}

pub(in crate::unit) fn deye() -> Bench {
    let mut bench = Bench::new("deye-one-phase");
    bench.has(0, &[0; 320]);
    bench.has(43, &[1]);
    bench.has(183, &[5000]);
    bench.read();
    bench
}
