//! Alarm frames of single bits, as tables.

use crate::message::{Flag, Flags};

/// A bit and what it reports. A flag on two bits is set by either; the first is the documented one, which is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bit {
    /// Byte of the frame.
    pub(crate) byte: u8,
    /// Bit in it, 0 the least significant.
    pub(crate) bit: u8,
    /// What it reports.
    pub(crate) flag: Flag,
}

/// A row of such a table.
#[must_use]
pub(crate) const fn bit(byte: u8, bit: u8, flag: Flag) -> Bit {
    Bit { byte, bit, flag }
}

/// The flags in `bytes`; those beyond their end are not reported.
#[must_use]
pub(crate) fn read(bytes: &[u8], table: &[Bit]) -> Flags {
    let mut flags = Flags::default();
    for row in table {
        if let Some(byte) = bytes.get(usize::from(row.byte)) {
            flags.report(row.flag, byte >> row.bit & 1 == 1);
        }
    }
    flags
}

/// The flags as `N` bytes; `None` unless they are exactly the table's.
#[must_use]
pub(crate) fn write<const N: usize>(flags: Flags, table: &[Bit]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let mut written = Flags::default();
    for row in table {
        let set = flags.get(row.flag)?;
        let byte = bytes.get_mut(usize::from(row.byte))?;
        if written.get(row.flag).is_none() {
            *byte |= u8::from(set) << row.bit;
            written.report(row.flag, set);
        }
    }
    (written == flags).then_some(bytes)
}
