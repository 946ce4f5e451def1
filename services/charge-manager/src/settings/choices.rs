//! What can be chosen from a few.

/// What a service is to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// As its items tell: with limits a member, without them the monitor.
    #[default]
    Automatic,
    /// A battery of the bank.
    Member,
    /// A shunt that measures the whole bank.
    Monitor,
    /// Nothing to this bank.
    Ignore,
}

/// What is done when a member is lost whose cells may still carry current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostMember {
    /// The others go on with limits of their own.
    Exclude,
    /// The whole bank stops.
    StopBank,
}

/// What the discharge floor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloorAction {
    /// Ends the discharge.
    #[default]
    Limit,
    /// Raises the alarm only.
    AlarmOnly,
}

/// What is done without any temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoTemperature {
    /// Charges as at the assumed temperature.
    #[default]
    Assume,
    /// Does not charge.
    Forbid,
    /// Charges as at 25 °C.
    Release,
}

/// Where the state of charge of the bank comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SocSource {
    /// The members; without one that knows, the monitor; without that, the own counter.
    #[default]
    Automatic,
    /// The monitor of the bank, and the own counter without it.
    Monitor,
    /// The own counter.
    Counter,
}

/// Where a charger on alternating current gets its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The public grid.
    Grid,
    /// A generator.
    Generator,
}

/// A time in which charging from a source is allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// From which source.
    pub source: Source,
    /// Days of the week, Monday first.
    pub days: [bool; 7],
    /// First minute of the day, 0 to 1439.
    pub from_min: u16,
    /// Minute of the day that no longer belongs to it; not after `from_min`: that of the next day.
    pub until_min: u16,
    /// Charge current, A.
    pub current_a: f64,
    /// State of charge at which it ends, %.
    pub until_soc: f64,
}
