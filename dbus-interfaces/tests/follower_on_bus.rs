//! A follower and its source on a real bus. Ages are tried by asking for a later time than it is.
#![expect(clippy::expect_used, reason = "a step that fails has to fail the test that asked for it")]

use std::time::Duration;

use dbus_interfaces::classes::{bank, battery, device};
use dbus_interfaces::follower::{Follower, Limits, Source, Stance};
use dbus_interfaces::{BusAddress, BusError, Draft, Event, Events, Filter, Item, Monitor, Service};
use testbed::PrivateBus;
use tokio::time::{Instant, timeout};

const OWN: &str = "com.victronenergy.multi.ours";
const OTHER: &str = "com.victronenergy.multi.other";
const BATTERY: &str = "com.victronenergy.battery.a";
const DEADLINE: Duration = Duration::from_secs(20);

struct Bed {
    bus: PrivateBus,
    monitor: Monitor,
    events: Events,
    follower: Follower,
}

impl Bed {
    async fn new(source: Source) -> Bed {
        let bus = PrivateBus::start();
        let follower = Follower::new(source, OWN);
        let address = BusAddress::At(bus.address().to_owned());
        let filter = follower.add_to(Filter::new());
        let (monitor, events) = Monitor::start(&address, filter).await.expect("connected");
        Bed { bus, monitor, events, follower }
    }

    /// A manager with two rows, ours last, and other numbers on `/Info`.
    fn manager(&self) -> Draft {
        let mut draft = Draft::new(bank::NAME);
        draft
            .add(device::CONNECTED, 1)
            .add(battery::DC_VOLTAGE, 52.5)
            .add(battery::MAX_CHARGE_VOLTAGE, 58.0)
            .add(battery::MAX_CHARGE_CURRENT, 300.0)
            .add(battery::MAX_DISCHARGE_CURRENT, 300.0)
            .add(bank::UPDATE_INDEX, 0);
        row(&mut draft, 0, OTHER, 20.0);
        row(&mut draft, 1, OWN, 60.0);
        draft
    }

    async fn publish(&self, draft: impl Fn() -> Draft) -> Service {
        let address = BusAddress::At(self.bus.address().to_owned());
        loop {
            // The bus may still be taking leave of a former service of the name.
            match draft().publish(&address).await {
                Err(BusError::NameTaken { .. }) => tokio::task::yield_now().await,
                published => return published.expect("published").0,
            }
        }
    }

    /// Waits for an event of the source and says what may be taken then.
    async fn after(&mut self, wanted: impl Fn(&Event) -> bool) -> Limits {
        let found = async { while !wanted(&self.events.next().await.expect("connected")) {} };
        timeout(DEADLINE, found).await.expect("the event comes");
        self.limits_in(0)
    }

    fn limits_in(&mut self, seconds: u64) -> Limits {
        self.follower.limits(&self.monitor, Instant::now() + Duration::from_secs(seconds))
    }
}

fn row(draft: &mut Draft, n: u16, service: &str, amps: f64) {
    draft
        .add(bank::SHARE_SERVICE.nth(n), service.to_owned())
        .add(bank::SHARE_MAX_CHARGE_VOLTAGE.nth(n), 56.0)
        .add(bank::SHARE_MAX_CHARGE_CURRENT.nth(n), amps)
        .add(bank::SHARE_MAX_DISCHARGE_CURRENT.nth(n), amps + 20.0);
}

fn numbers(limits: &Limits) -> (Option<f64>, f64, f64) {
    (limits.charge_voltage_v, limits.charge_current_a, limits.discharge_current_a)
}

fn appeared(event: &Event) -> bool {
    matches!(event, Event::Appeared { .. })
}

fn gone(event: &Event) -> bool {
    matches!(event, Event::Gone { .. })
}

fn changed<T: dbus_interfaces::ItemType>(item: Item<T>) -> impl Fn(&Event) -> bool {
    let path = item.path();
    move |event| matches!(event, Event::Changed { paths, .. } if paths.iter().any(|p| **p == *path))
}

#[tokio::test]
async fn a_follower_takes_its_own_row_and_nothing_else() {
    let mut bed = Bed::new(Source::manager()).await;
    assert_eq!(bed.limits_in(0).stance, Stance::Waiting);
    let manager = bed.publish(|| bed.manager()).await;
    assert_eq!(numbers(&bed.after(appeared).await), (Some(56.0), 60.0, 80.0));
    let update = manager.update(|tx| {
        tx.set(bank::SHARE_MAX_CHARGE_CURRENT.nth(0), 5.0)
            .set(bank::SHARE_MAX_CHARGE_CURRENT.nth(1), 50.0)
            .set(battery::MAX_CHARGE_CURRENT, 1.0)
            .set(bank::UPDATE_INDEX, 1);
    });
    update.await.expect("sent");
    let limits = bed.after(changed(bank::SHARE_MAX_CHARGE_CURRENT.nth(1))).await;
    assert_eq!(numbers(&limits), (Some(56.0), 50.0, 80.0));
    assert!(bed.monitor.items(bank::NAME).iter().all(|(path, _)| !path.starts_with("/Info")));
}

