//! Single-bit reports of alarm frames (0x359 and its relatives), whatever bit each dialect has them on.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Condition, Severity};

macro_rules! flags {
    ($($(#[$doc:meta])+ $flag:ident $key:literal $means:expr;)+) => {
        /// One reported bit. `Protection…` is the BMS having acted or alarming, `Alarm…` its warning, in the words of
        /// Pylontech's protocol; dialects that say "alarm" and "warning" are mapped to these two.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Flag { $($(#[$doc])+ $flag,)+ }

        impl Flag {
            /// All, in the order of their numbers.
            pub const ALL: &[Flag] = &[$(Flag::$flag,)+];

            /// The key it is printed under.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Flag::$flag => $key,)+ }
            }

            /// What it tells of the battery; `None` if it is no fault.
            #[must_use]
            pub const fn means(self) -> Option<(Condition, Severity)> {
                use Condition::*;
                use Severity::*;
                match self { $(Flag::$flag => $means,)+ }
            }
        }
    };
}

flags! {
    /// Discharge over-current.
    ProtectionDischargeOverCurrent "protection_discharge_over_current" Some((HighDischargeCurrent, Alarm));
    /// A cell too cold.
    ProtectionCellUnderTemperature "protection_cell_under_temperature" Some((LowTemperature, Alarm));
    /// A cell too hot.
    ProtectionCellOverTemperature "protection_cell_over_temperature" Some((HighTemperature, Alarm));
    /// Cell or module voltage too low.
    ProtectionUnderVoltage "protection_under_voltage" Some((LowVoltage, Alarm));
    /// Cell or module voltage too high.
    ProtectionOverVoltage "protection_over_voltage" Some((HighVoltage, Alarm));
    /// Charge over-current.
    ProtectionChargeOverCurrent "protection_charge_over_current" Some((HighChargeCurrent, Alarm));
    /// System error.
    ProtectionSystemError "protection_system_error" Some((BmsInternal, Alarm));
    /// High discharge current.
    AlarmDischargeHighCurrent "alarm_discharge_high_current" Some((HighDischargeCurrent, Warning));
    /// A cell rather cold.
    AlarmCellLowTemperature "alarm_cell_low_temperature" Some((LowTemperature, Warning));
    /// A cell rather hot.
    AlarmCellHighTemperature "alarm_cell_high_temperature" Some((HighTemperature, Warning));
    /// Cell or module voltage low.
    AlarmLowVoltage "alarm_low_voltage" Some((LowVoltage, Warning));
    /// Cell or module voltage high.
    AlarmHighVoltage "alarm_high_voltage" Some((HighVoltage, Warning));
    /// High charge current.
    AlarmChargeHighCurrent "alarm_charge_high_current" Some((HighChargeCurrent, Warning));
    /// Modules do not hear each other.
    AlarmInternalCommunicationFail "alarm_internal_communication_fail" Some((BmsInternal, Warning));
    /// Short circuit (Growatt).
    ProtectionShortCircuit "protection_short_circuit" Some((ShortCircuit, Alarm));
    /// One cell's voltage too high, where cell and module differ (Growatt).
    ProtectionCellOverVoltage "protection_cell_over_voltage" Some((HighVoltage, Alarm));
    /// One cell's voltage too low, where cell and module differ (Growatt).
    ProtectionCellUnderVoltage "protection_cell_under_voltage" Some((LowVoltage, Alarm));
    /// The pre-charge did not work (Growatt).
    ProtectionSoftStartFail "protection_soft_start_fail" Some((BmsInternal, Alarm));
    /// Too hot to discharge (Growatt).
    ProtectionDischargeOverTemperature "protection_discharge_over_temperature" Some((HighTemperature, Alarm));
    /// Too hot to charge (Growatt).
    ProtectionChargeOverTemperature "protection_charge_over_temperature" Some((HighChargeTemperature, Alarm));
    /// Too cold to discharge (Growatt).
    ProtectionDischargeUnderTemperature "protection_discharge_under_temperature" Some((LowTemperature, Alarm));
    /// Too cold to charge (Growatt).
    ProtectionChargeUnderTemperature "protection_charge_under_temperature" Some((LowChargeTemperature, Alarm));
    /// Cells differ too much (Growatt, Goodwe).
    ProtectionCellImbalance "protection_cell_imbalance" Some((CellImbalance, Alarm));
    /// One cell's voltage high, where cell and module differ (Growatt).
    AlarmCellHighVoltage "alarm_cell_high_voltage" Some((HighVoltage, Warning));
    /// One cell's voltage low, where cell and module differ (Growatt).
    AlarmCellLowVoltage "alarm_cell_low_voltage" Some((LowVoltage, Warning));
    /// Rather hot while discharging (Growatt).
    AlarmDischargeHighTemperature "alarm_discharge_high_temperature" Some((HighTemperature, Warning));
    /// Rather hot while charging (Growatt).
    AlarmChargeHighTemperature "alarm_charge_high_temperature" Some((HighChargeTemperature, Warning));
    /// Rather cold while discharging (Growatt).
    AlarmDischargeLowTemperature "alarm_discharge_low_temperature" Some((LowTemperature, Warning));
    /// Rather cold while charging (Growatt).
    AlarmChargeLowTemperature "alarm_charge_low_temperature" Some((LowChargeTemperature, Warning));
    /// Cells differ (Growatt, Goodwe).
    AlarmCellImbalance "alarm_cell_imbalance" Some((CellImbalance, Warning));
    /// The pack is about to switch off (Growatt).
    AlarmSwitchingOff "alarm_switching_off" Some((General, Warning));
    /// A fault inside the BMS, not yet a protection (Goodwe).
    AlarmBmsInternal "alarm_bms_internal" Some((BmsInternal, Warning));
    /// A relay does not follow its command (Goodwe).
    ProtectionRelayCommand "protection_relay_command" Some((Contactor, Alarm));
    /// Sub-pack 1 reports an error (Goodwe).
    AlarmSubPack1Error "alarm_sub_pack_1_error" Some((BmsInternal, Warning));
    /// Sub-pack 2 reports an error (Goodwe).
    AlarmSubPack2Error "alarm_sub_pack_2_error" Some((BmsInternal, Warning));
    /// A fault inside the BMS (Pytes).
    ProtectionInternalFailure "protection_internal_failure" Some((BmsInternal, Alarm));
    /// Charging at the moment (Pytes).
    Charging "charging" None;
    /// Discharging at the moment (Pytes).
    Discharging "discharging" None;
}

/// The flags a frame reports: which it has, and which of them are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    known: u64,
    set: u64,
}

impl Flags {
    /// Reports `flag`; a flag that comes on two bits is set if either is.
    pub fn report(&mut self, flag: Flag, set: bool) {
        self.known |= 1 << flag as u8;
        self.set |= u64::from(set) << flag as u8;
    }

    /// Whether a flag is set; `None` if this frame does not have it.
    #[must_use]
    pub const fn get(self, flag: Flag) -> Option<bool> {
        let bit = 1 << flag as u8;
        if self.known & bit == 0 { None } else { Some(self.set & bit != 0) }
    }

    /// Every flag that the frame has, and whether it is set.
    pub fn iter(self) -> impl Iterator<Item = (Flag, bool)> {
        Flag::ALL.iter().filter_map(move |&flag| Some((flag, self.get(flag)?)))
    }
}

impl Serialize for Flags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (flag, set) in self.iter() {
            map.serialize_entry(flag.key(), &set)?;
        }
        map.end()
    }
}

// `Flags` is one 64-bit word per half.
const _: () = assert!(Flag::ALL.len() <= 64);
