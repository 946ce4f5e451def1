//! The configuration of one `inverter-modbus` process: the devices on its lines, and where it looks for others.

mod discover;
mod signs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dbus_interfaces::classes::bank;
use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};
use service_kit::serial::{Character, Parity};

pub use discover::Discover;

use crate::library::{self, Library};
use crate::line::address::{Address, Framing};
use crate::profile::{Class, Profile, link};

/// `inverter-modbus.<name>.toml`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The devices.
    #[serde(default)]
    pub device: Vec<Device>,
    /// Where devices are looked for.
    #[serde(default)]
    pub discover: Vec<Discover>,
    /// Where is kept which devices were found.
    #[serde(default = "kept_folder")]
    pub folder: PathBuf,
    /// Where profiles of the user's own are, before those that come with the program.
    #[serde(default)]
    pub profiles: Option<PathBuf>,
    /// `org.busbar.Bus1` may send requests.
    #[serde(default)]
    pub raw_access: bool,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// What it is.
    pub profile: String,
    /// The serial port that it hangs on.
    #[serde(default)]
    pub port: Option<PathBuf>,
    /// Its rate; otherwise the profile's first.
    #[serde(default)]
    pub baud: Option<u32>,
    /// Its parity; otherwise the profile's.
    #[serde(default)]
    pub parity: Option<ParityBit>,
    /// Its stop bits; otherwise the profile's.
    #[serde(default)]
    pub stop_bits: Option<u8>,
    /// The host that it is, or that leads to it.
    #[serde(default)]
    pub host: Option<String>,
    /// Its TCP port; otherwise the profile's.
    #[serde(default)]
    pub tcp_port: Option<u16>,
    /// What is spoken with the host.
    #[serde(default)]
    pub framing: Framing,
    /// Its address on the line; otherwise the profile's first.
    #[serde(default)]
    pub unit: Option<u8>,
    /// What the user calls it.
    #[serde(default)]
    pub name: Option<String>,
    /// The system that it is part of.
    #[serde(default)]
    pub system: String,
    /// Its number among the devices of its class.
    #[serde(default = "device_instance")]
    pub device_instance: i32,
    /// The line of the house that a device of one line feeds, 1 to 3.
    #[serde(default = "one")]
    pub phase: u8,
    /// What hangs on its input.
    #[serde(default)]
    pub ac_input: AcInput,
    /// Where a solar inverter feeds in: see `pvinverter::POSITION`.
    #[serde(default)]
    pub position: u8,
    /// Its state of charge is the one of the system.
    #[serde(default)]
    pub soc_source: bool,
    /// Its meter measures the whole house.
    #[serde(default)]
    pub publish_grid: bool,
    /// It counts what the battery gives as positive where its profile says that it counts what the battery takes, or the other
    /// way round.
    #[serde(default)]
    pub battery_reversed: bool,
    /// So does its meter with what comes from the grid.
    #[serde(default)]
    pub meter_reversed: bool,
    /// What may be set at it.
    #[serde(default)]
    pub control: ControlSwitch,
    /// Whose decision its limits follow.
    #[serde(default)]
    pub follow: Option<String>,
    /// DVCC decides its limits.
    #[serde(default)]
    pub dvcc: bool,
    /// What becomes of the limits that followed when the process ends.
    #[serde(default)]
    pub at_end: AtEnd,
    /// How long a way of running or set point with an end lasts without being set again, s; 0 until it is ended.
    #[serde(default)]
    pub control_timeout_s: u32,
    /// Its largest charge current, A.
    #[serde(default)]
    pub max_charge_current_a: Option<f64>,
    /// Its largest discharge current, A.
    #[serde(default)]
    pub max_discharge_current_a: Option<f64>,
    /// Numbers that a device wants before it lets itself be set, by name.
    #[serde(default, skip_serializing)]
    pub secrets: BTreeMap<String, u32>,
}

/// The parity bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParityBit {
    /// There is none.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// What hangs on the input of an inverter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AcInput {
    /// Nothing.
    None,
    /// The grid.
    #[default]
    Grid,
    /// A generator.
    Generator,
    /// Shore power.
    Shore,
}

impl AcInput {
    /// As `/Ac/In/1/Type` has it.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            AcInput::None => 0,
            AcInput::Grid => 1,
            AcInput::Generator => 2,
            AcInput::Shore => 3,
        }
    }
}

/// Whether clients of the bus may set anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ControlSwitch {
    /// Nothing.
    #[default]
    Off,
    /// The set points of the profile.
    On,
}

/// What becomes of limits that nobody stands behind any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AtEnd {
    /// The charge limit goes to zero, the discharge limit stays: the house is not cut off.
    #[default]
    StopCharging,
    /// Both go to zero.
    Zero,
    /// Both stay.
    Keep,
}

/// What a battery service is called.
const BATTERY: &str = "com.victronenergy.battery.";
/// The longest time that a wish may last, s: a day.
const LONGEST_TIMEOUT_S: u32 = 86_400;
/// The longest name that a user may give.
const LONGEST_NAME: usize = 32;

