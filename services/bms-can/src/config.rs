//! The configuration of one `bms-can` process: one CAN bus, and the batteries on it, or the inverter whose battery we are.

mod can;
mod inverter;

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};

pub use can::{Can, Transport};
pub use inverter::Inverter;

use crate::battery::Facts;
use crate::protocols::{PROTOCOLS, Protocol, by_name};

/// `bms-can.<name>.toml`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(from = "Written")]
pub struct Config {
    /// The bus.
    pub can: Can,
    /// The inverter on it whose battery we are; then there is no battery on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverter: Option<Inverter>,
    /// The batteries on it; one unless told otherwise, none beside an inverter.
    pub battery: Vec<Battery>,
}

/// [`Config`] as it is written: batteries that are not mentioned depend on whether there is an inverter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    can: Can,
    #[serde(default)]
    inverter: Option<Inverter>,
    #[serde(default)]
    battery: Option<Vec<Battery>>,
}

impl From<Written> for Config {
    fn from(written: Written) -> Self {
        let Written { can, inverter, battery } = written;
        let unmentioned = || if inverter.is_some() { Vec::new() } else { one_battery() };
        Config { battery: battery.unwrap_or_else(unmentioned), can, inverter }
    }
}

/// One battery.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Battery {
    /// The dialect, by its name in the registry, or [`AUTO`].
    #[serde(default = "protocol")]
    pub protocol: String,
    /// Which string behind a hub, 0 to 7; 0 without one.
    #[serde(default)]
    pub address: u8,
    /// What the user calls it.
    #[serde(default)]
    pub name: Option<String>,
    /// Its number among the batteries of the system.
    #[serde(default = "device_instance")]
    pub device_instance: i32,
    /// Nominal capacity, Ah.
    #[serde(default)]
    pub capacity_ah: Option<f64>,
    /// Cells in series.
    #[serde(default)]
    pub cells_in_series: Option<u16>,
    /// The battery reports charging as negative.
    #[serde(default)]
    pub invert_current: bool,
    /// When the manager of a bank of several is lost for good, show this battery's own limits instead of 0 A.
    #[serde(default)]
    pub standalone: bool,
}

impl Battery {
    /// The dialect; none where the traffic is to show it.
    ///
    /// # Errors
    /// The name is not in the registry.
    pub fn dialect(&self) -> Result<Option<&'static Protocol>, String> {
        match self.protocol.as_str() {
            AUTO => Ok(None),
            name => by_name(name).map(Some).ok_or_else(|| format!("no protocol is called {name:?}")),
        }
    }

    /// What the user knows and the battery does not tell.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts { capacity_ah: self.capacity_ah, cells_in_series: self.cells_in_series }
    }
}

fn one_battery() -> Vec<Battery> {
    vec![Battery {
        protocol: protocol(),
        address: 0,
        name: None,
        device_instance: device_instance(),
        capacity_ah: None,
        cells_in_series: None,
        invert_current: false,
        standalone: false,
    }]
}

/// Instead of a dialect: the traffic shows it.
pub const AUTO: &str = "auto";

fn protocol() -> String {
    AUTO.to_owned()
}

fn device_instance() -> i32 {
    100
}

/// Longest name that the GUI lets a user type.
const LONGEST_NAME: usize = 32;

impl Check for Config {
    fn check(&self, findings: &mut Findings) {
        findings.inside("can", &self.can);
        findings.each("battery", &self.battery);
        if let Some(inverter) = &self.inverter {
            findings.inside("inverter", inverter);
            if !self.battery.is_empty() {
                let allowed = "a file of its own for each bus: with [inverter] we are the battery on it";
                findings.refuse("battery", "there is an inverter on this bus", allowed);
            }
            if !self.can.sends() {
                let allowed = "a bus that may be sent on: neither listen_only nor a recording";
                findings.refuse("can", "the inverter has to be told something", allowed);
            }
        } else if self.battery.is_empty() {
            findings.refuse(
                "battery",
                "the list is empty",
                "at least one [[battery]], or none for the defaults",
            );
        }
        for (n, battery) in self.battery.iter().enumerate() {
            let earlier = self.battery.iter().take(n);
            if earlier.clone().any(|other| other.address == battery.address) {
                let what = format!("two batteries with address {}", battery.address);
                findings.refuse("battery", what, "an address of its own for each");
            }
            if earlier.clone().any(|other| other.device_instance == battery.device_instance) {
                let what = format!("two batteries with device_instance {}", battery.device_instance);
                findings.refuse("battery", what, "a device_instance of its own for each");
            }
        }
    }
}

impl Check for Battery {
    fn check(&self, findings: &mut Findings) {
        if self.dialect().is_err() {
            let names = PROTOCOLS.iter().map(|protocol| protocol.name);
            findings.unknown_word("protocol", &self.protocol, std::iter::once(AUTO).chain(names));
        }
        findings.within("address", self.address, 0..=7, "");
        findings.within("device_instance", self.device_instance, 0..=511, "");
        if let Some(ah) = self.capacity_ah {
            findings.within("capacity_ah", ah, 1.0..=100_000.0, "Ah");
        }
        if let Some(cells) = self.cells_in_series {
            findings.within("cells_in_series", cells, 1..=400, "");
        }
        if let Some(name) = &self.name
            && !(1..=LONGEST_NAME).contains(&name.chars().count())
        {
            let what = format!("{} characters", name.chars().count());
            findings.refuse("name", what, format!("1 to {LONGEST_NAME} characters"));
        }
    }
}
