//! What was found: as a table, as JSON, as a configuration, and what may help where nothing was.

use std::path::Path;

use inverter_modbus::config::{Device, ParityBit};
use inverter_modbus::discover::found::device;
use inverter_modbus::discover::knowledge::Knowledge;
use inverter_modbus::discover::runner::Outcome;
use inverter_modbus::discover::search::{Finding, Verdict};
use inverter_modbus::line::address::{Address, Framing};
use inverter_modbus::profile::Profile;
use serde_json::{Value, json};

/// A table with what can be done next.
pub(super) fn text(outcome: &Outcome, knowledge: &Knowledge, written: Option<&Path>) -> String {
    let rows = outcome.found.iter().map(|(address, finding)| {
        [
            address.to_string(),
            finding.unit.to_string(),
            name(finding, knowledge),
            finding.identity.serial.clone().unwrap_or_default(),
        ]
    });
    let mut text = table([["WHERE", "UNIT", "DEVICE", "SERIAL"].map(str::to_owned)].into_iter().chain(rows));
    for note in notes(outcome) {
        text.push_str(&format!("\n{note}\n"));
    }
    let configuration = configuration(outcome, knowledge);
    match written {
        _ if configuration.is_empty() => {}
        Some(file) => text.push_str(&format!("\nThe configuration is in {}.\n", file.display())),
        None => {
            text.push_str(
                "\nFor /etc/busbar/inverter-modbus.NAME.toml (on Venus OS in /data/conf/busbar):\n\n",
            );
            text.push_str(&configuration);
        }
    }
    text
}

/// Columns that are as wide as they must be. What comes from a device is text of strangers.
fn table(rows: impl Iterator<Item = [String; 4]>) -> String {
    let rows: Vec<[String; 4]> = rows.map(|row| row.map(|cell| printable(&cell))).collect();
    let wide = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [wide(0), wide(1), wide(2), 0];
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn name(finding: &Finding, knowledge: &Knowledge) -> String {
    match &finding.verdict {
        Verdict::Is(id) => match profile(knowledge, id) {
            Some(profile) => format!("{} ({id})", profile.product(finding.identity.model.as_deref())),
            None => id.clone(),
        },
        Verdict::Either(ids) => format!("one of {}", ids.join(", ")),
        Verdict::Like(device) => device.clone(),
        Verdict::Unknown => "not known".to_owned(),
    }
}

fn profile<'k>(knowledge: &'k Knowledge, id: &str) -> Option<&'k Profile> {
    knowledge.profiles().find(|profile| profile.id == id)
}

/// What the user has to decide.
fn notes(outcome: &Outcome) -> Vec<String> {
    let mut notes = Vec::new();
    for (_, Finding { unit, verdict, .. }) in &outcome.found {
        match verdict {
            Verdict::Is(_) => {}
            Verdict::Either(ids) => {
                let choices: Vec<String> = ids.iter().map(|id| format!("--product {id}")).collect();
                notes.push(format!("Unit {unit} fits equally: choose with {}.", choices.join(" or ")));
            }
            Verdict::Like(device) => notes.push(format!(
                "Unit {unit} is {device}: no profile recognises it. If one is right nevertheless, choose it with --product."
            )),
            Verdict::Unknown => notes.push(format!(
                "Unit {unit} answers, and no profile recognises it. If one is right nevertheless, choose it with --product."
            )),
        }
    }
    if let Some(finding) = &outcome.held_back {
        notes.push(format!(
            "Because of unit {}, registers from 30000 on were read of nobody here: some inverters switch their output off \
             when they are. If you know what another unit is, look for it with --product and --unit.",
            finding.unit
        ));
    }
    notes
}

/// The entries that run what was found.
pub(super) fn configuration(outcome: &Outcome, knowledge: &Knowledge) -> String {
    let mut text = String::new();
    for (address, finding) in &outcome.found {
        let Verdict::Is(id) = &finding.verdict else { continue };
        let Some(profile) = profile(knowledge, id) else { continue };
        let Some(device) = device(address, finding, profile) else { continue };
        if !text.is_empty() {
            text.push('\n');
        }
        let serial = finding.identity.serial.as_deref().map(printable).unwrap_or_default();
        let product = printable(&profile.product(finding.identity.model.as_deref()));
        text.push_str(format!("# {product} {serial}").trim_end());
        text.push_str(&entry(&device));
    }
    text
}

fn entry(device: &Device) -> String {
    let mut lines = vec![String::new(), "[[device]]".to_owned(), format!("profile = {:?}", device.profile)];
    let mut add =
        |key: &str, value: Option<String>| lines.extend(value.map(|value| format!("{key} = {value}")));
    add("port", device.port.as_ref().map(|port| quoted(&port.display().to_string())));
    add("baud", device.baud.map(|baud| baud.to_string()));
    add(
        "parity",
        device.parity.map(|parity| {
            quoted(match parity {
                ParityBit::None => "none",
                ParityBit::Even => "even",
                ParityBit::Odd => "odd",
            })
        }),
    );
    add("stop_bits", device.stop_bits.map(|stop| stop.to_string()));
    add("host", device.host.as_deref().map(quoted));
    add("tcp_port", device.tcp_port.map(|port| port.to_string()));
    add("framing", (device.framing == Framing::Rtu).then(|| quoted("rtu")));
    add("unit", device.unit.map(|unit| unit.to_string()));
    lines.push(String::new());
    lines.join("\n")
}

