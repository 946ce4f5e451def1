//! An inverter in island mode, as far as the manager sees one: it follows the manager with the one reading of its decision,
//! and always draws what the house takes. `island AMPS` prints `discharge A STANCE` whenever what it may draw changes.
#![expect(clippy::expect_used, reason = "a step that fails has to end it")]

use std::time::Duration;

use dbus_interfaces::classes::{bank, device, follower as f};
use dbus_interfaces::follower::{Follower, Source};
use dbus_interfaces::{BusAddress, Draft, Filter, Monitor};
use tokio::time::{Instant, interval};

const NAME: &str = "com.victronenergy.multi.island";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let amps: f64 = std::env::args().nth(1).and_then(|amps| amps.parse().ok()).expect("AMPS");
    let bus = BusAddress::choose(None);
    let mut follower = Follower::new(Source::manager(), NAME);
    let (monitor, mut events) = Monitor::start(&bus, follower.add_to(Filter::new())).await.expect("a bus");
    let mut draft = Draft::new(NAME);
    device::Identity {
        process_name: "island",
        process_version: "0",
        connection: "test".to_owned(),
        device_instance: 0,
        product_id: 0xFFFF,
        product_name: "Island inverter".to_owned(),
        custom_name: None,
        firmware_version: None,
        hardware_version: None,
        serial: None,
    }
    .add_to(&mut draft);
    draft.add(f::FOLLOWS, bank::NAME.to_owned()).add(f::CURRENT, -amps);
    let (service, _writes) = draft.publish(&bus).await.expect("published");
    println!("following");

    let mut tick = interval(Duration::from_millis(100));
    let (mut last_a, mut noise) = (f64::NAN, 0.0);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = events.next() => {}
        }
        let limits = follower.limits(&monitor, Instant::now());
        if limits.discharge_current_a != last_a {
            last_a = limits.discharge_current_a;
            println!("discharge {last_a} {:?}: {}", limits.stance, limits.reason);
        }
        // A real one never draws quite the same; one that says nothing for long is asked whether it is there.
        noise = if noise > 0.0 { 0.0 } else { 0.1 };
        service.update(|tx| _ = tx.set(f::CURRENT, -amps - noise)).await.expect("the bus");
    }
}
