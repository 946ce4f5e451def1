//! A device that was silent and comes back, or another one in its place.

use inverter_modbus::device::poll::{Device, Happened};
use inverter_modbus::engine::encode::Written;
use inverter_modbus::profile::scalar::Table;
use tokio::time::Instant;

use super::slave::{Cell, Slave, until};

/// A device that is recognised by register `at`, has its serial number behind that and measures in register 100.
pub(crate) fn profile(at: u16) -> String {
    format!(
        r#"
schema = 1
id = "tested"
make = "Any"
models = ["One"]
class = "hybrid"
link = {{ tcp = {{ port = 502 }}, timeout_ms = 200 }}
block = [{{ addr = 100, count = 1, every = "100ms" }}]
point = [{{ name = "battery_voltage", addr = 100, scale = 0.1 }}]

[identify]
read = [{{ addr = {at}, count = 2 }}]
match = [{{ addr = {at}, in = [7] }}]
serial = {{ addr = {} }}
"#,
        at + 1
    )
}

/// Registers of such a device with this serial number.
pub(crate) fn registers(at: u16, serial: u16) -> Vec<(u16, Cell)> {
    [(at, 7), (at + 1, serial), (100, 520), (10, 0)].map(|(addr, value)| (addr, Cell::Holds(value))).to_vec()
}

pub(crate) fn silent(at: u16) -> Vec<(u16, Cell)> {
    registers(at, 0).into_iter().map(|(addr, _)| (addr, Cell::Silent)).collect()
}

async fn device(slave: &Slave, at: u16) -> Device {
    let (access, profile) = slave.access_of(&profile(at), 200).await;
    Device::new(profile, access, true, Instant::now())
}

pub(crate) fn write() -> Vec<Written> {
    vec![Written { table: Table::Holding, addr: 10, values: vec![1], masks: vec![u16::MAX] }]
}

/// A device that was there and says nothing for so long that it is asked who it is.
async fn doubted(slave: &Slave, at: u16) -> Device {
    let mut device = device(slave, at).await;
    until(&mut device, Device::is_whole).await;
    slave.becomes(&silent(at));
    let before = slave.reads().len();
    until(&mut device, |_| slave.reads()[before..].iter().any(|read| *read != (100, 1))).await;
    assert!(device.map().is_some(), "it is only doubted");
    assert!(!device.command(1, write()), "nothing is to wait until that is known");
    device
}

#[tokio::test]
async fn one_that_was_silent_says_who_it_is_before_it_is_written_or_read() {
    let slave = Slave::with(&registers(0, 1));
    let mut device = doubted(&slave, 0).await;
    let before = slave.reads().len();
    slave.becomes(&registers(0, 1));
    while !device.command(1, write()) {
        assert_eq!(slave.writes(), []);
        assert_ne!(device.happen().await, Happened::Recognised, "it is the same one");
    }
    while device.happen().await != Happened::Command(1, Ok(())) {}
    assert!(slave.reads()[before..].iter().all(|read| *read == (0, 2)), "{:?}", &slave.reads()[before..]);
    assert_eq!(slave.writes(), [(10, vec![1])]);
    until(&mut device, |_| slave.reads()[before..].contains(&(100, 1))).await;
    assert_eq!(device.points().number("battery_voltage"), Some(52.0));
}

#[tokio::test]
async fn another_one_of_its_kind_is_told_and_neither_read_nor_written_until_the_first_is_back() {
    let slave = Slave::with(&registers(0, 1));
    let mut device = doubted(&slave, 0).await;
    let before = slave.reads().len();
    slave.becomes(&registers(0, 2));
    until(&mut device, |device| device.stranger().is_some()).await;
    assert_eq!(device.stranger(), Some("another device answers: its serial number is 2, not 1"));
    assert!(device.map().is_none() && !device.command(2, write()));
    assert!(!device.is_sure().await);
    slave.becomes(&registers(0, 1));
    until(&mut device, |device| device.identity().is_some()).await;
    assert_eq!(device.stranger(), None);
    assert!(slave.reads()[before..].iter().all(|read| *read == (0, 2)), "{:?}", &slave.reads()[before..]);
    assert_eq!(slave.writes(), []);
}

/// Registers from here on reset some inverters.
const LATE: u16 = 35_000;

#[tokio::test]
async fn one_that_does_not_bear_to_be_asked_is_found_out_before_it_is() {
    let slave = Slave::with(&registers(LATE, 1));
    let mut device = doubted(&slave, LATE).await;
    // A Growatt SPF says so in input register 44.
    slave.becomes(&registers(LATE, 1));
    slave.becomes(&[(44, Cell::Holds(3401))]);
    let before = slave.reads().len();
    until(&mut device, |device| device.stranger().is_some()).await;
    assert_eq!(device.stranger(), Some("another device answers: a Growatt SPF"));
    let reads = &slave.reads()[before..];
    assert!(reads.iter().all(|(addr, _)| *addr < 30_000) && reads.contains(&(44, 1)), "{reads:?}");
    assert_eq!(slave.writes(), []);
}

#[tokio::test]
async fn one_that_answers_the_harmless_questions_is_asked_no_others_while_it_is_silent() {
    let slave = Slave::with(&registers(LATE, 1));
    let mut device = doubted(&slave, LATE).await;
    slave.becomes(&[(44, Cell::Silent), (43, Cell::Silent), (23, Cell::Silent), (9, Cell::Silent)]);
    until(&mut device, |_| slave.reads().ends_with(&[(44, 1)])).await;
    let before = slave.reads().len();
    until(&mut device, |_| slave.reads().len() >= before + 3).await;
    assert!(slave.reads()[before..].iter().all(|read| *read == (44, 1)), "{:?}", &slave.reads()[before..]);
    slave.becomes(&[(44, Cell::Fails(2)), (43, Cell::Fails(2)), (23, Cell::Fails(2)), (9, Cell::Fails(2))]);
    slave.becomes(&registers(LATE, 1));
    until(&mut device, |_| slave.reads()[before..].contains(&(LATE, 2))).await;
}

#[tokio::test]
async fn one_that_is_known_by_such_registers_is_back_when_none_that_is_endangered_answers() {
    // It refuses the questions, or says nothing to them.
    for answer in [Cell::Fails(2), Cell::Silent] {
        let questions: Vec<(u16, Cell)> = [44, 43, 23, 9].map(|addr| (addr, answer)).to_vec();
        let slave = Slave::with(&[registers(LATE, 1), questions].concat());
        let mut device = doubted(&slave, LATE).await;
        slave.becomes(&registers(LATE, 1));
        while !device.command(1, write()) {
            device.happen().await;
        }
        until(&mut device, |_| slave.writes() == [(10, vec![1])]).await;
        assert_eq!(device.stranger(), None);
    }
}

#[tokio::test]
async fn one_that_answers_some_questions_and_not_the_others_is_asked_nothing_else() {
    let slave = Slave::with(&registers(LATE, 1));
    let mut device = doubted(&slave, LATE).await;
    slave.becomes(&registers(LATE, 1));
    slave.becomes(&[(44, Cell::Holds(5)), (43, Cell::Silent), (23, Cell::Silent), (9, Cell::Silent)]);
    let before = slave.reads().len();
    until(&mut device, |device| device.stranger().is_some()).await;
    assert!(slave.reads()[before..].iter().all(|(addr, _)| *addr < 30_000));
}
