//! What types cannot say of the configuration: ranges, names, and what belongs together.

use std::collections::BTreeSet;

use dbus_interfaces::classes::bank;
use service_kit::config::{Check, Findings};

use super::device::{Device, can_follow};
use super::{Config, discover};
use crate::library::{self, Library};
use crate::line::address::Framing;
use crate::profile::Profile;
use crate::profile::write::{Given, ModeSpec, WritePoint};

/// What a battery service is called.
const BATTERY: &str = "com.victronenergy.battery.";
/// The longest time that a wish may last, s: a day.
const LONGEST_TIMEOUT_S: u32 = 86_400;
/// The longest name that a user may give.
const LONGEST_NAME: usize = 32;

/// A device with the library that its profile is in.
struct Listed<'c> {
    device: &'c Device,
    library: &'c Library,
}

impl Check for Config {
    fn check(&self, findings: &mut Findings) {
        if self.device.is_empty() && self.discover.is_empty() {
            findings.refuse("device", "there is none", "at least one [[device]] or [[discover]]");
        }
        let library = self.library();
        if let Some(folder) = self.profiles.as_ref().filter(|folder| !folder.is_dir()) {
            let what = format!("{} is no folder that is there", folder.display());
            findings.refuse("profiles", what, "a folder with profiles, or no such key");
        }
        let searched: Vec<discover::Listed<'_>> =
            self.discover.iter().map(|discover| discover::Listed { discover, library: &library }).collect();
        findings.each("discover", &searched);
        for (n, discover) in self.discover.iter().enumerate() {
            let is_twice = self.discover.iter().take(n).any(|other| other.place() == discover.place());
            if is_twice && let Some(place) = discover.place() {
                let key = if discover.port.is_some() { "port" } else { "host" };
                findings.item("discover", n, |findings| {
                    let what = format!("twice at {}", place.address().place());
                    findings.refuse(key, what, "one entry for a line");
                });
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
                    findings.item("device", n, |findings| {
                        let what = format!("two devices are unit {unit} of {address}");
                        findings.refuse("unit", what, "different units");
                    });
                } else if other != address {
                    findings.item("device", n, |findings| {
                        let what = format!("{address} is also {other}");
                        findings.refuse("profile", what, "one rate and framing for a line");
                    });
                }
            }
        }
    }
}

impl Check for Listed<'_> {
    fn check(&self, findings: &mut Findings) {
        let device = self.device;
        self.check_place(findings);
        let profile = match self.library.get(&device.profile) {
            Ok(profile) => Some(profile),
            Err(library::Missing::Unknown(_)) => {
                findings.unknown_name("profile", "profile", &device.profile, self.library.ids());
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
        if let Some(profile) = &profile {
            let known = secrets(profile);
            for name in device.secrets.keys().filter(|name| !known.contains(*name)) {
                findings.unknown_name("secrets", "number that this profile asks for", name, known.clone());
            }
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
        if device.publish_grid && profile.as_ref().is_some_and(|profile| !profile.has_meter()) {
            let what = format!("{} has no meter that could be shown", device.profile);
            findings.refuse("publish_grid", what, "no publish_grid for this profile");
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
    /// One place, and what is said of it belongs to it.
    fn check_place(&self, findings: &mut Findings) {
        let device = self.device;
        match (&device.port, &device.host) {
            (Some(_), Some(_)) => findings.refuse("host", "the device is in two places", "port or host"),
            (None, None) => findings.refuse("profile", "the device is nowhere", "port or host beside it"),
            _ => {}
        }
        if device.host.is_some() {
            let of_ports = [
                ("baud", device.baud.is_some()),
                ("parity", device.parity.is_some()),
                ("stop_bits", device.stop_bits.is_some()),
            ];
            for (key, _) in of_ports.iter().filter(|(_, is_given)| *is_given && device.port.is_none()) {
                findings.refuse(key, "a host has none: its gateway has", "it beside port");
            }
        } else if device.port.is_some() {
            let is_given = |key, is_given: bool| is_given.then_some(key);
            let of_hosts = [
                is_given("tcp_port", device.tcp_port.is_some()),
                is_given("framing", device.framing != Framing::default()),
            ];
            for key in of_hosts.into_iter().flatten() {
                findings.refuse(key, "a serial port has none", "it beside host");
            }
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
    }

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

/// The numbers that a device of this profile wants before it lets itself be set, by name.
fn secrets(profile: &Profile) -> Vec<String> {
    let steps = |write: &WritePoint| [&write.unlock[..], &write.sequence[..], &write.release[..]].concat();
    let modes = profile.mode.iter().map(ModeSpec::as_write);
    let all = profile.write.iter().cloned().chain(modes).flat_map(|write| steps(&write));
    let names = all.filter_map(|step| match step.value {
        Given::Secret(name) => Some(name),
        _ => None,
    });
    names.collect::<BTreeSet<String>>().into_iter().collect()
}
