//! `busbar set`: asks a service to take a value, and says what became of it.
//!
//! - `words`: the words of an item; `answer`: what `/Control/Result` says of a wish; both pure
//! - `watch`: looks at the item, and at that text, until the wish is done, has failed, or takes too long

mod answer;
mod watch;
mod words;

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use dbus_interfaces::classes::{control as c, device, multi};
use dbus_interfaces::{BusError, ItemType, Listed, Monitor, Value};

use crate::bus::value::{self, Type};
use crate::bus::{self, Bus, unknown_path};
use crate::cli::duration;
use crate::terminal::Line;
use watch::{End, Watch};

/// So long a device may take to confirm before the answer is that it has not yet.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same of one that says what became of it: it has 20 s to show a value, and gets it twice.
const LONG_PATIENCE: Duration = Duration::from_secs(60);

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
    /// The value, of the type that the item holds now, or its word where it has words.
    #[arg(value_name = "VALUE", allow_hyphen_values = true, required_unless_present = "as_type")]
    value: Option<String>,
    /// Another type: i integer, d number, s text, none for no value at all.
    #[arg(long = "type", id = "as_type", value_name = "TYPE", hide_possible_values = true)]
    wanted: Option<Type>,
    /// How long to wait for the device: without it 60s where the service says what became of it, else 2s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wait: Option<Duration>,
    #[command(flatten)]
    bus: Bus,
}

const EXAMPLES: &str = "It waits until the item holds the value. Inverters say in /Control/Result what became of what is set at them: that is \
waited for too.

The exit code is 1 where the service refuses it, the device does not take it, or the service of an inverter has not said
what became of it in time. Most items are what a device measures, and cannot be set.

Examples:
  busbar set battery.bmscan_can0 /CustomName \"Barn, left\"
  busbar set multi.modbus_ttyUSB0_1 /Control/Mode sleep
  busbar set multi.modbus_ttyUSB0_1 /Control/GridChargeEnable off --wait 5m
  busbar set settings /Settings/SystemSetup/MaxChargeCurrent 80
  busbar set vebus /Mode on
  busbar set vebus /Hub4/L1/AcPowerSetpoint -500
  busbar set system /Some/Item --type none";

pub(crate) async fn run(options: Set) -> anyhow::Result<()> {
    let (monitor, service) = bus::reach(&options.bus, &options.service).await?;
    let path = bus::path(&options.path);
    let item = format!("{service} {path}");
    let present = present(&monitor, &service, &path).await?;
    let held = present.or_else(|| words::type_of(&path));
    let words = words_of(&monitor, &service, &path).await;
    let value = match (&options.value, options.wanted) {
        (Some(text), None) => {
            words::number(text, &words).and_then(|text| value::typed(&text, None, held.as_ref()))
        }
        (Some(text), wanted) => value::typed(text, wanted, held.as_ref()),
        (None, Some(Type::None)) => Ok(None),
        (None, _) => Err("VALUE is missing; only --type none goes without".to_owned()),
    };
    let value = value.map_err(|why| anyhow::anyhow!("{item}: {why}"))?;
    let mut watch = Watch::begin(&monitor, &service, &path, &words::shown(value.as_ref(), &words)).await;
    let answer = match monitor.set_value(&service, &path, value.as_ref()).await {
        Err(BusError::Call { reason, .. }) if reason.contains(REJECTED) => bail!(
            "{item}: this user may only read. Root may write (sudo busbar set ...), and members of the group busbar (sudo \
             usermod -aG busbar NAME, then a new login)"
        ),
        answer => answer?,
    };
    if answer != 0 {
        // Code 1 is about the type, which is no matter of the device.
        let said = if answer == 2 { watch.said_of_refusal(&monitor).await } else { None };
        let code = Refused { code: answer, said };
        let range = monitor.get_range(&service, &path).await.ok().flatten();
        let process = monitor.get_value(&service, &device::PROCESS_NAME.path()).await.ok().flatten();
        let process = process.as_ref().and_then(String::from_value);
        let outside = range.filter(|range| is_outside(value.as_ref(), *range));
        bail!(refusal(&item, &code, outside, process.as_deref()));
    }
    // A program that stays on the bus stands behind what it sets, which ends with it: what was written here is to last.
    drop(monitor);
    let (monitor, _) = bus::reach(&options.bus, &service).await?;
    let wait = options.wait.unwrap_or(if watch.is_told() { LONG_PATIENCE } else { PATIENCE });
    let shown = |value: Option<&Value>| words::shown(value, &words);
    match watch.settle(&monitor, value.as_ref(), wait).await? {
        End::Done(held) => {
            let text = done(&item, &shown(held.as_ref()), &shown(value.as_ref()), watch.last_word());
            crate::print(&format!("{}\n", Line::plain(text)))
        }
        End::Failed(why) => bail!("{item}: {why}"),
        End::Open(held) if watch.is_told() => bail!(
            "{item}: {} was accepted, and within {} s nothing has confirmed it; it still holds {}, and the service goes on trying",
            shown(value.as_ref()),
            wait.as_secs(),
            shown(held.as_ref())
        ),
        End::Open(held) => crate::print(&format!(
            "{}\n",
            Line::plain(open(&item, &shown(held.as_ref()), &shown(value.as_ref())))
        )),
    }
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
    if is_measured_only(path, &items) {
        bail!(
            "{service} has no {path}: what can be set at an inverter is there when its [[device]] has control = \"on\", and at a \
             system when all of them have"
        );
    }
    bail!(unknown_path(service, path, items.iter().map(|item| item.path.as_str())))
}

