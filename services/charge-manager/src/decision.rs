//! What was decided, and all that there is to show of it.

use crate::alarms::Alarms;
use crate::followers::Stage;
use crate::history::History;
use crate::limit::Limit;
use crate::membership::Standing;
use crate::name::Name;
use crate::notes::Note;
use crate::reasons::Reason;
use crate::state::{Because, State};

/// What may flow. None before there is anything to decide with: no licence.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Charge voltage, V; never 0.
    pub charge_voltage_v: Option<f64>,
    /// Charge current, A.
    pub charge_current_a: Option<f64>,
    /// Discharge current, A, positive.
    pub discharge_current_a: Option<f64>,
}

/// The share of one follower.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Bus name.
    pub service: Name,
    /// What people call it.
    pub label: Name,
    /// What it may take.
    pub limits: Limits,
    /// What it takes, A, positive while charging.
    pub taken_a: Option<f64>,
    /// It takes more than it may, and counts as one that nobody controls.
    pub disobeys: bool,
    /// It is to be stopped in the way of its bus.
    pub stop: bool,
}

/// One limit with its reason.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explained {
    /// Why it is what it is, exactly and now.
    pub reason: Reason,
    /// The words to show: they change at most six times a minute.
    pub words: String,
    /// Every limiter that was asked, the least first.
    pub limiters: Vec<Limit>,
}

/// A battery of the bus and what it is to the bank.
#[derive(Debug, Clone, PartialEq)]
pub struct BatteryView {
    /// Bus name.
    pub service: Name,
    /// What people call it.
    pub label: Name,
    /// What it is to the bank.
    pub standing: Standing,
    /// Its part of the current, 0 to 1; 0 outside the bank.
    pub share: f64,
    /// Its own processed limits, A; 0 outside the bank.
    pub charge_a: f64,
    /// The same for discharging, A.
    pub discharge_a: f64,
}

/// The bank as one battery.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// Voltage of the busbar, V.
    pub voltage_v: Option<f64>,
    /// Current, A, positive while charging.
    pub current_a: Option<f64>,
    /// Temperature for the chargers' sense: the one nearest to a limit, °C.
    pub temperature_c: Option<f64>,
    /// State of charge, %.
    pub soc: Option<f64>,
    /// State of health, %.
    pub soh: Option<f64>,
    /// Installed capacity of the members, Ah.
    pub installed_ah: f64,
    /// Charge that is left, Ah.
    pub remaining_ah: Option<f64>,
    /// Seconds until the floor at the present current.
    pub time_to_go_s: Option<f64>,
    /// Highest cell: voltage in V, battery and cell.
    pub highest_cell: Option<(f64, String)>,
    /// Lowest cell: voltage in V, battery and cell.
    pub lowest_cell: Option<(f64, String)>,
    /// Coldest temperature: °C, battery and sensor.
    pub coldest: Option<(f64, String)>,
    /// Hottest temperature: °C, battery and sensor.
    pub hottest: Option<(f64, String)>,
    /// Cells in series of the members, the least.
    pub cells_in_series: Option<u32>,
    /// Members in the bank.
    pub online: u32,
    /// Batteries that should be in the bank and are not.
    pub offline: u32,
    /// Members that do not let charge current through.
    pub blocking_charge: u32,
    /// Members that do not let discharge current through.
    pub blocking_discharge: u32,
    /// A cell of a member is balancing.
    pub balancing: Option<bool>,
    /// Members that do not tell their state of charge.
    pub without_soc: Vec<Name>,
}

/// The decision of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// State of the bank.
    pub state: State,
    /// Why it is in that state.
    pub because: Because,
    /// The limits of the bank.
    pub bank: Limits,
    /// What systemcalc may spend: `/Info/*`.
    pub dvcc: Limits,
    /// Lowest voltage of the bank under load, V.
    pub low_voltage_v: Option<f64>,
    /// The share of each follower.
    pub shares: Vec<Share>,
    /// Why the charge current is what it is.
    pub charge: Explained,
    /// Why the discharge current is what it is.
    pub discharge: Explained,
    /// Why the charge voltage is what it is.
    pub voltage: Explained,
    /// The state, in words that change at most six times a minute.
    pub mode: String,
    /// The bank asks to be charged now.
    pub charge_request: bool,
    /// The bank asks for a full charge.
    pub full_charge_request: bool,
    /// Chargers on alternating current are wanted.
    pub ac_wanted: bool,
    /// Alarms of the bank.
    pub alarms: Alarms,
    /// What else the user should know.
    pub notes: Vec<Note>,
    /// The battery services whose limits are inside the decision.
    pub members: Vec<Name>,
    /// Every battery and what it is to the bank.
    pub batteries: Vec<BatteryView>,
    /// The bank as one battery.
    pub picture: Picture,
    /// What flows into the bank that nobody controls, A.
    pub uncontrolled_a: f64,
    /// What is done against a charger that does not obey.
    pub stage: Stage,
    /// The contactor may be opened: nothing else stops a charger, and the user wants it so.
    pub open_contactor: bool,
    /// Became full in this tick: worth storing.
    pub became_full: bool,
    /// The counters.
    pub history: History,
}
