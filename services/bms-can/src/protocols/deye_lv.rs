//! Deye low voltage, which Sunsynk reads too: Pylontech V1.2 without a discharge voltage limit.
//! "CAN-Bus-protocol-DEYE-low-voltage" V1.2.

use super::traffic::{Mark, identity};
use super::{Addressing, Protocol, le_family, pylontech_lv};
use crate::message::PairRule;

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "deye_lv",
    title: "Deye low voltage",
    source: "Deye, CAN bus protocol low voltage, V1.2",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Hub,
    profile: le_family::PROFILE,
    pairs: PairRule::Learned,
    frames: &[pylontech_lv::FRAMES, le_family::MODEL, le_family::CELLS_IN_370, le_family::EXTRAS],
    marks: MARKS,
};

const MARKS: &[Mark] = &[
    identity(7, "0x35E says \"DEYE\"", |t| t.maker_is("DEYE")),
    identity(9, "0x359 carries the letters \"PN\"", |t| t.has_bytes(0x359, 5, b"PN")),
];
