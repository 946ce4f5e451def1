//! Whether what is said of one device can be.

use dbus_interfaces::classes::bank;
use service_kit::config::{Check, Findings};

use super::device::{Device, can_follow};
use crate::library::{self, Library};
use crate::profile::Profile;

/// What a battery service is called.
const BATTERY: &str = "com.victronenergy.battery.";
/// The longest time that a wish may last, s: a day.
const LONGEST_TIMEOUT_S: u32 = 86_400;
/// The longest name that a user may give.
const LONGEST_NAME: usize = 32;

/// A device with the library that its profile is in.
pub(super) struct Listed<'c> {
    pub(super) device: &'c Device,
    pub(super) library: &'c Library,
}

impl Check for Listed<'_> {
    fn check(&self, findings: &mut Findings) {
        let device = self.device;
        if device.port.is_some() == device.host.is_some() {
            findings.refuse("profile", "the device is nowhere, or in two places", "port or host");
        }
        let profile = match self.library.get(&device.profile) {
            Ok(profile) => Some(profile),
            Err(library::Missing::Unknown(_)) => {
                let names: Vec<String> = self.library.ids();
                let what = format!("no profile is called {:?}", device.profile);
                findings.refuse("profile", what, names.join(", "));
                None
            }
            Err(broken) => {
                findings.refuse("profile", broken.to_string(), "a sound profile");
                None
            }
        };
        if let Some(unit) = device.unit {
            let least = u8::from(device.port.is_some());
            findings.within("unit", unit, least..=247, "");
        }
        if let Some(host) = &device.host
            && let Some((name, port)) = host.rsplit_once(':')
            && host.parse::<std::net::Ipv6Addr>().is_err()
        {
            let allowed = format!("host = {name:?} and tcp_port = {port}");
            findings.refuse("host", format!("{host:?} is more than a host"), allowed);
        }
        if let Some(port) = device.port.as_ref().filter(|port| port.is_relative()) {
            let allowed = format!("a path such as /dev/{}", port.display());
            findings.refuse("port", format!("{} is no whole path", port.display()), allowed);
        }
        if let Some(baud) = device.baud {
            findings.within("baud", baud, 300..=1_000_000, "baud");
        }
        if let Some(stop) = device.stop_bits {
            findings.within("stop_bits", stop, 1..=2, "");
        }
        findings.within("phase", device.phase, 1..=3, "");
        findings.within("position", device.position, 0..=2, "");
        // Number 0 is the one that DVCC takes for a Multi RS; a few more are left to Victron's own.
        findings.within("device_instance", device.device_instance, 10..=511, "");
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_word(&device.system) || device.system.len() > LONGEST_NAME {
            let allowed = format!("at most {LONGEST_NAME} of a to z, A to Z, 0 to 9 and _");
            findings.refuse("system", format!("{:?} is no part of a bus name", device.system), allowed);
        }
        if let Some(name) = &device.name
            && !(1..=LONGEST_NAME).contains(&name.chars().count())
        {
            let what = format!("{} characters", name.chars().count());
            findings.refuse("name", what, format!("1 to {LONGEST_NAME} characters"));
        }
        findings.within("control_timeout_s", device.control_timeout_s, 0..=LONGEST_TIMEOUT_S, "s");
        if let Some(follow) = &device.follow {
            if follow.strip_prefix(BATTERY).is_none_or(str::is_empty) {
                let allowed = format!("{} or another {BATTERY}...", bank::NAME);
                findings.refuse("follow", format!("{follow:?} is no battery service"), allowed);
            }
            if profile.as_ref().is_some_and(|profile| !can_follow(profile)) {
                let what = format!("{} has no limit that could follow", device.profile);
                findings.refuse("follow", what, "no follow for this profile");
            }
        }
        if device.dvcc {
            self.check_dvcc(profile.as_ref(), findings);
        }
        for (key, current) in [
            ("max_charge_current_a", device.max_charge_current_a),
            ("max_discharge_current_a", device.max_discharge_current_a),
        ] {
            if let Some(current) = current {
                findings.within(key, current, 0.0..=3000.0, "A");
            }
        }
    }
}

impl Listed<'_> {
    fn check_dvcc(&self, profile: Option<&Profile>, findings: &mut Findings) {
        let device = self.device;
        if device.follow.is_some() {
            let what = "DVCC and the manager of the bank would both spend the same current";
            findings.refuse("dvcc", what, "dvcc or follow");
        }
        let Some(profile) = profile else { return };
        if !can_follow(profile) {
            let what = format!("{} has no limit that DVCC could set", device.profile);
            findings.refuse("dvcc", what, "no dvcc for this profile");
        } else if device.charge_capacity_a(profile).is_none_or(|amps| amps <= 0.0) {
            let what =
                "DVCC shares current in proportion to what each charger can give, and that is not known";
            findings.refuse("dvcc", what, "max_charge_current_a beside it");
        }
    }
}
