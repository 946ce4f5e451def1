//! The commented example of the other role, held against what is really read.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use bms_can::Config;
use bms_can::inverter::PROFILES;
use service_kit::config;

const EXAMPLE: &str = include_str!("../bms-can.inverter.example.toml");

fn parse(text: &str) -> Config {
    config::parse(text, "example", []).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn refused(text: &str) -> String {
    config::parse::<Config>(text, "x", []).unwrap_err().to_string()
}

/// A configuration with these keys in `[inverter]`.
fn inverter(keys: &str) -> String {
    format!("[can]\ninterface = \"can1\"\n[inverter]\nprofile = \"pylontech_lv\"\n{keys}")
}

#[test]
fn every_key_is_in_the_example_and_valid_when_it_is_taken_in() {
    assert_eq!(parse(EXAMPLE), parse(&inverter("")), "as it stands it says nothing but defaults");
    let keys = serde_json::to_value(parse(&inverter("")).inverter).unwrap();
    for key in keys.as_object().unwrap().keys().filter(|key| *key != "profile") {
        let line =
            EXAMPLE.lines().find_map(|line| line.strip_prefix('#').filter(|line| line.starts_with(key)));
        let line = line.unwrap_or_else(|| panic!("{key} is not in the example"));
        let text = match key.as_str() {
            "ac_input"
            | "phases"
            | "remote_switch"
            | "grid_charge_below_v"
            | "island_off_below_soc_pct"
            | "vebus" => inverter(line).replace("\"pylontech_lv\"", "\"sma_sunny_island\""),
            _ => inverter(line),
        };
        let taken_in = serde_json::to_value(parse(&text).inverter).unwrap();
        assert!(!taken_in[key].is_null(), "{line}");
        assert!(keys[key].is_null() || keys[key] == taken_in[key], "{line} is not the default");
    }
    assert!(PROFILES.iter().all(|profile| EXAMPLE.contains(profile.name)), "every profile is named");
}

#[test]
fn a_bus_has_batteries_or_an_inverter() {
    assert!(parse(&inverter("")).battery.is_empty());
    assert_eq!(parse("[can]\ninterface = \"can0\"").battery.len(), 1);
    let both = refused(&format!("{}\n[[battery]]\n", inverter("")));
    assert!(both.contains("there is an inverter on this bus"), "{both}");
}

#[test]
fn what_cannot_work_is_refused_with_what_would() {
    let profile = refused("[can]\ninterface = \"can1\"\n[inverter]\nprofile = \"sma\"");
    assert!(
        profile.contains("no profile is called \"sma\"") && profile.contains("sma_sunny_island"),
        "{profile}"
    );
    let mute = refused(&inverter("").replace("[inverter]", "listen_only = true\n[inverter]"));
    assert!(mute.contains("the inverter has to be told something"), "{mute}");
    let follow = refused(&inverter("follow = \"com.victronenergy.system\""));
    assert!(follow.contains("is no battery service"), "{follow}");
    assert!(refused(&inverter("remote_switch = true")).contains("tells nothing of itself"));
    assert!(refused(&inverter("device_instance = 0")).contains("allowed: 1 to 511"));
    assert!(refused(&inverter("silence_then = \"charge\"")).contains("hold_safe"));
}
