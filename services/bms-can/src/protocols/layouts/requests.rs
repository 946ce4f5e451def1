//! 0x35C and 0x360: what the battery asks for and permits.

use crate::message::{ChargeRequest, Message, Requests};
use crate::protocols::Layout;

/// Pylontech V1.2 table 5: bit 7 charge, 6 discharge, 5 forced charge I, 4 forced charge II, 3 full charge.
pub(crate) const REQUESTS: Layout = Layout {
    name: "requests",
    shortest: 1,
    decode: |reader, _| {
        Ok(Message::Requests(from_bits(reader.u8().unwrap_or_default(), Numbering::Pylontech)))
    },
    encode: |message, _, writer| {
        let Message::Requests(requests) = message else { return None };
        writer.u8(to_bits(requests, Numbering::Pylontech)?)
    },
};

/// Byte 0 is 0xFF to be charged at once (hoylabs/OpenDTU-OnBattery, Pytes provider: any other than 0).
pub(crate) const CHARGE_REQUEST: Layout = Layout {
    name: "charge_request",
    shortest: 1,
    decode: |reader, _| {
        Ok(Message::ChargeRequest(ChargeRequest { charge_immediately: reader.u8().unwrap_or_default() != 0 }))
    },
    encode: |message, _, writer| {
        let Message::ChargeRequest(request) = message else { return None };
        writer.u8(if request.charge_immediately { 0xFF } else { 0 })
    },
};

/// Which of bits 4 and 5 a data sheet calls forced charge 1. Bit 5 is the urgent one in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// Bit 5 (Pylontech, Growatt).
    Pylontech,
    /// Bit 4 (Sol-Ark, Luxpower).
    SolArk,
}

/// The requests in the flag byte.
#[must_use]
pub(crate) fn from_bits(flags: u8, numbering: Numbering) -> Requests {
    let bit = |n: u8| flags >> n & 1 == 1;
    let (first, second) = if numbering == Numbering::Pylontech { (5, 4) } else { (4, 5) };
    Requests {
        charge_enable: bit(7),
        discharge_enable: bit(6),
        force_charge_1: Some(bit(first)),
        force_charge_2: Some(bit(second)),
        full_charge_request: Some(bit(3)),
        ..Requests::default()
    }
}

/// The flag byte; `None` if there is a request that it has no bit for.
#[must_use]
pub(crate) fn to_bits(requests: &Requests, numbering: Numbering) -> Option<u8> {
    let Requests {
        charge_enable,
        discharge_enable,
        force_charge_1: Some(force_1),
        force_charge_2: Some(force_2),
        full_charge_request: Some(full),
        charge_immediately: None,
        modules_blocking_charge: None,
        modules_blocking_discharge: None,
        cycles: _,
    } = *requests
    else {
        return None;
    };
    let (first, second) = if numbering == Numbering::Pylontech { (5, 4) } else { (4, 5) };
    Some(
        u8::from(charge_enable) << 7
            | u8::from(discharge_enable) << 6
            | u8::from(force_1) << first
            | u8::from(force_2) << second
            | u8::from(full) << 3,
    )
}
