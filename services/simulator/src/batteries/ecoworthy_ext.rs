//! Pylontech clones with cells in 0x370 and 0x371, and more of Victron's set behind: the frames, lengths and order of a
//! recorded pair of Eco-Worthy Cubix (`tests/captures/`); Seplos "CANBUS Protocol" V1.0 has the same 0x370 and 0x371.

use super::bytes::{frame, signed, unsigned, words};
use super::pylontech::{frames, limits};
use super::victron::{cells, info};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::report::{Place, Report};

/// The dialect.
pub(super) static ECOWORTHY_EXT: Dialect =
    Dialect { name: "ecoworthy_ext", manufacturer: "PYLON", encode, ..COMMON };

fn encode(report: &Report) -> Vec<Frame> {
    let mut frames = frames(report, &limits(report));
    frames.sort_by_key(|frame| frame.id);
    frames.push(frame(0x35F, &info(report, [0, 0], 0.0)));
    frames.extend(cells_in_370(report));
    frames.extend(cells(report));
    frames.push(frame(0x379, &unsigned(report.installed_ah, 1.0)));
    frames.into_iter().map(|frame| frame.resized(8)).collect()
}

/// 0x370: hottest and coldest 0.1 °C, highest and lowest cell 1 mV. 0x371: their places, cell and module from 1.
pub(crate) fn cells_in_370(report: &Report) -> Vec<Frame> {
    let (Some(volts), Some(celsius)) = (report.cells_v, report.cells_c) else { return Vec::new() };
    let place = |at: Place| [at.cell.saturating_add(1), at.module.saturating_add(1)];
    let values = [
        signed(celsius.high, 0.1),
        signed(celsius.low, 0.1),
        unsigned(volts.high, 0.001),
        unsigned(volts.low, 0.001),
    ];
    let places = [celsius.high_at, celsius.low_at, volts.high_at, volts.low_at].map(place);
    vec![frame(0x370, &words(values)), frame(0x371, &words(places))]
}
