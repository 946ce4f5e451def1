//! What a BMS complains of.

/// One kind of complaint; each exists as a warning and as a protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// A cell or the pack is too high.
    HighVoltage,
    /// A cell or the pack is too low.
    LowVoltage,
    /// A cell is too hot.
    HighTemperature,
    /// A cell is too cold.
    LowTemperature,
    /// Too much charge current.
    ChargeCurrent,
    /// Too much discharge current.
    DischargeCurrent,
    /// The BMS itself: a sensor or a module is lost.
    Internal,
    /// A cell is too hot to be charged.
    HighTemperatureCharging,
    /// A cell is too cold to be charged.
    LowTemperatureCharging,
    /// A short circuit.
    ShortCircuit,
    /// A contactor does not do what it was told.
    Contactor,
    /// Cells differ too much.
    Imbalance,
}

impl Alarm {
    /// All of them. A simulated BMS finds the first seven by itself; the others come on command.
    pub const ALL: [Self; 12] = [
        Self::HighVoltage,
        Self::LowVoltage,
        Self::HighTemperature,
        Self::LowTemperature,
        Self::ChargeCurrent,
        Self::DischargeCurrent,
        Self::Internal,
        Self::HighTemperatureCharging,
        Self::LowTemperatureCharging,
        Self::ShortCircuit,
        Self::Contactor,
        Self::Imbalance,
    ];

    /// The name in commands and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::HighVoltage => "high_voltage",
            Self::LowVoltage => "low_voltage",
            Self::HighTemperature => "high_temperature",
            Self::LowTemperature => "low_temperature",
            Self::ChargeCurrent => "charge_current",
            Self::DischargeCurrent => "discharge_current",
            Self::Internal => "internal",
            Self::HighTemperatureCharging => "high_temperature_charging",
            Self::LowTemperatureCharging => "low_temperature_charging",
            Self::ShortCircuit => "short_circuit",
            Self::Contactor => "contactor",
            Self::Imbalance => "imbalance",
        }
    }
}

/// A set of complaints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlarmSet(u16);

impl AlarmSet {
    /// Is this one in the set?
    pub fn has(self, alarm: Alarm) -> bool {
        self.0 & (1 << alarm as u8) != 0
    }

    /// Puts one in or takes it out.
    pub fn set(&mut self, alarm: Alarm, on: bool) {
        let bit = 1 << alarm as u8;
        self.0 = if on { self.0 | bit } else { self.0 & !bit };
    }

    /// What is in either set.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Alarm> {
        Alarm::ALL.into_iter().filter(move |&alarm| self.has(alarm))
    }
}

impl FromIterator<Alarm> for AlarmSet {
    fn from_iter<I: IntoIterator<Item = Alarm>>(alarms: I) -> Self {
        let mut set = Self::default();
        alarms.into_iter().for_each(|alarm| set.set(alarm, true));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_exactly_what_was_put_in() {
        for alarm in Alarm::ALL {
            let mut set: AlarmSet = [alarm].into_iter().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), [alarm]);
            set.set(alarm, false);
            assert_eq!(set, AlarmSet::default());
        }
    }
}
