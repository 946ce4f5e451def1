//! The machine around a device, on a connection: what it does with refusals, silence and what it reads.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inverter_modbus::device::access::{Access, Fault};
use inverter_modbus::device::poll::{Device, Happened};
use inverter_modbus::engine::encode::Written;
use inverter_modbus::engine::plan::Range;
use inverter_modbus::line::address::{Address, Framing};
use inverter_modbus::line::{Line, NoAnswer, Turn};
use inverter_modbus::profile::scalar::Table;
use inverter_modbus::profile::{Profile, parse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

const LONG: Duration = Duration::from_secs(30);

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

/// A register, or what happens to who reads it.
#[derive(Debug, Clone, Copy)]
enum Cell {
    Holds(u16),
    Silent,
    Fails(u8),
}

/// An address and what was written there.
type WrittenAt = (u16, Vec<u16>);

/// A device on Modbus TCP: registers, and every read of it.
#[derive(Clone, Default)]
struct Slave {
    cells: Arc<Mutex<BTreeMap<u16, Cell>>>,
    reads: Arc<Mutex<Vec<(u16, u16)>>>,
    writes: Arc<Mutex<Vec<WrittenAt>>>,
}

impl Slave {
    fn with(cells: &[(u16, Cell)]) -> Slave {
        let slave = Slave::default();
        slave.cells.lock().unwrap().extend(cells.iter().copied());
        slave
    }

    fn becomes(&self, cells: &[(u16, Cell)]) {
        self.cells.lock().unwrap().extend(cells.iter().copied());
    }

    fn reads(&self) -> Vec<(u16, u16)> {
        self.reads.lock().unwrap().clone()
    }

    /// The answer to a read: values, exception 2 for what is not there, or nothing.
    fn answer(&self, addr: u16, count: u16) -> Option<Result<Vec<u16>, u8>> {
        self.reads.lock().unwrap().push((addr, count));
        let cells = self.cells.lock().unwrap();
        let mut values = Vec::new();
        for register in addr..addr + count {
            match cells.get(&register) {
                Some(Cell::Holds(value)) => values.push(*value),
                Some(Cell::Silent) => return None,
                Some(Cell::Fails(exception)) => return Some(Err(*exception)),
                None => return Some(Err(2)),
            }
        }
        Some(Ok(values))
    }

    /// The answer to a write of several registers, whose values are still to come.
    async fn write(&self, addr: u16, count: u16, stream: &mut TcpStream) -> Result<Vec<u16>, u8> {
        let mut bytes = vec![0; 1 + 2 * usize::from(count)];
        stream.read_exact(&mut bytes).await.unwrap();
        let words: Vec<u16> =
            bytes[1..].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        self.writes.lock().unwrap().push((addr, words.clone()));
        let mut cells = self.cells.lock().unwrap();
        if (addr..addr + count).any(|addr| !cells.contains_key(&addr)) {
            return Err(2);
        }
        cells.extend((addr..).zip(words.into_iter().map(Cell::Holds)));
        Ok(vec![addr, count])
    }

    async fn serve(self, listener: TcpListener) {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let slave = self.clone();
            tokio::spawn(async move {
                let mut request = [0; 12];
                while stream.read_exact(&mut request).await.is_ok() {
                    let of = |n: usize| u16::from_be_bytes([request[n], request[n + 1]]);
                    let body = match request[7] {
                        3 => slave.answer(of(8), of(10)),
                        _ => Some(slave.write(of(8), of(10), &mut stream).await),
                    };
                    let body = match body {
                        None => continue,
                        Some(Ok(values)) if request[7] == 16 => values
                            .iter()
                            .fold(vec![16], |body, word| [body, word.to_be_bytes().to_vec()].concat()),
                        Some(Err(exception)) => vec![request[7] | 0x80, exception],
                        Some(Ok(values)) => {
                            let mut body = vec![request[7], 2 * u8::try_from(values.len()).unwrap()];
                            body.extend(values.iter().flat_map(|value| value.to_be_bytes()));
                            body
                        }
                    };
                    let length = u16::try_from(body.len() + 1).unwrap().to_be_bytes();
                    let head = [request[0], request[1], 0, 0, length[0], length[1], request[6]];
                    if stream.write_all(&[&head[..], &body].concat()).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    /// What reads and writes this one.
    async fn access(&self, timeout_ms: u64) -> (Access, Arc<Profile>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(self.clone().serve(listener));
        let mut profile = parse(PROFILE, "tested.toml").unwrap_or_else(|why| panic!("{why}"));
        profile.link.timeout_ms = timeout_ms;
        let address = Address::Tcp { host: "127.0.0.1".into(), port, framing: Framing::Tcp };
        (Access::new(Line::start(address, None, 1), 1, &profile), Arc::new(profile))
    }

    /// A device that reads this one.
    async fn device(&self, timeout_ms: u64) -> Device {
        let (access, profile) = self.access(timeout_ms).await;
        Device::new(profile, access, false, Instant::now())
    }
}

/// Lets the device live until this holds; returns how often everything that was due was there.
async fn until(device: &mut Device, mut holds: impl FnMut(&Device) -> bool) -> usize {
    let mut cycles = 0;
    let living = async {
        while !holds(device) {
            cycles += usize::from(device.happen().await == Happened::Cycle);
        }
    };
    timeout(LONG, living).await.unwrap();
    cycles
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
async fn what_is_refused_alone_is_not_asked_for_again() {
    let slave = Slave::with(&holds(&ALL[..5]));
    let mut device = slave.device(10_000).await;
    until(&mut device, |_| slave.reads().iter().filter(|read| **read == (105, 1)).count() > 3).await;
    let of = |read| slave.reads().into_iter().filter(|other| *other == read).count();
    assert_eq!((of((100, 7)), of((105, 2)), of((106, 1))), (1, 1, 1));
    assert_eq!((device.points().number("x_c"), device.points().number("x_d")), (Some(3.0), None));
}

#[tokio::test]
async fn a_read_without_an_answer_is_tried_three_times_and_the_others_go_on() {
    let mut cells = holds(&ALL[..4]);
    cells.extend([(105, Cell::Silent), (106, Cell::Silent)]);
    let slave = Slave::with(&cells);
    let mut device = slave.device(200).await;
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
    assert_eq!(*slave.writes.lock().unwrap(), [(10, vec![1]), (11, vec![2])]);
}

#[tokio::test]
async fn bits_are_written_over_what_stands_there() {
    let slave = Slave::with(&holds(&[(10, 0xF00F)]));
    let (access, _) = slave.access(10_000).await;
    timeout(LONG, access.write(&[written(10, 0x0020, 0x0030)])).await.unwrap().unwrap();
    assert_eq!(slave.reads(), [(10, 1)]);
    assert_eq!(*slave.writes.lock().unwrap(), [(10, vec![0xF02F])]);
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
        let mut device = slave.device(200).await;
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
        let mut device = slave.device(200).await;
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
