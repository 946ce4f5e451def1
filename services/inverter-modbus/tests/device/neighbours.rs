//! Devices of one line of which some are not there.

use futures_util::future::join_all;
use inverter_modbus::device::access::Access;
use inverter_modbus::device::poll::Device;
use tokio::time::Instant;

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
