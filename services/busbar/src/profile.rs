//! `busbar profile`: device profiles, checked, and tried at a device.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use inverter_modbus::config::{Device, Recognise};
use inverter_modbus::device::access::Fault;
use inverter_modbus::device::recognise::NotIt;
use inverter_modbus::engine::decode::{Said, Value, decode};
use inverter_modbus::library::{self, Library};
use inverter_modbus::line::address::Address;
use inverter_modbus::line::{NoAnswer, TAKEN};
use inverter_modbus::probe::{self, Read};
use inverter_modbus::profile::Profile;
use inverter_modbus::profile::names;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProfileCommand {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "Examples:
  busbar profile list
  busbar profile check my-inverter.toml
  busbar profile read deye-one-phase --port /dev/ttyUSB0
  busbar profile read my-inverter.toml --host 192.168.1.30 --unit 3";

#[derive(Debug, Subcommand)]
enum What {
    /// List the profiles that come with the program.
    List,
    /// Say every mistake of a profile, with its line.
    Check {
        /// The profile.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Read a device once and show all its points in one table. Nothing is written to it.
    Read(ReadOptions),
}

#[derive(Debug, Args)]
struct ReadOptions {
    /// A profile: its name, or a file.
    #[arg(value_name = "PROFILE")]
    profile: String,
    /// The serial port.
    #[arg(long, value_name = "PORT", required_unless_present = "host")]
    port: Option<PathBuf>,
    /// The host instead.
    #[arg(long, value_name = "HOST", conflicts_with = "port")]
    host: Option<String>,
    /// Its TCP port.
    #[arg(long, value_name = "PORT", requires = "host")]
    tcp_port: Option<u16>,
    /// The host passes on the bytes of a serial line.
    #[arg(long, requires = "host")]
    rtu: bool,
    /// Rate of the serial port.
    #[arg(long, value_name = "BAUD", requires = "port")]
    baud: Option<u32>,
    /// Address of the device on the line.
    #[arg(long, value_name = "UNIT")]
    unit: Option<u8>,
    /// Take whatever answers for a device of the profile, as recognise = "any" of the configuration does.
    #[arg(long)]
    any: bool,
    /// How long it may take altogether, s.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    within: u64,
}

pub(crate) async fn run(options: ProfileCommand) -> anyhow::Result<()> {
    match options.what {
        What::List => list(),
        What::Check { file } => check(&file),
        What::Read(options) => read(options).await,
    }
}

fn list() -> anyhow::Result<()> {
    let mut text = String::new();
    for id in inverter_modbus::profile::builtin::ids() {
        if let Some(profile) = inverter_modbus::profile::builtin::by_id(id) {
            text.push_str(&format!("{id:22} {} {}\n", profile.make, profile.models.join(", ")));
        }
    }
    crate::print(&text)
}

fn check(file: &Path) -> anyhow::Result<()> {
    let profile = library::read(file).map_err(|why| anyhow!("{why}"))?;
    if let Some(remark) = library::misnamed(&profile, file) {
        crate::complain(&remark);
    }
    if !profile.tells_devices() {
        crate::complain(&format!(
            "{}: no [identify] with a match: whatever answers is taken for this device, and a search does not find it",
            file.display()
        ));
    }
    crate::print(&format!(
        "{} is fine: {}, {} points, {} set points, {} ways of running, {} facts unverified\n",
        file.display(),
        profile.title(),
        profile.point.len() + profile.words.len() + profile.bits.len(),
        profile.write.len(),
        profile.mode.len(),
        profile.unverified()
    ))
}

/// A profile by its name, or from a file.
pub(crate) fn profile(name: &str) -> anyhow::Result<Profile> {
    let found = if name.ends_with(".toml") || name.contains('/') {
        library::read(Path::new(name))
    } else {
        Library::new(None).get(name)
    };
    found.map_err(|why| anyhow!("{why}"))
}

async fn read(options: ReadOptions) -> anyhow::Result<()> {
    let profile = profile(&options.profile)?;
    let mut place = Device::at(&profile.id);
    // Everything that the profile has is shown.
    place.publish_grid = true;
    if options.any {
        place.recognise = Recognise::Any;
    }
    let profile = place.taken(profile);
    (place.port, place.host, place.tcp_port) = (options.port, options.host, options.tcp_port);
    (place.baud, place.unit) = (options.baud, options.unit);
    if options.rtu {
        place.framing = inverter_modbus::line::address::Framing::Rtu;
    }
    let address = place.address(&profile).map_err(|why| anyhow!(why))?;
    let unit = place.unit(&profile);
    let within = Duration::from_secs(options.within);
    let reading = tokio::time::timeout(within, probe::read(&profile, address.clone(), unit)).await;
    let read = reading
        .with_context(|| format!("{address} unit {unit} was not read within {} s", within.as_secs()))?
        .map_err(|why| match (&address, &why) {
            (Address::Tcp { .. }, NotIt::Fault(Fault::NoAnswer(NoAnswer::Silence))) => {
                anyhow!("{address} unit {unit}: the connection stands, and there is {why}: {TAKEN}")
            }
            (_, NotIt::Another { .. }) => anyhow!("{address} unit {unit}: {why}; here it is --any"),
            _ => anyhow!("{address} unit {unit}: {why}"),
        })?;
    if read.image.iter().next().is_none() {
        bail!("{address} unit {unit} has none of the registers of this profile");
    }
    crate::print(&table(&profile, &read))
}

/// All points, one line each: name, value, unit, and where they come from.
fn table(profile: &Profile, read: &Read) -> String {
    let mut text = format!("{}\n", profile.title());
    let identity = &read.identity;
    for (what, value) in
        [("serial", &identity.serial), ("model", &identity.model), ("firmware", &identity.firmware)]
    {
        if let Some(value) = value {
            text.push_str(&format!("{what:28} {value}\n"));
        }
    }
    let heard = decode(&read.map, &read.image);
    let numbers: BTreeMap<String, f64> = heard
        .iter()
        .filter_map(|heard| match &heard.said {
            Said::Value(value) => Some((heard.name.to_owned(), value.number()?)),
            _ => None,
        })
        .collect();
    for heard in heard {
        let unit = names::point_unit(heard.name).filter(|unit| *unit != "-").unwrap_or("");
        let value = match heard.said {
            Said::Value(Value::Number(number)) => format!("{} {unit}", short(number)),
            Said::Value(Value::Text(word)) => word,
            Said::Value(Value::Word(word, number)) => format!("{word} ({number})"),
            Said::Value(Value::Bits(bits)) => format!("{:#x} {}", bits.raw, bits.texts.join(", ")),
            Said::Nothing => "no data".to_owned(),
            Said::Unknown(raw) => format!("{raw:#x}, which has no word"),
            Said::Wild(number) => format!("{} {unit}, which cannot be", short(number)),
            Said::Unread => continue,
        };
        text.push_str(&format!("{:28} {}\n", heard.name, value.trim_end()));
    }
    let point = |name: &str| numbers.get(name).copied();
    for (name, value) in read.map.shown(&read.image, &point) {
        text.push_str(&format!("set {name:24} {}\n", short(value)));
    }
    for mode in &read.map.modes {
        let is_active = mode.active.as_ref().map(|active| active.holds(&point));
        let is_active = is_active.map_or("not shown", |is| if is { "in force" } else { "not in force" });
        text.push_str(&format!("{:28} {is_active}\n", mode.key));
    }
    for (range, fault) in &read.refused {
        text.push_str(&format!("not there: {} {}+{}: {fault}\n", range.table, range.addr, range.count));
    }
    text
}

/// Without the noise of binary fractions.
fn short(number: f64) -> String {
    let rounded = (number * 1000.0).round() / 1000.0;
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            (short(0.1 + 0.2), short(-1500.0), short(3.331_49)),
            ("0.3".into(), "-1500".into(), "3.331".into())
        );
    }
}
