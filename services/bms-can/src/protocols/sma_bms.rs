//! The battery's side of SMA Sunny Island: "technical information, external batteries" (FSS-ConnectingBat) for
//! SI 6.0H/8.0H.

use super::layouts::{counts, labels, limits, measurements, pairs, soc};
use super::traffic::{Mark, hint, identity};
use super::{Addressing, Profile, Protocol, Row, le_family, row};
use crate::message::PairRule;

/// The dialect. Nothing but these frames is allowed on its bus. Alarm pairs are edges here by the book. The pack voltage
/// may be anything from 0 V: Sunny Island only logs 0x356, and jaedog/SMAVenusDriver fills it with zeros.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sma_bms",
    title: "SMA Sunny Island, battery side",
    source: "SMA, FSS-ConnectingBat, technical information on external batteries",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: Profile {
        pack_v: (0.0, 65.0),
        charge_v: (41.0, 63.0),
        has_no_value_marks: true,
        ..le_family::PROFILE
    },
    pairs: PairRule::Edges,
    frames: &[FRAMES],
    marks: MARKS,
};

/// Unused fields carry the mark "no value".
const FRAMES: &[Row] = &[
    row(0x351, limits::LIMITS, &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
    row(0x355, soc::SOC, &[0, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
    row(0x356, measurements::MEASUREMENTS, &[0, 0, 0, 0, 0, 0x80]),
    row(0x35A, pairs::ALARMS, &[0; 8]),
    row(0x35E, labels::MANUFACTURER, &[b' '; 8]),
    row(0x35F, counts::BATTERY_INFO, &[0; 8]),
];

const MARKS: &[Mark] = &[
    identity(6, "alarms come in 0x35A and not in 0x359", |t| t.has_pairs_only()),
    hint(6, "a Sunny Island sends its status in 0x306", |t| t.has(0x306)),
    hint(4, "a value of 0x351 is marked as not there", |t| {
        t.has_bytes(0x351, 6, &[0xFF, 0xFF]) || t.has_bytes(0x351, 4, &[0x00, 0x80])
    }),
    hint(4, "0x356 is filled with zeros", |t| t.has_bytes(0x356, 0, &[0; 4])),
    hint(-4, "there are frames that Sunny Island forbids", |t| (0x370..=0x382).any(|id| t.has(id))),
];
