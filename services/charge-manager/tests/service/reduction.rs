//! A reduction does not wait for the next second. The manager counts its seconds, so what is seen between two of its counts did
//! not wait, on a machine however busy.

use dbus_interfaces::classes::{bank, battery as b};
use tokio::time::Instant;

use crate::rig::{Pack, Rig};

#[tokio::test]
async fn a_lower_limit_of_a_member_passes_through_before_the_next_second() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let mut one = rig.battery(Pack::ours("one", 100)).await;
    let _two = rig.battery(Pack::ours("two", 101)).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch.until_it_works().await;
    let (mut took, mut good) = (Vec::new(), 0);
    for round in 1..=15 {
        let dcl_a = 115.0 - 7.0 * f64::from(round);
        let before = watch.get(bank::BANK_MAX_DISCHARGE_CURRENT).expect("a limit");
        let (at, second) = (Instant::now(), watch.get(bank::UPDATE_INDEX));
        one.set(|pack| pack.dcl_a = dcl_a).await;
        watch
            .until("a lower limit", |watch| {
                watch.get(bank::BANK_MAX_DISCHARGE_CURRENT).is_some_and(|a| a < before && a <= 2.0 * dcl_a)
            })
            .await;
        took.push(at.elapsed().as_secs_f64() * 1_000.0);
        good += usize::from(watch.get(bank::UPDATE_INDEX) == second);
        assert!(watch.get(b::MAX_DISCHARGE_CURRENT).is_some_and(|a| a <= 2.0 * dcl_a));
        if good == 3 {
            break;
        }
    }
    println!("from the member's item to the bank's: {took:.1?} ms");
    assert_eq!(good, 3, "within a second of the manager: {took:?}");
}

#[tokio::test]
async fn a_member_that_leaves_is_out_at_once_and_one_that_falls_silent_stops_the_bank() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let one = rig.battery(Pack::ours("one", 100)).await;
    let two = rig.battery(Pack::ours("two", 101)).await;
    let three = rig.battery(Pack::ours("three", 102)).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch.until_it_works().await;
    watch.until("bulk", |watch| watch.get(bank::BANK_STATE).as_deref() == Some("bulk")).await;
    let before = watch.get(bank::BANK_MAX_DISCHARGE_CURRENT).expect("a limit");
    drop(three);
    let took = watch
        .until("without the third", |watch| {
            watch.get(bank::BANK_MAX_DISCHARGE_CURRENT).is_some_and(|a| a < before * 0.75)
        })
        .await;
    println!("a member's loss is in the decision after {took:?}");
    two.fall_silent();
    let stops = |watch: &crate::rig::Watch| {
        watch.get(bank::BANK_MAX_DISCHARGE_CURRENT) == Some(0.0)
            && watch.get(bank::BANK_MAX_CHARGE_CURRENT) == Some(0.0)
            && watch.get(b::ALARM_BMS_CABLE).is_some_and(|level| level > 0)
    };
    let took = watch.until("0 A for want of data", stops).await;
    assert!((9.0..16.0).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(watch.get(bank::BANK_STATE).as_deref(), Some("no data"));
    drop(one);
}
