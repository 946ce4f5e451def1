//! What the user should know beside the limits: what is assumed, what is broken, what is set up wrongly. With its remedy.

use std::fmt;

use crate::name::Name;

/// One thing to know. Logged when it comes and when it goes, shown as long as it lasts.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The cells in series are inferred.
    CellsAssumed {
        /// Which battery.
        who: Name,
        /// How many.
        cells: u32,
    },
    /// The capacity is a guess.
    CapacityAssumed {
        /// Which battery.
        who: Name,
        /// Ah.
        capacity_ah: f64,
    },
    /// A battery gives no temperature.
    NoTemperature {
        /// Which battery.
        who: Name,
        /// What is assumed, °C; none for nothing.
        assumed_c: Option<f64>,
    },
    /// Sensors of one battery are far apart.
    SensorsDiffer {
        /// Which battery.
        who: Name,
        /// By how much, K.
        by_k: f64,
    },
    /// A sensor is not to be trusted.
    BadSensor {
        /// Which battery.
        who: Name,
        /// Which sensor.
        what: Name,
    },
    /// The data of a battery contradict each other.
    Contradiction {
        /// Which battery.
        who: Name,
        /// What does.
        what: &'static str,
    },
    /// A battery does not tell what it must.
    Incomplete {
        /// Which battery.
        who: Name,
        /// What is missing.
        what: &'static str,
    },
    /// A battery is silent or gone.
    Lost {
        /// Which battery.
        who: Name,
        /// The bank stops for it.
        stops: bool,
    },
    /// A battery is not connected to the busbar, or too far away to connect it.
    NotConnected {
        /// Which battery.
        who: Name,
        /// Its voltage less that of the busbar, V.
        by_v: f64,
        /// It may be connected now.
        may_close: bool,
    },
    /// Batteries in the bank at different voltages: it is not known which of them are connected.
    VoltagesDiffer {
        /// One that differs.
        who: Name,
    },
    /// A battery ends its charge by itself.
    OwnFloat {
        /// Which battery.
        who: Name,
    },
    /// Batteries that cannot be in one bank.
    WindowsApart {
        /// One of them.
        one: Name,
        /// The other.
        other: Name,
    },
    /// Several batteries without limits, and nobody said which one measures the bank.
    ManyShunts {
        /// The one that is taken.
        taken: Name,
    },
    /// The monitor and the sum of the members differ.
    MonitorDiffers {
        /// The monitor.
        who: Name,
        /// By how much, A.
        by_a: f64,
    },
    /// DVCC is off.
    DvccOff,
    /// A battery of another maker keeps its limits on the bus.
    OtherBms {
        /// Which one.
        who: Name,
    },
    /// A battery has a lower instance than the bank, so that systemcalc would choose it.
    LowerInstance {
        /// Which one.
        who: Name,
        /// Its instance.
        instance: i32,
    },
    /// Something takes more than it may.
    Overrun {
        /// What.
        who: Name,
    },
    /// Absorption ended by time, not by a full battery.
    AbsorptionTimedOut,
    /// A full charge is due.
    FullChargeDue {
        /// Days since the last one.
        days: f64,
    },
    /// Charging is forced, and impossible.
    ForcedInVain,
    /// The own counter of charge is uncertain.
    SocUncertain {
        /// By so much, %.
        by: f64,
    },
}

