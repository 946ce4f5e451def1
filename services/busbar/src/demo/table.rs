//! The batteries of a bus as a table for people, and as JSON.

use dbus_interfaces::classes::{bank, battery as b, device};
use dbus_interfaces::{BusError, Item, ItemType, Monitor};
use serde_json::{Map, json};

use crate::bus::{short, value};

/// One block of lines for each battery.
pub(super) fn table(monitor: &Monitor) -> String {
    let services = monitor.services();
    let batteries: Vec<_> = services.iter().filter(|service| service.class() == b::CLASS).collect();
    if batteries.is_empty() {
        return "waiting for the first complete picture of a battery ...\n".to_owned();
    }
    let mut text = String::new();
    for seen in batteries {
        let name = &*seen.name;
        let of = |item| shown(monitor, name, item);
        let product = monitor.get(name, device::PRODUCT_NAME).unwrap_or_default();
        let instance = seen.instance.map(|n| n.to_string()).unwrap_or_default();
        text += &format!("{name}  ({product}, instance {instance})\n");
        text += &format!(
            "  {} {} {}   SoC {}   {}   {}\n",
            of(b::DC_VOLTAGE),
            of(b::DC_CURRENT),
            of(b::DC_POWER),
            of(b::SOC),
            of(b::DC_TEMPERATURE),
            monitor.get(name, b::TIME_TO_GO).map_or("charging or idle".to_owned(), to_go),
        );
        if name == bank::NAME {
            for (_, line) in monitor.family(name, bank::BANK_EXPLANATION) {
                text += &format!("  {line}\n");
            }
            let shares = monitor.family(name, bank::SHARE_SERVICE);
            for (row, service) in shares {
                text += &format!(
                    "  share of {}: charge {} {}   discharge {}   takes {}\n",
                    short(&service),
                    of(bank::SHARE_MAX_CHARGE_VOLTAGE.nth(row)),
                    of(bank::SHARE_MAX_CHARGE_CURRENT.nth(row)),
                    of(bank::SHARE_MAX_DISCHARGE_CURRENT.nth(row)),
                    of(bank::SHARE_TAKEN.nth(row)),
                );
            }
            text += &format!("  alarms: {}\n", alarms(monitor, name));
            continue;
        }
        let limits = match monitor.get(name, b::MAX_CHARGE_VOLTAGE) {
            None => [b::BMS_MAX_CHARGE_VOLTAGE, b::BMS_MAX_CHARGE_CURRENT, b::BMS_MAX_DISCHARGE_CURRENT],
            Some(_) => [b::MAX_CHARGE_VOLTAGE, b::MAX_CHARGE_CURRENT, b::MAX_DISCHARGE_CURRENT],
        };
        let [volts, charge, discharge] = limits;
        text += &format!("  limits: charge {} {}   discharge {}\n", of(volts), of(charge), of(discharge),);
        text += &format!(
            "  {}   alarms: {}\n",
            monitor.get(name, b::BMS_STATUS).unwrap_or_default(),
            alarms(monitor, name)
        );
    }
    text
}

fn shown<T: ItemType>(monitor: &Monitor, service: &str, item: Item<T>) -> String {
    item.spec().text.of(monitor.get(service, item).and_then(T::into_value).as_ref())
}

fn to_go(seconds: i32) -> String {
    format!("{} h {:02} min to go", seconds / 3600, seconds / 60 % 60)
}

fn alarms(monitor: &Monitor, service: &str) -> String {
    let active: Vec<String> = monitor
        .items(service)
        .into_iter()
        .filter_map(|(path, value)| {
            let name = path.strip_prefix("/Alarms/")?.to_owned();
            match value?.as_i64()? {
                0 => None,
                1 => Some(format!("{name} (warning)")),
                _ => Some(name),
            }
        })
        .collect();
    if active.is_empty() { "none".to_owned() } else { active.join(", ") }
}

/// Every item of every service: value and text.
pub(super) async fn json(monitor: &Monitor) -> Result<Map<String, serde_json::Value>, BusError> {
    let mut trees = Map::new();
    for seen in monitor.services() {
        let mut tree = Map::new();
        for listed in monitor.get_items(&seen.name).await? {
            tree.insert(
                listed.path,
                json!({"value": value::json(listed.value.as_ref()), "text": listed.text}),
            );
        }
        trees.insert(seen.name.to_string(), tree.into());
    }
    Ok(trees)
}
