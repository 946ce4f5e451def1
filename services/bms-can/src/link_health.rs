//! How the CAN bus itself is, apart from what batteries say on it: for the bus items below `/Can` and for the log.

use std::fmt;

use dbus_interfaces::Update;
use dbus_interfaces::classes::battery as b;

/// What a link knows about its bus. `None` is what its adapter does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkHealth {
    /// State of the CAN controller.
    pub state: Option<BusState>,
    /// Its transmit error counter, 0 to 256.
    pub tx_errors: Option<u16>,
    /// Its receive error counter, 0 to 256.
    pub rx_errors: Option<u16>,
    /// Frames that were received and lost before this process read them, since the link was opened; with slcan, how
    /// often the adapter has reported a loss.
    pub overflows: Option<u32>,
    /// Frames of ours that were not taken for sending, since the process started.
    pub tx_dropped: Option<u32>,
    /// Bits per second.
    pub bit_rate: Option<u32>,
    /// How much of the bus is in use, per cent, without stuff bits.
    pub load_pct: Option<u8>,
    /// What is wrong and what helps, in words; `None` while nothing is.
    pub trouble: Option<String>,
}

/// State of a CAN controller: the numbers of Linux (`enum can_state` in `linux/can/netlink.h`), and one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum BusState {
    /// Takes part in everything (ISO 11898-1).
    Active = 0,
    /// An error counter is at 96 or more.
    Warning = 1,
    /// An error counter is at 128 or more: no longer disturbs frames that it takes for wrong.
    Passive = 2,
    /// The transmit error counter went over 255: takes part in nothing until it is restarted.
    BusOff = 3,
    /// The interface is down.
    Stopped = 4,
    /// The controller sleeps.
    Sleeping = 5,
    /// There is no adapter.
    NoAdapter = 6,
}

impl BusState {
    /// From Linux's number.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<BusState> {
        Some(match number {
            0 => BusState::Active,
            1 => BusState::Warning,
            2 => BusState::Passive,
            3 => BusState::BusOff,
            4 => BusState::Stopped,
            5 => BusState::Sleeping,
            _ => return None,
        })
    }

    /// The state that goes with these error counters (ISO 11898-1, fault confinement).
    #[must_use]
    pub const fn of_counters(tx: u16, rx: u16) -> BusState {
        match (tx, rx) {
            (256.., _) => BusState::BusOff,
            (128.., _) | (_, 128..) => BusState::Passive,
            (96.., _) | (_, 96..) => BusState::Warning,
            _ => BusState::Active,
        }
    }
}

impl fmt::Display for BusState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BusState::Active => "error active",
            BusState::Warning => "error warning",
            BusState::Passive => "error passive",
            BusState::BusOff => "bus-off",
            BusState::Stopped => "stopped",
            BusState::Sleeping => "sleeping",
            BusState::NoAdapter => "no adapter",
        })
    }
}

impl LinkHealth {
    /// What there is to say while the link does not stand, because of `trouble`.
    #[must_use]
    pub fn without(state: BusState, trouble: String, tx_dropped: Option<u32>) -> LinkHealth {
        LinkHealth { state: Some(state), trouble: Some(trouble), tx_dropped, ..LinkHealth::default() }
    }

    /// Sets the items below `/Can`.
    pub fn update(&self, tx: &mut Update<'_>) {
        // A counter beyond the item's type has long said what it has to say.
        let count = |n: Option<u32>| n.map(|n| i32::try_from(n).unwrap_or(i32::MAX));
        tx.set(b::CAN_STATE, self.state.map(|state| state as i32))
            .set(b::CAN_TX_ERRORS, self.tx_errors.map(i32::from))
            .set(b::CAN_RX_ERRORS, self.rx_errors.map(i32::from))
            .set(b::CAN_OVERFLOWS, count(self.overflows))
            .set(b::CAN_TX_DROPPED, count(self.tx_dropped))
            .set(b::CAN_BIT_RATE, count(self.bit_rate))
            .set(b::CAN_LOAD, self.load_pct.map(i32::from))
            .set(b::CAN_TROUBLE, self.trouble.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_linux_and_the_words_on_the_bus_those_of_the_log() {
        for number in 0..=5 {
            assert_eq!(BusState::from_number(number).map(|state| state as u32), Some(number));
        }
        assert_eq!(BusState::from_number(6), None, "Linux has no such state");
        for state in
            [0, 1, 2, 3, 4, 5].into_iter().filter_map(BusState::from_number).chain([BusState::NoAdapter])
        {
            let value = dbus_interfaces::Value::Int(state as i32);
            assert_eq!(b::CAN_STATE.spec().text.of(Some(&value)), state.to_string());
        }
    }

    #[test]
    fn counters_mean_states() {
        assert_eq!(BusState::of_counters(95, 95), BusState::Active);
        assert_eq!(BusState::of_counters(0, 96), BusState::Warning);
        assert_eq!(BusState::of_counters(127, 0), BusState::Warning);
        assert_eq!(BusState::of_counters(128, 0), BusState::Passive);
        assert_eq!(BusState::of_counters(255, 255), BusState::Passive);
        assert_eq!(BusState::of_counters(256, 0), BusState::BusOff);
    }
}
