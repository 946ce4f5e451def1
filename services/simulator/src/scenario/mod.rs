//! The scenario: what is simulated, as TOML. `scenarios/pylontech.toml` shows every key with its meaning.

mod current;
mod pack;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use service_kit::config::{Check, ConfigErrors, Findings};

use crate::adapters::slcan::TransmitReply;
use crate::batteries::{Dialect, PYLONTECH_LV};
use crate::command;
use crate::converter::ConverterConfig;
use crate::hybrids::HybridConfig;
use crate::inverters::InverterConfig;

pub use current::{ChargerConfig, CurrentConfig, DayConfig, StepConfig, StepsConfig};
pub use pack::{BalancerConfig, BmsConfig, OddCellConfig, PackConfig};

/// Where the number of a battery goes in a link.
pub const NUMBER: &str = "{n}";

/// The scenario of the demo, with every key explained: a file to start from.
pub const EXAMPLE: &str = include_str!("../../scenarios/pylontech.toml");

/// Reads a scenario. `file` only names the text in errors.
///
/// # Errors
/// Everything that is wrong, with line, key, and what is allowed.
pub fn parse(text: &str, file: &str) -> Result<Scenario, ConfigErrors> {
    service_kit::config::parse(text, file, [])
}

/// What is simulated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Decides everything that is random.
    #[serde(default = "one")]
    pub seed: u64,
    /// Simulated seconds per second, 0.1 to 600.
    #[serde(default = "real_time")]
    pub speed: f64,
    /// The batteries.
    #[serde(default)]
    pub battery: Vec<BatteryConfig>,
    /// The converters.
    #[serde(default)]
    pub converter: Vec<ConverterConfig>,
    /// The inverters on Modbus.
    #[serde(default)]
    pub inverter: Vec<InverterConfig>,
    /// What happens when.
    #[serde(default)]
    pub event: Vec<EventConfig>,
}

/// One battery, or several of the same kind, each on its own adapter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatteryConfig {
    /// Where the adapter appears: a link to its pseudo-terminal. `{n}` becomes the number of the battery.
    pub link: PathBuf,
    /// How many of them.
    #[serde(default = "single")]
    pub count: usize,
    /// What it speaks.
    #[serde(default = "default_dialect")]
    pub protocol: &'static Dialect,
    /// Strings behind a hub on the same bus.
    #[serde(default = "single")]
    pub strings: usize,
    /// Modules in parallel in each string.
    #[serde(default = "single")]
    pub modules: usize,
    /// Name of the maker on the bus, at most 8 ASCII characters; otherwise the protocol's usual one.
    #[serde(default)]
    pub manufacturer: Option<String>,
    /// Name of the model, at most 16 ASCII characters.
    #[serde(default = "default_model")]
    pub model: String,
    /// Name of the product family, at most 8 ASCII characters.
    #[serde(default = "default_family")]
    pub family: String,
    /// Serial number, at most 16 ASCII characters; otherwise one with the number of the battery.
    #[serde(default)]
    pub serial: Option<String>,
    /// Version of the firmware: two numbers, the more significant first.
    #[serde(default = "default_firmware")]
    pub firmware: [u8; 2],
    /// Every frame has eight bytes, as with some clones.
    #[serde(default)]
    pub padded: bool,
    /// Seconds between two cycles of frames.
    #[serde(default = "every_second")]
    pub period_s: f64,
    /// Frames per real second on a busy bus: the battery's own, repeated. Without it, one cycle per period.
    #[serde(default)]
    pub frames_per_s: Option<u32>,
    /// Sends nothing before the first sign of life of an inverter.
    #[serde(default)]
    pub needs_keep_alive: bool,
    /// An inverter is on the same bus and sends what the protocol expects of it, once per period.
    #[serde(default)]
    pub inverter: bool,
    /// Cells and wires of each module.
    #[serde(default)]
    pub pack: PackConfig,
    /// BMS of each module.
    #[serde(default)]
    pub bms: BmsConfig,
    /// What the world wants to flow.
    #[serde(default)]
    pub current: CurrentConfig,
    /// What carries the current obeys the limits like this. Without it, the wanted current is imposed.
    #[serde(default)]
    pub charger: Option<ChargerConfig>,
    /// An inverter on its busbar that obeys what it is told on a CAN bus of its own, in place of `charger`.
    #[serde(default)]
    pub hybrid: Option<HybridConfig>,
    /// The adapter.
    #[serde(default)]
    pub adapter: AdapterConfig,
}

/// The adapter.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdapterConfig {
    /// How it answers a frame that it has sent.
    pub transmit_reply: TransmitReply,
    /// Bytes that it holds back while the computer does not read; what is more is lost.
    pub buffer_bytes: usize,
}

impl Default for AdapterConfig {
    fn default() -> Self {
        Self { transmit_reply: TransmitReply::default(), buffer_bytes: 2_048 }
    }
}

/// Something that happens at a moment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventConfig {
    /// When, in simulated s from the start.
    pub at_s: f64,
    /// What, as on standard input.
    pub command: String,
}

