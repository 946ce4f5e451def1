//! `busbar explain`: why the current is what it is, right now: five lines about the bank, and one for each inverter.

use anyhow::Context;
use clap::Args;
use dbus_interfaces::classes::{bank, battery as b, multi};
use dbus_interfaces::{Filter, Item, ItemType, Monitor};
use serde_json::{Value, json};

use crate::bus::Bus;
use crate::status::{Service, inverter};
use crate::terminal::{Line, Style, page_width, print, sentence};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Explain {
    /// One JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    bus: Bus,
}

const EXAMPLES: &str = "The lines are about voltage, charging, discharging, batteries and chargers; behind \"next\" stands what would
limit if the first were gone. A line for each inverter of ours follows: what it is told in place of its battery, or whom
it follows and what limits that gives it, why, and what it does; and then what should be looked after. Without a bank there are the inverters alone.

The JSON document. What has no value is null.
  state, lines          what the bank is doing; the five lines
  voltage, charge, discharge
                        of each: limit (V, A), reason (its id, the same in every version), words
  members               the batteries whose limits are inside
  shares                of each follower: service, charge_voltage_v, charge_current_a,
                        discharge_current_a, taken_a
  dvcc                  what systemcalc may spend: the three limits
  uncontrolled_a        what flows in that nobody controls
  inverters             of each inverter: service, follows, told (state, for_s, why, profile and the limits),
                        inverter_is_there, voltage_v, current_a, power_w (of the battery), ac_in_w, ac_out_w,
                        pv_w, state, does, mode, set_last, error, polled
  notes                 what is assumed, broken or set up wrongly, with its remedy

Examples:
  busbar explain
  busbar explain --json | jq -r .charge.reason";

pub(crate) async fn run(options: Explain) -> anyhow::Result<()> {
    let filter = Filter::new().service(bank::NAME).class(multi::CLASS);
    let (monitor, _) = Monitor::start(&options.bus.choose(), filter).await?;
    monitor.settled().await;
    let inverters = inverters(&monitor);
    monitor.service(bank::NAME).map(|_| ()).or((!inverters.is_empty()).then_some(())).with_context(|| {
        format!("no bank on {}: is charge-manager running, and a battery on the bus?", options.bus.named())
    })?;
    let lines: Vec<String> =
        monitor.family(bank::NAME, bank::BANK_EXPLANATION).into_iter().map(|(_, line)| line).collect();
    let notes = get(&monitor, bank::BANK_NOTES).unwrap_or_default();
    if options.json {
        return crate::print(&format!("{:#}\n", document(&monitor, &lines, &inverters, &notes)));
    }
    let width = page_width();
    let mut page: Vec<Line> = lines.iter().flat_map(|line| sentence(Style::Plain, line, width)).collect();
    let sentences: Vec<String> = inverters.iter().filter_map(inverter::sentence).collect();
    page.extend(sentences.iter().flat_map(|line| sentence(Style::Plain, line, width)));
    page.extend(notes.iter().flat_map(|note| sentence(Style::Warning, note, width)));
    print(&page)
}

/// The inverters of ours, and those that are told of a battery.
fn inverters(monitor: &Monitor) -> Vec<Service> {
    let seen = monitor.services().into_iter().filter(|seen| seen.class() == multi::CLASS);
    let services = seen.map(|seen| Service::new(&seen.name, seen.instance, None, monitor.items(&seen.name)));
    services.filter(|service| inverter::sentence(service).is_some()).collect()
}

fn get<T: ItemType>(monitor: &Monitor, item: Item<T>) -> Option<T> {
    monitor.get(bank::NAME, item)
}

fn document(monitor: &Monitor, lines: &[String], inverters: &[Service], notes: &[String]) -> Value {
    let limit = |limit: Item<f64>, reason: Item<String>, words: Item<String>| json!({"limit": get(monitor, limit), "reason": get(monitor, reason), "words": get(monitor, words)});
    let share = |(row, service): (u16, String)| {
        json!({
            "service": service,
            "charge_voltage_v": get(monitor, bank::SHARE_MAX_CHARGE_VOLTAGE.nth(row)),
            "charge_current_a": get(monitor, bank::SHARE_MAX_CHARGE_CURRENT.nth(row)),
            "discharge_current_a": get(monitor, bank::SHARE_MAX_DISCHARGE_CURRENT.nth(row)),
            "taken_a": get(monitor, bank::SHARE_TAKEN.nth(row)),
        })
    };
    let shares = monitor.family(bank::NAME, bank::SHARE_SERVICE).into_iter().map(share).collect::<Vec<_>>();
    let inverter = |service: &Service| {
        let mut values = inverter::json(service);
        if let Some(values) = values.as_object_mut() {
            values.insert("service".to_owned(), service.name.clone().into());
        }
        values
    };
    let inverters: Vec<Value> = inverters.iter().map(inverter).collect();
    json!({
        "state": get(monitor, bank::BANK_STATE),
        "lines": lines,
        "voltage": limit(bank::BANK_MAX_CHARGE_VOLTAGE, bank::BANK_VOLTAGE_REASON, bank::BANK_VOLTAGE_LIMITATION),
        "charge": limit(bank::BANK_MAX_CHARGE_CURRENT, bank::BANK_CHARGE_REASON, b::CHARGE_LIMITATION),
        "discharge": limit(bank::BANK_MAX_DISCHARGE_CURRENT, bank::BANK_DISCHARGE_REASON, b::DISCHARGE_LIMITATION),
        "members": get(monitor, bank::MEMBERS).unwrap_or_default(),
        "shares": shares,
        "dvcc": {
            "charge_voltage_v": get(monitor, b::MAX_CHARGE_VOLTAGE),
            "charge_current_a": get(monitor, b::MAX_CHARGE_CURRENT),
            "discharge_current_a": get(monitor, b::MAX_DISCHARGE_CURRENT),
        },
        "uncontrolled_a": get(monitor, bank::BANK_UNCONTROLLED),
        "inverters": inverters,
        "notes": notes,
    })
}
