//! The configuration of one `inverter-modbus` process: the devices on its lines, and where it looks for others.
//!
//! - `device`: one device; `check`: whether all of it can be; `discover`: a line on which devices are looked for

mod check;
mod device;
mod discover;
mod recognise;
mod signs;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use device::{AcInput, AtEnd, ControlSwitch, Device, ParityBit, can_follow};
pub use discover::Discover;
pub use recognise::Recognise;

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
    /// Where is kept which devices were found, and what is to be undone at one.
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
