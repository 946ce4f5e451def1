//! What is shown on the D-Bus, and whom the converter obeys.

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};

/// The D-Bus side.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dbus {
    /// Converter and battery are on the D-Bus.
    pub enabled: bool,
    /// What the converter is there.
    pub class: Class,
    /// Number of the converter within its class, until the settings give it another.
    pub device_instance: i32,
    /// What the converter is called, until the user gives it another name.
    pub name: Option<String>,
    /// Bus name of the service whose limits the converter keeps to: the bank, or one battery.
    pub follow: Option<String>,
    /// Show the battery as a device too.
    pub battery: bool,
    /// Number of the battery among the batteries.
    pub battery_device_instance: i32,
    /// What the battery is called.
    pub battery_name: Option<String>,
    /// Nothing but the converter hangs on the battery: its current is the battery's.
    pub battery_has_no_other: bool,
    /// `org.busbar.Bus1` may send commands and requests.
    pub raw_access: bool,
}

/// The class of a converter's service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// `com.victronenergy.dcdc`, which nothing of Victron's steers.
    #[default]
    Dcdc,
    /// `com.victronenergy.alternator` with `/Link`, which DVCC steers.
    Alternator,
}

impl Class {
    /// As it stands in a service name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dcdc => "dcdc",
            Self::Alternator => "alternator",
        }
    }
}

impl Default for Dbus {
    fn default() -> Self {
        Self {
            enabled: true,
            class: Class::default(),
            device_instance: 300,
            name: None,
            follow: None,
            battery: true,
            battery_device_instance: 130,
            battery_name: None,
            battery_has_no_other: false,
            raw_access: false,
        }
    }
}

impl Check for Dbus {
    fn check(&self, findings: &mut Findings) {
        findings.within("device_instance", self.device_instance, 0..=100_000, "");
        findings.within("battery_device_instance", self.battery_device_instance, 0..=100_000, "");
        if let Some(follow) = &self.follow {
            if !follow.starts_with("com.victronenergy.battery.") {
                findings.refuse(
                    "follow",
                    format!("{follow:?} is no battery service"),
                    "a name such as com.victronenergy.battery.busbar",
                );
            } else if self.class == Class::Alternator {
                findings.refuse(
                    "follow",
                    "an alternator obeys what DVCC writes to it".to_owned(),
                    "follow with class = \"dcdc\", or class = \"alternator\" without follow",
                );
            }
        }
    }
}
