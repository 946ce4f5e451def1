//! BYD low voltage (B-Box LV): the Victron set in its shorter frames.

use super::traffic::{Mark, identity};
use super::{Addressing, Protocol, le_family};
use crate::message::PairRule;

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "byd_lv",
    title: "BYD low voltage",
    source: "a public capture of a BYD/Revov LV pack (tests/captures/byd_lv.log)",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: le_family::PROFILE,
    pairs: PairRule::Learned,
    frames: &[le_family::PAIRS_SET, le_family::MODEL, le_family::EXTRAS],
    marks: MARKS,
};

const MARKS: &[Mark] = &[
    identity(6, "alarms come in 0x35A and not in 0x359", |t| t.has_pairs_only()),
    identity(6, "0x35E says \"BYD\"", |t| t.maker_is("BYD") && t.has_pairs_only()),
];
