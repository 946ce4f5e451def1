//! CAN adapters as sysfs shows them, and names for them that survive replugging: `canN` depends on who was found first.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the kernel lists network interfaces.
pub(crate) const SYS_CLASS_NET: &str = "/sys/class/net";
/// `ARPHRD_CAN`
const CAN_HARDWARE: &str = "280";
/// The longest name of an interface (`IFNAMSIZ`, less the end).
const LONGEST_NAME: usize = 15;

const BY_SERIAL: &str = "usb-serial:";
const BY_PATH: &str = "path:";
/// Before the number of the channel, of an adapter that has several.
const CHANNEL: char = '#';

/// A CAN interface with what it hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// Name of the interface.
    pub name: String,
    /// Its driver, `gs_usb`; `None` for a virtual one.
    pub driver: Option<String>,
    /// Serial number of the USB device.
    pub usb_serial: Option<String>,
    /// Where it is plugged in, below `/sys/devices`: `platform/.../usb1/1-1/1-1.2/1-1.2:1.0`.
    pub path: Option<String>,
    /// Which interface of an adapter with several, from 0.
    pub channel: u32,
}

/// All CAN interfaces below `class` ([`SYS_CLASS_NET`]), by name.
pub(crate) fn adapters(class: &Path) -> Vec<Adapter> {
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let mut found: Vec<Adapter> = entries.filter_map(|entry| adapter(&entry.path())).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn adapter(interface: &Path) -> Option<Adapter> {
    if attribute(interface, "type")? != CAN_HARDWARE {
        return None;
    }
    let device = fs::canonicalize(interface.join("device")).ok();
    let driver = device.as_ref().and_then(|device| fs::canonicalize(device.join("driver")).ok());
    // Drivers number channels in one of two ways.
    let number = |name| attribute(interface, name).and_then(|text| number(&text)).unwrap_or_default();
    Some(Adapter {
        name: last(interface)?,
        driver: driver.as_deref().and_then(last),
        usb_serial: device.as_deref().and_then(usb_serial),
        path: device.as_deref().and_then(below_devices),
        channel: number("dev_port").max(number("dev_id")),
    })
}

fn last(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

fn attribute(directory: &Path, name: &str) -> Option<String> {
    Some(fs::read_to_string(directory.join(name)).ok()?.trim().to_owned())
}

/// `dev_id` is hexadecimal, `dev_port` decimal.
fn number(text: &str) -> Option<u32> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
}

/// The serial number of the USB device that a device is part of.
fn usb_serial(device: &Path) -> Option<String> {
    let usb_device = device.ancestors().find(|above| above.join("idVendor").exists())?;
    attribute(usb_device, "serial").filter(|serial| !serial.is_empty())
}

fn below_devices(device: &Path) -> Option<String> {
    let (_, path) = device.to_str()?.split_once("/devices/")?;
    Some(path.to_owned())
}

/// Which interface, as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// `can0`
    Name(String),
    /// `usb-serial:003A0024`, `usb-serial:003A0024#1`
    UsbSerial {
        /// The serial number.
        serial: String,
        /// The channel, if told.
        channel: Option<u32>,
    },
    /// `path:1-1.2:1.0`, `path:usb1/1-1/1-1.2#0`: the last parts of the path, or all of it
    Path {
        /// The parts.
        path: PathBuf,
        /// The channel, if told.
        channel: Option<u32>,
    },
}

/// What a selector can look like, for whoever has written another.
pub const SELECTORS: &str = "the name of an interface (can0), usb-serial:SERIAL or path:DEVICE; #CHANNEL behind those for adapters with several";

