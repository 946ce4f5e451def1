//! The configuration of one `dcdc-rs485` process: our TOML, or the `dcdc_batt_comm.yml` of SonyCSL/apis-dcdc_batt_comm as
//! it is.

mod dbus;
mod network;
mod setting;
pub mod yml;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};

pub use dbus::{Class, Dbus};
pub use network::Network;
pub use setting::Setting;

use crate::direction::Direction;
use crate::eza::field::{self, Field, Unsendable};
use crate::eza::frame::Addresses;
use crate::eza::retry::Retries;

/// `dcdc-rs485.<name>.toml`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The converter.
    pub converter: Converter,
    /// The battery behind it, where one can be asked.
    #[serde(default)]
    pub battery: Option<Battery>,
    /// The web API.
    #[serde(default)]
    pub web: Web,
    /// The D-Bus.
    #[serde(default)]
    pub dbus: Dbus,
}

/// The converter and its line.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Converter {
    /// What it is called in the answer of `/remote/ioctl/set`.
    #[serde(default = "name")]
    pub name: String,
    /// The serial port, best by a name below `/dev/serial/by-id`.
    pub port: PathBuf,
    /// Bits per second.
    #[serde(default = "baud")]
    pub baud: u32,
    /// Who switches the direction of the line.
    #[serde(default)]
    pub direction: Direction,
    /// Address of the converter.
    #[serde(default)]
    pub address1: u8,
    /// Our own address.
    #[serde(default = "own_address")]
    pub address2: u8,
    /// How often a command is sent again after a broken reply or a refusal that may pass.
    #[serde(default = "retries")]
    pub error_retries: u32,
    /// How often a command is sent again after silence.
    #[serde(default = "retries")]
    pub timeout_retries: u32,
    /// Between two attempts.
    #[serde(default = "retry_pause_s")]
    pub retry_pause_s: f64,
    /// Between the end of a reply and the next command.
    #[serde(default = "inter_command_gap_ms")]
    pub inter_command_gap_ms: u64,
    /// Refuse set points outside the ranges that the maker declares.
    #[serde(default = "yes")]
    pub range_check: bool,
    /// In which order `/remote/set` writes.
    #[serde(default)]
    pub set_order: SetOrder,
    /// What is written with `/remote/ioctl/set`, and with every current.
    pub settings: Settings,
}

/// In which order mode and set points are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetOrder {
    /// Set points first unless the converter runs or is to stop: it never starts with old set points.
    #[default]
    Intended,
    /// Set points first until the first success, the mode first from then on, as apis-dcdc_batt_comm does.
    Reference,
}

/// Thresholds and behaviour, as numbers that are kept as they are written.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Battery upper current, A.
    pub cib: Setting,
    /// Battery under voltage threshold, V.
    pub ubv: Setting,
    /// Battery over voltage threshold, V.
    pub obv: Setting,
    /// Grid under voltage threshold, V.
    pub ugv: Setting,
    /// Grid over voltage threshold, V.
    pub ogv: Setting,
    /// Converter settings, bits.
    pub bcf: Setting,
    /// Battery target voltage, V.
    pub cvb: Setting,
    /// End-of-discharge voltage, V.
    pub dlb: Setting,
    /// Charge notice deviation, V.
    pub cdb: Setting,
    /// Discharge notice deviation, V.
    pub ddb: Setting,
    /// Battery droop rate.
    pub drb: Setting,
}

