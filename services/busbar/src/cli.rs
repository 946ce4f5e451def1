//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Batteries, inverters and converters on the Venus OS D-Bus.
#[derive(Debug, Parser)]
#[command(name = "busbar", version, about = "Batteries, inverters and converters on the Venus OS D-Bus", disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  busbar demo                                   a simulated battery on a bus of its own, live
  busbar bms-can --config bms-can.can0.toml     the battery service of one CAN bus
  busbar decode recording.log                   what a candump recording says";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Service(Service),
    /// Decode a candump recording of a battery.
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(Decode),
    /// Show a simulated battery, through the real service, on a D-Bus of its own.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
}

/// The processes.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Batteries on a CAN bus, as com.victronenergy.battery services.
    #[command(name = "bms-can", after_help = BMS_CAN_EXAMPLES)]
    BmsCan(Process),
    /// Simulated batteries on pseudo-terminals that behave like serial CAN adapters.
    #[command(after_help = SIMULATOR_EXAMPLES)]
    Simulator(Simulator),
}

#[derive(Debug, Args)]
pub(crate) struct Process {
    /// The configuration file.
    #[arg(long, value_name = "FILE", required_unless_present = "name")]
    pub(crate) config: Option<PathBuf>,
    /// Which of several: NAME stands for SERVICE.NAME.toml in /etc/busbar or /data/conf/busbar.
    #[arg(value_name = "NAME", conflicts_with = "config")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) bus: Bus,
}

const BMS_CAN_EXAMPLES: &str = "Examples:
  busbar bms-can --config bms-can.can0.toml
  busbar bms-can can0                           reads /etc/busbar/bms-can.can0.toml
  BUSBAR_CAN__PORT=/dev/ttyACM0 busbar bms-can can0
                                                one key from the environment";

#[derive(Debug, Args)]
pub(crate) struct Bus {
    /// The D-Bus: an address, "session" or "system". Without it, the session bus if
    /// DBUS_SESSION_BUS_ADDRESS is set, else the system bus.
    #[arg(long = "bus", value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Simulator {
    /// The scenario; without it, a Pylontech battery at half charge behind /tmp/busbar-battery0.
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// Where the terminal of the battery appears, if the scenario has one battery.
    #[arg(long, value_name = "PATH")]
    pub(crate) link: Option<PathBuf>,
}

const SIMULATOR_EXAMPLES: &str = "Commands on standard input while it runs: type help.

Examples:
  busbar simulator
  busbar simulator --scenario imbalanced.toml
  echo 'fault silence 5s' | busbar simulator";

#[derive(Debug, Args)]
pub(crate) struct Decode {
    /// The recording: candump's log format (-l) or what it prints; - for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The dialect; without it, the one that the traffic of each interface shows.
    #[arg(long, value_name = "NAME")]
    pub(crate) protocol: Option<String>,
    /// One JSON object per frame.
    #[arg(long)]
    pub(crate) json: bool,
}

const DECODE_EXAMPLES: &str = "Examples:
  busbar decode candump-2026-11-21.log
  candump -L can0 | busbar decode - --protocol pylontech_lv
  busbar decode --json recording.log | jq 'select(.name == \"limits\").values'";

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Ends by itself after this time: 20s, 5m.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) lasting: Option<Duration>,
    /// Prints the items as JSON at the end instead of a live table.
    #[arg(long, requires = "lasting")]
    pub(crate) json: bool,
    /// Another scenario for the simulator; its batteries must be Pylontech ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
}

const DEMO_EXAMPLES: &str = "While it runs it names the bus it made; from a second shell:
  busctl --address=ADDRESS tree
  busctl --address=ADDRESS call com.victronenergy.battery.bmscan_battery0 /Soc com.victronenergy.BusItem GetText

Examples:
  busbar demo
  busbar demo --for 20s --json";

/// `20s`, `5m`, `500ms`; a bare number counts seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{unit:?} is no unit of time: write 500ms, 20s, 5m or 1h")),
    };
    let seconds = number.parse::<f64>().map_err(|_| "a number with a unit, such as 20s".to_owned())? * factor;
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
