//! Batteries in a Sol-Ark setting: "CAN Bus Protocol for 48Vdc Battery-Inverter Communications" V1.3 (2023-01-20).
//!
//! Pylontech's frames, every one of eight bytes with zeros in the reserved ones, the voltage in tenths, and one stream
//! for all packs.

use super::bytes::{frame, text, unsigned};
use super::pylontech::{Forced, alarms, limits, measurements, requests, state};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::report::Report;

/// The dialect.
pub(super) static SOL_ARK: Dialect = Dialect { name: "sol_ark", voltage_step_v: 0.1, encode, ..COMMON };

fn encode(report: &Report) -> Vec<Frame> {
    [
        frame(0x359, &alarms(report)),
        frame(0x351, &limits(report)),
        frame(0x355, &state(report)),
        frame(0x356, &measurements(report, 0.1)),
        frame(0x35C, &[requests(report, Forced::SolArk)]),
        frame(0x35E, &text(&report.manufacturer, 0, b' ')),
        frame(0x379, &unsigned(report.installed_ah, 1.0)),
    ]
    .map(|frame| frame.resized(8))
    .to_vec()
}
