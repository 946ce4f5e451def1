//! Pylontech low voltage and its clones (Eco-Worthy, Seplos, JK and many more with a "PYLON" setting).
//! "CAN bus protocol, PYLON low voltage" V1.2 (2018-04-08) and V1.3 (2019-03-01).

use super::layouts::{counts, labels, limits, measurements, protection, requests, soc};
use super::traffic::{Mark, hint, identity};
use super::{Addressing, Protocol, Row, le_family, row};
use crate::message::PairRule;

/// The dialect. Clones send more than the document has: what they share with Victron is read, and 0x370 and 0x371 as
/// names or as cell extremes, whichever the bytes can be; no frame can be both.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "pylontech_lv",
    title: "Pylontech low voltage",
    source: "Pylontech, CAN bus protocol low voltage, V1.3",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Hub,
    profile: le_family::PROFILE,
    pairs: PairRule::Learned,
    frames: &[FRAMES, le_family::MODEL, le_family::CELLS_IN_370, le_family::EXTRAS],
    marks: MARKS,
};

/// As the document has them.
pub(super) const FRAMES: &[Row] = &[
    row(0x305, counts::INVERTER_ALIVE, &[0; 8]),
    row(0x351, limits::LIMITS, &[0; 8]),
    row(0x355, soc::SOC, &[0; 4]),
    row(0x356, measurements::MEASUREMENTS, &[0; 6]),
    row(0x359, protection::PROTECTION, &[0; 7]),
    row(0x35C, requests::REQUESTS, &[0; 2]),
    row(0x35E, labels::MANUFACTURER, &[b' '; 8]),
    row(0x35F, counts::BATTERY_INFO, &[0; 8]),
];

const MARKS: &[Mark] = &[
    identity(10, "0x359 carries the letters \"PN\"", |t| t.has_bytes(0x359, 5, b"PN")),
    identity(6, "0x35E says \"PYLON\"", |t| t.maker_is("PYLON")),
    identity(4, "0x359 and 0x35C come together", |t| t.has(0x359) && t.has(0x35C)),
    hint(-8, "alarms come in 0x35A and not in 0x359", |t| t.has_pairs_only()),
    hint(-6, "0x356 counts tenths of a volt", |t| t.voltage_is_in_tenths()),
];
