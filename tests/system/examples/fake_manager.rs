//! The manager of a bank, as far as its members and systemcalc see one: `fake_manager MEMBER...`, bus names of batteries,
//! on the bus that the environment names. Commands on standard input: `members [NAME...]` and `hang`.
#![expect(clippy::expect_used, reason = "a step that fails has to end it")]

use std::io::BufRead;
use std::time::Duration;

use dbus_interfaces::classes::{bank, battery, device};
use dbus_interfaces::{BusAddress, Draft, Filter, Monitor, Service, Update};
use tokio::sync::mpsc;
use tokio::time::interval;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Limits {
    charge_voltage_v: f64,
    charge_current_a: f64,
    discharge_current_a: f64,
}

struct Manager {
    members: Vec<String>,
    /// The number at which it listed them.
    listed_at: i32,
    index: i32,
    limits: Option<Limits>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let bus = BusAddress::choose(None);
    let filter = Filter::new()
        .class(battery::CLASS)
        .item(battery::DC_VOLTAGE)
        .item(battery::MAX_CHARGE_VOLTAGE)
        .item(battery::BMS_MAX_CHARGE_VOLTAGE)
        .item(battery::BMS_MAX_CHARGE_CURRENT)
        .item(battery::BMS_MAX_DISCHARGE_CURRENT);
    let (monitor, mut events) = Monitor::start(&bus, filter).await.expect("a bus");
    let mut manager =
        Manager { members: std::env::args().skip(1).collect(), listed_at: 0, index: 0, limits: None };
    let service = publish(&bus, &manager).await;
    println!("managing");

    let mut commands = commands();
    let mut tick = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = tick.tick() => manager.index = (manager.index + 1) % 256,
            _ = events.next() => {}
            Some(command) = commands.recv() => match command.strip_prefix("members") {
                Some(names) => {
                    manager.members = names.split_whitespace().map(str::to_owned).collect();
                    manager.listed_at = manager.index;
                }
                None => {
                    println!("hanging");
                    std::future::pending::<()>().await;
                }
            },
        }
        let limits = manager.decide(&monitor);
        if limits != manager.limits {
            println!("limits: {limits:?}");
        }
        manager.limits = limits;
        let voltage_v = manager.members.iter().find_map(|member| monitor.get(member, battery::DC_VOLTAGE));
        let shown = service.update(|tx| {
            manager.show(tx);
            tx.set(battery::DC_VOLTAGE, voltage_v);
        });
        shown.await.expect("the bus");
    }
}

impl Manager {
    /// It speaks for its members when it has listed them for a while and all that are there are silent, and goes on then.
    fn decide(&self, monitor: &Monitor) -> Option<Limits> {
        let present = || self.members.iter().filter(|member| monitor.service(member).is_some());
        let all_silent = present().all(|member| monitor.get(member, battery::MAX_CHARGE_VOLTAGE).is_none());
        if self.limits.is_none() && (!all_silent || self.index == self.listed_at) {
            return None;
        }
        present().filter_map(|member| own_limits(monitor, member)).reduce(|a, b| Limits {
            charge_voltage_v: a.charge_voltage_v.min(b.charge_voltage_v),
            charge_current_a: a.charge_current_a + b.charge_current_a,
            discharge_current_a: a.discharge_current_a + b.discharge_current_a,
        })
    }

    fn show(&self, tx: &mut Update<'_>) {
        tx.set(bank::MEMBERS, self.members.clone())
            .set(bank::UPDATE_INDEX, self.index)
            .set(battery::MAX_CHARGE_VOLTAGE, self.limits.map(|limits| limits.charge_voltage_v))
            .set(battery::MAX_CHARGE_CURRENT, self.limits.map(|limits| limits.charge_current_a))
            .set(battery::MAX_DISCHARGE_CURRENT, self.limits.map(|limits| limits.discharge_current_a));
    }
}

fn own_limits(monitor: &Monitor, member: &str) -> Option<Limits> {
    Some(Limits {
        charge_voltage_v: monitor.get(member, battery::BMS_MAX_CHARGE_VOLTAGE)?,
        charge_current_a: monitor.get(member, battery::BMS_MAX_CHARGE_CURRENT)?,
        discharge_current_a: monitor.get(member, battery::BMS_MAX_DISCHARGE_CURRENT)?,
    })
}

async fn publish(bus: &BusAddress, manager: &Manager) -> Service {
    let mut draft = Draft::new(bank::NAME);
    device::Identity {
        process_name: "fake_manager",
        process_version: "0",
        connection: "its members".to_owned(),
        device_instance: 0,
        product_id: battery::PRODUCT_ID,
        product_name: "Bank".to_owned(),
        custom_name: None,
        firmware_version: None,
        hardware_version: None,
        serial: None,
    }
    .add_to(&mut draft);
    draft.add(battery::DC_VOLTAGE, None).fill(|tx| manager.show(tx));
    draft.publish(bus).await.expect("published").0
}

fn commands() -> mpsc::UnboundedReceiver<String> {
    let (to_loop, commands) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if to_loop.send(line).is_err() {
                return;
            }
        }
    });
    commands
}
