//! The first configuration file of a process: the example with every key explained, and what the user wished in its place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bms_can::inverter;
use clap::Args;
use inverter_modbus::profile::builtin;
use service_kit::serial;

/// The role of `bms-can` in which it is the battery of an inverter.
const INVERTER: &str = include_str!("../../../bms-can/bms-can.inverter.example.toml");

/// What a new configuration is to say.
#[derive(Debug, Default, Args)]
pub(super) struct Wishes {
    /// The serial port of a CAN or RS485 adapter. Its name that survives replugging is written where it has one.
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// Let the service bring the CAN interface up at its bit rate.
    #[arg(long, conflicts_with = "port")]
    set_bit_rate: bool,
    /// Be the battery of the inverter on this CAN bus; busbar inverters lists the profiles.
    #[arg(long, value_name = "PROFILE")]
    inverter: Option<String>,
    /// What the device on Modbus is; busbar profile list has the profiles.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// The device on Modbus is there, or behind there, instead of at a serial port.
    #[arg(long, value_name = "HOST", conflicts_with = "port")]
    host: Option<String>,
}

impl Wishes {
    pub(super) fn are_none(&self) -> bool {
        let Wishes { port, set_bit_rate, inverter, profile, host } = self;
        port.is_none() && !set_bit_rate && inverter.is_none() && profile.is_none() && host.is_none()
    }
}

/// The example for the process `name`: for this port, or else for the CAN interface of that name.
pub(super) fn from_example(example: &str, name: &str, wishes: &Wishes) -> anyhow::Result<String> {
    let mut text = example.to_owned();
    let (is_can, is_modbus) = (has(example, "interface"), has(example, "tcp_port"));
    ensure!(
        is_can || (wishes.inverter.is_none() && !wishes.set_bit_rate),
        "only bms-can takes --inverter and --set-bit-rate"
    );
    ensure!(
        is_modbus || (wishes.profile.is_none() && wishes.host.is_none()),
        "only inverter-modbus takes --profile and --host"
    );
    if is_modbus {
        let profile = wishes.profile.as_deref();
        let profile = profile.context("say what the device is: --profile NAME (busbar profile list)")?;
        ensure!(
            builtin::by_id(profile).is_some(),
            "no profile is called {profile:?}: busbar profile list has them all (one of your own: write the file first)"
        );
        set(&mut text, "profile", Some(&toml_text(profile)))?;
    }
    if let Some(profile) = &wishes.inverter {
        let names: Vec<&str> = inverter::PROFILES.iter().map(|profile| profile.name).collect();
        ensure!(
            inverter::by_name(profile).is_some(),
            "no profile is called {profile:?}: {} (busbar inverters tells which is whose)",
            names.join(", ")
        );
        text = INVERTER.to_owned();
        set(&mut text, "profile", Some(&toml_text(profile)))?;
    }
    match (&wishes.port, &wishes.host) {
        (Some(port), _) => {
            let port = serial::stable_names(port).into_iter().next().unwrap_or_else(|| port.clone());
            let port = port.to_str().context("the port's name is not UTF-8")?.to_owned();
            if has(&text, "interface") {
                set(&mut text, "interface", None)?;
            }
            set(&mut text, "port", Some(&toml_text(&port)))?;
        }
        (None, Some(host)) => {
            set(&mut text, "port", None)?;
            set(&mut text, "host", Some(&toml_text(host)))?;
        }
        (None, None) if has(&text, "interface") => set(&mut text, "interface", Some(&toml_text(name)))?,
        (None, None) if is_modbus => bail!("say where it is: --port /dev/serial/by-id/... or --host ADDRESS"),
        (None, None) => bail!("say which serial port: --port /dev/serial/by-id/..."),
    }
    if wishes.set_bit_rate {
        set(&mut text, "set_bit_rate", Some("true"))?;
    }
    Ok(text)
}

/// Whether the example has a key, commented out or not.
fn has(text: &str, key: &str) -> bool {
    text.lines().any(|line| is_key(line, key))
}

fn is_key(line: &str, key: &str) -> bool {
    let line = line.strip_prefix('#').unwrap_or(line);
    line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "))
}

/// Gives a key of the example, commented out or not, this value; none comments it out.
fn set(text: &mut String, key: &str, value: Option<&str>) -> anyhow::Result<()> {
    let line =
        text.lines().find(|line| is_key(line, key)).with_context(|| format!("the example has no {key}"))?;
    let new = match value {
        Some(value) => format!("{key} = {value}"),
        None => format!("#{}", line.trim_start_matches('#')),
    };
    *text = text.replacen(&format!("\n{line}\n"), &format!("\n{new}\n"), 1);
    Ok(())
}

