//! The processes that can be enabled, and their names: `bms-can can0` for people, `busbar-bms-can@can0.service` for
//! systemd, `busbar-bms-can.can0` for daemontools, `bms-can.can0.toml` for the configuration.

use std::fmt;
use std::path::Path;

use anyhow::{Context, ensure};
use service_kit::config::{self, ConfigErrors};

/// What every unit and service directory of ours begins with.
const PREFIX: &str = "busbar-";

/// A name has to fit into a bus name, a unit name and a file name.
const LONGEST: usize = 48;

/// A kind of process.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What it is called.
    pub(crate) service: &'static str,
    /// Whether a machine may have several, each with a name.
    pub(crate) several: bool,
    /// A configuration file with every key explained, where one is needed.
    pub(crate) example: Option<&'static str>,
    /// What the configuration asks of the system.
    pub(crate) needs: fn(&Path) -> Result<Needs, ConfigErrors>,
}

/// What a process needs beyond what each of its kind has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    /// To configure network interfaces.
    pub(crate) network_admin: bool,
}

static KINDS: &[Kind] = &[
    Kind {
        service: "bms-can",
        several: true,
        example: Some(include_str!("../../../bms-can/bms-can.example.toml")),
        needs: |file| {
            let can = config::load::<bms_can::Config>(file)?.can;
            Ok(Needs { network_admin: can.set_bit_rate || can.restart_bus_off })
        },
    },
    Kind {
        service: "charge-manager",
        several: false,
        example: Some(include_str!("../../../charge-manager/charge-manager.example.toml")),
        needs: |file| config::load::<charge_manager::Config>(file).map(|_| Needs::default()),
    },
    Kind {
        service: "dcdc-rs485",
        several: true,
        example: Some(include_str!("../../../dcdc-rs485/dcdc-rs485.example.toml")),
        needs: |file| config::load::<dcdc_rs485::Config>(file).map(|_| Needs::default()),
    },
    Kind {
        service: "inverter-modbus",
        several: true,
        example: Some(include_str!("../../../inverter-modbus/inverter-modbus.example.toml")),
        needs: |file| config::load::<inverter_modbus::Config>(file).map(|_| Needs::default()),
    },
    Kind {
        service: "settings",
        several: false,
        example: Some(include_str!("../../../settings/settings.example.toml")),
        needs: |file| config::load::<settings::Config>(file).map(|_| Needs::default()),
    },
];

/// The kind of this name.
pub(crate) fn kind(service: &str) -> anyhow::Result<&'static Kind> {
    KINDS.iter().find(|kind| kind.service == service).with_context(|| {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.service).collect();
        format!("no service is called {service:?}: {}", names.join(", "))
    })
}

/// A process that can be enabled: its kind, and which of several.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) kind: &'static Kind,
    pub(crate) name: Option<String>,
}

impl Process {
    /// The process that a user names.
    pub(crate) fn new(service: &str, name: Option<&str>) -> anyhow::Result<Process> {
        let kind = kind(service)?;
        match (kind.several, name) {
            (true, None) => anyhow::bail!("which {service}? Give it a name: busbar enable {service} can0"),
            (false, Some(name)) => anyhow::bail!("a machine has one {service}: leave out {name:?}"),
            _ => {}
        }
        if let Some(name) = name {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            ensure!(
                (1..=LONGEST).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('-'),
                "{name:?} is no name: up to {LONGEST} letters, digits, - and _"
            );
        }
        Ok(Process { kind, name: name.map(str::to_owned) })
    }

    /// Its configuration file.
    pub(crate) fn config_file(&self) -> String {
        format!("{}.toml", self.dotted())
    }

    /// Its unit.
    pub(crate) fn unit(&self) -> String {
        match &self.name {
            Some(name) => format!("{PREFIX}{}@{name}.service", self.kind.service),
            None => format!("{PREFIX}{}.service", self.kind.service),
        }
    }

    /// The file that its unit is made from.
    pub(crate) fn unit_file(&self) -> String {
        let at = if self.kind.several { "@" } else { "" };
        format!("{PREFIX}{}{at}.service", self.kind.service)
    }

    /// Its service directory.
    pub(crate) fn directory(&self) -> String {
        format!("{PREFIX}{}", self.dotted())
    }

    /// The process whose unit this is.
    pub(crate) fn of_unit(unit: &str) -> Option<Process> {
        let name = unit.strip_prefix(PREFIX)?.strip_suffix(".service")?;
        Process::of(name.split_once('@').map_or((name, None), |(service, name)| (service, Some(name))))
    }

    /// The process whose service directory this is.
    pub(crate) fn of_directory(directory: &str) -> Option<Process> {
        let name = directory.strip_prefix(PREFIX)?;
        Process::of(name.split_once('.').map_or((name, None), |(service, name)| (service, Some(name))))
    }

    fn of((service, name): (&str, Option<&str>)) -> Option<Process> {
        Process::new(service, name).ok()
    }

    fn dotted(&self) -> String {
        match &self.name {
            Some(name) => format!("{}.{name}", self.kind.service),
            None => self.kind.service.to_owned(),
        }
    }
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        self.directory() == other.directory()
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.service)?;
        self.name.iter().try_for_each(|name| write!(f, " {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_one_name_everywhere() {
        let can = Process::new("bms-can", Some("can0")).unwrap();
        assert_eq!(can.to_string(), "bms-can can0");
        assert_eq!(can.unit(), "busbar-bms-can@can0.service");
        assert_eq!(can.unit_file(), "busbar-bms-can@.service");
        assert_eq!(can.config_file(), "bms-can.can0.toml");
        assert_eq!(Process::of_unit(&can.unit()), Some(can.clone()));
        assert_eq!(Process::of_directory(&can.directory()), Some(can));
        let settings = Process::new("settings", None).unwrap();
        assert_eq!(settings.unit(), settings.unit_file());
        assert_eq!(Process::of_unit(&settings.unit()), Some(settings.clone()));
        assert_eq!(Process::of_directory(&settings.directory()), Some(settings));
    }

    #[test]
    fn what_is_none_of_ours_is_no_process() {
        for unit in
            ["busbar-trial.service", "dbus.service", "busbar-bms-can@.service", "busbar-settings@x.service"]
        {
            assert_eq!(Process::of_unit(unit), None, "{unit}");
        }
        for name in ["", "../x", "a b", "-x", "can0.toml", &"x".repeat(49)] {
            assert!(Process::new("bms-can", Some(name)).is_err(), "{name}");
        }
        assert!(Process::new("bms-can", None).is_err() && Process::new("bms", Some("can0")).is_err());
    }

    #[test]
    fn every_unit_and_example_is_there() {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../service-files/systemd");
        for kind in KINDS {
            let process = Process { kind, name: kind.several.then(|| "x".to_owned()) };
            assert!(files.join(process.unit_file()).is_file(), "{}", process.unit_file());
            assert!(!kind.several || kind.example.is_some(), "{}", kind.service);
        }
    }
}