impl Scenario {
    /// The batteries one by one, `{n}` replaced and `count` unfolded, in the order of their numbers.
    pub fn batteries(&self) -> Vec<BatteryConfig> {
        let each = self.battery.iter().flat_map(|battery| std::iter::repeat_n(battery, battery.count));
        each.enumerate()
            .map(|(number, battery)| {
                let named = |link: &Path| link.to_string_lossy().replace(NUMBER, &number.to_string()).into();
                let hybrid = battery.hybrid.clone();
                let hybrid = hybrid.map(|hybrid| HybridConfig { link: named(&hybrid.link), ..hybrid });
                BatteryConfig { link: named(&battery.link), count: 1, hybrid, ..battery.clone() }
            })
            .collect()
    }
}

impl Check for Scenario {
    fn check(&self, findings: &mut Findings) {
        findings.within("speed", self.speed, 0.1..=600.0, "");
        let total: usize = self.battery.iter().map(|battery| battery.count.min(MOST_BATTERIES + 1)).sum();
        let fewest = usize::from(self.converter.is_empty() && self.inverter.is_empty());
        if !(fewest..=MOST_BATTERIES).contains(&total) {
            findings.refuse("battery", format!("{total} batteries"), format!("{fewest} to {MOST_BATTERIES}"));
            return;
        }
        findings.each("converter", &self.converter);
        findings.each("inverter", &self.inverter);
        findings.each("battery", &self.battery);
        findings.each("event", &self.event);
        let batteries = self.batteries();
        for (n, inverter) in self.inverter.iter().enumerate() {
            let Some(number) = inverter.battery else { continue };
            let carrier =
                batteries.get(number).map(|battery| battery.hybrid.is_some() || battery.charger.is_some());
            let is_twice = self.inverter.iter().take(n).any(|other| other.battery == inverter.battery);
            match carrier {
                None => findings.refuse(
                    "inverter",
                    format!("there is no battery {number}"),
                    format!("fewer than {total}"),
                ),
                Some(true) => findings.refuse(
                    "inverter",
                    format!("battery {number} has a charger or a hybrid"),
                    "one of them",
                ),
                Some(false) if is_twice => {
                    findings.refuse(
                        "inverter",
                        format!("battery {number} has another inverter"),
                        "one for each battery",
                    );
                }
                Some(false) => {}
            }
        }
        let hybrids = batteries.iter().filter_map(|battery| battery.hybrid.as_ref());
        let links: Vec<&PathBuf> =
            batteries.iter().map(|battery| &battery.link).chain(hybrids.map(|hybrid| &hybrid.link)).collect();
        if links.iter().collect::<BTreeSet<_>>().len() < links.len() {
            let allowed = format!("a link of its own for each battery; {NUMBER} becomes its number");
            findings.refuse("battery", "two batteries have the same link", allowed);
        }
        if let Some(number) = self.event.iter().find_map(|event| {
            command::parse(&event.command)
                .ok()
                .and_then(|command| command.battery)
                .filter(|&number| number >= total)
        }) {
            findings.refuse("event", format!("there is no battery {number}"), format!("fewer than {total}"));
        }
    }
}

impl Check for BatteryConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("count", self.count, 1..=MOST_BATTERIES, "");
        findings.within("strings", self.strings, 1..=self.protocol.max_strings, "with this protocol");
        findings.within("modules", self.modules, 1..=64, "");
        for (key, text, most) in [
            ("manufacturer", self.manufacturer.as_deref(), 8),
            ("model", Some(self.model.as_str()), 16),
            ("family", Some(self.family.as_str()), 8),
            ("serial", self.serial.as_deref(), 16),
        ] {
            if text.is_some_and(|text| text.len() > most || !text.bytes().all(|b| matches!(b, b' '..=b'~'))) {
                let allowed = format!("at most {most} printable ASCII characters");
                findings.refuse(key, "does not fit into its frame", allowed);
            }
        }
        findings.within("period_s", self.period_s, 0.05..=60.0, "s");
        if let Some(rate) = self.frames_per_s {
            findings.within("frames_per_s", rate, 1..=10_000, "frames/s");
        }
        findings.inside("pack", &self.pack);
        findings.inside("bms", &self.bms);
        findings.inside("current", &self.current);
        if let Some(charger) = &self.charger {
            findings.inside("charger", charger);
        }
        if let Some(hybrid) = &self.hybrid {
            findings.inside("hybrid", hybrid);
            if self.charger.is_some() {
                findings.refuse("charger", "there is a hybrid", "one of the two");
            }
        }
        findings.inside("adapter", &self.adapter);
        if self.pack.odd_cell.iter().any(|odd| odd.module >= self.strings.saturating_mul(self.modules)) {
            findings.refuse("pack", "an odd_cell is in a module that does not exist", "modules count from 0");
        }
    }
}

impl Check for AdapterConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("buffer_bytes", self.buffer_bytes, 64..=65_536, "bytes");
    }
}

impl Check for EventConfig {
    fn check(&self, findings: &mut Findings) {
        findings.within("at_s", self.at_s, 0.0..=1e7, "s");
        if let Err(why) = command::parse(&self.command) {
            findings.refuse("command", why, "a command of `help`");
        }
    }
}

const MOST_BATTERIES: usize = 64;

fn one() -> u64 {
    1
}

fn single() -> usize {
    1
}

fn real_time() -> f64 {
    1.0
}

fn every_second() -> f64 {
    1.0
}

fn default_model() -> String {
    "SIMULATED".to_owned()
}

fn default_family() -> String {
    "SIM".to_owned()
}

fn default_firmware() -> [u8; 2] {
    [1, 4]
}

fn default_dialect() -> &'static Dialect {
    &PYLONTECH_LV
}
