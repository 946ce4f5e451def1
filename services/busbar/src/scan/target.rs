//! What is to be searched.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;

/// The usual port of Modbus TCP.
const USUAL_PORT: u16 = 502;
/// The largest network has so many bits for the host.
const MOST_BITS: u8 = 10;

/// What is to be searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A serial port.
    Port(PathBuf),
    /// A host and its TCP port.
    Host(String, u16),
    /// All hosts of a network, at this TCP port.
    Network(Network, u16),
}

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    first: u32,
    /// Bits for the host.
    bits: u8,
}

impl Network {
    /// The addresses of its hosts.
    pub(super) fn hosts(self) -> impl Iterator<Item = Ipv4Addr> {
        let all = 1_u32 << self.bits;
        // The first and the last address of a network are no hosts, unless it is no more than a pair.
        let (skip, last) = if self.bits > 1 { (1, all - 1) } else { (0, all) };
        (skip..last).map(move |n| Ipv4Addr::from(self.first | n))
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let (place, port) = match text.rsplit_once(':') {
            Some((place, port)) if !text.starts_with('/') => {
                let port = port.parse().map_err(|_| format!("{port:?} is no TCP port"))?;
                (place, port)
            }
            _ => (text, USUAL_PORT),
        };
        if let Some((address, length)) = place.split_once('/')
            && let Ok(address) = address.parse::<Ipv4Addr>()
        {
            let wrong = || format!("networks are from /{} to /32", 32 - MOST_BITS);
            let length: u8 = length.parse().map_err(|_| wrong())?;
            let bits = 32_u8.checked_sub(length).filter(|bits| *bits <= MOST_BITS).ok_or_else(wrong)?;
            let first = u32::from(address) >> bits << bits;
            return Ok(Target::Network(Network { first, bits }, port));
        }
        if place.contains('/') {
            return Ok(Target::Port(PathBuf::from(text)));
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if place.is_empty() || !place.chars().all(is_name) {
            return Err(
                "a serial port such as /dev/ttyUSB0, a host, or a network such as 192.168.1.0/24".into()
            );
        }
        Ok(Target::Host(place.to_owned(), port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        let Ok(Target::Network(network, _)) = text.parse() else { return Vec::new() };
        network.hosts().map(|host| host.to_string()).collect()
    }

    #[test]
    fn ports_hosts_and_networks_are_told_apart() {
        assert_eq!("/dev/ttyUSB0".parse(), Ok(Target::Port("/dev/ttyUSB0".into())));
        assert_eq!(
            "/dev/serial/by-path/usb-0:1:1.0".parse(),
            Ok(Target::Port("/dev/serial/by-path/usb-0:1:1.0".into()))
        );
        assert_eq!("inverter.local".parse(), Ok(Target::Host("inverter.local".into(), 502)));
        assert_eq!("10.0.0.7:1502".parse(), Ok(Target::Host("10.0.0.7".into(), 1502)));
        for wrong in ["", "a b", "10.0.0.7:x", "10.0.0.0/21", "10.0.0.0/33", "10.0.0.0/x"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_network_has_its_hosts_and_no_more() {
        assert_eq!(hosts("192.168.1.77/30"), ["192.168.1.77", "192.168.1.78"]);
        assert_eq!(hosts("192.168.1.5/32"), ["192.168.1.5"]);
        assert_eq!(hosts("192.168.1.5/31"), ["192.168.1.4", "192.168.1.5"]);
        assert_eq!(hosts("192.168.1.0/24").len(), 254);
        assert_eq!(hosts("10.1.5.0/22:1502").len(), 1022);
        assert_eq!(hosts("10.1.5.0/22")[0], "10.1.4.1");
    }
}
