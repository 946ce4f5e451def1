//! `busbar explain`: why the current is what it is, right now, in five lines.

use anyhow::Context;
use clap::Args;
use dbus_interfaces::classes::{bank, battery as b};
use dbus_interfaces::{Filter, Item, ItemType, Monitor};
use serde_json::{Value, json};

use crate::bus::Bus;
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
limit if the first were gone. What should be looked after follows below them.

The JSON document. What has no value is null.
  state, lines          what the bank is doing; the five lines
  voltage, charge, discharge
                        of each: limit (V, A), reason (its id, the same in every version), words
  members               the batteries whose limits are inside
  shares                of each follower: service, charge_voltage_v, charge_current_a,
                        discharge_current_a, taken_a
  dvcc                  what systemcalc may spend: the three limits
  uncontrolled_a        what flows in that nobody controls
  notes                 what is assumed, broken or set up wrongly, with its remedy

Examples:
  busbar explain
  busbar explain --json | jq -r .charge.reason";

pub(crate) async fn run(options: Explain) -> anyhow::Result<()> {
    let (monitor, _) = Monitor::start(&options.bus.choose(), Filter::new().service(bank::NAME)).await?;
    monitor.settled().await;
    monitor.service(bank::NAME).with_context(|| {
        format!("no bank on {}: is charge-manager running, and a battery on the bus?", options.bus.named())
    })?;
    let lines: Vec<String> =
        monitor.family(bank::NAME, bank::BANK_EXPLANATION).into_iter().map(|(_, line)| line).collect();
    let notes = get(&monitor, bank::BANK_NOTES).unwrap_or_default();
    if options.json {
        return crate::print(&format!("{:#}\n", document(&monitor, &lines, &notes)));
    }
    let width = page_width();
    let mut page: Vec<Line> = lines.iter().flat_map(|line| sentence(Style::Plain, line, width)).collect();
    page.extend(notes.iter().flat_map(|note| sentence(Style::Warning, note, width)));
    print(&page)
}

fn get<T: ItemType>(monitor: &Monitor, item: Item<T>) -> Option<T> {
    monitor.get(bank::NAME, item)
}

fn document(monitor: &Monitor, lines: &[String], notes: &[String]) -> Value {
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
        "notes": notes,
    })
}
