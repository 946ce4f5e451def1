//! Victron's own devices beside a follower: told by systemcalc while DVCC is on, counted against the bank while it is off.

use std::time::Duration;

use dbus_interfaces::classes::{bank, battery as b, follower as f, system};
use dbus_interfaces::{Draft, Service};

use crate::rig::{Pack, Rig, Watch, identity};

/// A Multi on the VE.Bus and a solar charger, with what of their paths says something of current.
async fn devices(rig: &Rig, multi_a: f64, solar_a: f64) -> (Service, Service) {
    let mut multi = Draft::new("com.victronenergy.vebus.ttyS4");
    identity(&mut multi, "MultiPlus-II 48/5000", 261);
    multi.add(f::CURRENT, multi_a);
    let multi = multi.publish(&rig.address()).await.expect("published").0;
    let mut solar = Draft::new("com.victronenergy.solarcharger.ttyS7");
    identity(&mut solar, "SmartSolar 250/100", 279);
    solar.add(f::CURRENT, solar_a).add(system::CHARGE_CURRENT_LIMIT, 100.0);
    (multi, solar.publish(&rig.address()).await.expect("published").0)
}

/// Nobody charges in the first half minute, and then the limit rises slowly.
const CHARGING: Duration = Duration::from_secs(100);

fn share_a(watch: &Watch) -> Option<f64> {
    watch.get(bank::SHARE_MAX_CHARGE_CURRENT.nth(0))
}

/// What the follower and systemcalc may spend together, and what there is.
fn spent_and_there(watch: &Watch) -> Option<(f64, f64)> {
    let together = share_a(watch)? + watch.get(b::MAX_CHARGE_CURRENT)?;
    Some((together, watch.get(bank::BANK_MAX_CHARGE_CURRENT)?))
}

#[tokio::test]
async fn with_dvcc_the_limit_is_spent_once_between_a_follower_and_what_systemcalc_tells() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let mut one = rig.battery(Pack::ours("one", 100)).await;
    let _systemcalc = rig.systemcalc(true).await;
    let (multi, solar) = devices(&rig, 0.0, 0.0).await;
    let follower = rig.follower("x", 0.0).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch
        .until_within(CHARGING, "a part for the follower", |watch| share_a(watch).is_some_and(|a| a > 15.0))
        .await;
    for (device, amps) in [(&multi, 25.0), (&solar, 15.0), (&follower, 5.0)] {
        device.update(|tx| _ = tx.set(f::CURRENT, amps)).await.expect("the bus");
    }
    one.set(|pack| pack.current_a = 45.0).await;
    watch
        .until_within(CHARGING, "parts for both", |watch| {
            let parts = share_a(watch).zip(watch.get(b::MAX_CHARGE_CURRENT));
            parts.is_some_and(|(follower_a, dvcc_a)| follower_a > 5.0 && dvcc_a > 20.0)
        })
        .await;
    let (spent_a, there_a) = spent_and_there(&watch).expect("limits");
    assert!(spent_a <= there_a + 0.1, "{spent_a} A of {there_a} A");
    assert!(watch.get(bank::BANK_UNCONTROLLED).is_none_or(|a| a < 1.0), "all of it is controlled");
}

#[tokio::test]
async fn without_dvcc_their_current_is_taken_off_until_they_leave_and_what_a_multi_draws_is_not() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let mut one = rig.battery(Pack { current_a: 40.0, ..Pack::ours("one", 100) }).await;
    let _systemcalc = rig.systemcalc(false).await;
    let (multi, solar) = devices(&rig, 25.0, 15.0).await;
    let _follower = rig.follower("x", 0.0).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    let counted = |watch: &Watch, from_a: f64, to_a: f64| {
        watch.get(bank::BANK_UNCONTROLLED).is_some_and(|a| (from_a..to_a).contains(&a))
    };
    watch.until("both are counted", |watch| counted(watch, 39.0, 41.0)).await;
    watch
        .until_within(CHARGING, "a part for the follower", |watch| share_a(watch).is_some_and(|a| a > 0.0))
        .await;
    let (follower_a, there_a) =
        share_a(&watch).zip(watch.get(bank::BANK_MAX_CHARGE_CURRENT)).expect("limits");
    assert!(follower_a <= there_a - 39.0, "{follower_a} A beside 40 A of {there_a} A");

    multi.update(|tx| _ = tx.set(f::CURRENT, -60.0)).await.expect("the bus");
    solar.leave().await;
    one.set(|pack| pack.current_a = -60.0).await;
    watch.until("less is counted", |watch| counted(watch, 0.0, 39.0)).await;
}
