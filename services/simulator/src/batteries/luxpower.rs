//! Batteries for Luxpower and EG4: "Luxpower Battery CANBUS Protocol" V04 (2023-09-05).
//!
//! Pylontech's frames with cells, temperatures, capacity and cycles where the others have "PN" and reserved bytes. 0x379
//! is not in the document, but read by these inverters (ArminJo/JK-BMSToPylontechCAN).

use super::bytes::{frame, signed, text, unsigned, words};
use super::pylontech::{Forced, complaint, limits, requests};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::report::{Report, count};

/// The dialect.
pub(super) static LUXPOWER: Dialect =
    Dialect { name: "luxpower", manufacturer: "LUXPOWER", encode, ..COMMON };

fn encode(report: &Report) -> Vec<Frame> {
    let ([p0, p1], [w0, w1]) = (complaint(report.protections), complaint(report.warnings));
    let ([a0, a1], [n0, n1]) = (unsigned(report.installed_ah, 1.0), unsigned(report.cycles.floor(), 1.0));
    let (low_v, high_v) = report.cells_v.map_or((0.0, 0.0), |cells| (cells.low, cells.high));
    let (low_c, high_c) = report.cells_c.map_or((f64::NAN, f64::NAN), |cells| (cells.low, cells.high));
    vec![
        frame(0x359, &[p0, p1, w0, w1, count(report.modules.online), a0, a1, 0]),
        frame(0x351, &limits(report)),
        frame(
            0x355,
            &words([
                unsigned(report.soc_percent, 1.0),
                unsigned(report.soh_percent, 1.0),
                unsigned(high_v, 0.001),
                unsigned(low_v, 0.001),
            ]),
        ),
        frame(
            0x356,
            &words([
                signed(report.voltage_v, 0.01),
                signed(report.current_a, 0.1),
                signed(high_c, 0.1),
                signed(low_c, 0.1),
            ]),
        ),
        frame(0x35C, &[requests(report, Forced::SolArk), 0, n0, n1, 0, 0, 0, 0]),
        frame(0x35E, &text(&report.manufacturer, 0, b' ')),
        frame(0x379, &unsigned(report.installed_ah, 1.0)).resized(8),
    ]
}
