//! Pytes in its Victron mode, as hoylabs/OpenDTU-OnBattery reads it (src/battery/pytes/Provider.cpp): the Victron set
//! without cycles in 0x356, a charge request in 0x360, a maker's name of five bytes.

use super::bytes::frame;
use super::pylontech::{limits, measurements};
use super::victron::{ONLINE, cells, fine_state, info, life, pairs};
use super::{COMMON, Dialect};
use crate::can::Frame;
use crate::plant::alarms::Alarm;
use crate::report::Report;

/// The dialect.
pub(super) static PYTES: Dialect = Dialect { name: "pytes", manufacturer: "PYTES", encode, ..COMMON };

const SUPPORTED: [Alarm; 10] = [
    Alarm::HighVoltage,
    Alarm::LowVoltage,
    Alarm::HighTemperature,
    Alarm::LowTemperature,
    Alarm::HighTemperatureCharging,
    Alarm::LowTemperatureCharging,
    Alarm::DischargeCurrent,
    Alarm::ChargeCurrent,
    Alarm::Internal,
    Alarm::Imbalance,
];

fn encode(report: &Report) -> Vec<Frame> {
    let asked = report.requests;
    let at_once = if asked.force_charge_1 || asked.force_charge_2 { 0xFF } else { 0 };
    let mut frames = vec![
        frame(0x351, &limits(report)),
        frame(0x355, &fine_state(report)),
        frame(0x356, &measurements(report, 0.01)),
        frame(0x35A, &pairs(report, &SUPPORTED, ONLINE)),
        frame(0x35E, report.manufacturer.as_bytes()),
        frame(0x35F, &info(report, [0, 0], report.remaining_ah)),
        frame(0x360, &[at_once]),
    ];
    frames.extend(cells(report));
    frames.extend(life(report));
    frames
}
