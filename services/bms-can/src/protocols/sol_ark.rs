//! Sol-Ark low voltage, as batteries in a "Sol-Ark" setting send it: Pylontech's frames, all of eight bytes, 0x356 in
//! tenths of a volt. "Sol-Ark CAN Bus Protocol" V1.3 (2023-01-20).

use super::layouts::requests::{self, Numbering};
use super::layouts::{counts, labels, limits, measurements, protection, soc};
use super::traffic::{Mark, hint, identity};
use super::{Addressing, Layout, Profile, Protocol, Row, le_family, row};
use crate::message::{Message, PairRule};

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sol_ark",
    title: "Sol-Ark low voltage",
    source: "Sol-Ark, CAN Bus Protocol for LV Battery-Inverter Communications, V1.3",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: Profile { voltage_steps: 10.0, ..le_family::PROFILE },
    pairs: PairRule::Learned,
    frames: &[FRAMES],
    marks: MARKS,
};

const FRAMES: &[Row] = &[
    row(0x305, counts::INVERTER_ALIVE, &[0; 8]),
    row(0x359, protection::PROTECTION, &[0; 8]),
    row(0x351, limits::LIMITS, &[0; 8]),
    row(0x355, soc::SOC, &[0; 8]),
    row(0x356, measurements::MEASUREMENTS, &[0; 8]),
    row(0x35C, REQUESTS, &[0; 8]),
    row(0x35E, labels::MANUFACTURER, &[0; 8]),
    row(0x379, counts::INSTALLED_CAPACITY, &[0; 8]),
];

/// Table 5: bit 4 is forced charge 1, bit 5 forced charge 2.
const REQUESTS: Layout = Layout {
    decode: |reader, _| {
        Ok(Message::Requests(requests::from_bits(reader.u8().unwrap_or_default(), Numbering::SolArk)))
    },
    encode: |message, _, writer| {
        let Message::Requests(requests) = message else { return None };
        if requests.cycles.is_some() {
            return None;
        }
        writer.u8(requests::to_bits(requests, Numbering::SolArk)?)
    },
    ..requests::REQUESTS
};

const MARKS: &[Mark] = &[
    identity(14, "0x359 carries the letters \"PN\" and 0x356 counts tenths of a volt", |t| {
        t.has_bytes(0x359, 5, b"PN") && t.voltage_is_in_tenths()
    }),
    hint(2, "every frame has eight bytes", |t| t.frames().all(|frame| frame.len() == 8)),
];
