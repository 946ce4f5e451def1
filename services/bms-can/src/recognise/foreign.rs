//! Traffic that is known and is no dialect of ours, so that a user is told what it is. A dialect that gets a file of its
//! own leaves this list.

use crate::protocols::Traffic;

/// A kind of traffic.
pub(super) struct Foreign {
    /// What it is.
    pub(super) what: &'static str,
    /// The evidence in words.
    pub(super) says: &'static str,
    /// Whether the traffic is of it.
    holds: fn(&Traffic) -> bool,
}

/// Which kind it is, if any.
pub(super) fn recognise(traffic: &Traffic) -> Option<&'static Foreign> {
    KINDS.iter().find(|kind| (kind.holds)(traffic))
}

const KINDS: &[Foreign] = &[
    // mr-manuel/venus-os_dbus-serialbattery: bms/ubms_can.py. Its cell voltages use 0x350 to 0x365.
    Foreign {
        what: "a Valence U-BMS",
        says: "0x0C0 and 0x180 come together",
        holds: |t| t.has(0x0C0) && t.has(0x180),
    },
    // mr-manuel/venus-os_dbus-serialbattery: bms/jkbms_can.py.
    Foreign {
        what: "a JK BMS in its own protocol",
        says: "0x2F4 and 0x4F4 come together",
        holds: |t| t.has(0x2F4) && t.has(0x4F4),
    },
    // mr-manuel/venus-os_dbus-serialbattery: bms/daly_can.py. Replies are 0x18 CC 40 aa.
    Foreign {
        what: "a Daly BMS",
        says: "there are replies 0x18xx40xx",
        holds: |t| t.has_any(|id| id.is_extended() && id.number() & 0xFF00_FF00 == 0x1800_4000),
    },
    // RV-C, DC_SOURCE_STATUS_1.
    Foreign {
        what: "an RV-C battery",
        says: "there is the DC source status 0x19FFFDxx",
        holds: |t| t.has_any(|id| id.is_extended() && id.number() & 0x1FFF_FF00 == 0x19FF_FD00),
    },
    // Pylontech, CAN bus protocol high voltage: answers to 0x4200 are 0x4210 + address and on.
    Foreign {
        what: "a Pylontech high-voltage battery",
        says: "0x421x and 0x422x come together",
        holds: |t| {
            let group = |base| t.has_any(|id| id.is_extended() && id.number() & 0x1FFF_FFF0 == base);
            group(0x4210) && group(0x4220)
        },
    },
];
