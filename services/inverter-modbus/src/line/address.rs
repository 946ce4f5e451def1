//! Where a line is.

use std::fmt;
use std::path::PathBuf;

use dbus_interfaces::bus1::arguments::is_port;
use service_kit::serial::{Character, Parity, bus_suffix};

/// Where a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A serial port.
    Serial {
        /// The port.
        path: PathBuf,
        /// Its rate.
        baud: u32,
        /// Parity and stop bits.
        character: Character,
    },
    /// A TCP connection.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// What is spoken on it.
        framing: Framing,
    },
}

/// What is spoken on a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// Modbus TCP.
    #[default]
    Tcp,
    /// The bytes of a serial line, as simple gateways pass them on.
    Rtu,
}

impl Address {
    /// The part of a service name that stands for it.
    #[must_use]
    pub fn suffix(&self) -> String {
        match self {
            Address::Serial { path, .. } => bus_suffix(path),
            Address::Tcp { host, port, .. } => {
                let host = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
                let host: String = host.take(48).collect();
                if *port == 502 { format!("tcp_{host}") } else { format!("tcp_{host}_{port}") }
            }
        }
    }

    /// Whether somebody who says this means it: the port or the host, whole or as names of services have it.
    #[must_use]
    pub fn is_called(&self, wanted: &str) -> bool {
        let is_place = match self {
            Address::Serial { path, .. } => is_port(wanted, path),
            Address::Tcp { host, .. } => host == wanted || self.place() == wanted,
        };
        is_place || self.suffix() == wanted
    }

    /// The port, or host and port, without how it is spoken with.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Address::Serial { path, .. } => path.display().to_string(),
            Address::Tcp { host, port, .. } => format!("{host}:{port}"),
        }
    }

    /// The rate; a TCP connection has none.
    #[must_use]
    pub fn baud(&self) -> Option<u32> {
        match self {
            Address::Serial { baud, .. } => Some(*baud),
            Address::Tcp { .. } => None,
        }
    }

    /// Whether both are the same port or host, whatever is spoken there.
    #[must_use]
    pub fn is_same_place(&self, other: &Address) -> bool {
        match (self, other) {
            (Address::Serial { path: one, .. }, Address::Serial { path: another, .. }) => one == another,
            (Address::Tcp { host: one, port: p1, .. }, Address::Tcp { host: another, port: p2, .. }) => {
                one == another && p1 == p2
            }
            _ => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Serial { path, baud, character } => {
                let parity = match character.parity {
                    Parity::None => 'N',
                    Parity::Even => 'E',
                    Parity::Odd => 'O',
                };
                let stop = if character.two_stop_bits { 2 } else { 1 };
                write!(f, "{} {baud} 8{parity}{stop}", path.display())
            }
            Address::Tcp { host, port, framing: Framing::Tcp } => write!(f, "Modbus TCP {host}:{port}"),
            Address::Tcp { host, port, framing: Framing::Rtu } => {
                write!(f, "Modbus RTU over TCP {host}:{port}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_said_and_fit_into_names() {
        let character = Character { parity: Parity::Even, two_stop_bits: false };
        let serial = Address::Serial { path: "/dev/ttyUSB0".into(), baud: 9600, character };
        assert_eq!((serial.to_string(), serial.suffix()), ("/dev/ttyUSB0 9600 8E1".into(), "ttyUSB0".into()));
        let tcp = |port| Address::Tcp { host: "10.0.0.7".into(), port, framing: Framing::Tcp };
        assert_eq!(tcp(502).suffix(), "tcp_10_0_0_7");
        assert_eq!(
            (tcp(1502).suffix(), tcp(502).to_string()),
            ("tcp_10_0_0_7_1502".into(), "Modbus TCP 10.0.0.7:502".into())
        );
        for name in ["10.0.0.7", "10.0.0.7:502", "tcp_10_0_0_7"] {
            assert!(tcp(502).is_called(name) && !serial.is_called(name), "{name}");
        }
        assert!(serial.is_called("ttyUSB0") && serial.is_called("/dev/ttyUSB0") && !serial.is_called("USB0"));
        assert!(
            tcp(502).is_same_place(&tcp(502))
                && !tcp(502).is_same_place(&tcp(503))
                && !tcp(502).is_same_place(&serial)
        );
    }
}
