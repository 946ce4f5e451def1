//! What is probably wrong with a bus, from what its controller reports: the words that a user can act on.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::error_frame::{ErrorFrame, Wires};
use crate::link_health::BusState;

/// Older reports say nothing about now.
const RECENT: Duration = Duration::from_secs(10);
/// Fewer errors than this within that time happen on good buses too.
const TELLING: u32 = 3;

/// What was reported lately.
#[derive(Debug, Clone, Default)]
pub struct Symptoms {
    garbled: Recent,
    not_acknowledged: Recent,
    not_sent: Recent,
    overflow: Recent,
    lost: Recent,
    wires: Option<(Wires, Instant)>,
    heard: Option<Instant>,
}

/// What is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The controller has left the bus.
    BusOff,
    /// The transceiver knows better than all statistics.
    Wires(Wires),
    /// We send and nobody is there.
    NoPartner,
    /// Frames are broken.
    Garbled,
    /// The adapter does not keep up.
    AdapterLosesFrames,
    /// We do not.
    ReadTooLate,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::BusOff => f.write_str(
                "the controller has left the bus after too many errors (bus-off): check the bit rate, and CAN-H and \
                 CAN-L for a swap or a short",
            ),
            Cause::Wires(wires) => write!(f, "the transceiver reports the wiring: {wires}"),
            Cause::NoPartner => f.write_str(
                "nobody acknowledges: battery off, cable, another bit rate, or no 120 ohm at the ends of the bus",
            ),
            Cause::Garbled => f.write_str(
                "frames arrive broken: another bit rate on the bus, no 120 ohm at its ends (60 ohm between CAN-H and \
                 CAN-L), or wiring",
            ),
            Cause::AdapterLosesFrames => f.write_str("the adapter does not keep up and loses frames"),
            Cause::ReadTooLate => f.write_str("frames were lost because this machine was too busy to read them in time"),
        }
    }
}

impl Symptoms {
    /// A frame of the bus was received whole.
    pub fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// Whether any frame of the bus was received whole.
    #[must_use]
    pub fn has_heard(&self) -> bool {
        self.heard.is_some()
    }

    /// The controller has reported something.
    pub fn see(&mut self, error: &ErrorFrame, now: Instant) {
        let acknowledgement = error.violation.is_some_and(|violation| violation.is_acknowledgement());
        if error.not_acknowledged || acknowledgement {
            self.not_acknowledged.count(now);
        } else if error.violation.is_some() || error.bus_error {
            self.garbled.count(now);
        }
        if error.tx_timeout {
            self.not_sent.count(now);
        }
        if error.controller.rx_overflow || error.controller.tx_overflow {
            self.overflow.count(now);
        }
        if let Some(wires) = error.wires {
            self.wires = Some((wires, now));
        }
    }

    /// So many frames found the receive queue full.
    pub fn lost(&mut self, frames: u32, now: Instant) {
        (0..frames.min(TELLING)).for_each(|_| self.lost.count(now));
    }

    /// What is probably wrong with a bus whose controller is in `state` with these error counters (sending, receiving).
    #[must_use]
    pub fn cause(
        &self,
        state: Option<BusState>,
        counters: Option<(u16, u16)>,
        now: Instant,
    ) -> Option<Cause> {
        if let Some((wires, at)) = self.wires
            && now.duration_since(at) < RECENT
        {
            return Some(Cause::Wires(wires));
        }
        let is_alone = self.heard.is_none_or(|at| now.duration_since(at) >= RECENT);
        let (tx, rx) = counters.unwrap_or_default();
        let suffers = matches!(state, Some(BusState::Warning | BusState::Passive));
        if state == Some(BusState::BusOff) {
            Some(Cause::BusOff)
        } else if is_alone
            && (self.not_acknowledged.tells(now) || self.not_sent.tells(now) || suffers && tx > rx)
        {
            Some(Cause::NoPartner)
        } else if suffers || self.garbled.tells(now) || self.not_acknowledged.tells(now) {
            Some(Cause::Garbled)
        } else {
            let adapter = self.overflow.tells(now).then_some(Cause::AdapterLosesFrames);
            adapter.or_else(|| self.lost.tells(now).then_some(Cause::ReadTooLate))
        }
    }
}

/// How often something happened without a longer pause.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    last: Option<Instant>,
    times: u32,
}

impl Recent {
    fn count(&mut self, now: Instant) {
        if !self.is_recent(now) {
            self.times = 0;
        }
        self.times = self.times.saturating_add(1);
        self.last = Some(now);
    }

    fn is_recent(&self, now: Instant) -> bool {
        self.last.is_some_and(|last| now.duration_since(last) < RECENT)
    }

    fn tells(&self, now: Instant) -> bool {
        self.times >= TELLING && self.is_recent(now)
    }
}
