//! `busbar get`: one item of a service, or all below a branch.

use std::io::{IsTerminal, stdout};

use anyhow::bail;
use clap::Args;
use dbus_interfaces::{BusError, Listed, Monitor, Value};
use serde_json::Map;

use crate::bus::{self, Bus, in_branch, unknown_path, value};
use crate::terminal::Line;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Get {
    /// The service: its name or any part that no other name has.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The item, such as /Soc, or a branch, such as /Dc; / is all.
    #[arg(value_name = "PATH", default_value = "/")]
    path: String,
    /// As the service writes it, with its unit.
    #[arg(long, conflicts_with = "json")]
    text: bool,
    /// As JSON; of a branch, an object of paths.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    bus: Bus,
}

const EXAMPLES: &str = "An item without a value reads ---, or null in JSON. The exit code is 1 where there is no such service or path.

Examples:
  busbar get battery.bmscan_can0 /Soc
  busbar get can0 Dc/0/Voltage --text        any part of the name will do
  busbar get can0 /Alarms                    one line for each item: path and value
  busbar get settings / --json | jq";

pub(crate) async fn run(options: Get) -> anyhow::Result<()> {
    let (monitor, service) = bus::reach(&options.bus, &options.service).await?;
    let path = bus::path(&options.path);
    let text = match look(&monitor, &service, &path, options.text).await? {
        Found::Leaf(value) if options.json => format!("{}\n", value::json(value.as_ref())),
        Found::Leaf(value) => leaf(&value::plain(value.as_ref()), stdout().is_terminal()),
        Found::Text(text) => leaf(&text, stdout().is_terminal()),
        Found::Branch(items) if options.json => format!("{:#}\n", object(&items)),
        Found::Branch(items) => branch(&items, options.text),
    };
    crate::print(&text)
}

/// What stands at a path.
enum Found {
    Leaf(Option<Value>),
    Text(String),
    Branch(Vec<Listed>),
}

async fn look(monitor: &Monitor, service: &str, path: &str, wants_text: bool) -> anyhow::Result<Found> {
    // One item is asked for alone: all of them may be thousands.
    let asked = match path {
        "/" => None,
        _ if wants_text => None,
        _ => Some(monitor.get_value(service, path).await),
    };
    match asked {
        // Not every service answers on a branch with what is below it, and none tells items without a value so.
        None | Some(Ok(Some(Value::Map(_))) | Err(BusError::Call { .. })) => {}
        Some(Ok(value)) => return Ok(Found::Leaf(value)),
        Some(Err(error)) => return Err(error.into()),
    }
    let mut items = match (monitor.get_items(service).await, asked) {
        (Ok(items), _) => items,
        // What was asked for first is what the user asked for.
        (Err(_), Some(Err(error))) | (Err(error), _) => return Err(error.into()),
    };
    if let Some(item) = items.iter().find(|item| item.path == path) {
        let text = || item.text.clone().unwrap_or_else(|| value::plain(item.value.as_ref()));
        return Ok(if wants_text { Found::Text(text()) } else { Found::Leaf(item.value.clone()) });
    }
    if !items.iter().any(|item| in_branch(&item.path, path)) {
        bail!(unknown_path(service, path, items.iter().map(|item| item.path.as_str())));
    }
    items.retain(|item| in_branch(&item.path, path));
    Ok(Found::Branch(items))
}

/// One value. A terminal gets no control characters of strangers, a program gets the value as it is.
fn leaf(text: &str, is_terminal: bool) -> String {
    match is_terminal {
        true => format!("{}\n", Line::plain(text)),
        false => format!("{text}\n"),
    }
}

/// One line for each item, whatever its value holds.
fn branch(items: &[Listed], wants_text: bool) -> String {
    let mut lines = String::new();
    for item in items {
        let text =
            item.text.clone().filter(|_| wants_text).unwrap_or_else(|| value::plain(item.value.as_ref()));
        lines.push_str(&item.path);
        lines.push(' ');
        text.chars().for_each(|c| match c {
            c if c.is_control() => lines.extend(c.escape_default()),
            c => lines.push(c),
        });
        lines.push('\n');
    }
    lines
}

fn object(items: &[Listed]) -> serde_json::Value {
    let entry = |item: &Listed| (item.path.clone(), value::json(item.value.as_ref()));
    items.iter().map(entry).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<Listed> {
        let item = |path: &str, value: Option<Value>, text: &str| Listed {
            path: path.to_owned(),
            value,
            text: Some(text.to_owned()),
        };
        vec![
            item("/Dc/0/Temperature", None, "---"),
            item("/Dc/0/Voltage", Some(Value::Real(49.96)), "49.96V"),
            item("/Notes", Some(Value::Text("two\nlines\x1b[2J".into())), "two\nlines\x1b[2J"),
        ]
    }

    #[test]
    fn a_branch_is_one_line_for_each_item() {
        assert_eq!(
            branch(&items(), false),
            "/Dc/0/Temperature ---\n/Dc/0/Voltage 49.96\n/Notes two\\nlines\\u{1b}[2J\n"
        );
        assert!(branch(&items(), true).contains("/Dc/0/Voltage 49.96V\n"));
    }

    #[test]
    fn a_branch_is_an_object_of_paths_in_json() {
        let object = object(&items());
        assert_eq!(object["/Dc/0/Voltage"], 49.96);
        assert_eq!(object["/Dc/0/Temperature"], serde_json::Value::Null);
        assert_eq!(object["/Notes"], "two\nlines\x1b[2J");
    }

    #[test]
    fn a_program_gets_a_text_as_it_is_and_a_terminal_without_its_control_characters() {
        assert_eq!(leaf("a\x1b[2J", false), "a\x1b[2J\n");
        assert_eq!(leaf("a\x1b[2J", true), "a\u{FFFD}[2J\n");
    }
}
