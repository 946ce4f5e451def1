//! How the bus is reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};
use service_kit::serial;

use crate::candump::Interface;
use crate::transports::Link;
use crate::transports::candump_log::{CandumpLog, Play};
use crate::transports::slcan::Slcan;
use crate::transports::slcan_command::BitRate;
use crate::transports::socketcan::{SELECTORS, Selector, SocketCan, Wishes};

/// The table `[can]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Can {
    /// The kind of link; what `port`, `interface` and `file` leave open.
    #[serde(default)]
    pub transport: Option<Transport>,
    /// The serial port of an slcan adapter.
    #[serde(default)]
    pub port: Option<PathBuf>,
    /// Speed of the serial line, bit/s; USB adapters disregard it.
    #[serde(default = "serial_baud")]
    pub serial_baud: u32,
    /// The CAN interface of the kernel; of a recording, the one whose frames are meant.
    #[serde(default)]
    pub interface: Option<String>,
    /// Set the interface up: bit rate, restart after bus-off, up.
    #[serde(default)]
    pub set_bit_rate: bool,
    /// Restart the interface after bus-off where the kernel does not.
    #[serde(default)]
    pub restart_bus_off: bool,
    /// A recording by candump.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// How fast a recording is played; 1 as it was recorded.
    #[serde(default = "speed")]
    pub speed: f64,
    /// Play a recording again when it ends.
    #[serde(default)]
    pub repeat: bool,
    /// Speed of the CAN bus, bit/s.
    #[serde(default = "bit_rate")]
    pub bit_rate: u32,
    /// Never send a frame.
    #[serde(default)]
    pub listen_only: bool,
    /// Send the sign of life that a battery expects from its inverter, unless somebody else does.
    #[serde(default = "yes")]
    pub keep_alive: bool,
}

/// The kinds of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// A serial adapter that speaks the Lawicel text protocol.
    Slcan,
    /// A CAN interface of the kernel.
    Socketcan,
    /// A recording by candump.
    Log,
}

fn bit_rate() -> u32 {
    500_000
}

fn serial_baud() -> u32 {
    115_200
}

fn speed() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

/// The bit rates that slcan has a number for.
const SLCAN_BIT_RATES: &str = "10000, 20000, 50000, 100000, 125000, 250000, 500000, 800000 or 1000000 bit/s";

