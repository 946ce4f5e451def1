//! A configuration in full, as TOML, with what differs from the defaults marked.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use service_kit::config::{self, Check};

/// Where the marks stand, if the values before them leave room.
const MARKS: usize = 40;

/// What is known of the value of a key.
#[derive(Debug, Clone, PartialEq)]
enum Origin {
    /// It is the default.
    Default,
    /// The default is this one.
    Chosen(Value),
    /// There is no default.
    Required,
}

/// A step into a configuration.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Nth(usize),
}

/// The configuration as TOML that means the same. The default of a key is what reading it gives without that key.
pub(super) fn text<C: Serialize + DeserializeOwned + Check>(config: &C) -> String {
    let Ok(Value::Object(all)) = serde_json::to_value(config) else { return String::new() };
    let origin = |path: &[Step], value: &Value| origin::<C>(&all, path, value);
    let mut out = String::new();
    table(&all, &mut Vec::new(), &origin, &mut out);
    out
}

fn origin<C: Serialize + DeserializeOwned + Check>(
    all: &Map<String, Value>,
    path: &[Step],
    value: &Value,
) -> Origin {
    let mut without = Value::Object(all.clone());
    if let Some((Step::Key(key), above)) = path.split_last()
        && let Some(Value::Object(table)) = find_mut(&mut without, above)
    {
        table.remove(key);
    }
    let mut text = String::new();
    if let Value::Object(without) = &without {
        table(without, &mut Vec::new(), &|_, _| Origin::Default, &mut text);
    }
    let read = config::parse::<C>(&text, "", []).ok().and_then(|config| serde_json::to_value(config).ok());
    match read.and_then(|mut read| find_mut(&mut read, path).cloned()) {
        None => Origin::Required,
        Some(default) if default == *value => Origin::Default,
        Some(default) => Origin::Chosen(default),
    }
}

fn find_mut<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Nth(n) => value.get_mut(*n),
    })
}

/// Writes a table: its own keys, then the tables in it, as TOML wants them.
fn table(
    entries: &Map<String, Value>,
    path: &mut Vec<Step>,
    origin: &dyn Fn(&[Step], &Value) -> Origin,
    out: &mut String,
) {
    for (name, value) in entries.iter().filter(|(_, value)| !is_table(value) && !is_list_of_tables(value)) {
        path.push(Step::Key(name.clone()));
        let line = match value {
            Value::Null => format!("# {} =", key(name)),
            value => format!("{} = {}", key(name), toml(value)),
        };
        let mark = match origin(path, value) {
            Origin::Default if *value == Value::Null => "not set".to_owned(),
            Origin::Default => String::new(),
            Origin::Chosen(Value::Null) => "chosen; not set by default".to_owned(),
            Origin::Chosen(default) => format!("chosen; the default is {}", toml(&default)),
            Origin::Required => "chosen; there is no default".to_owned(),
        };
        match mark.is_empty() {
            true => out.push_str(&line),
            false => out.push_str(&format!("{line:<MARKS$}  # {mark}")),
        }
        out.push('\n');
        path.pop();
    }
    for (name, value) in entries {
        path.push(Step::Key(name.clone()));
        match value {
            Value::Object(inside) => part(inside, path, ("[", "]"), origin, out),
            Value::Array(list) if is_list_of_tables(value) => {
                for (n, inside) in list.iter().enumerate() {
                    path.push(Step::Nth(n));
                    if let Value::Object(inside) = inside {
                        part(inside, path, ("[[", "]]"), origin, out);
                    }
                    path.pop();
                }
            }
            _ => {}
        }
        path.pop();
    }
}

fn part(
    entries: &Map<String, Value>,
    path: &mut Vec<Step>,
    (open, close): (&str, &str),
    origin: &dyn Fn(&[Step], &Value) -> Origin,
    out: &mut String,
) {
    let name = |step: &Step| match step {
        Step::Key(name) => Some(key(name)),
        Step::Nth(_) => None,
    };
    let names: Vec<String> = path.iter().filter_map(name).collect();
    out.push_str(&format!("\n{open}{}{close}\n", names.join(".")));
    table(entries, path, origin, out);
}

fn is_table(value: &Value) -> bool {
    value.is_object()
}

fn is_list_of_tables(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_table))
}

/// A key, in quotes where TOML wants them.
fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => toml(&Value::from(name)),
    }
}

/// A value. JSON's strings are TOML's basic strings but for one character, which JSON leaves as it is (DEL).
fn toml(value: &Value) -> String {
    match value {
        Value::String(_) => value.to_string().replace('\u{7F}', "\\u007F"),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Value::Object(table) => {
            let entries = table.iter().filter(|(_, value)| !value.is_null());
            let entries: Vec<String> =
                entries.map(|(name, value)| format!("{} = {}", key(name), toml(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service_kit::config::parse;

    fn bms_can(text: &str) -> bms_can::Config {
        parse(text, "bms-can.x.toml", []).expect("a configuration")
    }

    #[test]
    fn what_is_written_in_full_means_the_same() {
        for file in [
            "[can]\nport = \"/dev/ttyACM0\"\n",
            "[can]\nport = \"/dev/a \\\" \\u007F \\\\ b\"\nbit_rate = 250000\nlisten_only = true\n\n\
             [[battery]]\naddress = 1\nname = \"Barn\"\n\n\
             [[battery]]\naddress = 2\ndevice_instance = 7\ncapacity_ah = 296.5\n",
        ] {
            let config = bms_can(file);
            let full = text(&config);
            assert_eq!(bms_can(&full), config, "{full}");
        }
        let settings = settings::Config { unique_id: "a1".to_owned(), ..Default::default() };
        assert_eq!(parse::<settings::Config>(&text(&settings), "", []), Ok(settings));
    }

    #[test]
    fn what_differs_from_the_default_is_marked() {
        let full = text(&bms_can(
            "[can]\nport = \"/dev/ttyACM0\"\nbit_rate = 250000\nserial_baud = 115200\n[[battery]]\nname = \"Barn\"\n",
        ));
        let line = |key: &str| {
            let mut lines = full.lines().filter(|line| line.trim_start_matches("# ").starts_with(key));
            lines.next().unwrap_or_else(|| panic!("no {key} in {full}")).to_owned()
        };
        assert!(line("port").ends_with("# chosen; there is no default"), "{full}");
        assert!(line("bit_rate").ends_with("# chosen; the default is 500000"), "{full}");
        assert_eq!(line("serial_baud"), "serial_baud = 115200", "chosen, but no other than the default");
        assert!(line("name").ends_with("# chosen; not set by default"), "{full}");
        assert!(
            line("capacity_ah").starts_with("# capacity_ah =") && line("capacity_ah").ends_with("# not set")
        );
        assert_eq!(line("device_instance"), "device_instance = 100");
    }
}
