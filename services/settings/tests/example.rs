//! The commented example of the configuration, held against what is really read.

use service_kit::config::parse;
use settings::Config;

const EXAMPLE: &str = include_str!("../settings.example.toml");

#[test]
fn the_example_names_every_key_with_its_default() {
    let defaults = serde_json::to_value(Config::default()).unwrap();
    assert_eq!(parse::<Config>(EXAMPLE, "x", []), Ok(Config::default()));
    let is_key = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && line.contains(" = ");
    let keys: Vec<&str> = EXAMPLE.lines().filter(is_key).map(|line| line.trim_start_matches('#')).collect();
    assert_eq!(keys.len(), defaults.as_object().unwrap().len(), "{keys:?}");
    assert_eq!(parse::<Config>(&keys.join("\n"), "x", []), Ok(Config::default()));
}
