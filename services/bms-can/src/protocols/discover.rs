//! Discover AES batteries behind a Lynk II gateway. ai-republic/bms-to-inverter issue 107 (capture);
//! ryanpulley/DiscoverAEStoPylontech: BMS2Inverter.py.

use super::layouts::{counts, labels, limits, measurements, pairs, soc};
use super::traffic::{Mark, identity};
use super::{Addressing, Layout, Profile, Protocol, Row, le_family, row};
use crate::message::{FirmwareVersion, Message, PairRule, ProtocolVersion};

/// The dialect. 0x356 counts tenths of a volt; 0x372 and 0x373 are versions, not modules and cells.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "discover",
    title: "Discover Lynk II",
    source: "ryanpulley/DiscoverAEStoPylontech: BMS2Inverter.py",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: Profile {
        voltage_steps: 10.0,
        pack_v: (8.0, 65.0),
        charge_v: (8.0, 65.0),
        ..le_family::PROFILE
    },
    pairs: PairRule::Learned,
    frames: &[FRAMES, le_family::MODEL],
    marks: MARKS,
};

const FRAMES: &[Row] = &[
    row(0x305, counts::INVERTER_ALIVE, &[0; 8]),
    row(0x351, limits::LIMITS, &[0; 8]),
    row(0x354, counts::CAPACITY, &[0; 8]),
    row(0x355, soc::SOC, &[0; 8]),
    row(0x356, measurements::MEASUREMENTS, &[0; 8]),
    row(0x35A, pairs::PACKED_ALARMS, &[0; 7]),
    row(0x35E, labels::MANUFACTURER, &[0; 8]),
    row(0x372, FIRMWARE_VERSION, &[0; 4]),
    row(0x373, PROTOCOL_VERSION, &[0; 4]),
];

/// Four numbers, the least significant first.
const FIRMWARE_VERSION: Layout = Layout {
    name: "firmware_version",
    shortest: 4,
    decode: |reader, _| {
        let mut firmware_version: [u8; 4] = reader.bytes().unwrap_or_default();
        firmware_version.reverse();
        Ok(Message::FirmwareVersion(FirmwareVersion { firmware_version }))
    },
    encode: |message, _, writer| {
        let Message::FirmwareVersion(FirmwareVersion { mut firmware_version }) = *message else {
            return None;
        };
        firmware_version.reverse();
        writer.bytes(&firmware_version)
    },
};

const PROTOCOL_VERSION: Layout = Layout {
    name: "protocol_version",
    shortest: 1,
    decode: |reader, _| {
        let protocol_version = reader.u8().unwrap_or_default();
        Ok(Message::ProtocolVersion(ProtocolVersion { protocol_version }))
    },
    encode: |message, _, writer| {
        let Message::ProtocolVersion(version) = message else { return None };
        writer.u8(version.protocol_version)
    },
};

const MARKS: &[Mark] = &[
    identity(10, "0x35E says \"DISCOVER\"", |t| t.maker_is("DISCOVER") && t.has_pairs_only()),
    identity(10, "0x354 comes with 0x35A, and 0x356 counts tenths of a volt", |t| {
        t.has(0x354) && t.has_pairs_only() && t.voltage_is_in_tenths()
    }),
];