/// A string of TOML (1.0.0, Basic strings).
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// All of it as a document.
pub(super) fn json(outcome: &Outcome, knowledge: &Knowledge) -> Value {
    let devices = outcome.found.iter().map(|(address, finding)| {
        let identity = &finding.identity;
        let (profiles, known): (Vec<&String>, Option<&String>) = match &finding.verdict {
            Verdict::Is(id) => (vec![id], None),
            Verdict::Either(ids) => (ids.iter().collect(), None),
            Verdict::Like(device) => (Vec::new(), Some(device)),
            Verdict::Unknown => (Vec::new(), None),
        };
        let (port, host) = match address {
            Address::Serial { path, .. } => (Some(path.display().to_string()), None),
            Address::Tcp { host, .. } => (None, Some(host.clone())),
        };
        let tcp_port = match address {
            Address::Tcp { port, .. } => Some(*port),
            Address::Serial { .. } => None,
        };
        json!({
            "where": address.to_string(),
            "port": port,
            "baud": address.baud(),
            "host": host,
            "tcp_port": tcp_port,
            "unit": finding.unit,
            "name": name(finding, knowledge),
            "profiles": profiles,
            "like": known,
            "serial": identity.serial,
            "model": identity.model,
            "firmware": identity.firmware,
            "rated_power_w": identity.rated_power_w,
        })
    });
    json!({
        "devices": devices.collect::<Vec<_>>(),
        "garbled": outcome.garbled.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "held_back_by_unit": outcome.held_back.as_ref().map(|finding| finding.unit),
    })
}

/// What may help where nobody answers.
pub(super) fn advice(outcome: &Outcome) -> Vec<String> {
    let mut advice = Vec::new();
    if !outcome.garbled.is_empty() {
        let rates: Vec<String> = outcome.garbled.iter().map(ToString::to_string).collect();
        advice.push(format!(
            "Something came at {} that cannot be understood: the rate or parity is another one, or another master (a logger, a WiFi stick) uses the line.",
            rates.join(", ")
        ));
    }
    advice.push(
        "What often helps: exchange the wires A and B; switch Modbus on at the device; its unit (--unit), rate (--baud) and parity (--parity) as its menu says; \
         disconnect any other master; a host may want --rtu or another TCP port, and many serve one program at a time: end the others."
            .to_owned(),
    );
    advice
}

#[cfg(test)]
mod tests {
    use super::*;
    use inverter_modbus::Config;
    use inverter_modbus::device::recognise::Identity;
    use inverter_modbus::library::Library;
    use service_kit::serial::{Character, Parity};

    fn outcome(verdict: Verdict) -> Outcome {
        let character = Character { parity: Parity::Even, two_stop_bits: true };
        let address = Address::Serial { path: "/dev/tty \"0".into(), baud: 19_200, character };
        let serial = Some("A1\u{1b}[2J".to_owned());
        let identity = Identity { serial, ..Identity::default() };
        let finding = Finding { rate: 0, unit: 5, verdict, identity };
        Outcome { found: vec![(address, finding)], ..Outcome::default() }
    }

    fn knowledge() -> Knowledge {
        Knowledge::of(&Library::new(Some("/nonexistent".into()))).0
    }

    #[test]
    fn what_is_written_is_a_configuration() {
        let text = configuration(&outcome(Verdict::Is("deye-one-phase".into())), &knowledge());
        let config: Config = service_kit::config::parse(&text, "found.toml", [])
            .unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        let device = &config.device[0];
        assert_eq!((device.unit, device.baud, device.stop_bits), (Some(5), Some(19_200), Some(2)), "{text}");
        assert_eq!(device.port.as_deref(), Some(Path::new("/dev/tty \"0")));
        assert_eq!(device.parity, Some(ParityBit::Even));
    }

    #[test]
    fn a_device_is_shown_by_what_it_says_of_itself() {
        let mut found = outcome(Verdict::Is("sunspec-inverter".into()));
        let said = |found: &Outcome| text(found, &knowledge(), None);
        assert!(said(&found).contains("SunSpec inverter (sunspec-inverter)"), "it says nothing");
        found.found[0].1.identity.model = Some("Fronius Symo 8.2\u{1b}".to_owned());
        let said = said(&found);
        assert!(
            said.contains("  Fronius Symo 8.2 (sunspec-inverter)") && !said.contains("SunSpec "),
            "{said}"
        );
        assert!(said.contains("# Fronius Symo 8.2 A1") && !said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn what_is_not_certain_is_asked() {
        let either = outcome(Verdict::Either(vec!["one".into(), "other".into()]));
        let said = text(&either, &knowledge(), None);
        assert!(said.contains("--product one or --product other") && !said.contains("[[device]]"), "{said}");
        assert!(!said.contains('\u{1b}'), "texts of devices do not reach the terminal as they are");
        let unknown = Outcome {
            held_back: Some(outcome(Verdict::Unknown).found.remove(0).1),
            ..outcome(Verdict::Unknown)
        };
        assert!(text(&unknown, &knowledge(), None).contains("Because of unit 5"));
    }

    #[test]
    fn the_document_has_what_the_table_has() {
        let document = json(&outcome(Verdict::Is("sofar-hyd".into())), &knowledge());
        assert_eq!(document["devices"][0]["profiles"], json!(["sofar-hyd"]));
        assert_eq!(
            (&document["devices"][0]["baud"], &document["devices"][0]["host"]),
            (&json!(19_200), &Value::Null)
        );
    }
}
