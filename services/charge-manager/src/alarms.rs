//! What a battery warns of, under the names that Venus has for it.

use serde::{Deserialize, Serialize};

/// How bad it is. The numbers are those on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Level {
    /// Nothing is wrong.
    #[default]
    Ok = 0,
    /// A warning.
    Warning = 1,
    /// An alarm, with the buzzer.
    Alarm = 2,
}

macro_rules! alarms {
    ($($(#[doc = $text:literal])+ $alarm:ident,)+) => {
        /// An alarm; its path is `/Alarms/` and its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Alarm {
            $($(#[doc = $text])+ $alarm,)+
        }

        impl Alarm {
            /// All of them.
            pub const ALL: &'static [Alarm] = &[$(Alarm::$alarm),+];

            /// The last part of its path.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Alarm::$alarm => stringify!($alarm),)+ }
            }
        }

        const COUNT: usize = [$(Alarm::$alarm),+].len();
    };
}

alarms! {
    /// Pack voltage low.
    LowVoltage,
    /// Pack voltage high.
    HighVoltage,
    /// A cell is low.
    LowCellVoltage,
    /// A cell is high.
    HighCellVoltage,
    /// State of charge low.
    LowSoc,
    /// Charge current high.
    HighChargeCurrent,
    /// Discharge current high.
    HighDischargeCurrent,
    /// Too hot.
    HighTemperature,
    /// Too cold.
    LowTemperature,
    /// Too hot to charge.
    HighChargeTemperature,
    /// Too cold to charge.
    LowChargeTemperature,
    /// Electronics too hot.
    HighInternalTemperature,
    /// Cells too far apart.
    CellImbalance,
    /// A failure inside a battery, or data that contradict each other.
    InternalFailure,
    /// No data from a battery.
    BmsCable,
    /// A contactor does not do what it is told.
    Contactor,
    /// A fuse is blown.
    FuseBlown,
    /// A temperature sensor is broken.
    BatteryTemperatureSensor,
    /// A battery of the bank is lost.
    ParallelBmsLost,
}

/// The level of every alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alarms([Level; COUNT]);

impl Alarms {
    /// The level of one.
    #[must_use]
    pub fn get(&self, alarm: Alarm) -> Level {
        self.0.get(alarm as usize).copied().unwrap_or_default()
    }

    /// Raises one to at least this level.
    pub fn raise(&mut self, alarm: Alarm, level: Level) {
        if let Some(slot) = self.0.get_mut(alarm as usize) {
            *slot = (*slot).max(level);
        }
    }

    /// Takes the worse of both for each.
    pub fn merge(&mut self, other: &Alarms) {
        for (slot, theirs) in self.0.iter_mut().zip(other.0) {
            *slot = (*slot).max(theirs);
        }
    }

    /// Those that are raised.
    pub fn raised(&self) -> impl Iterator<Item = (Alarm, Level)> + '_ {
        Alarm::ALL.iter().map(|&alarm| (alarm, self.get(alarm))).filter(|(_, level)| *level > Level::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_keeps_the_worse_level_of_each_alarm() {
        let (mut ours, mut theirs) = (Alarms::default(), Alarms::default());
        ours.raise(Alarm::LowSoc, Level::Warning);
        theirs.raise(Alarm::LowSoc, Level::Alarm);
        theirs.raise(Alarm::ParallelBmsLost, Level::Warning);
        ours.merge(&theirs);
        let raised: Vec<_> = ours.raised().collect();
        assert_eq!(raised, [(Alarm::LowSoc, Level::Alarm), (Alarm::ParallelBmsLost, Level::Warning)]);
        assert_eq!(Alarm::ParallelBmsLost.name(), "ParallelBmsLost");
    }
}