#[tokio::test]
async fn a_manager_whose_index_stands_still_is_left_after_10_s() {
    let mut bed = Bed::new(Source::manager()).await;
    let manager = bed.publish(|| bed.manager()).await;
    bed.after(appeared).await;
    assert_eq!(bed.limits_in(5).stance, Stance::Holding);
    // Other items are no sign of life of the decision.
    manager.update(|tx| _ = tx.set(battery::DC_VOLTAGE, 52.0)).await.expect("sent");
    bed.after(changed(battery::DC_VOLTAGE)).await;
    let limits = bed.limits_in(13);
    assert_eq!((numbers(&limits), limits.stance), ((Some(52.0), 0.0, 0.0), Stance::Zero));
}

#[tokio::test]
async fn a_manager_that_restarts_with_its_rows_in_another_order_interrupts_nothing() {
    let mut bed = Bed::new(Source::manager()).await;
    let manager = bed.publish(|| bed.manager()).await;
    let before = bed.after(appeared).await;
    drop(manager);
    let between = bed.after(gone).await;
    assert_eq!(numbers(&between), numbers(&before));
    assert!(between.reason.contains("is not on the bus"), "{}", between.reason);
    let manager = bed
        .publish(|| {
            let mut draft = Draft::new(bank::NAME);
            draft.add(bank::UPDATE_INDEX, 0);
            row(&mut draft, 0, OWN, 60.0);
            row(&mut draft, 1, OTHER, 20.0);
            draft
        })
        .await;
    let after = bed.after(appeared).await;
    assert_eq!((numbers(&after), after.stance), (numbers(&before), Stance::Obeying));
    let lower = manager.update(|tx| _ = tx.set(bank::SHARE_MAX_CHARGE_CURRENT.nth(0), 10.0));
    lower.await.expect("sent");
    let lower = bed.after(changed(bank::SHARE_MAX_CHARGE_CURRENT.nth(0))).await;
    assert_eq!(numbers(&lower), (Some(56.0), 10.0, 80.0));
}

#[tokio::test]
async fn a_withdrawn_row_is_the_end_although_the_manager_lives() {
    let mut bed = Bed::new(Source::manager()).await;
    let manager = bed.publish(|| bed.manager()).await;
    bed.after(appeared).await;
    let update = manager.update(|tx| {
        tx.clear(bank::SHARE_SERVICE.nth(1)).set(bank::UPDATE_INDEX, 1);
    });
    update.await.expect("sent");
    let limits = bed.after(changed(bank::SHARE_SERVICE.nth(1))).await;
    assert_eq!(limits.stance, Stance::Ramping);
    assert!(limits.reason.contains("has withdrawn our share"), "{}", limits.reason);
    assert_eq!(numbers(&bed.limits_in(3)), (Some(52.5), 0.0, 0.0));
}

#[tokio::test]
async fn a_battery_alone_is_followed_by_its_own_limits_and_lives_by_whatever_it_sends() {
    let mut bed = Bed::new(Source::named(BATTERY)).await;
    let battery_alone = || {
        let mut draft = Draft::new(BATTERY);
        draft
            .add(device::CONNECTED, 1)
            .add(battery::DC_VOLTAGE, 52.5)
            .add(battery::SOC, 50.0)
            .add(battery::MAX_CHARGE_VOLTAGE, 56.0)
            .add(battery::MAX_CHARGE_CURRENT, 25.0)
            .add(battery::MAX_DISCHARGE_CURRENT, 30.0);
        draft
    };
    let service = bed.publish(battery_alone).await;
    assert_eq!(numbers(&bed.after(appeared).await), (Some(56.0), 25.0, 30.0));
    let heard = bed.monitor.service(BATTERY).expect("there").heard_at;

    service.update(|tx| _ = tx.set(battery::SOC, 50.5).set(battery::DC_VOLTAGE, 52.6)).await.expect("sent");
    bed.after(changed(battery::DC_VOLTAGE)).await;
    assert!(bed.monitor.service(BATTERY).expect("there").heard_at > heard);

    service.update(|tx| _ = tx.set(device::CONNECTED, 0)).await.expect("sent");
    let limits = bed.after(changed(device::CONNECTED)).await;
    assert_eq!(limits.stance, Stance::Ramping);
    assert!(limits.reason.contains("says that it is not connected"), "{}", limits.reason);
}

#[test]
fn a_source_with_the_name_of_the_manager_is_the_manager() {
    assert_eq!(Source::named(bank::NAME), Source::manager());
    assert_eq!(Source::named(BATTERY), Source::Battery(BATTERY.to_owned()));
}
