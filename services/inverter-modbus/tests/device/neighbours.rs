//! Devices of one line of which some are not there.

use std::time::Duration;

use futures_util::future::join_all;
use inverter_modbus::device::access::Access;
use inverter_modbus::device::poll::Device;
use inverter_modbus::engine::encode::Written;
use inverter_modbus::profile::scalar::Table;
use tokio::time::{Instant, timeout};

use super::slave::{Slave, until};
use super::{PROFILE, whole};

/// Units without a device.
const AWAY: std::ops::Range<u8> = 2..10;
/// How often the living one is read.
const READS: usize = 8;

#[tokio::test]
async fn a_line_full_of_devices_that_are_away_has_time_for_the_one_that_is_there() {
    let slave = Slave::with(&whole());
    let profile = PROFILE.replace("100ms", "1s");
    let (access, profile) = slave.access_of(&profile, 700).await;
    let line = access.line().clone();
    let device = |access| Device::new(profile.clone(), access, false, Instant::now());
    let away = AWAY.map(|unit| {
        let mut away = device(Access::new(line.clone(), unit, &profile));
        async move {
            loop {
                away.happen().await;
            }
        }
    });
    let away = join_all(away.collect::<Vec<_>>());
    let mut here = device(access);
    let reads = || slave.reads().iter().filter(|(addr, _)| *addr == 100).count();
    let living = async {
        until(&mut here, |_| reads() >= 1 && slave.unanswered() >= AWAY.len()).await;
        let before = (reads(), slave.unanswered());
        until(&mut here, |_| reads() >= before.0 + READS).await;
        slave.unanswered() - before.1
    };
    let looks = tokio::select! {
        looks = living => looks,
        _ = away => panic!("they live for ever"),
    };
    assert!(looks < READS, "{looks} looks at what is away, {READS} reads of what is there");
}

/// Longer than any test lives: who waits for the answer of a device that is off waits for ever.
const FOR_EVER_MS: u64 = 3_600_000;

#[tokio::test]
async fn a_write_does_not_wait_for_a_neighbour_that_says_nothing() {
    let slave = Slave::with(&whole());
    let (access, profile) = slave.access_of(PROFILE, FOR_EVER_MS).await;
    let mut away =
        Device::new(profile.clone(), Access::new(access.line().clone(), 2, &profile), true, Instant::now());
    let mut here = Device::new(profile, access, true, Instant::now());
    until(&mut here, Device::is_whole).await;
    let looking = async {
        loop {
            away.happen().await;
        }
    };
    let commanding = async {
        // Its own reads wait for the line, and what is written does not wait for them.
        while slave.unanswered() == 0 {
            // What is under way goes on at the next call.
            let _ = timeout(Duration::from_millis(10), here.happen()).await;
        }
        let write = Written { table: Table::Holding, addr: 106, values: vec![9], masks: vec![u16::MAX] };
        assert!(here.command(1, vec![write]));
        until(&mut here, |_| slave.writes() == [(106, vec![9])]).await;
    };
    tokio::select! {
        () = commanding => {}
        () = looking => panic!("it lives for ever"),
    }
}
