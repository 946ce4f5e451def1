//! The commented example of the configuration, held against what is really read.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use bms_can::Config;
use bms_can::config::Transport;
use bms_can::protocols::PROTOCOLS;
use serde_json::Value;
use service_kit::config;

const EXAMPLE: &str = include_str!("../bms-can.example.toml");

fn parse(text: &str) -> Config {
    config::parse(text, "bms-can.example.toml", []).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn refused(text: &str) -> String {
    config::parse::<Config>(text, "x", []).unwrap_err().to_string()
}

/// The lines that are a key behind a '#': table, key, value.
fn commented() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut table = "";
    let mut keys = Vec::new();
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_matches(['[', ']']);
        } else if let Some((key, value)) = line.strip_prefix('#').and_then(|line| line.split_once(" = "))
            && key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
        {
            keys.push((table, key, value));
        }
    }
    keys
}

/// Keys that are left open by default: their value in the example is an example.
const WITHOUT_DEFAULT: [&str; 6] = ["port", "file", "transport", "name", "capacity_ah", "cells_in_series"];

#[test]
fn every_key_is_in_the_example_with_its_default_or_an_example() {
    let defaults = serde_json::to_value(parse("[can]\ninterface = \"can0\"")).unwrap();
    assert_eq!(
        serde_json::to_value(parse(EXAMPLE)).unwrap(),
        defaults,
        "as it stands it says nothing but defaults"
    );
    let commented = commented();
    for (table, values) in [("can", &defaults["can"]), ("battery", &defaults["battery"][0])] {
        for (key, default) in values.as_object().unwrap() {
            if key == "interface" {
                continue;
            }
            let found =
                commented.iter().find(|(in_table, this, _)| (*in_table, *this) == (table, key.as_str()));
            let (.., value) = found.unwrap_or_else(|| panic!("[{table}] {key} is not in the example"));
            let is_open = WITHOUT_DEFAULT.contains(&key.as_str());
            assert_eq!(default.is_null(), is_open, "[{table}] {key}");
            if !is_open {
                let value: Value = serde_json::from_str(value).unwrap_or_else(|_| panic!("{key} = {value}"));
                assert_eq!(value, *default, "[{table}] {key}");
            }
        }
    }
    assert!(PROTOCOLS.iter().all(|protocol| EXAMPLE.contains(protocol.name)), "every dialect is named");
}

#[test]
fn every_commented_key_is_valid_when_it_is_taken_in() {
    for (table, key, value) in commented() {
        let line = format!("{key} = {value}");
        let text = match (table, key) {
            // Another kind of link.
            ("can", "port" | "file") => format!("[can]\n{line}"),
            ("can", "repeat" | "speed") => format!("[can]\nfile = \"x\"\n{line}"),
            ("can", _) => format!("[can]\ninterface = \"can0\"\n{line}"),
            _ => format!("[can]\ninterface = \"can0\"\n[[battery]]\n{line}"),
        };
        parse(&text);
    }
}

#[test]
fn the_kind_of_link_follows_from_the_key_that_names_it() {
    let transport = |text: &str| parse(&format!("[can]\n{text}")).can.transport();
    assert_eq!(transport("interface = \"can0\""), Some(Transport::Socketcan));
    assert_eq!(transport("port = \"/dev/ttyACM0\""), Some(Transport::Slcan));
    assert_eq!(transport("file = \"x.log\"\ninterface = \"can1\""), Some(Transport::Log));
    assert_eq!(
        transport("transport = \"socketcan\"\ninterface = \"usb-serial:A#1\""),
        Some(Transport::Socketcan)
    );
}

#[test]
fn what_does_not_fit_together_is_refused_with_what_would() {
    let nothing = refused("[can]\nbit_rate = 250000");
    assert!(
        nothing.contains("interface") && nothing.contains("port") && nothing.contains("file"),
        "{nothing}"
    );
    let both = refused("[can]\nport = \"/dev/ttyACM0\"\ninterface = \"can0\"");
    assert!(
        both.contains("x:3:") && both.contains("interface: it belongs to another kind of link"),
        "{both}"
    );
    let rate = refused("[can]\nport = \"/dev/ttyACM0\"\nbit_rate = 83333");
    assert!(rate.contains("no adapter has 83333 bit/s") && rate.contains("500000"), "{rate}");
    parse("[can]\ninterface = \"can0\"\nbit_rate = 83333");
    let name = refused("[can]\ninterface = \"serial:A\"");
    assert!(
        name.contains("\"serial:A\" names no CAN interface") && name.contains("usb-serial:SERIAL"),
        "{name}"
    );
    let slcan = refused("[can]\nport = \"/dev/ttyACM0\"\nset_bit_rate = true");
    assert!(
        slcan
            .contains("set_bit_rate: it belongs to another kind of link; allowed: transport = \"socketcan\"")
    );
    let speed = refused("[can]\nfile = \"x\"\nspeed = 0");
    assert!(speed.contains("speed: 0 is out of range; allowed: 0.01 to 1000"), "{speed}");
    assert!(refused("[can]\ntransport = \"log\"").contains("can.file"));
}

#[test]
fn names_on_the_bus_follow_what_stays_the_same() {
    let named = |text: &str| {
        let can = parse(&format!("[can]\n{text}")).can;
        (can.bus_suffix(), can.connection())
    };
    assert_eq!(named("interface = \"can0\""), ("can0".to_owned(), "CAN-bus can0".to_owned()));
    assert_eq!(
        named("interface = \"usb-serial:003A0024#1\""),
        ("usb_serial_003A0024_1".to_owned(), "CAN-bus usb-serial:003A0024#1".to_owned())
    );
    assert_eq!(
        named("port = \"/dev/ttyACM0\""),
        ("ttyACM0".to_owned(), "CAN-bus /dev/ttyACM0 (slcan)".to_owned())
    );
    assert_eq!(named("file = \"/tmp/a.log\"").1, "CAN-bus recording /tmp/a.log");
}

#[test]
fn a_wrong_name_or_bracket_is_refused_with_what_was_probably_meant() {
    let pylon = refused("[can]\nport = \"x\"\n[[battery]]\nprotocol = \"pylon\"");
    assert!(pylon.starts_with("x:4:") && pylon.ends_with("did you mean \"pylontech_lv\"?"), "{pylon}");
    assert!(pylon.contains("\"auto\", ") && pylon.contains("\"sma_bms\""), "{pylon}");
    let bracket = refused("[can]\nport = \"x\"\n[battery]\nprotocol = \"pylontech_lv\"");
    assert!(bracket.contains("[[battery]] instead of [battery]"), "{bracket}");
}