/// A string as TOML has it.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Writes a file that must not be there yet: complete or not at all.
pub(super) fn write(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let new = file.with_extension("new");
    let mut out = File::options().write(true).create(true).truncate(true).mode(0o644).open(&new)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    // Unlike a rename this does not replace what somebody else has written meanwhile.
    let linked = fs::hard_link(&new, file);
    fs::remove_file(&new)?;
    linked?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bms_can::Config;

    const EXAMPLE: &str = include_str!("../../../bms-can/bms-can.example.toml");

    fn read(text: &str) -> bms_can::config::Can {
        service_kit::config::parse::<Config>(text, "x.toml", []).expect("a configuration").can
    }

    #[test]
    fn the_example_becomes_the_configuration_of_an_interface() {
        let text = from_example(EXAMPLE, "can3", &Wishes::default()).unwrap();
        assert_eq!(read(&text).interface.as_deref(), Some("can3"));
        assert!(!read(&text).set_bit_rate);
        assert_eq!(text.lines().count(), EXAMPLE.lines().count(), "every explanation stays");
        let wishes = Wishes { set_bit_rate: true, ..Wishes::default() };
        assert!(read(&from_example(EXAMPLE, "can0", &wishes).unwrap()).set_bit_rate);
    }

    #[test]
    fn the_example_becomes_the_configuration_of_a_serial_adapter() {
        let wishes = Wishes { port: Some("/dev/does-not-exist \"x".into()), ..Wishes::default() };
        let can = read(&from_example(EXAMPLE, "garage", &wishes).unwrap());
        assert_eq!(can.port, wishes.port);
        assert_eq!(can.interface, None);
    }

    #[test]
    fn an_inverter_has_an_example_of_its_own() {
        let wishes = |profile: &str| Wishes { inverter: Some(profile.to_owned()), ..Wishes::default() };
        let text = from_example(EXAMPLE, "can1", &wishes("growatt_lv")).unwrap();
        let config = service_kit::config::parse::<Config>(&text, "x.toml", []).unwrap();
        assert_eq!(config.can.interface.as_deref(), Some("can1"));
        assert_eq!(config.inverter.map(|inverter| inverter.profile).as_deref(), Some("growatt_lv"));
        let serial = Wishes { port: Some("/dev/ttyACM0".into()), ..wishes("pylontech_lv") };
        assert_eq!(read(&from_example(EXAMPLE, "house", &serial).unwrap()).port, serial.port);
        let fast = Wishes { set_bit_rate: true, ..wishes("pylontech_lv") };
        assert!(read(&from_example(EXAMPLE, "can1", &fast).unwrap()).set_bit_rate);
        let error = from_example(EXAMPLE, "can1", &wishes("growat")).unwrap_err().to_string();
        assert!(error.contains("growat") && error.contains("growatt_lv"), "{error}");
    }

    #[test]
    fn the_example_becomes_the_configuration_of_a_converter() {
        let example = include_str!("../../../dcdc-rs485/dcdc-rs485.example.toml");
        let wishes = Wishes { port: Some("/dev/does-not-exist".into()), ..Wishes::default() };
        let text = from_example(example, "dcdc0", &wishes).unwrap();
        let config = service_kit::config::parse::<dcdc_rs485::Config>(&text, "x.toml", []).unwrap();
        assert_eq!(Some(config.converter.port), wishes.port);
        assert_eq!(config.battery.unwrap().port, None);
        assert!(from_example(example, "dcdc0", &Wishes::default()).is_err());
        let inverter = Wishes { inverter: Some("growatt_lv".to_owned()), ..wishes };
        let error = from_example(example, "dcdc0", &inverter).unwrap_err().to_string();
        assert_eq!(error, "only bms-can takes --inverter and --set-bit-rate");
    }

    #[test]
    fn an_inverter_on_modbus_needs_its_profile_and_its_place() {
        let example = include_str!("../../../inverter-modbus/inverter-modbus.example.toml");
        let made = |profile: Option<&str>, port: Option<&str>, host: Option<&str>| {
            let wishes = Wishes {
                profile: profile.map(str::to_owned),
                port: port.map(PathBuf::from),
                host: host.map(str::to_owned),
                ..Wishes::default()
            };
            let text = from_example(example, "roof", &wishes).map_err(|error| error.to_string())?;
            let config = service_kit::config::parse::<inverter_modbus::Config>(&text, "x.toml", []);
            Ok::<_, String>(config.unwrap().device.remove(0))
        };
        let device = made(Some("growatt-spf"), Some("/dev/does-not-exist"), None).unwrap();
        assert_eq!((device.profile.as_str(), device.host), ("growatt-spf", None));
        assert_eq!(device.port, Some("/dev/does-not-exist".into()));
        let device = made(Some("sungrow-sh"), None, Some("192.168.7.9")).unwrap();
        assert_eq!((device.host.as_deref(), device.port), (Some("192.168.7.9"), None));
        assert!(made(None, None, Some("192.168.7.9")).unwrap_err().contains("--profile"));
        assert!(
            made(Some("sungrow"), None, Some("192.168.7.9")).unwrap_err().contains("busbar profile list")
        );
        assert!(made(Some("sungrow-sh"), None, None).unwrap_err().contains("--host"));
        let can = Wishes { host: Some("x".to_owned()), ..Wishes::default() };
        assert!(from_example(EXAMPLE, "can0", &can).is_err());
    }

    #[test]
    fn a_file_that_is_there_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("etc/bms-can.can0.toml");
        write(&file, "one").unwrap();
        assert_eq!(write(&file, "two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }
}
