//! One device of the configuration: where it is, what it is called, and what may be done with it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use service_kit::serial::{Character, Parity};

use super::Recognise;
use crate::line::address::{Address, Framing};
use crate::profile::{Class, Profile, link};

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
    /// What it must show of itself to be taken for a device of its profile.
    #[serde(default)]
    pub recognise: Recognise,
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

fn device_instance() -> i32 {
    20
}

fn one() -> u8 {
    1
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
            recognise: Recognise::default(),
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

/// Whether a device can be told how much it may charge and discharge.
#[must_use]
pub fn can_follow(profile: &Profile) -> bool {
    let has = |names: [&str; 2]| profile.write.iter().any(|write| names.contains(&write.name.as_str()));
    profile.class == Class::Hybrid && has(["charge_current_limit", "charge_power_limit"])
}