/// Venus OS keeps what is in `/data`.
fn kept_folder() -> PathBuf {
    let is_venus = Path::new("/opt/victronenergy").is_dir();
    PathBuf::from(if is_venus { "/data/busbar/inverter-modbus" } else { "/var/lib/busbar/inverter-modbus" })
}

fn device_instance() -> i32 {
    20
}

fn one() -> u8 {
    1
}

impl Config {
    /// The profiles that its devices choose from.
    #[must_use]
    pub fn library(&self) -> Library {
        Library::new(self.profiles.clone())
    }
}

impl Device {
    /// A device of this profile that is nowhere yet, with the usual of everything.
    #[must_use]
    pub fn at(profile: &str) -> Device {
        Device {
            profile: profile.to_owned(),
            port: None,
            baud: None,
            parity: None,
            stop_bits: None,
            host: None,
            tcp_port: None,
            framing: Framing::default(),
            unit: None,
            name: None,
            system: String::new(),
            device_instance: device_instance(),
            phase: one(),
            ac_input: AcInput::default(),
            position: 0,
            soc_source: false,
            publish_grid: false,
            battery_reversed: false,
            meter_reversed: false,
            control: ControlSwitch::default(),
            follow: None,
            dvcc: false,
            at_end: AtEnd::default(),
            control_timeout_s: 0,
            max_charge_current_a: None,
            max_discharge_current_a: None,
            secrets: BTreeMap::new(),
        }
    }

    /// Where it is.
    ///
    /// # Errors
    /// Neither port nor host are given, or the profile knows no such way.
    pub fn address(&self, profile: &Profile) -> Result<Address, String> {
        if let Some(path) = &self.port {
            let rtu = profile.link.rtu.as_ref();
            let usual = rtu.and_then(|rtu| rtu.baud.first().copied());
            let parity = match (self.parity, rtu.map(|rtu| rtu.parity)) {
                (Some(ParityBit::Even), _) | (None, Some(link::Parity::Even)) => Parity::Even,
                (Some(ParityBit::Odd), _) | (None, Some(link::Parity::Odd)) => Parity::Odd,
                _ => Parity::None,
            };
            let stop = self.stop_bits.or(rtu.map(|rtu| rtu.stop)).unwrap_or(1);
            let character = Character { parity, two_stop_bits: stop == 2 };
            return Ok(Address::Serial {
                path: path.clone(),
                baud: self.baud.or(usual).unwrap_or(9600),
                character,
            });
        }
        let host = self.host.clone().ok_or("neither port nor host are given")?;
        let usual = profile.link.tcp.as_ref().map_or(502, |tcp| tcp.port);
        Ok(Address::Tcp { host, port: self.tcp_port.unwrap_or(usual), framing: self.framing })
    }

    /// Its address on the line.
    #[must_use]
    pub fn unit(&self, profile: &Profile) -> u8 {
        self.unit.or(profile.link.units.first().copied()).unwrap_or(1)
    }

    /// Whether anything is ever written.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        self.control == ControlSwitch::On || self.follow.is_some() || self.dvcc
    }

    /// The charge current that it can give, A: what the user says, otherwise what can be set at most.
    #[must_use]
    pub fn charge_capacity_a(&self, profile: &Profile) -> Option<f64> {
        let limit = profile.write.iter().find(|write| write.name == "charge_current_limit");
        self.max_charge_current_a.or(limit.and_then(|write| write.max))
    }
}

/// A device with the library that its profile is in.
struct Listed<'c> {
    device: &'c Device,
    library: &'c Library,
}

impl Check for Config {
    fn check(&self, findings: &mut Findings) {
        if self.device.is_empty() && self.discover.is_empty() {
            findings.refuse("device", "there is none", "at least one [[device]] or [[discover]]");
        }
        let library = self.library();
        findings.each("discover", &self.discover);
        for (n, discover) in self.discover.iter().enumerate() {
            if let Some(id) = discover.profile.as_ref().filter(|id| library.get(id).is_err()) {
                findings.refuse(
                    "discover",
                    format!("no sound profile is called {id:?}"),
                    library.ids().join(", "),
                );
            }
            let is_twice = self.discover.iter().take(n).any(|other| other.place() == discover.place());
            if is_twice && let Some(place) = discover.place() {
                findings.refuse(
                    "discover",
                    format!("twice at {}", place.address().place()),
                    "one entry for a line",
                );
            }
        }
        let listed: Vec<Listed<'_>> =
            self.device.iter().map(|device| Listed { device, library: &library }).collect();
        findings.each("device", &listed);
        for (n, device) in self.device.iter().enumerate() {
            let place = |device: &Device| {
                let profile = library.get(&device.profile).ok()?;
                Some((device.address(&profile).ok()?, device.unit(&profile)))
            };
            let Some((address, unit)) = place(device) else { continue };
            let others = self.device.iter().take(n).filter_map(place);
            for (other, its_unit) in others.filter(|(other, _)| other.is_same_place(&address)) {
                if its_unit == unit {
                    findings.refuse(
                        "device",
                        format!("two devices are unit {unit} of {address}"),
                        "different units",
                    );
                } else if other != address {
                    findings.refuse(
                        "device",
                        format!("{address} is also {other}"),
                        "one rate and framing for a line",
                    );
                }
            }
        }
    }
}

