//! The machine around a device, on a connection: what it does with refusals, silence and what it reads.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod exchange;
mod interrupted;
mod neighbours;
mod refusals;
mod slave;

use std::sync::Arc;

use inverter_modbus::device::access::{Access, Fault};
use inverter_modbus::device::poll::Device;
use inverter_modbus::engine::encode::Written;
use inverter_modbus::engine::plan::Range;
use inverter_modbus::line::{NoAnswer, Turn};
use inverter_modbus::profile::Profile;
use inverter_modbus::profile::scalar::Table;
use slave::{Cell, LONG, Slave, until};
use tokio::time::{Instant, timeout};

const PROFILE: &str = r#"
schema = 1
id = "tested"
make = "Any"
models = ["One"]
class = "hybrid"
link = { tcp = { port = 502 }, timeout_ms = 10000, max_gap = 10 }
identify = { read = [{ addr = 0, count = 1 }], match = [{ addr = 0, in = [7] }] }
block = [
    { addr = 100, count = 3, every = "100ms" },
    { addr = 105, count = 2, every = "100ms", optional = true },
]
point = [
    { name = "battery_voltage", addr = 100, scale = 0.1 },
    { name = "x_a", addr = 101 },
    { name = "x_b", addr = 102 },
    { name = "x_c", addr = 105 },
    { name = "x_d", addr = 106 },
]
"#;

impl Slave {
    /// What reads and writes this one.
    async fn access(&self, timeout_ms: u64) -> (Access, Arc<Profile>) {
        self.access_of(PROFILE, timeout_ms).await
    }

    /// A device that reads this one.
    async fn device(&self, timeout_ms: u64) -> Device {
        let (access, profile) = self.access(timeout_ms).await;
        Device::new(profile, access, false, Instant::now())
    }
}

fn holds(cells: &[(u16, u16)]) -> Vec<(u16, Cell)> {
    cells.iter().map(|(addr, value)| (*addr, Cell::Holds(*value))).collect()
}

const ALL: [(u16, u16); 6] = [(0, 7), (100, 520), (101, 1), (102, 2), (105, 3), (106, 4)];

fn whole() -> Vec<(u16, Cell)> {
    let mut cells = holds(&ALL);
    cells.extend(holds(&[(103, 0), (104, 0)]));
    cells
}

#[tokio::test]
async fn near_blocks_are_one_read_and_one_cycle() {
    let slave = Slave::with(&whole());
    let mut device = slave.device(10_000).await;
    let cycles = until(&mut device, |device| device.points().number("x_d").is_some()).await;
    assert_eq!(slave.reads(), [(0, 1), (100, 7)]);
    assert_eq!(device.points().number("battery_voltage"), Some(52.0));
    assert!(cycles <= 1, "what one read brings is shown at once: {cycles}");
}

#[tokio::test]
async fn a_refused_read_is_split_into_its_blocks() {
    // Between the blocks is nothing.
    let slave = Slave::with(&holds(&ALL));
    let mut device = slave.device(10_000).await;
    until(&mut device, |device| {
        device.points().number("x_b").is_some() && device.points().number("x_d").is_some()
    })
    .await;
    let reads = slave.reads();
    assert_eq!(reads[..2], [(0, 1), (100, 7)]);
    assert!(reads.contains(&(100, 3)) && reads.contains(&(105, 2)), "{reads:?}");
}

#[tokio::test]
async fn what_is_refused_alone_is_not_asked_for_again_with_the_others() {
    let slave = Slave::with(&holds(&ALL[..5]));
    let mut device = slave.device(10_000).await;
    until(&mut device, |_| slave.reads().iter().filter(|read| **read == (105, 1)).count() > 3).await;
    let of = |read| slave.reads().into_iter().filter(|other| *other == read).count();
    assert_eq!((of((100, 7)), of((105, 2))), (1, 1));
    assert!(of((106, 1)) <= 2);
    assert_eq!((device.points().number("x_c"), device.points().number("x_d")), (Some(3.0), None));
}

#[tokio::test]
async fn a_read_without_an_answer_is_tried_three_times_and_the_others_go_on() {
    let mut cells = holds(&ALL[..4]);
    cells.extend([(105, Cell::Silent), (106, Cell::Silent)]);
    let slave = Slave::with(&cells);
    let mut device = slave.device(400).await;
    until(&mut device, |_| slave.reads().iter().filter(|read| read.0 == 105).count() >= 3).await;
    let first = slave.reads().iter().position(|read| read.0 == 105).unwrap();
    assert_eq!(slave.reads()[first..first + 3], [(105, 2); 3], "nothing comes between");
    let before = slave.reads().len();
    until(&mut device, |_| slave.reads()[before..].contains(&(100, 3))).await;
    assert_eq!(device.points().number("x_b"), Some(2.0));
}

