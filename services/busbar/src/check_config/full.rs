//! A configuration in full, as TOML, with what differs from the defaults marked.

use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::config::{self, Check};

use super::tree::{Step, Tree, key};

/// Where the marks stand, if the values before them leave room.
const MARKS: usize = 40;

/// What is known of the value of a key.
#[derive(Debug, Clone, PartialEq)]
enum Origin {
    /// It is the default.
    Default,
    /// The default is this one.
    Chosen(Tree),
    /// Without it the configuration is none.
    Needed,
}

/// The configuration as TOML that means the same. The default of a key is what reading it gives without that key.
pub(super) fn text<C: Serialize + DeserializeOwned + Check>(config: &C) -> String {
    let mut out = String::new();
    if let Some(all) = Tree::of(config) {
        table(&all, &mut Vec::new(), &|path, value| origin::<C>(&all, path, value), &mut out);
    }
    out.trim_start().to_owned()
}

fn origin<C: Serialize + DeserializeOwned + Check>(all: &Tree, path: &[Step], value: &Tree) -> Origin {
    let mut text = String::new();
    table(&all.without(path), &mut Vec::new(), &|_, _| Origin::Default, &mut text);
    let read = config::parse::<C>(&text, "", []).ok().and_then(|config| Tree::of(&config));
    match read.as_ref().and_then(|read| read.find(path)) {
        None => Origin::Needed,
        Some(default) if default == value => Origin::Default,
        Some(default) => Origin::Chosen(default.clone()),
    }
}

/// Writes a table: its own keys, then the tables in it, as TOML wants them.
fn table(here: &Tree, path: &mut Vec<Step>, origin: &dyn Fn(&[Step], &Tree) -> Origin, out: &mut String) {
    let Tree::Table(entries) = here else { return };
    let is_own = |part: &Tree| !part.is_table() && !part.is_list_of_tables();
    for (name, value) in entries.iter().filter(|(_, part)| is_own(part)) {
        path.push(Step::Key(name.clone()));
        let line = match value {
            Tree::Nothing => format!("# {} =", key(name)),
            value => format!("{} = {value}", key(name)),
        };
        let mark = match origin(path, value) {
            Origin::Default if *value == Tree::Nothing => "not set".to_owned(),
            Origin::Default => String::new(),
            Origin::Chosen(Tree::Nothing) => "chosen; not set by default".to_owned(),
            Origin::Chosen(default) => format!("chosen; the default is {default}"),
            Origin::Needed => "chosen; cannot be left out".to_owned(),
        };
        match mark.is_empty() {
            true => out.push_str(&line),
            false => out.push_str(&format!("{line:<MARKS$}  # {mark}")),
        }
        out.push('\n');
        path.pop();
    }
    for (name, part) in entries.iter().filter(|(_, part)| !is_own(part)) {
        path.push(Step::Key(name.clone()));
        match part {
            Tree::List(parts) => {
                for (n, part) in parts.iter().enumerate() {
                    path.push(Step::Nth(n));
                    out.push_str(&format!("\n[[{}]]\n", header(path)));
                    table(part, path, origin, out);
                    path.pop();
                }
            }
            part => {
                out.push_str(&format!("\n[{}]\n", header(path)));
                table(part, path, origin, out);
            }
        }
        path.pop();
    }
}

fn header(path: &[Step]) -> String {
    let name = |step: &Step| match step {
        Step::Key(name) => Some(key(name)),
        Step::Nth(_) => None,
    };
    path.iter().filter_map(name).collect::<Vec<_>>().join(".")
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
        assert!(line("port").ends_with("# chosen; cannot be left out"), "{full}");
        assert!(line("bit_rate").ends_with("# chosen; the default is 500000"), "{full}");
        assert_eq!(line("serial_baud"), "serial_baud = 115200", "chosen, but no other than the default");
        assert!(line("name").ends_with("# chosen; not set by default"), "{full}");
        assert!(
            line("capacity_ah").starts_with("# capacity_ah =") && line("capacity_ah").ends_with("# not set")
        );
        assert_eq!(line("device_instance"), "device_instance = 100");
        assert!(full.starts_with("[can]\n"), "in the order of the type: {full}");
    }
}
