//! Pytes in Victron mode: the Victron set, and a charge request. hoylabs/OpenDTU-OnBattery: src/battery/pytes/Provider.cpp.

use super::layouts::requests;
use super::traffic::{Mark, hint, identity};
use super::{Addressing, Protocol, Row, le_family, row};
use crate::message::PairRule;

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "pytes",
    title: "Pytes in Victron mode",
    source: "hoylabs/OpenDTU-OnBattery: src/battery/pytes/Provider.cpp",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: le_family::PROFILE,
    pairs: PairRule::Learned,
    frames: &[FRAMES, le_family::PAIRS_SET, le_family::MODEL, le_family::EXTRAS],
    marks: MARKS,
};

const FRAMES: &[Row] = &[row(0x360, requests::CHARGE_REQUEST, &[0; 1])];

const MARKS: &[Mark] = &[
    identity(6, "alarms come in 0x35A and not in 0x359", |t| t.has_pairs_only()),
    identity(6, "0x35E says \"PYTES\"", |t| t.maker_is("PYTES") && t.has_pairs_only()),
    hint(1, "the charge request in 0x360 is there", |t| t.has(0x360)),
];