/// The battery over Modbus RTU.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Battery {
    /// The serial port; without one the battery cannot be asked.
    #[serde(default)]
    pub port: Option<PathBuf>,
    /// Bits per second.
    #[serde(default = "battery_baud")]
    pub baud: u32,
    /// Who switches the direction of the line.
    #[serde(default)]
    pub direction: Direction,
    /// Unit address.
    #[serde(default = "unit")]
    pub unit: u8,
    /// Number of the register with the state of charge, from 30001.
    #[serde(default = "rsoc_register")]
    pub rsoc_register: u16,
    /// Number of the register with the status, from 30001.
    #[serde(default = "status_register")]
    pub status_register: u16,
    /// How long an answer is waited for.
    #[serde(default = "timeout_s")]
    pub timeout_s: f64,
    /// What `/1/log/data` shows as voltage; not a measurement.
    #[serde(default = "battery_voltage")]
    pub battery_voltage: Setting,
    /// What `/1/log/data` shows as current; not a measurement.
    #[serde(default = "battery_current")]
    pub battery_current: Setting,
    /// Send the converter to waiting while the battery denies sharing energy.
    #[serde(default)]
    pub force_dcdc_waiting: bool,
    /// A battery that has failed to answer so many checks in a row counts as denying.
    #[serde(default = "failures_until_denied")]
    pub failures_until_denied: u32,
}

/// The web API.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Where it listens.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Who else than this machine is served: addresses, or networks such as `192.168.7.0/24`.
    pub allow: Vec<Network>,
    /// Whether those may set anything.
    pub allow_writes: bool,
    /// Asked for as `Authorization: Bearer TOKEN`.
    pub token: Option<String>,
    /// Certificate chain, PEM: with it the API speaks TLS alone.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub private_key: Option<PathBuf>,
    /// Requests in a second; more are turned away.
    pub requests_per_second: u32,
    /// `/essx/goodbye` ends the process.
    pub goodbye: bool,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            allow: Vec::new(),
            allow_writes: false,
            token: None,
            certificate: None,
            private_key: None,
            requests_per_second: 100,
            goodbye: false,
        }
    }
}

impl Config {
    /// Reads a file: `.yml` and `.yaml` as the original's, everything else as TOML.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn load(path: &Path) -> Result<Self, service_kit::Failure> {
        let is_yaml = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
        if is_yaml { yml::load(path) } else { Ok(service_kit::config::load(path)?) }
    }
}

impl Converter {
    /// Both addresses of the line.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        Addresses { converter: self.address1, own: self.address2 }
    }

    /// Fresh counters for a command.
    #[must_use]
    pub fn retries(&self) -> Retries {
        Retries { errors: self.error_retries, timeouts: self.timeout_retries }
    }

    /// Between two attempts.
    #[must_use]
    pub fn retry_pause(&self) -> Duration {
        Duration::from_secs_f64(self.retry_pause_s)
    }

    /// Between two commands.
    #[must_use]
    pub fn gap(&self) -> Duration {
        Duration::from_millis(self.inter_command_gap_ms)
    }
}

impl Settings {
    /// Each with its field.
    fn all(&self) -> [(&'static Field, &Setting); 11] {
        [
            (&field::CIB, &self.cib),
            (&field::UBV, &self.ubv),
            (&field::OBV, &self.obv),
            (&field::UGV, &self.ugv),
            (&field::OGV, &self.ogv),
            (&field::BCF, &self.bcf),
            (&field::CVB, &self.cvb),
            (&field::DLB, &self.dlb),
            (&field::CDB, &self.cdb),
            (&field::DDB, &self.ddb),
            (&field::DRB, &self.drb),
        ]
    }

    /// What 6-4 sends, with this grid current.
    ///
    /// # Errors
    /// A threshold that cannot be sent.
    pub fn limits(&self, dig: u16, check_range: bool) -> Result<[u16; 6], Unsendable> {
        let word = |field: &Field, setting: &Setting| setting.word(field, check_range);
        Ok([
            word(&field::CIB, &self.cib)?,
            dig,
            word(&field::UBV, &self.ubv)?,
            word(&field::UGV, &self.ugv)?,
            word(&field::OBV, &self.obv)?,
            word(&field::OGV, &self.ogv)?,
        ])
    }

    /// What 7-4 sends.
    ///
    /// # Errors
    /// A setting that cannot be sent.
    pub fn charging(&self, check_range: bool) -> Result<[u16; 5], Unsendable> {
        let word = |field: &Field, setting: &Setting| setting.word(field, check_range);
        Ok([
            word(&field::BCF, &self.bcf)?,
            word(&field::CVB, &self.cvb)?,
            word(&field::DLB, &self.dlb)?,
            word(&field::CDB, &self.cdb)?,
            word(&field::DDB, &self.ddb)?,
        ])
    }

    /// What 3-4 sends.
    ///
    /// # Errors
    /// A setting that cannot be sent.
    pub fn battery_target(&self, check_range: bool) -> Result<[u16; 2], Unsendable> {
        Ok([self.cvb.word(&field::CVB, check_range)?, self.drb.word(&field::DRB, check_range)?])
    }
}

impl Battery {
    /// How long an answer is waited for.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout_s)
    }
}