impl Note {
    /// Its id, the same in every version.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Note::CellsAssumed { .. } => "cells-assumed",
            Note::CapacityAssumed { .. } => "capacity-assumed",
            Note::NoTemperature { .. } => "no-temperature",
            Note::SensorsDiffer { .. } => "sensors-differ",
            Note::BadSensor { .. } => "bad-sensor",
            Note::Contradiction { .. } => "mismatch",
            Note::Incomplete { .. } => "incomplete",
            Note::Lost { .. } => "lost",
            Note::NotConnected { .. } => "not-connected",
            Note::VoltagesDiffer { .. } => "voltages-differ",
            Note::OwnFloat { .. } => "own-float",
            Note::WindowsApart { .. } => "windows-apart",
            Note::ManyShunts { .. } => "many-shunts",
            Note::MonitorDiffers { .. } => "monitor-differs",
            Note::DvccOff => "dvcc-off",
            Note::OtherBms { .. } => "multi-bms",
            Note::LowerInstance { .. } => "lower-instance",
            Note::Overrun { .. } => "overrun",
            Note::AbsorptionTimedOut => "absorption-timed-out",
            Note::FullChargeDue { .. } => "full-due",
            Note::ForcedInVain => "forced-in-vain",
            Note::SocUncertain { .. } => "soc-uncertain",
        }
    }

    /// Whom it is about; none for the bank. With the id it is what a log line is written once for.
    #[must_use]
    pub fn who(&self) -> Option<&Name> {
        match self {
            Note::CellsAssumed { who, .. }
            | Note::CapacityAssumed { who, .. }
            | Note::NoTemperature { who, .. }
            | Note::SensorsDiffer { who, .. }
            | Note::BadSensor { who, .. }
            | Note::Contradiction { who, .. }
            | Note::Incomplete { who, .. }
            | Note::Lost { who, .. }
            | Note::NotConnected { who, .. }
            | Note::VoltagesDiffer { who }
            | Note::OwnFloat { who }
            | Note::WindowsApart { one: who, .. }
            | Note::ManyShunts { taken: who }
            | Note::MonitorDiffers { who, .. }
            | Note::OtherBms { who }
            | Note::LowerInstance { who, .. }
            | Note::Overrun { who } => Some(who),
            Note::DvccOff
            | Note::AbsorptionTimedOut
            | Note::FullChargeDue { .. }
            | Note::ForcedInVain
            | Note::SocUncertain { .. } => None,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::CellsAssumed { who, cells } => {
                write!(
                    f,
                    "{who} does not tell how many cells it has; {cells} are assumed. Set CellsInSeries."
                )
            }
            Note::CapacityAssumed { who, capacity_ah } => {
                write!(
                    f,
                    "{who} does not tell its capacity; {capacity_ah:.0} Ah is assumed. Set AssumedCapacity."
                )
            }
            Note::NoTemperature { who, assumed_c: Some(assumed_c) } => {
                write!(f, "{who} gives no temperature; it is charged as at {assumed_c:.0} °C.")
            }
            Note::NoTemperature { who, assumed_c: None } => {
                write!(f, "{who} gives no temperature and is not charged without one.")
            }
            Note::SensorsDiffer { who, by_k } => {
                write!(f, "Temperatures of {who} are {by_k:.0} K apart; the worse one counts.")
            }
            Note::BadSensor { who, what } => {
                write!(f, "{what} of {who} is frozen or implausible; the battery is charged slowly.")
            }
            Note::Contradiction { who, what } => {
                write!(f, "Data of {who} contradict each other: {what}. It is charged slowly.")
            }
            Note::Incomplete { who, what } => write!(f, "{who} shows no {what}; the bank cannot use it."),
            Note::Lost { who, stops: true } => write!(
                f,
                "{who} is silent while its cells may carry current: the bank stops. Mend it, or set its role to ignore."
            ),
            Note::Lost { who, stops: false } => write!(f, "{who} is lost; the others go on without it."),
            Note::NotConnected { who, by_v, may_close: false } => {
                write!(
                    f,
                    "{who} is {by_v:+.2} V from the busbar and not connected; it must not be connected now."
                )
            }
            Note::NotConnected { who, by_v, may_close: true } => {
                write!(f, "{who} is {by_v:+.2} V from the busbar and not connected; it may be connected now.")
            }
            Note::VoltagesDiffer { who } => write!(
                f,
                "The voltage of {who} is not that of the others: each battery is treated as if it were alone."
            ),
            Note::OwnFloat { who } => write!(
                f,
                "{who} lowers its own charge voltage at the end of a charge: switch that off there (dbus-serialbattery: \
                 CVCM_ENABLE = False)."
            ),
            Note::WindowsApart { one, other } => write!(
                f,
                "{one} and {other} have no charge voltage in common and cannot be in one bank. Set the role of one to ignore."
            ),
            Note::ManyShunts { taken } => write!(
                f,
                "Several batteries show no limits; {taken} is taken as the monitor of the bank. Set their roles."
            ),
            Note::MonitorDiffers { who, by_a } => {
                write!(f, "{who} measures {by_a:+.0} A beside what the batteries measure together.")
            }
            Note::DvccOff => f.write_str(
                "DVCC is off: the limits reach no Victron device. Switch it on under Settings, DVCC.",
            ),
            Note::OtherBms { who } => write!(
                f,
                "{who} keeps its own limits on the bus, and systemcalc sees more than one BMS. Select the bank as \
                 controlling BMS under Settings, DVCC."
            ),
            Note::LowerInstance { who, instance } => write!(
                f,
                "{who} has the instance {instance}, below that of the bank: systemcalc may follow it instead. Give it a \
                 higher one or select the bank as controlling BMS."
            ),
            Note::Overrun { who } => {
                write!(f, "{who} takes more than its share and counts as a charger that nobody controls.")
            }
            Note::AbsorptionTimedOut => f.write_str("Absorption ended by time before the battery was full."),
            Note::FullChargeDue { days } => write!(f, "No full charge for {days:.0} days; one is due."),
            Note::ForcedInVain => f.write_str("Charging is forced, but nothing may charge the battery now."),
            Note::SocUncertain { by } => {
                write!(f, "The state of charge is uncertain by {by:.0} %; the floor allows for it.")
            }
        }
    }
}
