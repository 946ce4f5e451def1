//! How a device is reached, and what it bears.

use std::time::Duration;

use serde::Deserialize;
use service_kit::config::{Check, Findings};

use super::kind::Words;
use super::scalar::{Forbidden, Table, holding};

/// The most registers of a read (application protocol V1.1b3, 6.3).
pub const MOST_READ: u16 = 125;
/// The most registers of a write (6.12).
pub const MOST_WRITTEN: u16 = 123;

/// The table `[link]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// As it is on a serial line, where it can be.
    #[serde(default)]
    pub rtu: Option<Rtu>,
    /// As it is on TCP, where it can be.
    #[serde(default)]
    pub tcp: Option<Tcp>,
    /// Its usual addresses on the line, the most usual first.
    #[serde(default = "units")]
    pub units: Vec<u8>,
    /// How long an answer may take, ms.
    #[serde(default = "timeout")]
    pub timeout_ms: u64,
    /// Silence between an answer and the next request, ms.
    #[serde(default = "gap")]
    pub gap_ms: u64,
    /// Registers in one read.
    #[serde(default = "max_read")]
    pub max_read: u16,
    /// Registers in one write.
    #[serde(default = "max_write")]
    pub max_write: u16,
    /// Registers that nobody needs and that are read nevertheless to save a request.
    #[serde(default = "max_gap")]
    pub max_gap: u16,
    /// How a single register is written.
    #[serde(default)]
    pub write_function: WriteFunction,
    /// Where points are that do not say it.
    #[serde(default = "holding")]
    pub table: Table,
    /// The order of registers where a field does not say it.
    #[serde(default)]
    pub words: Words,
    /// What is never read.
    #[serde(default)]
    pub forbidden: Vec<Forbidden>,
}

/// A serial line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rtu {
    /// Its rates, the most usual first.
    #[serde(default = "baud")]
    pub baud: Vec<u32>,
    /// Its parity bit.
    #[serde(default)]
    pub parity: Parity,
    /// Its stop bits.
    #[serde(default = "stop")]
    pub stop: u8,
}

/// The parity bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    /// There is none.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// Modbus TCP.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tcp {
    /// Its port.
    #[serde(default = "tcp_port")]
    pub port: u16,
}

/// Which function writes one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteFunction {
    /// 16, also for one register.
    #[default]
    Multiple,
    /// 6.
    Single,
    /// 16, and 6 for one register after the other where a device refuses that.
    Either,
}

impl LinkSpec {
    /// [`LinkSpec::timeout_ms`] as a time.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// [`LinkSpec::gap_ms`] as a time.
    #[must_use]
    pub fn gap(&self) -> Duration {
        Duration::from_millis(self.gap_ms)
    }

    /// Whether any of these registers must never be read.
    #[must_use]
    pub fn forbids(&self, table: Table, addr: u16, count: u16) -> bool {
        self.forbidden.iter().any(|range| range.touches(table, addr, count))
    }
}

fn units() -> Vec<u8> {
    vec![1]
}
fn timeout() -> u64 {
    1000
}
fn gap() -> u64 {
    50
}
fn max_read() -> u16 {
    100
}
fn max_write() -> u16 {
    100
}
fn max_gap() -> u16 {
    20
}
fn baud() -> Vec<u32> {
    vec![9600]
}
fn stop() -> u8 {
    1
}
fn tcp_port() -> u16 {
    502
}

impl Check for LinkSpec {
    fn check(&self, findings: &mut Findings) {
        findings.within("timeout_ms", self.timeout_ms, 50..=30_000, "ms");
        findings.within("gap_ms", self.gap_ms, 0..=5000, "ms");
        findings.within("max_read", self.max_read, 1..=MOST_READ, "registers");
        findings.within("max_write", self.max_write, 1..=MOST_WRITTEN, "registers");
        findings.within("max_gap", self.max_gap, 0..=120, "registers");
        if self.rtu.is_none() && self.tcp.is_none() {
            findings.refuse("rtu", "the device is reached in no way", "rtu = { ... }, tcp = { ... } or both");
        }
        if self.units.is_empty() || self.units.iter().any(|unit| !(1..=247).contains(unit)) {
            findings.refuse("units", format!("{:?}", self.units), "addresses of 1 to 247");
        }
        if let Some(rtu) = &self.rtu {
            findings.inside("rtu", rtu);
        }
        for range in self.forbidden.iter().filter(|range| range.from > range.to) {
            findings.refuse(
                "forbidden",
                format!("{} to {}", range.from, range.to),
                "the smaller address first",
            );
        }
    }
}

impl Check for Rtu {
    fn check(&self, findings: &mut Findings) {
        if self.baud.is_empty() || self.baud.iter().any(|baud| !(300..=1_000_000).contains(baud)) {
            findings.refuse("baud", format!("{:?}", self.baud), "rates of 300 to 1000000 baud");
        }
        findings.within("stop", self.stop, 1..=2, "");
    }
}
