//! What one inverter contributes to a system, and what a system is: powers by the lines of the house.

/// What is measured at one line of one side. Power is positive from an input and positive to the loads.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Line {
    /// V.
    pub(crate) voltage: Option<f64>,
    /// A.
    pub(crate) current: Option<f64>,
    /// W.
    pub(crate) power: Option<f64>,
    /// Hz.
    pub(crate) frequency: Option<f64>,
    /// VA.
    pub(crate) apparent: Option<f64>,
}

/// One side: its lines by the lines of the house, and the power of all. A line that is not there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Side {
    /// The lines.
    pub(crate) lines: [Option<Line>; 3],
    /// W.
    pub(crate) power: Option<f64>,
}

/// The way of running, among what a system passes on.
pub(crate) const MODE: &str = "mode";
/// The power of those ways of running that have one.
pub(crate) const POWER: &str = "power";

/// A set point that a system passes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SetPoint {
    /// Its name in the profiles.
    pub(crate) name: &'static str,
    /// What the device has.
    pub(crate) value: Option<f64>,
    /// What it takes at least.
    pub(crate) min: f64,
    /// And at most.
    pub(crate) max: f64,
}

/// An inverter, or several as one. Without a value: nobody can say it now.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Part {
    /// It was heard not long ago.
    pub(crate) is_there: bool,
    /// From the grid.
    pub(crate) input: Side,
    /// To the loads.
    pub(crate) output: Side,
    /// From a generator at an input of its own.
    pub(crate) generator: Option<Side>,
    /// `/Ac/In/1/Type`.
    pub(crate) input_type: i32,
    /// `/Ac/ActiveIn/ActiveInput`.
    pub(crate) active_input: Option<i32>,
    /// Rated power, W.
    pub(crate) rated: Option<f64>,
    /// V.
    pub(crate) battery_voltage: Option<f64>,
    /// A, into the battery.
    pub(crate) battery_current: Option<f64>,
    /// W, into the battery.
    pub(crate) battery_power: Option<f64>,
    /// Its state of charge counts for the system.
    pub(crate) is_soc_source: bool,
    /// %, where it counts.
    pub(crate) soc: Option<f64>,
    /// `/State`.
    pub(crate) state: Option<i32>,
    /// Switched on.
    pub(crate) is_on: Option<bool>,
    /// As [`ALARMS`](dbus_interfaces::classes::multi::ALARMS).
    pub(crate) alarms: [Option<i32>; 10],
    /// The grid is lost.
    pub(crate) grid_lost: Option<i32>,
    /// It can never feed in.
    pub(crate) is_offgrid: bool,
    /// The battery is forced to a power.
    pub(crate) is_power_forced: bool,
    /// What can be set at it.
    pub(crate) set_points: Vec<SetPoint>,
    /// The ways of running that it can be set to, as `/Control/Mode` has them.
    pub(crate) modes: Vec<i32>,
    /// The one in force.
    pub(crate) mode: Option<i32>,
    /// What the last wish came to, in words.
    pub(crate) result: String,
}

impl Side {
    /// The number of its lines.
    pub(crate) fn count(&self) -> i32 {
        self.lines.iter().flatten().map(|_| 1).sum()
    }
}