impl Check for Listed<'_> {
    fn check(&self, findings: &mut Findings) {
        let device = self.device;
        if device.port.is_some() == device.host.is_some() {
            findings.refuse("profile", "the device is nowhere, or in two places", "port or host");
        }
        let profile = match self.library.get(&device.profile) {
            Ok(profile) => Some(profile),
            Err(library::Missing::Unknown(_)) => {
                let names: Vec<String> = self.library.ids();
                let what = format!("no profile is called {:?}", device.profile);
                findings.refuse("profile", what, names.join(", "));
                None
            }
            Err(broken) => {
                findings.refuse("profile", broken.to_string(), "a sound profile");
                None
            }
        };
        if let Some(unit) = device.unit {
            let least = u8::from(device.port.is_some());
            findings.within("unit", unit, least..=247, "");
        }
        if let Some(host) = &device.host
            && let Some((name, port)) = host.rsplit_once(':')
            && host.parse::<std::net::Ipv6Addr>().is_err()
        {
            let allowed = format!("host = {name:?} and tcp_port = {port}");
            findings.refuse("host", format!("{host:?} is more than a host"), allowed);
        }
        if let Some(port) = device.port.as_ref().filter(|port| port.is_relative()) {
            let allowed = format!("a path such as /dev/{}", port.display());
            findings.refuse("port", format!("{} is no whole path", port.display()), allowed);
        }
        if let Some(baud) = device.baud {
            findings.within("baud", baud, 300..=1_000_000, "baud");
        }
        if let Some(stop) = device.stop_bits {
            findings.within("stop_bits", stop, 1..=2, "");
        }
        findings.within("phase", device.phase, 1..=3, "");
        findings.within("position", device.position, 0..=2, "");
        // Number 0 is the one that DVCC takes for a Multi RS; a few more are left to Victron's own.
        findings.within("device_instance", device.device_instance, 10..=511, "");
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_word(&device.system) || device.system.len() > LONGEST_NAME {
            let allowed = format!("at most {LONGEST_NAME} of a to z, A to Z, 0 to 9 and _");
            findings.refuse("system", format!("{:?} is no part of a bus name", device.system), allowed);
        }
        if let Some(name) = &device.name
            && !(1..=LONGEST_NAME).contains(&name.chars().count())
        {
            let what = format!("{} characters", name.chars().count());
            findings.refuse("name", what, format!("1 to {LONGEST_NAME} characters"));
        }
        findings.within("control_timeout_s", device.control_timeout_s, 0..=LONGEST_TIMEOUT_S, "s");
        if let Some(follow) = &device.follow {
            if follow.strip_prefix(BATTERY).is_none_or(str::is_empty) {
                let allowed = format!("{} or another {BATTERY}...", bank::NAME);
                findings.refuse("follow", format!("{follow:?} is no battery service"), allowed);
            }
            if profile.as_ref().is_some_and(|profile| !can_follow(profile)) {
                let what = format!("{} has no limit that could follow", device.profile);
                findings.refuse("follow", what, "no follow for this profile");
            }
        }
        if device.dvcc {
            self.check_dvcc(profile.as_ref(), findings);
        }
        for (key, current) in [
            ("max_charge_current_a", device.max_charge_current_a),
            ("max_discharge_current_a", device.max_discharge_current_a),
        ] {
            if let Some(current) = current {
                findings.within(key, current, 0.0..=3000.0, "A");
            }
        }
    }
}

impl Listed<'_> {
    fn check_dvcc(&self, profile: Option<&Profile>, findings: &mut Findings) {
        let device = self.device;
        if device.follow.is_some() {
            let what = "DVCC and the manager of the bank would both spend the same current";
            findings.refuse("dvcc", what, "dvcc or follow");
        }
        let Some(profile) = profile else { return };
        if !can_follow(profile) {
            let what = format!("{} has no limit that DVCC could set", device.profile);
            findings.refuse("dvcc", what, "no dvcc for this profile");
        } else if device.charge_capacity_a(profile).is_none_or(|amps| amps <= 0.0) {
            let what =
                "DVCC shares current in proportion to what each charger can give, and that is not known";
            findings.refuse("dvcc", what, "max_charge_current_a beside it");
        }
    }
}

/// Whether a device can be told how much it may charge and discharge.
#[must_use]
pub fn can_follow(profile: &Profile) -> bool {
    let has = |names: [&str; 2]| profile.write.iter().any(|write| names.contains(&write.name.as_str()));
    profile.class == Class::Hybrid && has(["charge_current_limit", "charge_power_limit"])
}
