//! 0x351: what the battery allows.

use super::words::{put_signed_word, put_word, signed_word, word};
use crate::message::{Limits, Message};
use crate::protocols::gates::{self, Refusal};
use crate::protocols::payload::{Reader, Writer, unsigned};
use crate::protocols::{Layout, Profile};

/// Charge voltage 0.1 V, charge current 0.1 A, discharge current 0.1 A, discharge voltage 0.1 V. The last is blank in
/// Pylontech V1.2, and missing in frames of six bytes.
pub(crate) const LIMITS: Layout = Layout {
    name: "limits",
    shortest: 6,
    decode: |reader, profile| {
        let mut limits = read(reader, profile)?;
        limits.discharge_voltage_limit_v = reader.only_if(|r| {
            word(r, profile).map(|raw| f64::from(raw) / 10.0).filter(|&v| v > 0.0 && v <= profile.pack_v.1)
        });
        Ok(Message::Limits(limits))
    },
    encode: |message, profile, writer| {
        let Message::Limits(limits) = message else { return None };
        write(limits, profile, writer)?;
        writer.unless_ended(limits.discharge_voltage_limit_v, |w, v| w.u16(unsigned(v, 10.0)?))
    },
};

/// The first six bytes. The discharge limit is positive by every data sheet; an early diyBMS sent it negative
/// (stuartpittaway/diyBMSv4ESP32 issue 87). A negative charge limit allows no charging.
pub(crate) fn read(reader: &mut Reader<'_>, profile: &Profile) -> Result<Limits, Refusal> {
    let volts = word(reader, profile).map(|raw| f64::from(raw) / 10.0);
    let mut amps =
        || signed_word(reader, profile).map(|raw| gates::current(f64::from(raw) / 10.0)).transpose();
    let (charge, discharge) = (amps()?, amps()?);
    Ok(Limits {
        charge_voltage_limit_v: volts.map(|v| gates::charge_voltage(v, profile)).transpose()?.flatten(),
        charge_current_limit_a: charge.map(not_negative),
        discharge_current_limit_a: discharge.map(f64::abs),
        discharge_voltage_limit_v: None,
    })
}

/// The first six bytes. A charge voltage of 0 is never written: receivers read it as an over-voltage.
pub(crate) fn write(limits: &Limits, profile: &Profile, writer: &mut Writer) -> Option<()> {
    if limits.charge_voltage_limit_v.is_some_and(|v| unsigned(v, 10.0) == Some(0)) {
        return None;
    }
    put_word(writer, profile, limits.charge_voltage_limit_v, 10.0)?;
    put_signed_word(writer, profile, limits.charge_current_limit_a.map(not_negative), 10.0)?;
    put_signed_word(writer, profile, limits.discharge_current_limit_a.map(f64::abs), 10.0)
}

/// 0 for what is below it. (`f64::max` would make NaN 0 too, and a limit of it.)
const fn not_negative(amps: f64) -> f64 {
    if amps < 0.0 { 0.0 } else { amps }
}
