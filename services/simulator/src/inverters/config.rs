//! An inverter of the scenario.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use serde::Deserialize;
use service_kit::config::{Check, Findings};

use super::command;
use super::map::Profile;
use super::plant::{Battery, Kind, Plant, Site};
use super::quantities::Build;
use super::tcp::{Framing, Manners};
use super::unit::Unit;
use super::{InverterError, layout};
use crate::uart::{Character, ParityBit, Setting};

/// Speed of a line when neither scenario nor profile say.
const USUAL_BAUD: u32 = 9_600;

/// Texts of profiles by their names, as whoever runs the simulator knows them.
pub type Profiles = fn(&str) -> Option<&'static str>;

/// One inverter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverterConfig {
    /// What it is: the name of a profile that comes with the program, or a file.
    pub profile: String,
    /// Where its serial line appears: a link to a pseudo-terminal. Inverters with the same link share the line.
    #[serde(default)]
    pub link: Option<PathBuf>,
    /// Where it listens instead. Inverters with the same address share the port.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// Its number on the line; otherwise the usual one.
    #[serde(default)]
    pub unit: Option<u8>,
    /// Phases; otherwise as many as usual.
    #[serde(default)]
    pub phases: Option<u8>,
    /// Trackers for panels.
    #[serde(default = "two")]
    pub trackers: u8,
    /// Rated power.
    #[serde(default = "rated_w")]
    pub rated_w: f64,
    /// The models of a SunSpec device behind the common one; otherwise the usual ones.
    #[serde(default)]
    pub models: Option<Vec<u16>>,
    /// What the sun could give.
    #[serde(default = "sun_w")]
    pub sun_w: f64,
    /// What hangs on the output.
    #[serde(default = "load_w")]
    pub load_w: f64,
    /// What hangs on the grid beside the inverter.
    #[serde(default)]
    pub house_w: f64,
    /// There is a grid.
    #[serde(default = "yes")]
    pub grid: bool,
    /// State of charge at the beginning, 0 to 100.
    #[serde(default = "half")]
    pub soc: f64,
    /// The number of the simulated battery that it hangs on, from 0. Its own battery is only numbers otherwise.
    #[serde(default)]
    pub battery: Option<usize>,
    /// Capacity of the battery.
    #[serde(default = "capacity_ah")]
    pub capacity_ah: f64,
    /// Nominal voltage of the battery.
    #[serde(default = "nominal_v")]
    pub nominal_v: f64,
    /// Speed of the line; otherwise the usual one of the profile.
    #[serde(default)]
    pub baud: Option<u32>,
    /// Parity of the line; otherwise the usual one of the profile.
    #[serde(default)]
    pub parity: Option<ParityBit>,
    /// Stop bits of the line, 1 or 2; otherwise the usual ones of the profile.
    #[serde(default)]
    pub stop_bits: Option<u8>,
    /// A program that has set another rate or parity on the terminal is not understood, and hears garbage. Otherwise this is
    /// so where `baud` or `parity` is given.
    #[serde(default)]
    pub minds_rate: Option<bool>,
    /// Answers come as fast as the line carries them; otherwise at once.
    #[serde(default = "yes")]
    pub paced: bool,
    /// From the end of a request to the beginning of its answer.
    #[serde(default = "turnaround")]
    pub turnaround_ms: f64,
    /// What is spoken on TCP: `tcp`, or `rtu` as cheap gateways do.
    #[serde(default)]
    pub framing: Framing,
    /// What goes wrong with its answers, one after the other, as the command `inverter fault` has it.
    #[serde(default)]
    pub faults: Vec<String>,
    /// What opens the registers that are locked.
    #[serde(default)]
    pub code: u32,
    /// Clients on TCP that are served at a time.
    #[serde(default = "several")]
    pub clients: usize,
}

impl InverterConfig {
    pub(super) fn profile(&self, known: Profiles) -> Result<Profile, InverterError> {
        let name = Path::new(&self.profile);
        let text = if name.extension().is_some_and(|end| end == "toml") {
            std::fs::read_to_string(name).map_err(|why| why.to_string())
        } else {
            known(&self.profile).map(str::to_owned).ok_or_else(|| "no profile has this name".to_owned())
        };
        let failed = |why| InverterError::Profile { profile: self.profile.clone(), why };
        Profile::parse(&text.map_err(failed)?).map_err(failed)
    }

