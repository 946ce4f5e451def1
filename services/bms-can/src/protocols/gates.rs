//! What no battery can be. A frame beyond these gates is refused whole: it is garbled, or of another dialect.

use super::Profile;

/// Why a frame that belongs to the dialect says nothing.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Shorter than its first values need.
    #[error("{len} bytes are too few, it needs {needed}")]
    TooShort {
        /// Bytes it has.
        len: u8,
        /// Bytes it needs.
        needed: u8,
    },
    /// A value that no battery has.
    #[error("{what} {value} {unit} is outside {low} to {high} {unit}")]
    Implausible {
        /// Which value.
        what: &'static str,
        /// The value, in `unit`.
        value: f64,
        /// Unit of the three numbers.
        unit: &'static str,
        /// Lowest plausible.
        low: f64,
        /// Highest plausible.
        high: f64,
    },
    /// A text with bytes that are no printable ASCII.
    #[error("it should be text and is not")]
    NotText,
}

fn within(what: &'static str, unit: &'static str, value: f64, low: f64, high: f64) -> Result<f64, Refusal> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(Refusal::Implausible { what, value, unit, low, high })
    }
}

/// A temperature in °C: -60 to 120.
pub(crate) fn temperature(value: f64) -> Result<f64, Refusal> {
    within("temperature", "°C", value, -60.0, 120.0)
}

/// A current or current limit in A: at most 2000 either way.
pub(crate) fn current(value: f64) -> Result<f64, Refusal> {
    within("current", "A", value, -2000.0, 2000.0)
}

/// A state of charge in %: 0 to 100.
pub(crate) fn soc(value: u16) -> Result<u8, Refusal> {
    within("state of charge", "%", f64::from(value), 0.0, 100.0).map(|v| v as u8)
}

/// A cell voltage in mV: 1 to 5000.
pub(crate) fn cell(value: u16) -> Result<u16, Refusal> {
    within("cell voltage", "mV", f64::from(value), 1.0, 5000.0).map(|v| v as u16)
}

/// A pack voltage in V, within what the dialect's batteries have.
pub(crate) fn pack_voltage(value: f64, profile: &Profile) -> Result<f64, Refusal> {
    let (low, high) = profile.pack_v;
    within("pack voltage", "V", value, low, high)
}

/// A charge voltage limit in V. None at all if it is below any battery's (0 in particular, which would otherwise read as
/// an over-voltage); refused if above.
pub(crate) fn charge_voltage(value: f64, profile: &Profile) -> Result<Option<f64>, Refusal> {
    let (low, high) = profile.charge_v;
    if value < low {
        return Ok(None);
    }
    within("charge voltage limit", "V", value, low, high).map(Some)
}