impl Check for Config {
    fn check(&self, findings: &mut Findings) {
        findings.inside("converter", &self.converter);
        if let Some(battery) = &self.battery {
            findings.inside("battery", battery);
        }
        findings.inside("web", &self.web);
        findings.inside("dbus", &self.dbus);
    }
}

impl Check for Converter {
    fn check(&self, findings: &mut Findings) {
        findings.within("baud", self.baud, 300..=1_000_000, "bit/s");
        findings.within("error_retries", self.error_retries, 0..=100, "");
        findings.within("timeout_retries", self.timeout_retries, 0..=100, "");
        findings.within("retry_pause_s", self.retry_pause_s, 0.0..=10.0, "s");
        findings.within("inter_command_gap_ms", self.inter_command_gap_ms, 0..=1_000, "ms");
        for (field, setting) in self.settings.all() {
            if let Err(error) = setting.word(field, self.range_check) {
                let allowed = field.range.map_or_else(
                    || "a number of one word".to_owned(),
                    |(from, to)| format!("a number from {from} to {to}"),
                );
                findings.refuse("settings", error.to_string(), allowed);
            }
        }
    }
}

impl Check for Battery {
    fn check(&self, findings: &mut Findings) {
        findings.within("baud", self.baud, 300..=1_000_000, "bit/s");
        findings.within("unit", self.unit, 1..=247, "");
        findings.within("rsoc_register", self.rsoc_register, 30_001..=u16::MAX, "");
        findings.within("status_register", self.status_register, 30_001..=u16::MAX, "");
        findings.within("timeout_s", self.timeout_s, 0.05..=10.0, "s");
        findings.within("failures_until_denied", self.failures_until_denied, 1..=1_000, "");
    }
}

impl Check for Web {
    fn check(&self, findings: &mut Findings) {
        if self.host.is_empty() {
            findings.refuse("host", "no address", "an address of this machine, such as 127.0.0.1");
        }
        if self.certificate.is_some() != self.private_key.is_some() {
            findings.refuse("certificate", "certificate and private_key belong together", "both or neither");
        }
        findings.within("requests_per_second", self.requests_per_second, 1..=10_000, "1/s");
        if self.token.as_ref().is_some_and(|token| token.len() < 16) {
            findings.refuse("token", "too easy to guess", "at least 16 characters");
        }
    }
}

fn name() -> String {
    "dcdc".to_owned()
}

fn baud() -> u32 {
    19_200
}

fn own_address() -> u8 {
    16
}

fn retries() -> u32 {
    3
}

fn retry_pause_s() -> f64 {
    0.1
}

/// Nearly what the original waits (62 ms), because whether a converter needs a pause is not known; with it, every request
/// keeps the times that the specification asks for.
fn inter_command_gap_ms() -> u64 {
    50
}

fn yes() -> bool {
    true
}

fn battery_baud() -> u32 {
    9_600
}

fn unit() -> u8 {
    1
}

fn rsoc_register() -> u16 {
    30_030
}

fn status_register() -> u16 {
    30_031
}

fn timeout_s() -> f64 {
    1.0
}

fn battery_voltage() -> Setting {
    Setting::Real(52.0)
}

fn battery_current() -> Setting {
    Setting::Real(20.0)
}

fn failures_until_denied() -> u32 {
    3
}
