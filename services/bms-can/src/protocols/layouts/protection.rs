//! 0x359: protection and alarm bits as Pylontech has them, shared by Deye, Sol-Ark, Luxpower and the clones.

use super::bits::{self, Bit, bit};
use crate::message::{Flag, Message, Protection};
use crate::protocols::Layout;
use crate::protocols::payload::Reader;

/// Pylontech V1.3, 0x359 tables 1 to 4. Battery-Emulator and ArminJo/JK-BMSToPylontechCAN put the system error on bit 7
/// of byte 1 instead of bit 3.
pub(crate) const BITS: &[Bit] = &[
    bit(0, 7, Flag::ProtectionDischargeOverCurrent),
    bit(0, 4, Flag::ProtectionCellUnderTemperature),
    bit(0, 3, Flag::ProtectionCellOverTemperature),
    bit(0, 2, Flag::ProtectionUnderVoltage),
    bit(0, 1, Flag::ProtectionOverVoltage),
    bit(1, 3, Flag::ProtectionSystemError),
    bit(1, 7, Flag::ProtectionSystemError),
    bit(1, 0, Flag::ProtectionChargeOverCurrent),
    bit(2, 7, Flag::AlarmDischargeHighCurrent),
    bit(2, 4, Flag::AlarmCellLowTemperature),
    bit(2, 3, Flag::AlarmCellHighTemperature),
    bit(2, 2, Flag::AlarmLowVoltage),
    bit(2, 1, Flag::AlarmHighVoltage),
    bit(3, 3, Flag::AlarmInternalCommunicationFail),
    bit(3, 0, Flag::AlarmChargeHighCurrent),
];

/// The bits, the number of modules, and the letters `PN`, which some clones leave out.
pub(crate) const PROTECTION: Layout = Layout {
    name: "protection",
    shortest: 4,
    decode: |reader, _| {
        let flags = flags(reader, BITS);
        let module_count = reader.u8();
        let has_place = reader.rest().len() >= 2;
        let pn_marker = reader.only_if(|r| r.bytes::<2>().filter(|b| b == b"PN")).is_some();
        let pn_marker = has_place.then_some(pn_marker);
        Ok(Message::Protection(Protection { flags, module_count, pn_marker, ..Protection::default() }))
    },
    encode: |message, _, writer| {
        let Message::Protection(Protection {
            flags,
            module_count,
            pn_marker,
            capacity_ah: None,
            manufacturer_code: None,
            cell_count: None,
        }) = message
        else {
            return None;
        };
        writer.bytes(&bits::write::<4>(*flags, BITS)?)?;
        writer.unless_ended(*module_count, super::super::payload::Writer::u8)?;
        writer.unless_ended(pn_marker.filter(|&there| there), |w, _| w.bytes(b"PN"))
    },
};

/// The flags of the first four bytes.
pub(crate) fn flags(reader: &mut Reader<'_>, table: &[Bit]) -> crate::message::Flags {
    let bytes: Option<[u8; 4]> = reader.bytes();
    bits::read(&bytes.unwrap_or_default(), table)
}