    pub(super) fn unit(&self, profile: Profile) -> Unit {
        let site = Site {
            sun_w: self.sun_w,
            load_w: self.load_w,
            house_w: self.house_w,
            grid: self.grid,
            grid_v: 230.0,
            grid_hz: 50.0,
        };
        let battery = Battery {
            soc: self.soc / 100.0,
            capacity_ah: self.capacity_ah,
            nominal_v: self.nominal_v,
            celsius: 24.0,
        };
        let phases = self.phases.unwrap_or(profile.phases);
        let build = Build { phases, trackers: self.trackers, rated_w: self.rated_w };
        let models = self.models.clone().unwrap_or_else(|| layout::usual_models(&profile, phases));
        let number = self.unit.or(profile.link.units.first().copied()).unwrap_or(1);
        let kind = match (profile.class.as_str(), profile.offgrid) {
            ("pvinverter", _) => Kind::Solar,
            (_, true) => Kind::OffGrid,
            (_, false) => Kind::Hybrid,
        };
        let mut unit = Unit::new(number, profile, Plant::new(site, battery, kind), build, &models);
        unit.code = self.code as u16;
        for fault in self.faults.iter().filter_map(|words| command::fault(words).ok()) {
            unit.faults.add(fault);
        }
        unit
    }

    /// How its line is set.
    pub(super) fn setting(&self, profile: &Profile) -> Setting {
        let usual = profile.link.rtu.as_ref();
        let baud = self.baud.or_else(|| usual.and_then(|rtu| rtu.baud.first().copied()));
        let parity = self.parity.or_else(|| usual.map(|rtu| rtu.parity)).unwrap_or_default();
        let stop_bits = self.stop_bits.or_else(|| usual.and_then(|rtu| rtu.stop));
        let character = Character { parity: parity.into(), two_stop_bits: stop_bits == Some(2) };
        Setting { baud: baud.unwrap_or(USUAL_BAUD), character }
    }

    /// Whether its setting counts.
    pub(super) fn minds_rate(&self) -> bool {
        self.minds_rate.unwrap_or(self.baud.is_some() || self.parity.is_some())
    }

    pub(super) fn manners(&self) -> Manners {
        let turnaround = Duration::from_secs_f64(self.turnaround_ms / 1e3);
        Manners { framing: self.framing, clients: Arc::new(AtomicUsize::new(self.clients)), turnaround }
    }
}

impl Check for InverterConfig {
    fn check(&self, findings: &mut Findings) {
        if self.link.is_some() == self.listen.is_some() {
            findings.refuse("link", "one of link and listen is needed", "a path, or an address and port");
        }
        findings.within("phases", self.phases.unwrap_or(1), 1..=3, "");
        findings.within("trackers", self.trackers, 0..=4, "");
        findings.within("unit", self.unit.unwrap_or(1), 1..=247, "");
        findings.within("rated_w", self.rated_w, 100.0..=1e6, "W");
        findings.within("sun_w", self.sun_w, 0.0..=1e6, "W");
        findings.within("load_w", self.load_w, 0.0..=1e6, "W");
        findings.within("house_w", self.house_w, -1e6..=1e6, "W");
        findings.within("soc", self.soc, 0.0..=100.0, "%");
        findings.within("capacity_ah", self.capacity_ah, 1.0..=100_000.0, "Ah");
        findings.within("nominal_v", self.nominal_v, 12.0..=1_000.0, "V");
        findings.within("baud", self.baud.unwrap_or(9_600), 300..=1_000_000, "bit/s");
        findings.within("stop_bits", self.stop_bits.unwrap_or(1), 1..=2, "");
        findings.within("turnaround_ms", self.turnaround_ms, 0.0..=10_000.0, "ms");
        for words in &self.faults {
            if let Err(why) = command::fault(words) {
                findings.refuse("faults", why, "what `inverter fault` takes");
            }
        }
        findings.within("clients", self.clients, 1..=100, "");
    }
}

fn two() -> u8 {
    2
}

fn rated_w() -> f64 {
    5_000.0
}

fn sun_w() -> f64 {
    3_000.0
}

fn load_w() -> f64 {
    1_200.0
}

fn yes() -> bool {
    true
}

fn half() -> f64 {
    50.0
}

fn capacity_ah() -> f64 {
    200.0
}

fn nominal_v() -> f64 {
    51.2
}

fn turnaround() -> f64 {
    10.0
}

fn several() -> usize {
    8
}