#[tokio::test]
async fn another_device_is_not_read() {
    let slave = Slave::with(&[(0, Cell::Holds(8))]);
    let mut device = slave.device(10_000).await;
    until(&mut device, |_| !slave.reads().is_empty()).await;
    assert!(device.identity().is_none());
    assert_eq!(slave.reads(), [(0, 1)]);
}

fn written(addr: u16, value: u16, mask: u16) -> Written {
    Written { table: Table::Holding, addr, values: vec![value], masks: vec![mask] }
}

#[tokio::test]
async fn a_sequence_ends_at_the_first_write_that_is_refused() {
    let slave = Slave::with(&holds(&[(10, 0), (12, 0)]));
    let (access, _) = slave.access(10_000).await;
    let writes = [written(10, 1, 0xFFFF), written(11, 2, 0xFFFF), written(12, 3, 0xFFFF)];
    assert_eq!(timeout(LONG, access.write(&writes)).await.unwrap(), Err(Fault::Exception(2)));
    assert_eq!(slave.writes(), [(10, vec![1]), (11, vec![2])]);
}

#[tokio::test]
async fn bits_are_written_over_what_stands_there() {
    let slave = Slave::with(&holds(&[(10, 0xF00F)]));
    let (access, _) = slave.access(10_000).await;
    timeout(LONG, access.write(&[written(10, 0x0020, 0x0030)])).await.unwrap().unwrap();
    assert_eq!(slave.reads(), [(10, 1)]);
    assert_eq!(slave.writes(), [(10, vec![0xF02F])]);
}

#[tokio::test]
async fn a_gateway_that_does_not_reach_the_device_is_its_silence() {
    let slave = Slave::with(&[(10, Cell::Fails(11)), (11, Cell::Fails(10)), (12, Cell::Fails(4))]);
    let (access, _) = slave.access(10_000).await;
    let mut faults = Vec::new();
    for addr in 10..13 {
        let range = Range { table: Table::Holding, addr, count: 1 };
        faults.push(timeout(LONG, access.read(range, Turn::Now, 1)).await.unwrap().unwrap_err());
    }
    let silence = || Fault::NoAnswer(NoAnswer::Silence);
    assert_eq!(faults, [silence(), silence(), Fault::Exception(4)]);
    let write = Written { masks: vec![1], ..written(10, 1, 1) };
    assert_eq!(timeout(LONG, access.write(&[write])).await.unwrap(), Err(silence()));
}

#[tokio::test]
async fn a_device_of_which_a_block_never_answers_is_shown_without_it() {
    for never in [Cell::Silent, Cell::Fails(4)] {
        let mut cells = holds(&ALL[..4]);
        cells.extend([(105, never), (106, never)]);
        let slave = Slave::with(&cells);
        let mut device = slave.device(400).await;
        until(&mut device, |device| {
            let tried = slave.reads().iter().filter(|read| **read == (105, 2)).count();
            assert!(!device.is_whole() || tried >= 3, "after {tried} attempts");
            device.is_whole()
        })
        .await;
        let ages = device.schedule().unwrap().iter().map(|entry| (entry.request.range.addr, entry.read_at));
        assert_eq!(
            ages.filter(|(_, read_at)| read_at.is_none()).map(|(addr, _)| addr).collect::<Vec<_>>(),
            [105]
        );
    }
}

#[tokio::test]
async fn what_a_block_said_that_stops_answering_is_forgotten() {
    for stops in [Cell::Silent, Cell::Fails(6)] {
        let slave = Slave::with(&holds(&ALL));
        let mut device = slave.device(400).await;
        until(&mut device, |device| device.is_whole() && device.points().number("x_c").is_some()).await;
        slave.becomes(&[(105, stops), (106, stops)]);
        until(&mut device, |device| device.points().number("x_c").is_none()).await;
        assert_eq!(device.image().get(Table::Holding, 106), None);
        assert_eq!(device.points().number("x_b"), Some(2.0), "the others are as they were");
    }
}

#[tokio::test]
async fn a_device_that_only_says_that_it_has_failed_is_not_there() {
    let slave = Slave::with(&whole());
    let mut device = slave.device(10_000).await;
    until(&mut device, Device::is_whole).await;
    slave.becomes(&whole().iter().map(|(addr, _)| (*addr, Cell::Fails(4))).collect::<Vec<_>>());
    until(&mut device, |device| device.identity().is_none()).await;
}
