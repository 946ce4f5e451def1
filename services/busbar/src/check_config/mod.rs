//! `busbar check-config`: every mistake of a configuration, or all that it means.
//!
//! - `full`: a configuration in full, each value beside its default; pure
//! - `tree`: what it is written from; pure

mod full;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::EXIT_CONFIGURATION;
use service_kit::config::{self, Check, ConfigErrors, PREFIX, RESERVED};
use simulator::scenario::Scenario;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckConfig {
    /// The configuration.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose it is; without it, what the name of the file says: SERVICE.toml or SERVICE.NAME.toml.
    #[arg(long, value_name = "SERVICE", value_parser = KINDS.iter().map(|kind| kind.service).collect::<Vec<_>>())]
    service: Option<String>,
}

const EXAMPLES: &str = "The exit code is 78 where something is wrong. BUSBAR_* variables of the environment count, as they do for a service.

Examples:
  busbar check-config bms-can.can0.toml
  busbar check-config draft.toml --service bms-can
  busbar check-config settings.toml > full.toml   the output is a configuration too";

/// A service and how its configuration is read.
struct Kind {
    service: &'static str,
    /// The configuration in full, or what is wrong with it.
    read: fn(&Path) -> Result<String, ConfigErrors>,
}

static KINDS: &[Kind] = &[
    Kind { service: "bms-can", read: in_full::<bms_can::Config> },
    Kind { service: "charge-manager", read: in_full::<charge_manager::Config> },
    Kind { service: "dcdc-rs485", read: in_full::<dcdc_rs485::Config> },
    Kind { service: "inverter-modbus", read: in_full::<inverter_modbus::Config> },
    Kind { service: "settings", read: in_full::<settings::Config> },
    Kind { service: "simulator", read: scenario },
];

pub(crate) fn run(options: &CheckConfig) -> ExitCode {
    let file = options.file.display();
    let Some(kind) = kind(options) else {
        let services: Vec<&str> = KINDS.iter().map(|kind| kind.service).collect();
        crate::complain(&format!(
            "busbar: {file}: the name does not tell whose configuration this is; add --service with one of {}",
            services.join(", ")
        ));
        return ExitCode::FAILURE;
    };
    match (kind.read)(&options.file) {
        Ok(text) => crate::report(crate::print(&format!(
            "# {file} is fine: a configuration of {}\n{}\n{text}",
            kind.service,
            variables()
        ))),
        Err(errors) => {
            errors.lines().for_each(|line| crate::complain(&line));
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}

fn kind(options: &CheckConfig) -> Option<&'static Kind> {
    let by_file = options.file.file_name().and_then(|name| name.to_str()).and_then(service_of);
    let service = options.service.as_deref().or(by_file)?;
    KINDS.iter().find(|kind| kind.service == service)
}

/// `bms-can` of `bms-can.can0.toml`.
fn service_of(file_name: &str) -> Option<&str> {
    file_name.strip_suffix(".toml")?.split('.').next()
}

fn in_full<C: Serialize + DeserializeOwned + Check>(file: &Path) -> Result<String, ConfigErrors> {
    config::load::<C>(file).map(|config| full::text(&config))
}

/// A scenario is no configuration of a device and has a file of its own that explains every key.
fn scenario(file: &Path) -> Result<String, ConfigErrors> {
    config::load::<Scenario>(file).map(|scenario| match scenario.batteries().len() {
        1 => "# 1 battery\n".to_owned(),
        batteries => format!("# {batteries} batteries\n"),
    })
}

/// What the environment of whoever checks puts over the file: that of the service may be another.
fn variables() -> String {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut ours: Vec<String> =
        names.filter(|name| name.starts_with(PREFIX) && !RESERVED.contains(&name.as_str())).collect();
    ours.sort();
    ours.iter().map(|name| format!("# {name} is set in this environment and counts here\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_says_whose_it_is() {
        assert_eq!(service_of("bms-can.can0.toml"), Some("bms-can"));
        assert_eq!(service_of("settings.toml"), Some("settings"));
        assert_eq!(service_of("settings.xml"), None);
    }

    #[test]
    fn every_service_can_have_its_configuration_checked() {
        let services: Vec<&str> = KINDS.iter().map(|kind| kind.service).collect();
        assert_eq!(services, crate::services::NAMES);
    }
}
