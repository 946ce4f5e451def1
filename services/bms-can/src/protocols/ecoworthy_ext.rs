//! Pylontech clones that put cell extremes into 0x370 and 0x371 (Eco-Worthy, Seplos), by choice instead of by content.
//! Seplos "CANBUS Protocol" V1.0.

use super::traffic::{Mark, hint, identity};
use super::{Addressing, Protocol, le_family, pylontech_lv};
use crate::message::PairRule;

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ecoworthy_ext",
    title: "Pylontech low voltage with cell extremes in 0x370 (Eco-Worthy, Seplos)",
    source: "Seplos, CANBUS Protocol V1.0",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Hub,
    profile: le_family::PROFILE,
    pairs: PairRule::Learned,
    frames: &[pylontech_lv::FRAMES, le_family::CELLS_IN_370, le_family::EXTRAS],
    marks: MARKS,
};

// Pylontech's own reading covers this one, so it is never preferred to it.
const MARKS: &[Mark] = &[
    identity(9, "0x359 carries the letters \"PN\"", |t| t.has_bytes(0x359, 5, b"PN")),
    hint(5, "0x35E says \"PYLON\"", |t| t.maker_is("PYLON")),
];
