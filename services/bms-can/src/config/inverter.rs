//! The inverter whose battery we are.

use std::time::Duration;

use dbus_interfaces::classes::bank;
use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};

use super::LONGEST_NAME;
use crate::inverter::sunny_island::{AcInput, Cluster, Marks, Reserve};
use crate::inverter::{Facts, PROFILES, Profile, Reports, Silence, Then, by_name};

/// The table `[inverter]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Inverter {
    /// What it expects of its battery, by its name in the registry.
    pub profile: String,
    /// Whose decision it is told: the manager, or one battery where there is none.
    #[serde(default = "manager")]
    pub follow: String,
    /// What the user calls it.
    #[serde(default)]
    pub name: Option<String>,
    /// Its number among the inverters of its class.
    #[serde(default = "device_instance")]
    pub device_instance: i32,
    /// Largest charge current of the inverter, A.
    #[serde(default)]
    pub max_charge_current_a: Option<f64>,
    /// Largest discharge current of the inverter, A.
    #[serde(default)]
    pub max_discharge_current_a: Option<f64>,
    /// Highest charge voltage that it is told, V.
    #[serde(default)]
    pub max_charge_voltage_v: Option<f64>,
    /// Discharge voltage limit that it is told, V; otherwise the battery's.
    #[serde(default)]
    pub discharge_voltage_v: Option<f64>,
    /// Nominal capacity that it is told, Ah; otherwise the battery's.
    #[serde(default)]
    pub capacity_ah: Option<f64>,
    /// Modules in parallel that it is told; otherwise the battery's.
    #[serde(default)]
    pub modules: Option<u16>,
    /// How long the safe set is sent when nobody decides any more, s; otherwise the profile's.
    #[serde(default)]
    pub silence_grace_s: Option<f64>,
    /// What comes after it; otherwise the profile's.
    #[serde(default)]
    pub silence_then: Option<Then>,
    /// What hangs on the external connection of an inverter that tells of itself.
    #[serde(default)]
    pub ac_input: AcInput,
    /// Its lines, 1 to 3; otherwise those on which there is a voltage.
    #[serde(default)]
    pub phases: Option<u8>,
    /// It may be switched on and off from the bus.
    #[serde(default)]
    pub remote_switch: bool,
    /// Below this pack voltage, V, with the grid there, it is told to charge from the grid.
    #[serde(default)]
    pub grid_charge_below_v: Option<f64>,
    /// Without a grid it is switched off below this state of charge, %.
    #[serde(default)]
    pub island_off_below_soc_pct: Option<f64>,
    /// It is shown as a vebus while there is no other.
    #[serde(default)]
    pub vebus: bool,
}

fn manager() -> String {
    bank::NAME.to_owned()
}

fn device_instance() -> i32 {
    10
}

/// What a battery service is called.
const BATTERY: &str = "com.victronenergy.battery.";

impl Inverter {
    /// The profile.
    ///
    /// # Errors
    /// The name is not in the registry.
    pub fn profile(&self) -> Result<&'static Profile, String> {
        by_name(&self.profile).ok_or_else(|| format!("no profile is called {:?}", self.profile))
    }

    /// What the user knows and sets.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            max_charge_current_a: self.max_charge_current_a,
            max_discharge_current_a: self.max_discharge_current_a,
            max_charge_voltage_v: self.max_charge_voltage_v,
            discharge_voltage_v: self.discharge_voltage_v,
            capacity_ah: self.capacity_ah,
            modules: self.modules,
        }
    }

    /// What is read of the inverter, where it tells of itself.
    #[must_use]
    pub fn cluster(&self, profile: &Profile) -> Option<Cluster> {
        (profile.reports == Reports::SunnyIsland).then(|| Cluster::new(self.ac_input, self.phases))
    }

    /// What it does about a battery that is nearly empty.
    pub(crate) fn reserve(&self) -> Reserve {
        Reserve::new(Marks {
            grid_charge_below_v: self.grid_charge_below_v,
            island_off_below_soc_pct: self.island_off_below_soc_pct,
        })
    }

    /// What becomes of the inverter when nobody decides any more.
    #[must_use]
    pub fn silence(&self, profile: &Profile) -> Silence {
        Silence {
            grace: self.silence_grace_s.map_or(profile.silence.grace, Duration::from_secs_f64),
            then: self.silence_then.unwrap_or(profile.silence.then),
            ..profile.silence
        }
    }
}

impl Check for Inverter {
    fn check(&self, findings: &mut Findings) {
        if let Err(what) = self.profile() {
            let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
            findings.refuse("profile", what, names.join(", "));
        }
        if self.follow.strip_prefix(BATTERY).is_none_or(str::is_empty) {
            let what = format!("{:?} is no battery service", self.follow);
            findings.refuse("follow", what, format!("{} or another {BATTERY}...", bank::NAME));
        }
        if let Some(name) = &self.name
            && !(1..=LONGEST_NAME).contains(&name.chars().count())
        {
            let what = format!("{} characters", name.chars().count());
            findings.refuse("name", what, format!("1 to {LONGEST_NAME} characters"));
        }
        // Number 0 is the one that DVCC takes for a Multi RS.
        findings.within("device_instance", self.device_instance, 1..=511, "");
        let numbers = [
            ("max_charge_current_a", self.max_charge_current_a, 0.0..=3000.0, "A"),
            ("max_discharge_current_a", self.max_discharge_current_a, 0.0..=3000.0, "A"),
            ("max_charge_voltage_v", self.max_charge_voltage_v, 8.0..=1000.0, "V"),
            ("discharge_voltage_v", self.discharge_voltage_v, 8.0..=1000.0, "V"),
            ("capacity_ah", self.capacity_ah, 1.0..=60_000.0, "Ah"),
            ("silence_grace_s", self.silence_grace_s, 0.0..=3600.0, "s"),
            ("grid_charge_below_v", self.grid_charge_below_v, 36.0..=60.0, "V"),
            ("island_off_below_soc_pct", self.island_off_below_soc_pct, 1.0..=90.0, "%"),
        ];
        for (key, value, range, unit) in numbers {
            if let Some(value) = value {
                findings.within(key, value, range, unit);
            }
        }
        if let Some(modules) = self.modules {
            findings.within("modules", modules, 1..=255, "");
        }
        if let Some(phases) = self.phases {
            findings.within("phases", phases, 1..=3, "");
        }
        let tells = self.profile().is_ok_and(|profile| profile.reports == Reports::Nothing);
        let keys = [
            ("phases", self.phases.is_some()),
            ("remote_switch", self.remote_switch),
            ("grid_charge_below_v", self.grid_charge_below_v.is_some()),
            ("island_off_below_soc_pct", self.island_off_below_soc_pct.is_some()),
            ("vebus", self.vebus),
        ];
        for (key, _) in keys.into_iter().filter(|(_, is_set)| tells && *is_set) {
            findings.refuse(key, "this inverter tells nothing of itself", "profile = \"sma_sunny_island\"");
        }
    }
}
