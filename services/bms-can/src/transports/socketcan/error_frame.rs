//! Error frames: what the CAN controller reports through the socket besides frames of the bus. Source:
//! `include/uapi/linux/can/error.h` of Linux.

use std::fmt;

use crate::link_health::BusState;

/// What an error frame says: often several things at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErrorFrame {
    /// `CAN_ERR_TX_TIMEOUT`: the adapter did not get a frame sent.
    pub tx_timeout: bool,
    /// `CAN_ERR_LOSTARB`: another node was faster. Normal.
    pub lost_arbitration: bool,
    /// `CAN_ERR_CRTL`.
    pub controller: ControllerReport,
    /// `CAN_ERR_PROT`: a frame was no frame.
    pub violation: Option<Violation>,
    /// `CAN_ERR_TRX`: what the transceiver says about the wires.
    pub wires: Option<Wires>,
    /// `CAN_ERR_ACK`: nobody acknowledged a frame of ours.
    pub not_acknowledged: bool,
    /// `CAN_ERR_BUSOFF`: the controller has left the bus.
    pub bus_off: bool,
    /// `CAN_ERR_BUSERROR`: an error on the bus, often with a violation.
    pub bus_error: bool,
    /// `CAN_ERR_RESTARTED`: the controller is back.
    pub restarted: bool,
    /// `CAN_ERR_CNT`: transmit and receive error counters.
    pub counters: Option<(u8, u8)>,
}

/// `data[1]`: what the controller says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ControllerReport {
    /// It has lost received frames.
    pub rx_overflow: bool,
    /// It has lost frames to send.
    pub tx_overflow: bool,
    /// The receive error counter is at 96 or more.
    pub rx_warning: bool,
    /// The transmit error counter is at 96 or more.
    pub tx_warning: bool,
    /// The receive error counter is at 128 or more.
    pub rx_passive: bool,
    /// The transmit error counter is at 128 or more.
    pub tx_passive: bool,
    /// It has recovered to error active.
    pub active: bool,
}

/// `data[2]` and `data[3]`: how a frame was broken, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Violation {
    kinds: u8,
    place: u8,
}

/// `data[4]`: a fault of the wires that the transceiver can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wires(u8);

const ERROR: u32 = 0x2000_0000;
/// `data[2]`, bit by bit. The last two bits tell no kind: 0x40 is an error that another node announces, 0x80 one that
/// happened while sending.
const KINDS: [&str; 6] = [
    "single bit",
    "frame format",
    "bit stuffing",
    "a dominant bit could not be sent",
    "a recessive bit could not be sent",
    "overload",
];
const ANNOUNCED: u8 = 0x40;
const WHILE_SENDING: u8 = 0x80;

impl ErrorFrame {
    /// From the identifier with its flags and the data, as they come from the socket; `None` if it is no error frame.
    #[must_use]
    pub fn from_raw(id: u32, data: [u8; 8]) -> Option<ErrorFrame> {
        if id & ERROR == 0 {
            return None;
        }
        let has = |class: u32| id & class != 0;
        let [_, controller, kinds, place, wires, _, tx, rx] = data;
        let controller =
            if has(0x04) { ControllerReport::from_bits(controller) } else { ControllerReport::default() };
        Some(ErrorFrame {
            tx_timeout: has(0x01),
            lost_arbitration: has(0x02),
            controller,
            violation: has(0x08).then_some(Violation { kinds, place }),
            wires: has(0x10).then_some(Wires(wires)),
            not_acknowledged: has(0x20),
            bus_off: has(0x40),
            bus_error: has(0x80),
            restarted: has(0x100),
            counters: has(0x200).then_some((tx, rx)),
        })
    }

    /// The state that the controller is in after it, if it says.
    #[must_use]
    pub fn state(&self) -> Option<BusState> {
        let c = &self.controller;
        if self.bus_off {
            Some(BusState::BusOff)
        } else if c.rx_passive || c.tx_passive {
            Some(BusState::Passive)
        } else if c.rx_warning || c.tx_warning {
            Some(BusState::Warning)
        } else {
            (c.active || self.restarted).then_some(BusState::Active)
        }
    }
}

