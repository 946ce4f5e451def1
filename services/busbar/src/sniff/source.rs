//! What is listened to: a CAN interface of the kernel, or a serial adapter.

use std::path::{Path, PathBuf};

use bms_can::transports::Link;
use bms_can::transports::slcan::Slcan;
use bms_can::transports::slcan_command::BitRate;
use bms_can::transports::socketcan::{self, CanInterface, Selector, SocketCan, Wishes};
use service_kit::random_seed;

/// Where udev keeps the names of serial ports that survive replugging.
const BY_ID: &str = "/dev/serial/by-id";

/// What is listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// An interface of the kernel.
    Can(Selector),
    /// A serial port with an slcan adapter behind it.
    Serial(PathBuf),
}

/// What there is to listen to on this machine.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// CAN interfaces of the kernel.
    pub(super) interfaces: Vec<CanInterface>,
    /// Serial ports, by names that survive replugging.
    pub(super) ports: Vec<PathBuf>,
}

impl Choice {
    /// Looks, and opens nothing: a serial port may be anybody's. Must be called inside a tokio runtime.
    pub(super) fn look() -> Choice {
        let ports = std::fs::read_dir(BY_ID).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut ports: Vec<PathBuf> = ports.collect();
        ports.sort();
        Choice { interfaces: socketcan::scan().unwrap_or_default(), ports }
    }

    /// What somebody means who typed this, or nothing.
    ///
    /// # Errors
    /// A sentence that says what there is.
    pub(super) fn choose(&self, typed: Option<&str>) -> Result<Source, String> {
        let Some(typed) = typed else {
            return match self.interfaces.as_slice() {
                [only] => Ok(Source::Can(Selector::Name(only.name.clone()))),
                [] => Err(format!("there is no CAN interface; {}", self.said())),
                _ => Err(format!("which one? {}", self.said())),
            };
        };
        if self.interfaces.iter().any(|interface| interface.selectors.iter().any(|name| name == typed)) {
            return Selector::parse(typed).map(Source::Can).ok_or_else(|| self.unknown(typed));
        }
        let places = [PathBuf::from(typed), Path::new("/dev").join(typed)];
        let found = places.into_iter().find(|path| path.exists());
        found.map(Source::Serial).ok_or_else(|| self.unknown(typed))
    }

    fn unknown(&self, typed: &str) -> String {
        format!("there is no {typed}; {}", self.said())
    }

    /// What there is, in words.
    fn said(&self) -> String {
        let interfaces = self.interfaces.iter().map(|interface| interface.name.clone());
        let ports = self.ports.iter().map(|port| port.display().to_string());
        let all: Vec<String> = interfaces.chain(ports).collect();
        match all.is_empty() {
            true => "name the serial port of an slcan adapter, such as /dev/ttyACM0".to_owned(),
            false => format!("there are {}", all.join(", ")),
        }
    }
}

impl Source {
    /// A link that has not been opened yet. `bit_rate` is in bit/s.
    ///
    /// # Errors
    /// An adapter has no such bit rate.
    pub(super) fn link(&self, bit_rate: u32, serial_baud: u32, listen_only: bool) -> Result<Link, String> {
        match self {
            Source::Can(selector) => {
                // As it is set up: whoever only listens changes nothing.
                let wishes =
                    Wishes { bit_rate, listen_only: true, set_bit_rate: false, restart_bus_off: false };
                Ok(Link::SocketCan(SocketCan::new(selector.clone(), wishes, random_seed())))
            }
            Source::Serial(path) => {
                let rate = BitRate::from_bits_per_second(bit_rate).ok_or_else(|| {
                    format!("no adapter has {bit_rate} bit/s: 10000 to 1000000, such as 250000")
                })?;
                Ok(Link::Slcan(Slcan::new(path.clone(), serial_baud, rate, listen_only, random_seed())))
            }
        }
    }

    /// Its name for people and in recordings, where it has at most 15 characters.
    pub(super) fn name(&self) -> String {
        match self {
            Source::Can(selector) => selector.to_string(),
            Source::Serial(path) => path.display().to_string(),
        }
    }
}

/// A name for recordings: what is left of the end of the source's name.
pub(super) fn interface_name(source: &str) -> String {
    let last = source.rsplit(['/', ':']).next().unwrap_or_default();
    let plain: String = last.chars().filter(char::is_ascii_graphic).collect();
    let start = plain.len().saturating_sub(15);
    match plain.get(start..).unwrap_or_default() {
        "" => "can".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(interfaces: &[&str]) -> Choice {
        let interface = |name: &&str| CanInterface {
            name: (*name).to_owned(),
            adapter: None,
            kind: "can".to_owned(),
            is_up: true,
            state: None,
            bit_rate: None,
            selectors: vec![(*name).to_owned()],
        };
        Choice {
            interfaces: interfaces.iter().map(interface).collect(),
            ports: vec!["/dev/serial/by-id/usb-CANable".into()],
        }
    }

    #[test]
    fn an_interface_goes_by_its_name_and_a_port_by_its_path() {
        let two = choice(&["can0", "can1"]);
        assert_eq!(two.choose(Some("can1")), Ok(Source::Can(Selector::Name("can1".to_owned()))));
        assert_eq!(two.choose(Some("/dev/null")), Ok(Source::Serial("/dev/null".into())));
        assert_eq!(two.choose(Some("null")), Ok(Source::Serial("/dev/null".into())));
    }

    #[test]
    fn the_only_interface_need_not_be_named_and_a_port_must_be() {
        assert_eq!(choice(&["can0"]).choose(None), Ok(Source::Can(Selector::Name("can0".to_owned()))));
        let which = choice(&["can0", "can1"]).choose(None).unwrap_err();
        assert_eq!(which, "which one? there are can0, can1, /dev/serial/by-id/usb-CANable");
        let none = choice(&[]).choose(None).unwrap_err();
        assert_eq!(none, "there is no CAN interface; there are /dev/serial/by-id/usb-CANable");
        assert!(Choice::default().choose(None).unwrap_err().contains("/dev/ttyACM0"));
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let said = choice(&["can0"]).choose(Some("can7")).unwrap_err();
        assert_eq!(said, "there is no can7; there are can0, /dev/serial/by-id/usb-CANable");
        assert!(
            choice(&[]).choose(Some("/dev/nothing")).unwrap_err().starts_with("there is no /dev/nothing; ")
        );
    }

    #[test]
    fn recordings_have_names_that_candump_can_have() {
        assert_eq!(interface_name("can0"), "can0");
        assert_eq!(interface_name("/dev/ttyACM0"), "ttyACM0");
        assert_eq!(interface_name("/dev/serial/by-id/usb-CANable_004F0038-if00"), "e_004F0038-if00");
        assert_eq!(interface_name("/dev/"), "can");
        for name in ["usb-serial:003A#1", "/dev/serial/by-id/usb-CANable_004F0038-if00"] {
            assert!(bms_can::candump::Interface::new(&interface_name(name)).is_some(), "{name}");
        }
    }
}
