//! Victron's CAN-bus BMS protocol, as JBD, many others and Victron's own documents have it: alarms in pairs, cells,
//! modules, names. Collected in broglep/pylontech-victron-bms-canbus-reader and stuartpittaway/diyBMSv4ESP32.

use super::layouts::{limits, measurements, soc};
use super::traffic::{Mark, hint, identity};
use super::{Addressing, Profile, Protocol, Row, le_family, row};
use crate::message::PairRule;

/// The dialect. Unlike Pylontech's it is also used by 12 V batteries.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "victron",
    title: "Victron CAN-bus BMS (JBD and others)",
    source: "broglep/pylontech-victron-bms-canbus-reader: can_messages.py",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: Profile { pack_v: (8.0, 65.0), charge_v: (8.0, 65.0), ..le_family::PROFILE },
    pairs: PairRule::Learned,
    frames: &[FRAMES, le_family::PAIRS_SET, le_family::MODEL, le_family::EXTRAS],
    marks: MARKS,
};

/// JBD sends all of them with eight bytes, the cycles among them.
const FRAMES: &[Row] = &[
    row(0x351, limits::LIMITS, &[0; 8]),
    row(0x355, soc::SOC, &[0; 8]),
    row(0x356, measurements::MEASUREMENTS_AND_CYCLES, &[0; 8]),
];

const MARKS: &[Mark] = &[
    identity(6, "alarms come in 0x35A and not in 0x359", |t| t.has_pairs_only()),
    identity(5, "0x35A and the cells in 0x373 come together", |t| t.has(0x35A) && t.has(0x373)),
    // Where nothing tells the pairs dialects apart they read the same, and this is the widest.
    hint(1, "it has frames of Victron's set beyond Sunny Island's", |t| (0x370..=0x382).any(|id| t.has(id))),
];
