//! A device that refuses what it has: while it starts, or for a moment.

use inverter_modbus::device::poll::Device;

use super::slave::{Cell, Slave, until};
use super::{ALL, holds, whole};

const WHOLE: (u16, u16) = (100, 7);

fn refused() -> Vec<(u16, Cell)> {
    whole().into_iter().map(|(addr, _)| (addr, Cell::Fails(2))).collect()
}

#[tokio::test]
async fn what_has_answered_and_is_refused_for_a_moment_is_soon_read_in_one_again() {
    let slave = Slave::with(&whole());
    let mut device = slave.device(10_000).await;
    until(&mut device, Device::is_whole).await;
    slave.becomes(&refused());
    let before = slave.reads().len();
    until(&mut device, |_| slave.reads().len() >= before + 2).await;
    assert_eq!(device.points().number("x_d"), Some(4.0), "it is not too old yet");
    slave.becomes(&whole());
    slave.becomes(&holds(&[(106, 5)]));
    until(&mut device, |device| device.points().number("x_d") == Some(5.0)).await;
    assert!(slave.reads()[1..].iter().all(|read| *read == WHOLE), "{:?}", slave.reads());
}

#[tokio::test]
async fn what_was_refused_while_the_device_started_is_read_once_it_is_there() {
    let slave = Slave::with(&whole());
    slave.becomes(&[(106, Cell::Fails(2))]);
    let mut device = slave.device(10_000).await;
    until(&mut device, Device::is_whole).await;
    assert_eq!(device.points().number("x_d"), None);
    slave.becomes(&whole());
    let before = slave.reads().len();
    until(&mut device, |device| device.points().number("x_d") == Some(4.0)).await;
    until(&mut device, |_| slave.reads()[before..].contains(&WHOLE)).await;
}

#[tokio::test]
async fn a_device_that_has_nothing_but_its_name_yet_is_asked_for_it_again() {
    let slave = Slave::with(&holds(&ALL[..1]));
    let mut device = slave.device(10_000).await;
    until(&mut device, |device| device.map().is_some()).await;
    until(&mut device, |device| device.map().is_none()).await;
    slave.becomes(&whole());
    until(&mut device, |device| device.is_whole() && device.points().number("x_d") == Some(4.0)).await;
}
