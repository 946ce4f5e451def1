//! What the decision is made from: batteries, inverters and what is around them, at one moment. No bus types, no clock.
//!
//! Current is positive into the battery everywhere. Nothing here need make sense: `validate` judges it.

use std::time::Duration;

use crate::alarms::Alarms;
use crate::name::Name;
use crate::settings::Source;

/// The moment of a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// A clock that nobody sets, from any origin.
    pub monotonic: Duration,
    /// The clock on the wall, where it is known.
    pub wall: Option<Wall>,
}

/// The clock on the wall. Anybody may set it to anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// Seconds since 1970, UTC.
    pub unix_s: i64,
    /// What local time is ahead of UTC, in seconds.
    pub utc_offset_s: i32,
}

impl Wall {
    fn local_s(self) -> i64 {
        self.unix_s.saturating_add(i64::from(self.utc_offset_s))
    }

    /// Minute of the local day, 0 to 1439.
    #[must_use]
    pub fn minute(self) -> u16 {
        u16::try_from(self.local_s().rem_euclid(86_400) / 60).unwrap_or(0)
    }

    /// Local day of the week, 0 for Monday.
    #[must_use]
    pub fn weekday(self) -> usize {
        // 1970 began on a Thursday.
        usize::try_from((self.local_s().div_euclid(86_400)).rem_euclid(7) + 3).unwrap_or(0) % 7
    }
}

/// One battery service as it is on the bus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Battery {
    /// Bus name: the key of its memory.
    pub service: Name,
    /// What people call it.
    pub label: Name,
    /// When its newest data came, on the monotonic clock. Data of the same moment are the same data.
    pub at: Duration,
    /// `/Connected`.
    pub connected: bool,
    /// Pack voltage, V.
    pub voltage_v: Option<f64>,
    /// Pack current, A.
    pub current_a: Option<f64>,
    /// State of charge, %.
    pub soc_percent: Option<f64>,
    /// State of health, %.
    pub soh_percent: Option<f64>,
    /// Installed capacity, Ah.
    pub capacity_ah: Option<f64>,
    /// Cells in series.
    pub cells_in_series: Option<u32>,
    /// Each cell, V; empty when the battery shows its extremes only.
    pub cells_v: Vec<Option<f64>>,
    /// Highest cell, V.
    pub highest_cell_v: Option<f64>,
    /// Which one that is.
    pub highest_cell_id: Option<Name>,
    /// Lowest cell, V.
    pub lowest_cell_v: Option<f64>,
    /// Which one that is.
    pub lowest_cell_id: Option<Name>,
    /// Every temperature of the cells.
    pub temperatures: Vec<Probe>,
    /// Temperature of the BMS's electronics, °C.
    pub mosfet_c: Option<f64>,
    /// What its BMS allows.
    pub limits: BmsLimits,
    /// The BMS lets charge current through.
    pub may_charge: Option<bool>,
    /// The BMS lets discharge current through.
    pub may_discharge: Option<bool>,
    /// The BMS asks to be charged now.
    pub asks_for_charge: bool,
    /// The BMS asks for a full charge.
    pub asks_for_full_charge: bool,
    /// A cell is balancing.
    pub balancing: Option<bool>,
    /// It can give way to the manager: a battery of ours, or one whose limits are not on `/Info`.
    pub gives_way: bool,
    /// Device instance.
    pub instance: Option<i32>,
    /// What it warns of.
    pub alarms: Alarms,
}

/// One temperature sensor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Probe {
    /// What it measures.
    pub name: Name,
    /// Its reading, °C.
    pub celsius: Option<f64>,
}

/// The raw limits of a BMS.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BmsLimits {
    /// CVL, V.
    pub charge_voltage_v: Option<f64>,
    /// CCL, A.
    pub charge_current_a: Option<f64>,
    /// DCL, A, positive.
    pub discharge_current_a: Option<f64>,
    /// DVL, V.
    pub low_voltage_v: Option<f64>,
}

/// How a device comes by its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Reads its row of `/Share`.
    Follower,
    /// Victron's, which systemcalc tells.
    Victron,
    /// Nobody tells it anything.
    NonFollower,
}

/// One inverter or charger on the busbar.
#[derive(Debug, Clone, PartialEq)]
pub struct Inverter {
    /// Bus name: the key of its memory.
    pub service: Name,
    /// What people call it.
    pub label: Name,
    /// How it comes by its limits.
    pub class: Class,
    /// When its newest data came, on the monotonic clock.
    pub at: Duration,
    /// Current that it pushes into the bank; negative when it draws, A.
    pub current_a: Option<f64>,
    /// Largest current that it can push, A.
    pub charge_rating_a: Option<f64>,
    /// Largest current that it can draw, A; 0 for a charger.
    pub discharge_rating_a: Option<f64>,
    /// How long it takes to follow a new limit, s. Victron 5, SMA 12, Pylontech family 5, Modbus three polls and 5.
    pub response_s: f64,
    /// Step of the charge current that it can be told, A; 0 for none.
    pub current_step_a: f64,
    /// It draws the battery down to a charge voltage below that of the pack, as SMA and Deye do.
    pub draws_down: bool,
    /// It measures the voltage itself, with an error of its own that a trim may take out.
    pub own_voltmeter: bool,
    /// What it gets its power from, where that is alternating current.
    pub from_ac: bool,
}

/// What is around the batteries beside inverters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Site {
    /// DVCC is on; none where there is no systemcalc.
    pub dvcc: Option<bool>,
    /// Excess of solar current may be fed into the grid: MPPTs then ignore their current limit.
    pub dc_feed_in: bool,
    /// `/Settings/SystemSetup/MaxChargeCurrent`, A; negative for none.
    pub system_charge_current_a: Option<f64>,
    /// `/Settings/SystemSetup/MaxChargeVoltage`, V; 0 for none.
    pub system_charge_voltage_v: Option<f64>,
    /// Where AC chargers get their power at the moment; none for an island or when it is unknown.
    pub source: Option<Source>,
    /// The grid is there; none where that is unknown.
    pub grid: Option<bool>,
    /// Instance of `battery.busbar`.
    pub own_instance: Option<i32>,
    /// The user asks for a full charge.
    pub wants_full_charge: bool,
    /// The user asks for balancing after the next absorption.
    pub wants_balance: bool,
    /// The user asks for an equalisation after the next absorption.
    pub wants_equalisation: bool,
    /// The user asks to be charged now.
    pub wants_charge: bool,
}

/// Everything that carries current and is no battery, and what is around it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inverters {
    /// Inverters and chargers.
    pub devices: Vec<Inverter>,
    /// The rest.
    pub site: Site,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_is_utc_and_the_offset_and_the_week_begins_on_monday() {
        // 2026-11-16 was a Monday; 23:30 UTC.
        let wall = Wall { unix_s: 1_794_871_800, utc_offset_s: 0 };
        assert_eq!((wall.minute(), wall.weekday()), (23 * 60 + 30, 0));
        let east = Wall { utc_offset_s: 3_600, ..wall };
        assert_eq!((east.minute(), east.weekday()), (30, 1));
        let far = Wall { unix_s: i64::MIN, utc_offset_s: i32::MIN };
        assert!(far.minute() < 1_440 && far.weekday() < 7);
    }
}
