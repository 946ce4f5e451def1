//! The configuration of one `inverter-modbus` process: the devices on its lines, and where it looks for others.
//!
//! - `device`: one device; `listed`: whether that can be; `discover`: a line on which devices are looked for

mod device;
mod discover;
mod listed;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};

pub use device::{AcInput, AtEnd, ControlSwitch, Device, ParityBit, can_follow};
pub use discover::Discover;
use listed::Listed;

use crate::library::Library;

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

/// Venus OS keeps what is in `/data`.
fn kept_folder() -> PathBuf {
    let is_venus = Path::new("/opt/victronenergy").is_dir();
    PathBuf::from(if is_venus { "/data/busbar/inverter-modbus" } else { "/var/lib/busbar/inverter-modbus" })
}

impl Config {
    /// The profiles that its devices choose from.
    #[must_use]
    pub fn library(&self) -> Library {
        Library::new(self.profiles.clone())
    }
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