impl Selector {
    /// From the configuration; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Selector> {
        if let Some(serial) = text.strip_prefix(BY_SERIAL) {
            let (serial, channel) = split_channel(serial)?;
            Some(Selector::UsbSerial { serial: serial.to_owned(), channel })
        } else if let Some(path) = text.strip_prefix(BY_PATH) {
            let (path, channel) = split_channel(path)?;
            let path = path.trim_start_matches("/sys/devices/");
            (!path.is_empty()).then(|| Selector::Path { path: path.into(), channel })
        } else {
            let fits = (1..=LONGEST_NAME).contains(&text.len()) && !matches!(text, "." | "..");
            let is_name = fits && !text.contains(|c: char| matches!(c, '/' | ':') || c.is_whitespace());
            is_name.then(|| Selector::Name(text.to_owned()))
        }
    }

    /// The name of the interface now.
    ///
    /// # Errors
    /// In words why there is none: nothing like it is plugged in, or several are.
    pub(crate) fn resolve(&self, class: &Path) -> Result<String, String> {
        if let Selector::Name(name) = self {
            return Ok(name.clone());
        }
        let mut found: Vec<Adapter> =
            adapters(class).into_iter().filter(|adapter| self.is(adapter)).collect();
        match found.len() {
            0 => Err(format!("no CAN adapter is plugged in as {self}")),
            1 => Ok(found.remove(0).name),
            _ => {
                let channels: Vec<_> =
                    found.iter().map(|a| format!("#{} for {}", a.channel, a.name)).collect();
                Err(format!("{self} means several CAN interfaces: add {}", channels.join(" or ")))
            }
        }
    }

    fn is(&self, adapter: &Adapter) -> bool {
        let is_channel = |channel: &Option<u32>| channel.is_none_or(|channel| channel == adapter.channel);
        match self {
            Selector::Name(name) => adapter.name == *name,
            Selector::UsbSerial { serial, channel } => {
                adapter.usb_serial.as_ref() == Some(serial) && is_channel(channel)
            }
            Selector::Path { path, channel } => {
                let here = adapter.path.as_ref().map(Path::new);
                // The last parts of the path, or those of a device above, such as the USB device of an interface.
                here.is_some_and(|here| here.ancestors().any(|above| above.ends_with(path)))
                    && is_channel(channel)
            }
        }
    }
}