/// Which bus is meant, complete and valid.
enum Source<'a> {
    Port(&'a PathBuf, BitRate),
    Interface(Selector),
    File(&'a PathBuf, Option<Interface>),
}

/// Key, what is wrong with it, what is allowed.
type Refusal = (&'static str, String, String);

impl Can {
    /// The kind of link; `None` if there is neither that nor anything that shows it.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        self.transport.or(match (&self.port, &self.file, &self.interface) {
            (Some(_), ..) => Some(Transport::Slcan),
            (None, Some(_), _) => Some(Transport::Log),
            (None, None, Some(_)) => Some(Transport::Socketcan),
            (None, None, None) => None,
        })
    }

    /// The link. Nothing is opened yet. Must not be asked of a configuration that [`Check`] refuses.
    ///
    /// # Errors
    /// What is wrong, for one that was not checked.
    pub fn link(&self, seed: u64) -> Result<Link, String> {
        Ok(
            match self
                .source()
                .map_err(|(key, what, allowed)| format!("{key}: {what}; allowed: {allowed}"))?
            {
                Source::Port(port, bit_rate) => {
                    Link::Slcan(Slcan::new(port.clone(), self.serial_baud, bit_rate, self.listen_only, seed))
                }
                Source::Interface(selector) => {
                    let wishes = Wishes {
                        bit_rate: self.bit_rate,
                        listen_only: self.listen_only,
                        set_bit_rate: self.set_bit_rate,
                        restart_bus_off: self.restart_bus_off,
                    };
                    Link::SocketCan(SocketCan::new(selector, wishes, seed))
                }
                Source::File(file, interface) => {
                    let play = Play { interface, speed: self.speed, repeat: self.repeat };
                    Link::Log(CandumpLog::new(file.clone(), play, seed))
                }
            },
        )
    }

    /// Whether this process sends anything at all.
    #[must_use]
    pub fn sends(&self) -> bool {
        !self.listen_only && self.transport() != Some(Transport::Log)
    }

    /// The end of the bus names of the batteries: `ttyACM0`, `can0`, `usb_serial_003A0024`.
    #[must_use]
    pub fn bus_suffix(&self) -> String {
        let named = match self.transport() {
            Some(Transport::Socketcan) => self.interface.as_ref().map(PathBuf::from),
            Some(Transport::Log) => self.file.clone(),
            Some(Transport::Slcan) | None => self.port.clone(),
        };
        serial::bus_suffix(&named.unwrap_or_default())
    }

    /// What the batteries hang on, for people (`/Mgmt/Connection`).
    #[must_use]
    pub fn connection(&self) -> String {
        let path = |path: &Option<PathBuf>| path.clone().unwrap_or_default().display().to_string();
        match self.transport() {
            Some(Transport::Socketcan) => {
                format!("CAN-bus {}", self.interface.as_deref().unwrap_or_default())
            }
            Some(Transport::Log) => format!("CAN-bus recording {}", path(&self.file)),
            Some(Transport::Slcan) | None => format!("CAN-bus {} (slcan)", path(&self.port)),
        }
    }

    fn source(&self) -> Result<Source<'_>, Refusal> {
        let refuse = |key, what: String, allowed: &str| Err((key, what, allowed.to_owned()));
        match self.transport() {
            None => refuse(
                "interface",
                "nothing says where the bus is".to_owned(),
                "one of interface (a CAN interface), port (an slcan adapter), file (a recording)",
            ),
            Some(Transport::Slcan) => {
                let port = self.port.as_ref().filter(|port| !port.as_os_str().is_empty());
                match (port, BitRate::from_bits_per_second(self.bit_rate)) {
                    (None, _) => refuse(
                        "port",
                        "the path is missing".to_owned(),
                        "a serial port, such as /dev/serial/by-id/...",
                    ),
                    (_, None) => {
                        refuse("bit_rate", format!("no adapter has {} bit/s", self.bit_rate), SLCAN_BIT_RATES)
                    }
                    (Some(port), Some(bit_rate)) => Ok(Source::Port(port, bit_rate)),
                }
            }
            Some(Transport::Socketcan) => {
                let named = self.interface.as_deref().unwrap_or_default();
                match Selector::parse(named) {
                    Some(selector) => Ok(Source::Interface(selector)),
                    None => refuse("interface", format!("{named:?} names no CAN interface"), SELECTORS),
                }
            }
            Some(Transport::Log) => {
                let file = self.file.as_ref().filter(|file| !file.as_os_str().is_empty());
                let interface = self.interface.as_deref().map(Interface::new);
                match (file, interface) {
                    (None, _) => {
                        refuse("file", "the path is missing".to_owned(), "a recording by candump -l or -L")
                    }
                    (_, Some(None)) => refuse(
                        "interface",
                        "no interface is called so".to_owned(),
                        "a name as in the recording",
                    ),
                    (Some(file), interface) => Ok(Source::File(file, interface.flatten())),
                }
            }
        }
    }

    /// Keys that say something about another kind of link.
    fn misplaced(&self) -> Vec<(&'static str, &'static str)> {
        let transport = self.transport();
        let is = |of: Transport| transport == Some(of);
        let keys = [
            ("port", self.port.is_some() && !is(Transport::Slcan), "transport = \"slcan\""),
            ("file", self.file.is_some() && !is(Transport::Log), "transport = \"log\""),
            ("interface", self.interface.is_some() && is(Transport::Slcan), "transport = \"socketcan\""),
            ("set_bit_rate", self.set_bit_rate && !is(Transport::Socketcan), "transport = \"socketcan\""),
            (
                "restart_bus_off",
                self.restart_bus_off && !is(Transport::Socketcan),
                "transport = \"socketcan\"",
            ),
            ("repeat", self.repeat && !is(Transport::Log), "transport = \"log\""),
        ];
        keys.into_iter().filter(|(_, is_misplaced, _)| *is_misplaced).map(|(key, _, of)| (key, of)).collect()
    }
}

impl Check for Can {
    fn check(&self, findings: &mut Findings) {
        if let Err((key, what, allowed)) = self.source() {
            findings.refuse(key, what, allowed);
        }
        if self.transport().is_some() {
            for (key, of) in self.misplaced() {
                findings.refuse(key, "it belongs to another kind of link", of);
            }
        }
        findings.within("bit_rate", self.bit_rate, 10_000..=1_000_000, "bit/s");
        findings.within("serial_baud", self.serial_baud, 9_600..=4_000_000, "bit/s");
        findings.within("speed", self.speed, 0.01..=1000.0, "");
    }
}
