//! What can be typed. What a command takes stands in the command's own file.

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::bundle::Bundle;
use crate::check_config::CheckConfig;
use crate::completions::Completions;
use crate::decode::Decode;
use crate::demo::Demo;
use crate::enable::{Disable, Enable};
use crate::explain::Explain;
use crate::get::Get;
use crate::import::Import;
use crate::inverters::Inverters;
use crate::list::List;
use crate::logs::Logs;
use crate::profile::ProfileCommand;
use crate::scan::Scan;
use crate::services::Service;
use crate::set::Set;
use crate::sniff::Sniff;
use crate::status::{self, Status};

/// Batteries, inverters and converters on the Venus OS D-Bus.
#[derive(Debug, Parser)]
#[command(name = "busbar", version, about = "Batteries, inverters and converters on the Venus OS D-Bus", disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  busbar demo                                   a simulated battery on a bus of its own, live
  busbar status                                 every service of ours at a glance
  busbar explain                                why the bank's current is what it is
  busbar sniff can0                             what is said on a CAN bus, decoded
  busbar scan --modbus /dev/ttyUSB0             which inverters and meters there are
  busbar check-config bms-can.can0.toml         whether a configuration is right
  busbar bms-can --config bms-can.can0.toml     the battery service of one CAN bus";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Service(Service),
    /// Show every service of ours at a glance.
    #[command(long_about = status::MORE)]
    Status(Status),
    /// Say why the current is what it is, right now.
    Explain(Explain),
    /// Read an item of a service.
    Get(Get),
    /// Ask a service to take a value.
    Set(Set),
    /// Show what is said on a CAN bus, decoded.
    Sniff(Sniff),
    /// Decode a candump recording of a battery.
    Decode(Decode),
    /// Check a configuration and show all of it, defaults included.
    #[command(name = "check-config")]
    CheckConfig(CheckConfig),
    /// Have a process started now and at each boot.
    Enable(Enable),
    /// End a process, and have it started no more.
    Disable(Disable),
    /// List the enabled processes, and how they are.
    List(List),
    /// Make our configuration of another driver's: dbus-sma.yaml.
    Import(Import),
    /// List the inverters that can be told of a battery, and how far that is known.
    Inverters(Inverters),
    /// List, check and try profiles of devices on Modbus.
    Profile(ProfileCommand),
    /// Look for devices on a line or in a network, and say how to configure them.
    Scan(Scan),
    /// Show the logs of our processes, in local time.
    Logs(Logs),
    /// Collect what a bug report needs into one archive, shown before it is written.
    Bundle(Bundle),
    /// Show a simulated battery, through the real service, on a D-Bus of its own.
    Demo(Demo),
    /// Write the completions of a shell.
    Completions(Completions),
}

/// `20s`, `5m`, `500ms`; a bare number counts seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number = number.parse::<f64>().map_err(|_| "a number with a unit, such as 20s".to_owned())?;
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("no unit is called {unit:?}: ms, s, m or h, as in 20s")),
    };
    let seconds = number * factor;
    if (0.0..=1e6).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("at most 1000000 s".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert!(duration("soon").is_err() && duration("5 days").is_err() && duration("1e9h").is_err());
    }
}
