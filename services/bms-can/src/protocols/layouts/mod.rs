//! Byte layouts that several dialects share, one file per kind of message. Tables: Pylontech "CAN bus protocol low
//! voltage" V1.2 and V1.3; SMA "technical information on external batteries" (FSS-ConnectingBat) for 0x355 and 0x35A;
//! Victron's CAN-bus BMS frames 0x370 to 0x382 as collected in broglep/pylontech-victron-bms-canbus-reader.

pub(super) mod bits;
pub(super) mod cells;
pub(super) mod counts;
pub(super) mod labels;
pub(super) mod limits;
pub(super) mod measurements;
pub(super) mod pairs;
pub(super) mod protection;
pub(super) mod requests;
pub(super) mod soc;
pub(super) mod words;
