//! The commented example of the configuration, held against what is really read.

use charge_manager::Config;
use service_kit::config;

const EXAMPLE: &str = include_str!("../../charge-manager.example.toml");

fn parse(text: &str) -> Config {
    config::parse(text, "charge-manager.toml", []).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// The keys behind a '#', with their values.
fn commented() -> Vec<(&'static str, &'static str)> {
    let keys = EXAMPLE.lines().filter_map(|line| line.strip_prefix('#')?.split_once(" = "));
    keys.filter(|(key, _)| key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')).collect()
}

#[test]
fn every_key_is_in_the_example_with_its_default_or_an_example() {
    assert_eq!(parse(EXAMPLE), Config::default(), "as it stands it says nothing but defaults");
    let defaults = serde_json::to_value(Config::default()).expect("values");
    let commented = commented();
    for (key, default) in defaults.as_object().expect("a table") {
        let (_, value) = commented.iter().find(|(known, _)| known == key).unwrap_or_else(|| panic!("{key}"));
        if !default.is_null() {
            assert_eq!(&serde_json::from_str::<serde_json::Value>(value).expect("a value"), default, "{key}");
        }
        parse(&format!("{key} = {value}"));
    }
    assert_eq!(commented.len(), 5, "and nothing else is");
}

#[test]
fn what_cannot_be_right_is_refused_with_what_could() {
    let refused = |text: &str| config::parse::<Config>(text, "x", []).expect_err(text).to_string();
    assert!(refused("chemistry = \"lead\"").contains("flooded"));
    assert!(refused("folder = \"here\"").contains("a path that begins with /"));
    let same = "folder = \"/x\"\nvolatile_folder = \"/x\"";
    assert!(refused(same).contains("would be worn out"));
    assert!(refused("device_instance = 512").contains("0 to 511"));
}
