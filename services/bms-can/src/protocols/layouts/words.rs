//! 16-bit values with SMA's "no value" marks, for the layouts that SMA shares.

use crate::protocols::Profile;
use crate::protocols::payload::{Reader, Writer, signed, unsigned};

const NO_UNSIGNED: u16 = 0xFFFF;
const NO_SIGNED: i16 = i16::MIN;

/// An unsigned word; `None` for the mark and beyond the end.
pub(crate) fn word(reader: &mut Reader<'_>, profile: &Profile) -> Option<u16> {
    reader.u16().filter(|&raw| !(profile.has_no_value_marks && raw == NO_UNSIGNED))
}

/// A signed word; `None` for the mark and beyond the end.
pub(crate) fn signed_word(reader: &mut Reader<'_>, profile: &Profile) -> Option<i16> {
    reader.i16().filter(|&raw| !(profile.has_no_value_marks && raw == NO_SIGNED))
}

/// Writes a value that the frame must have, in steps of 1/`per_unit`; the mark for `None` if the dialect has one.
pub(crate) fn put_word(
    writer: &mut Writer,
    profile: &Profile,
    value: Option<f64>,
    per_unit: f64,
) -> Option<()> {
    match value {
        Some(value) => writer.u16(unsigned(value, per_unit)?),
        None if profile.has_no_value_marks => writer.u16(NO_UNSIGNED),
        None => None,
    }
}

/// As [`put_word`], signed.
pub(crate) fn put_signed_word(
    writer: &mut Writer,
    profile: &Profile,
    value: Option<f64>,
    per_unit: f64,
) -> Option<()> {
    match value {
        Some(value) => writer.i16(signed(value, per_unit)?),
        None if profile.has_no_value_marks => writer.i16(NO_SIGNED),
        None => None,
    }
}
