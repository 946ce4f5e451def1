//! Batteries for Deye and Sunsynk: "DEYE CANBUS Protocol" low voltage V1.2 (2018-04-08). Pylontech's V1.2 under another
//! name: no discharge voltage limit. The document knows no hub.

use super::pylontech::{frames, limits};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::report::Report;

/// The dialect.
pub(super) static DEYE_LV: Dialect = Dialect { name: "deye_lv", manufacturer: "DEYE", encode, ..COMMON };

fn encode(report: &Report) -> Vec<Frame> {
    let [v0, v1, c0, c1, d0, d1, _, _] = limits(report);
    frames(report, &[v0, v1, c0, c1, d0, d1, 0, 0])
}
