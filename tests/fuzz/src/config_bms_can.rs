//! A configuration file and the environment: the loader, and what the driver does with a configuration that it accepts.

use bms_can::Config;
use service_kit::config::{LARGEST, PREFIX, Place, parse};

use crate::lines::assert_line;

/// The text of a file up to the first NUL; behind it variables, `NAME=VALUE`, parted by further ones.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let file = parts.next().unwrap_or_default();
    let variables: Vec<(String, String)> = parts
        .filter_map(|variable| variable.split_once('='))
        .map(|(name, value)| (format!("{PREFIX}{name}"), value.to_owned()))
        .collect();
    match parse::<Config>(file, "f.toml", variables.clone()) {
        Ok(config) => {
            assert!(!config.battery.is_empty() && file.len() <= LARGEST);
            for battery in &config.battery {
                assert!(battery.dialect().is_ok());
                assert!(battery.facts().capacity_ah.is_none_or(|ah| ah > 0.0 && ah.is_finite()));
            }
            assert_eq!(parse::<Config>(file, "f.toml", variables), Ok(config));
        }
        Err(errors) => {
            errors.lines().for_each(|line| assert_line(&line));
            assert!(errors.iter().next().is_some());
            let lines = file.split('\n').count();
            for error in errors.iter() {
                if let Place::Text { position, .. } = &error.place {
                    assert!((1..=lines).contains(&position.line) && position.column >= 1, "{error}");
                }
            }
        }
    }
}