impl ControllerReport {
    const fn from_bits(bits: u8) -> ControllerReport {
        ControllerReport {
            rx_overflow: bits & 0x01 != 0,
            tx_overflow: bits & 0x02 != 0,
            rx_warning: bits & 0x04 != 0,
            tx_warning: bits & 0x08 != 0,
            rx_passive: bits & 0x10 != 0,
            tx_passive: bits & 0x20 != 0,
            active: bits & 0x40 != 0,
        }
    }
}

impl Violation {
    /// Whether it happened to a frame that we were sending.
    #[must_use]
    pub const fn while_sending(self) -> bool {
        self.kinds & WHILE_SENDING != 0
    }

    /// Whether it is only the missing acknowledgement of a frame that was sent whole.
    #[must_use]
    pub const fn is_acknowledgement(self) -> bool {
        matches!(self.place, 0x19 | 0x1B)
    }

    /// Where in the frame, in words; empty where it is not told.
    #[must_use]
    pub const fn place(self) -> &'static str {
        match self.place {
            0x03 => "start of frame",
            0x02 | 0x06 | 0x07 | 0x0F | 0x0E => "identifier",
            0x04 | 0x0C => "remote bit",
            0x05 => "identifier extension bit",
            0x0D | 0x09 => "reserved bits",
            0x0B => "length",
            0x0A => "data",
            0x08 | 0x18 => "checksum",
            0x19 | 0x1B => "acknowledgement",
            0x1A => "end of frame",
            0x12 => "pause between frames",
            _ => "",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.kinds & ANNOUNCED != 0 {
            "error announced by another node"
        } else {
            "broken frame"
        })?;
        let kinds = KINDS.iter().enumerate().filter(|(bit, _)| self.kinds >> bit & 1 != 0);
        let details =
            kinds.map(|(_, kind)| *kind).chain(Some(self.place()).filter(|place| !place.is_empty()));
        for (n, detail) in details.enumerate() {
            write!(f, "{}{detail}", if n == 0 { ": " } else { ", " })?;
        }
        if self.while_sending() { f.write_str(", while sending") } else { Ok(()) }
    }
}

impl fmt::Display for Wires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = |code: u8| match code {
            4 => " is not connected",
            5 => " has battery voltage",
            6 => " has supply voltage",
            7 => " is shorted to ground",
            _ => "",
        };
        let (high, low) = (fault(self.0 & 0x0F), fault(self.0 >> 4));
        match (self.0 & 0xF0, high, low) {
            (0x80, ..) => f.write_str("CAN-H and CAN-L are shorted"),
            (_, "", "") => f.write_str("the transceiver reports a fault"),
            (_, high, "") => write!(f, "CAN-H{high}"),
            (_, "", low) => write!(f, "CAN-L{low}"),
            (_, high, low) => write!(f, "CAN-H{high}, CAN-L{low}"),
        }
    }
}

/// In words: `broken frame: bit stuffing, data; error counters 0 sending, 136 receiving`.
impl fmt::Display for ErrorFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.controller;
        let facts = [
            (self.bus_off, "bus-off: the controller has left the bus"),
            (self.restarted, "the controller is back on the bus"),
            (c.rx_passive || c.tx_passive, "error passive"),
            (c.rx_warning || c.tx_warning, "error warning"),
            (c.active, "error active again"),
            (self.not_acknowledged, "nobody acknowledges"),
            (self.tx_timeout, "a frame could not be sent"),
            (c.rx_overflow, "the adapter lost received frames"),
            (c.tx_overflow, "the adapter lost frames to send"),
            (self.lost_arbitration, "another node was faster"),
            (self.bus_error && self.violation.is_none(), "an error on the bus"),
        ];
        let mut separator = "";
        for (_, fact) in facts.iter().filter(|(holds, _)| *holds) {
            write!(f, "{separator}{fact}")?;
            separator = "; ";
        }
        if let Some(violation) = self.violation {
            write!(f, "{separator}{violation}")?;
            separator = "; ";
        }
        if let Some(wires) = self.wires {
            write!(f, "{separator}{wires}")?;
            separator = "; ";
        }
        if let Some((tx, rx)) = self.counters {
            write!(f, "{separator}error counters {tx} sending, {rx} receiving")?;
            separator = "; ";
        }
        if separator.is_empty() { f.write_str("an error of a kind that is not known") } else { Ok(()) }
    }
}
