//! `busbar set`: asks a service to take a value.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use dbus_interfaces::classes::device;
use dbus_interfaces::{BusError, ItemType, Monitor, Value};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::bus::value::{self, Type};
use crate::bus::{self, Bus, unknown_path};
use crate::terminal::Line;

/// So long a device may take to confirm before the answer is that it has not yet.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// What dbus-daemon says to those whom its policy does not let write.
const REJECTED: &str = "Rejected send message";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Set {
    /// The service: its name or any part that no other name has.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The item, such as /CustomName.
    #[arg(value_name = "PATH")]
    path: String,
    /// The value, of the type that the item holds now.
    #[arg(value_name = "VALUE", allow_hyphen_values = true, required_unless_present = "as_type")]
    value: Option<String>,
    /// Another type: i integer, d number, s text, none for no value at all.
    #[arg(long = "type", id = "as_type", value_name = "TYPE", hide_possible_values = true)]
    wanted: Option<Type>,
    #[command(flatten)]
    bus: Bus,
}

const EXAMPLES: &str = "A service may refuse: most items are what a device measures. The exit code is then 1.

Examples:
  busbar set battery.bmscan_can0 /CustomName \"Barn, left\"
  busbar set settings /Settings/SystemSetup/MaxChargeCurrent 80
  busbar set vebus /Mode 3 --type i
  busbar set vebus /Hub4/L1/AcPowerSetpoint -500
  busbar set system /Some/Item --type none";

pub(crate) async fn run(options: Set) -> anyhow::Result<()> {
    let (monitor, service) = bus::reach(&options.bus, &options.service).await?;
    let path = bus::path(&options.path);
    let item = format!("{service} {path}");
    let present = present(&monitor, &service, &path).await?;
    let value = match (&options.value, options.wanted) {
        (Some(text), wanted) => value::typed(text, wanted, present.as_ref()),
        (None, Some(Type::None)) => Ok(None),
        (None, _) => Err("VALUE is missing; only --type none goes without".to_owned()),
    };
    let value = value.map_err(|why| anyhow::anyhow!("{item}: {why}"))?;
    let answer = match monitor.set_value(&service, &path, value.as_ref()).await {
        Err(BusError::Call { reason, .. }) if reason.contains(REJECTED) => bail!(
            "{item}: this user may only read. Root may write (sudo busbar set ...), and members of the group busbar (sudo \
             usermod -aG busbar NAME, then a new login)"
        ),
        answer => answer?,
    };
    match answer {
        0 => {}
        code => {
            let process = monitor.get_value(&service, &device::PROCESS_NAME.path()).await.ok().flatten();
            bail!(refusal(&item, code, process.as_ref().and_then(String::from_value).as_deref()));
        }
    }
    let held = settle(&monitor, &service, &path, value.as_ref()).await?;
    crate::print(&format!("{}\n", Line::plain(outcome(&item, held.as_ref(), value.as_ref()))))
}

/// What the item holds before anything is written.
async fn present(monitor: &Monitor, service: &str, path: &str) -> anyhow::Result<Option<Value>> {
    let error = match monitor.get_value(service, path).await {
        Ok(value) => return Ok(value),
        Err(error @ BusError::Call { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    let Ok(items) = monitor.get_items(service).await else { return Err(error.into()) };
    if items.iter().any(|item| item.path == path) {
        return Err(error.into());
    }
    bail!(unknown_path(service, path, items.iter().map(|item| item.path.as_str())))
}

/// What the item holds when the value has arrived there, or when it has not for a while.
async fn settle(
    monitor: &Monitor,
    service: &str,
    path: &str,
    wanted: Option<&Value>,
) -> anyhow::Result<Option<Value>> {
    let end = Instant::now() + PATIENCE;
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let held = monitor.get_value(service, path).await?;
        if value::same(held.as_ref(), wanted) || Instant::now() >= end {
            return Ok(held);
        }
    }
}

/// What came of it, once it was accepted.
fn outcome(item: &str, held: Option<&Value>, wanted: Option<&Value>) -> String {
    let held_text = value::plain(held);
    match value::same(held, wanted) {
        true => format!("{item} now holds {held_text}"),
        false => format!(
            "{item}: {} is accepted and awaits confirmation; it still holds {held_text}",
            value::plain(wanted)
        ),
    }
}

/// Why nothing came of it. The codes are those of Victron's own library (velib_python `vedbus.py`) and of its settings
/// service.
fn refusal(item: &str, code: i32, process: Option<&str>) -> String {
    let meaning = match code {
        1 => " (read-only, or of another type)",
        2 => " (the service does not want it)",
        -1 => " (out of range, or no such setting)",
        _ => "",
    };
    let log = process.map_or("its process".to_owned(), |name| format!("{name:?}"));
    format!(
        "{item}: refused with code {code}{meaning}. The log of {log} may say why: journalctl, or /var/log on Venus OS"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_says_what_the_item_holds_or_that_the_device_has_not_confirmed() {
        let (three, five) = (Value::Int(3), Value::Real(5.0));
        assert_eq!(outcome("x /A", Some(&Value::Int(5)), Some(&five)), "x /A now holds 5");
        assert_eq!(
            outcome("x /A", Some(&three), Some(&five)),
            "x /A: 5 is accepted and awaits confirmation; it still holds 3"
        );
        assert_eq!(outcome("x /A", None, None), "x /A now holds ---");
    }

    #[test]
    fn a_refusal_names_the_code_and_where_the_reason_is() {
        let said = refusal("x /Soc", 1, Some("bms-can"));
        assert!(said.contains("code 1 (read-only") && said.contains("log of \"bms-can\""), "{said}");
        assert!(refusal("x /Soc", 77, None).contains("refused with code 77. The log of its process"));
    }
}
