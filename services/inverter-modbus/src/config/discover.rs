//! A line on which the process looks for devices by itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};
use service_kit::serial::Parity;

use super::ParityBit;
use crate::discover::plan::{Where, Wishes};
use crate::library::{Library, Missing};
use crate::line::address::Framing;

/// A line on which the process looks for devices.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Discover {
    /// The serial port.
    #[serde(default)]
    pub port: Option<PathBuf>,
    /// Its rates, in the order in which they are tried; otherwise those of the profiles.
    #[serde(default)]
    pub bauds: Vec<u32>,
    /// Its parity; otherwise that of the profiles.
    #[serde(default)]
    pub parity: Option<ParityBit>,
    /// Its stop bits; otherwise those of the profiles.
    #[serde(default)]
    pub stop_bits: Option<u8>,
    /// The host instead.
    #[serde(default)]
    pub host: Option<String>,
    /// Its TCP port.
    #[serde(default = "tcp_port")]
    pub tcp_port: u16,
    /// What is spoken with the host.
    #[serde(default)]
    pub framing: Framing,
    /// The units that are asked; otherwise the usual ones.
    #[serde(default)]
    pub units: Vec<u8>,
    /// The only profile that is looked for.
    #[serde(default)]
    pub profile: Option<String>,
}

fn tcp_port() -> u16 {
    502
}

impl Discover {
    /// Where it is looked; nothing if that is not said.
    #[must_use]
    pub fn place(&self) -> Option<Where> {
        let host = || {
            let host = self.host.clone()?;
            Some(Where::Host { host, port: self.tcp_port, framing: self.framing })
        };
        self.port.clone().map(Where::Port).or_else(host)
    }

    /// What is known better than by the profiles.
    #[must_use]
    pub fn wishes(&self) -> Wishes {
        let parity = self.parity.map(|parity| match parity {
            ParityBit::None => Parity::None,
            ParityBit::Even => Parity::Even,
            ParityBit::Odd => Parity::Odd,
        });
        Wishes { bauds: self.bauds.clone(), parity, stop_bits: self.stop_bits, units: self.units.clone() }
    }
}

/// A line with the library that its profile is in.
pub(super) struct Listed<'c> {
    pub(super) discover: &'c Discover,
    pub(super) library: &'c Library,
}

impl Check for Listed<'_> {
    fn check(&self, findings: &mut Findings) {
        self.discover.check(findings);
        let Some(id) = &self.discover.profile else { return };
        match self.library.get(id) {
            Ok(_) => {}
            Err(Missing::Unknown(_)) => findings.unknown_name("profile", "profile", id, self.library.ids()),
            Err(broken) => findings.refuse("profile", broken.to_string(), "a sound profile"),
        }
    }
}

impl Check for Discover {
    fn check(&self, findings: &mut Findings) {
        if self.port.is_some() == self.host.is_some() {
            findings.refuse("port", "it is looked nowhere, or in two places", "port or host");
        }
        if self.host.is_some() && self.port.is_none() {
            let of_ports = [
                ("bauds", !self.bauds.is_empty()),
                ("parity", self.parity.is_some()),
                ("stop_bits", self.stop_bits.is_some()),
            ];
            for (key, _) in of_ports.iter().filter(|(_, is_given)| *is_given) {
                findings.refuse(key, "a host has none: its gateway has", "it beside port");
            }
        }
        if self.bauds.iter().any(|baud| !(300..=1_000_000).contains(baud)) {
            findings.refuse("bauds", format!("{:?}", self.bauds), "rates of 300 to 1000000 baud");
        }
        if let Some(stop) = self.stop_bits {
            findings.within("stop_bits", stop, 1..=2, "");
        }
        if self.units.iter().any(|unit| !(1..=247).contains(unit)) {
            findings.refuse("units", format!("{:?}", self.units), "addresses of 1 to 247");
        }
    }
}
