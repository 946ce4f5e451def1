//! The simulated inverter/charger of the demo with a bank: it wants the sun's current, takes what the manager gives it, and
//! puts that into the simulated batteries.

use std::time::Duration;

use anyhow::Context;
use dbus_interfaces::classes::{bank, battery as b, device, follower as f};
use dbus_interfaces::follower::{Follower, Source};
use dbus_interfaces::{BusAddress, Draft, Filter, Item, Monitor, Service, Text};
use simulator::charger::{Charger, ChargerSpec};
use simulator::plant::bms::Limits;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::time::{Instant, MissedTickBehavior, interval};

const NAME: &str = "com.victronenergy.multi.demo";
/// How often it looks at its limits.
const STEP: Duration = Duration::from_millis(250);
/// What it wants: so long, so much, and again.
const WANTS: [(f64, f64); 2] = [(20.0, -60.0), (60.0, 150.0)];
/// Three batteries of two modules of 15 cells, roughly, Ω.
const BANK_OHM: f64 = 0.004;

/// Why it takes what it takes.
const REASON: Item<String> = Item::new("/Follow/Reason", Text::Plain);

/// Runs until something fails.
pub(super) async fn run(address: &BusAddress, mut simulator: ChildStdin, batteries: usize) -> anyhow::Error {
    match serve(address, &mut simulator, batteries).await {
        Ok(never) => match never {},
        Err(error) => error.context("the simulated charger has ended"),
    }
}

async fn serve(
    address: &BusAddress,
    simulator: &mut ChildStdin,
    batteries: usize,
) -> anyhow::Result<std::convert::Infallible> {
    let mut follower = Follower::new(Source::manager(), NAME);
    let (monitor, _events) = Monitor::start(address, follower.add_to(Filter::new())).await?;
    let service = publish(address).await?;
    let mut charger = Charger::new(ChargerSpec::PYLONTECH);
    let (start, mut tick) = (Instant::now(), interval(STEP));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let limits = follower.limits(&monitor, Instant::now());
        let bus_v = monitor.get(bank::NAME, b::DC_VOLTAGE);
        let told = Limits {
            // Until it is told one it has nothing to charge against.
            charge_voltage_v: limits.charge_voltage_v.or(bus_v).unwrap_or(0.0),
            discharge_voltage_v: 0.0,
            charge_current_a: limits.charge_current_a,
            discharge_current_a: limits.discharge_current_a,
        };
        let wanted_a = wanted(start.elapsed().as_secs_f64());
        let current_a = charger.step(wanted_a, told, bus_v.unwrap_or(0.0), BANK_OHM, STEP.as_secs_f64());
        let each = format!("current {:.2}\n", current_a / batteries.max(1) as f64);
        simulator.write_all(each.as_bytes()).await.context("the simulator does not listen")?;
        let shown_a = (current_a * 10.0).round() / 10.0;
        service
            .update(|tx| {
                tx.set(f::CURRENT, shown_a).set(b::DC_VOLTAGE, bus_v).set(REASON, limits.reason);
            })
            .await?;
    }
}

async fn publish(address: &BusAddress) -> anyhow::Result<Service> {
    let mut draft = Draft::new(NAME);
    device::Identity {
        process_name: "demo",
        process_version: env!("CARGO_PKG_VERSION"),
        connection: "simulated".to_owned(),
        device_instance: 0,
        product_id: 0xFFFF,
        product_name: "Simulated inverter/charger".to_owned(),
        custom_name: None,
        firmware_version: None,
        hardware_version: None,
        serial: None,
    }
    .add_to(&mut draft);
    draft
        .add(f::FOLLOWS, bank::NAME.to_owned())
        .add(f::CHARGE_RATING, 200.0)
        .add(f::DISCHARGE_RATING, 200.0)
        .add(f::RESPONSE, 5.0)
        .add(f::CURRENT, 0.0)
        .add(b::DC_VOLTAGE, None)
        .add(REASON, None);
    let (service, _writes) = draft.publish(address).await?;
    Ok(service)
}

/// The house at night, then the sun, and again.
fn wanted(at_s: f64) -> f64 {
    let whole: f64 = WANTS.iter().map(|(length_s, _)| length_s).sum();
    let mut left_s = at_s % whole;
    for (length_s, amps) in WANTS {
        if left_s < length_s {
            return amps;
        }
        left_s -= length_s;
    }
    0.0
}
