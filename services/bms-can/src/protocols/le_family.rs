//! What the little-endian 0x351 family has in common. A dialect's own file states only how it differs.

use super::layouts::{cells, counts, labels, limits, measurements, pairs, soc};
use super::payload::Order;
use super::{Profile, Row, row};

/// 500 kbit/s in all of them.
pub(super) const BIT_RATE: u32 = 500_000;

/// 24 V and 48 V banks, deeply discharged to overcharged; voltages in steps of 0.01 V.
pub(super) const PROFILE: Profile = Profile {
    order: Order::Little,
    voltage_steps: 100.0,
    pack_v: (16.0, 65.0),
    charge_v: (16.0, 65.0),
    has_no_value_marks: false,
};

/// The frames that all of the Victron kind have, with the alarms in pairs.
pub(super) const PAIRS_SET: &[Row] = &[
    row(0x305, counts::INVERTER_ALIVE, &[0; 8]),
    row(0x351, limits::LIMITS, &[0; 8]),
    row(0x355, soc::SOC, &[0; 6]),
    row(0x356, measurements::MEASUREMENTS, &[0; 6]),
    row(0x35A, pairs::ALARMS, &[0; 8]),
    row(0x35E, labels::MANUFACTURER, &[0; 8]),
    row(0x35F, counts::BATTERY_INFO, &[0; 8]),
];

/// The model's name.
pub(super) const MODEL: &[Row] =
    &[row(0x370, labels::MODEL_PART_1, &[0; 8]), row(0x371, labels::MODEL_PART_2, &[0; 8])];

/// What Victron's set has beyond: Pylontech clones send it too, and a GX device names itself in 0x307 to all.
pub(super) const EXTRAS: &[Row] = &[
    row(0x307, labels::INVERTER_ID, &[0; 8]),
    row(0x372, counts::MODULES, &[0; 8]),
    row(0x373, cells::CELL_EXTREMES, &[0; 8]),
    row(0x374, labels::MIN_VOLTAGE_CELL_ID, &[0; 8]),
    row(0x375, labels::MAX_VOLTAGE_CELL_ID, &[0; 8]),
    row(0x376, labels::MIN_TEMPERATURE_CELL_ID, &[0; 8]),
    row(0x377, labels::MAX_TEMPERATURE_CELL_ID, &[0; 8]),
    row(0x378, counts::ENERGY, &[0; 8]),
    row(0x379, counts::INSTALLED_CAPACITY, &[0; 8]),
    row(0x380, labels::SERIAL_PART_1, &[0; 8]),
    row(0x381, labels::SERIAL_PART_2, &[0; 8]),
    row(0x382, labels::FAMILY, &[0; 8]),
];

/// Cell extremes in 0x370 and 0x371, where other makers have the model's name.
pub(super) const CELLS_IN_370: &[Row] =
    &[row(0x370, cells::EXTREMES, &[0; 8]), row(0x371, cells::EXTREME_LOCATIONS, &[0; 8])];