/// What is before the mark of a channel, and the channel; `None` if there is nothing, or no number behind it.
fn split_channel(text: &str) -> Option<(&str, Option<u32>)> {
    let (name, channel) = match text.split_once(CHANNEL) {
        Some((name, channel)) => (name, Some(channel.parse().ok()?)),
        None => (text, None),
    };
    (!name.is_empty()).then_some((name, channel))
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = match self {
            Selector::Name(name) => return f.write_str(name),
            Selector::UsbSerial { serial, channel } => {
                write!(f, "{BY_SERIAL}{serial}")?;
                channel
            }
            Selector::Path { path, channel } => {
                write!(f, "{BY_PATH}{}", path.display())?;
                channel
            }
        };
        channel.map_or(Ok(()), |channel| write!(f, "{CHANNEL}{channel}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A machine as sysfs shows it: a two-channel USB adapter, one with a single channel, an SPI controller, a virtual
    /// interface and an Ethernet card.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let write = |path: &str, text: &str| {
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            fs::write(at(path), format!("{text}\n")).unwrap();
        };
        let interface = |name: &str, home: &str, port: u32, kind: &str| {
            write(&format!("{home}/net/{name}/type"), kind);
            write(&format!("{home}/net/{name}/dev_port"), &port.to_string());
            write(&format!("{home}/net/{name}/dev_id"), "0x0");
            fs::create_dir_all(at("class/net")).unwrap();
            symlink(at(&format!("{home}/net/{name}")), at(&format!("class/net/{name}"))).unwrap();
            if !home.contains("virtual") {
                symlink(at(home), at(&format!("{home}/net/{name}/device"))).unwrap();
            }
        };
        let driver = |home: &str, name: &str| {
            fs::create_dir_all(at(&format!("bus/drivers/{name}"))).unwrap();
            symlink(at(&format!("bus/drivers/{name}")), at(&format!("{home}/driver"))).unwrap();
        };
        let usb = "devices/platform/soc/3f980000.usb/usb1/1-1";
        write(&format!("{usb}/1-1.2/idVendor"), "1d50");
        write(&format!("{usb}/1-1.2/serial"), "003A0024");
        interface("can0", &format!("{usb}/1-1.2/1-1.2:1.0"), 0, "280");
        interface("can1", &format!("{usb}/1-1.2/1-1.2:1.0"), 1, "280");
        driver(&format!("{usb}/1-1.2/1-1.2:1.0"), "gs_usb");
        write(&format!("{usb}/1-1.3/idVendor"), "0c72");
        interface("can2", &format!("{usb}/1-1.3/1-1.3:1.0"), 0, "280");
        interface("can3", "devices/platform/soc/spi0.0", 0, "280");
        driver("devices/platform/soc/spi0.0", "mcp251x");
        interface("vcan0", "devices/virtual", 0, "280");
        interface("eth0", "devices/platform/soc/1.ethernet", 0, "1");
        root
    }

    fn resolve(text: &str) -> Result<String, String> {
        Selector::parse(text).unwrap().resolve(&machine().path().join("class/net"))
    }

    #[test]
    fn adapters_are_listed_with_what_they_hang_on() {
        let machine = machine();
        let found = adapters(&machine.path().join("class/net"));
        let names: Vec<&str> = found.iter().map(|adapter| adapter.name.as_str()).collect();
        assert_eq!(names, ["can0", "can1", "can2", "can3", "vcan0"]);
        let expected = Adapter {
            name: "can1".to_owned(),
            driver: Some("gs_usb".to_owned()),
            usb_serial: Some("003A0024".to_owned()),
            path: Some("platform/soc/3f980000.usb/usb1/1-1/1-1.2/1-1.2:1.0".to_owned()),
            channel: 1,
        };
        assert_eq!(found[1], expected);
        assert_eq!((&found[2].usb_serial, &found[4].driver), (&None, &None));
    }

    #[test]
    fn a_serial_number_finds_its_adapter_and_asks_for_a_channel_only_if_there_are_several() {
        assert_eq!(resolve("usb-serial:003A0024#1"), Ok("can1".to_owned()));
        assert_eq!(
            resolve("usb-serial:003A0024"),
            Err("usb-serial:003A0024 means several CAN interfaces: add #0 for can0 or #1 for can1".to_owned())
        );
        assert_eq!(
            resolve("usb-serial:FFFF"),
            Err("no CAN adapter is plugged in as usb-serial:FFFF".to_owned())
        );
    }

    #[test]
    fn a_path_may_be_whole_or_its_last_parts_or_those_of_the_usb_device() {
        assert_eq!(resolve("path:1-1.3:1.0"), Ok("can2".to_owned()));
        assert_eq!(resolve("path:1-1.3"), Ok("can2".to_owned()));
        assert_eq!(resolve("path:usb1/1-1/1-1.2#0"), Ok("can0".to_owned()));
        assert_eq!(resolve("path:/sys/devices/platform/soc/spi0.0"), Ok("can3".to_owned()));
        assert!(resolve("path:1-1").unwrap_err().contains("several"), "everything behind that hub");
        assert!(resolve("path:-1.3").is_err(), "half a part is none");
    }

    #[test]
    fn a_plain_name_is_taken_as_it_is_and_nonsense_is_none() {
        assert_eq!(resolve("can7"), Ok("can7".to_owned()));
        for nonsense in [
            "",
            "a/b",
            "can0 ",
            "a-name-of-16-char",
            "usb-serial:",
            "usb-serial:X#x",
            "path:#1",
            "path:/sys/devices/",
            "serial:X",
            "..",
        ] {
            assert_eq!(Selector::parse(nonsense), None, "{nonsense:?}");
        }
        for text in ["can0", "usb-serial:003A0024#1", "path:1-1.3:1.0"] {
            assert_eq!(Selector::parse(text).unwrap().to_string(), text);
        }
    }
}
