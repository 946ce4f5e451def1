//! 0x356: what the battery measures.

use super::words::{put_signed_word, signed_word};
use crate::message::{Measurements, Message};
use crate::protocols::gates::{self, Refusal};
use crate::protocols::payload::{Reader, Writer, signed};
use crate::protocols::{Layout, Profile};

/// Voltage in the dialect's scale, current 0.1 A, temperature 0.1 °C.
pub(crate) const MEASUREMENTS: Layout = Layout {
    name: "measurements",
    shortest: 4,
    decode: |reader, profile| {
        let mut measured = read(reader, profile)?;
        measured.temperature_c = temperature(reader, profile)?;
        Ok(Message::Measurements(measured))
    },
    encode: |message, profile, writer| {
        let Message::Measurements(Measurements { cycles: None, .. }) = message else { return None };
        write_with_temperature(message, profile, writer)
    },
};

/// [`MEASUREMENTS`] and cycles, as JBD sends them (mr-manuel/venus-os_dbus-serialbattery lltjbd_can.py); 0 is padding.
pub(crate) const MEASUREMENTS_AND_CYCLES: Layout = Layout {
    decode: |reader, profile| {
        let mut measured = read(reader, profile)?;
        measured.temperature_c = temperature(reader, profile)?;
        measured.cycles = reader.only_if(|r| r.u16().filter(|&cycles| cycles > 0));
        Ok(Message::Measurements(measured))
    },
    encode: |message, profile, writer| {
        write_with_temperature(message, profile, writer)?;
        writer.unless_ended(message.measurements()?.cycles, Writer::u16)
    },
    ..MEASUREMENTS
};

/// The first four bytes.
pub(crate) fn read(reader: &mut Reader<'_>, profile: &Profile) -> Result<Measurements, Refusal> {
    let voltage = signed_word(reader, profile).map(|raw| voltage(raw, profile)).transpose()?;
    let current =
        signed_word(reader, profile).map(|raw| gates::current(f64::from(raw) / 10.0)).transpose()?;
    Ok(Measurements { voltage_v: voltage, current_a: current, ..Measurements::default() })
}

/// What some packs send for a temperature sensor that they do not have, 0.1 °C. The rest of their frame is true.
const NO_SENSOR: i16 = -1500;

/// One temperature.
pub(crate) fn temperature(reader: &mut Reader<'_>, profile: &Profile) -> Result<Option<f64>, Refusal> {
    reader
        .only_if(|r| signed_word(r, profile).filter(|&raw| raw != NO_SENSOR))
        .map(|raw| gates::temperature(f64::from(raw) / 10.0))
        .transpose()
}

/// Steps of 0.01 V or of 0.1 V: senders do not always keep to their dialect. No battery's voltages in one scale are
/// possible in the other, so a voltage that is none in the dialect's scale is tried in the other one, for 48 V banks.
fn voltage(raw: i16, profile: &Profile) -> Result<f64, Refusal> {
    let raw = f64::from(raw);
    gates::pack_voltage(raw / profile.voltage_steps, profile).or_else(|refusal| {
        let other = raw * profile.voltage_steps / 1000.0;
        if (40.0..=60.0).contains(&other) { Ok(other) } else { Err(refusal) }
    })
}

/// The first four bytes.
pub(crate) fn write(measured: &Measurements, profile: &Profile, writer: &mut Writer) -> Option<()> {
    put_signed_word(writer, profile, measured.voltage_v, profile.voltage_steps)?;
    put_signed_word(writer, profile, measured.current_a, 10.0)
}

fn write_with_temperature(message: &Message, profile: &Profile, writer: &mut Writer) -> Option<()> {
    let Message::Measurements(
        measured @ Measurements { temperature_max_c: None, temperature_min_c: None, .. },
    ) = message
    else {
        return None;
    };
    write(measured, profile, writer)?;
    writer.unless_ended(measured.temperature_c, |w, v| w.i16(signed(v, 10.0)?))
}