/// Whether it is a set point that is looked for, at one of our inverters that shows none.
fn is_measured_only(path: &str, items: &[Listed]) -> bool {
    let is_ours = items.iter().any(|item| {
        item.path == device::PROCESS_NAME.path() && item.value == Some(Value::Text("inverter-modbus".into()))
    });
    is_ours && path.starts_with("/Control/") && !items.iter().any(|item| item.path.starts_with("/Control/"))
}

/// The words of the item, as far as the device has what they mean.
async fn words_of(monitor: &Monitor, service: &str, path: &str) -> Vec<words::Word> {
    let class = service.split('.').nth(2).unwrap_or_default();
    let offered = match path == c::MODE.path() {
        true => monitor.get_value(service, &c::MODES_OFFERED.path()).await.ok().flatten(),
        false => None,
    };
    let offered = offered.as_ref().and_then(Vec::<String>::from_value);
    words::of(class, path, offered.as_deref())
}

/// The services that say what becomes of a wish: this one, or those of the units of a system.
async fn tellers(monitor: &Monitor, service: &str) -> Vec<String> {
    let mut all = vec![service.to_owned()];
    if service.split('.').nth(2) == Some(multi::SYSTEM_CLASS) {
        for n in 0..u16::MAX {
            let member =
                monitor.get_value(service, &multi::MEMBER_SERVICE.nth(n).path()).await.ok().flatten();
            match member.as_ref().and_then(String::from_value) {
                Some(member) => all.push(member),
                None => break,
            }
        }
    }
    all
}

/// What came of it, once it was done; where the device holds another value, with what its service says of that.
fn done(item: &str, held: &str, wanted: &str, said: Option<&str>) -> String {
    match said {
        Some(said) if held != wanted => format!("{item} now holds {held}: {said}"),
        _ => format!("{item} now holds {held}"),
    }
}

/// What came of it when nothing has confirmed it yet.
fn open(item: &str, held: &str, wanted: &str) -> String {
    format!("{item}: {wanted} is accepted and awaits confirmation; it still holds {held}")
}

/// The code that a service refuses with, and the reason where it gives one.
struct Refused {
    code: i32,
    said: Option<String>,
}

fn is_outside(value: Option<&Value>, (min, max): (f64, f64)) -> bool {
    value.and_then(Value::as_f64).is_some_and(|value| !(min..=max).contains(&value))
}

/// Why nothing came of it. The codes are those of Victron's own library (velib_python `vedbus.py`) and of its settings
/// service. `outside` is the range of the item where the value is not in it.
fn refusal(item: &str, refused: &Refused, outside: Option<(f64, f64)>, process: Option<&str>) -> String {
    let Refused { code, said } = refused;
    if let Some((min, max)) = outside {
        return format!("{item}: refused with code {code}: it takes {min} to {max}");
    }
    if let Some(said) = said {
        return format!("{item}: refused: {said}");
    }
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
        assert_eq!(done("x /A", "5", "5", Some("a is 5")), "x /A now holds 5");
        assert_eq!(done("x /A", "4.9", "5", Some("a is 4.9")), "x /A now holds 4.9: a is 4.9");
        assert_eq!(open("x /A", "3", "5"), "x /A: 5 is accepted and awaits confirmation; it still holds 3");
    }

    #[test]
    fn a_refusal_has_the_reason_where_there_is_one_else_the_code_and_where_the_reason_is() {
        let code = |code| Refused { code, said: None };
        let said = refusal("x /Soc", &code(1), None, Some("bms-can"));
        assert!(said.contains("code 1 (read-only") && said.contains("log of \"bms-can\""), "{said}");
        assert!(
            refusal("x /Soc", &code(77), None, None).contains("refused with code 77. The log of its process")
        );
        assert!(is_outside(Some(&Value::Int(300)), (0.0, 240.0)) && !is_outside(None, (0.0, 240.0)));
        assert_eq!(
            refusal("x /A", &code(2), Some((0.0, 240.0)), None),
            "x /A: refused with code 2: it takes 0 to 240"
        );
        let reasoned = Refused { code: 2, said: Some("the device is not there".to_owned()) };
        assert_eq!(refusal("x /A", &reasoned, None, None), "x /A: refused: the device is not there");
    }
}
