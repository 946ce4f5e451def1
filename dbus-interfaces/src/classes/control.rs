//! What can be set at an inverter, the same for every make. Busbar's own paths: an item is there when the device has it, and
//! shows what the device has, not what was asked for; `xml/org.busbar.control.paths` lists them.

use crate::{Item, Text, text};

/// The ways of running, in words; the number is the place in the list.
pub const MODES: &[&str] =
    &["own", "self-consumption", "sleep", "off-grid", "charge", "discharge", "on", "off"];
/// The way of running.
pub const MODE: Item<i32> = Item::new("/Control/Mode", Text::Words(MODES)).writable().every_write();
/// The words of [`MODES`] that the device can be set to.
pub const MODES_OFFERED: Item<Vec<String>> = Item::new("/Control/Modes", Text::Plain);
/// The words of these numbers of [`MODE`], for [`MODES_OFFERED`].
pub fn mode_words(numbers: impl IntoIterator<Item = i32>) -> Vec<String> {
    let words = numbers.into_iter().filter_map(|number| MODES.get(usize::try_from(number).ok()?));
    words.map(|word| (*word).to_owned()).collect()
}

/// The power of `charge` and `discharge`, W; to be written before the mode.
pub const POWER: Item<f64> = Item::new("/Control/Power", text::WATTS).writable().every_write();
/// How long `charge`, `discharge` and set points with an end last without being written again, s, 0 to 86400; 0 until they are
/// ended.
pub const TIMEOUT: Item<i32> = Item::new("/Control/Timeout", Text::Plain).writable().range(0.0, 86_400.0);
/// What the last wish came to, in words, its name first: `charge_current_limit is 42`, or `mode sleep is on its way`; of what was
/// refused, the reason alone; then what waits for memory that wears out, with the local time at which it is written. Empty while
/// there was none.
pub const RESULT: Item<String> = Item::new("/Control/Result", Text::Plain);
/// Writes to memory that wears out, since the process began.
pub const FLASH_WRITES: Item<i32> = Item::new("/Control/FlashWrites", Text::Plain);

/// Each set point that every make names alike, by its name in the profiles.
pub const SET_POINTS: &[(&str, Item<f64>)] = &[
    ("charge_current_limit", amps("/Control/ChargeCurrentLimit")),
    ("discharge_current_limit", amps("/Control/DischargeCurrentLimit")),
    ("charge_power_limit", watts("/Control/ChargePowerLimit")),
    ("discharge_power_limit", watts("/Control/DischargePowerLimit")),
    ("charge_voltage_limit", volts("/Control/ChargeVoltageLimit")),
    ("float_voltage", volts("/Control/FloatVoltage")),
    ("grid_charge_current", amps("/Control/GridChargeCurrent")),
    ("grid_charge_enable", plain("/Control/GridChargeEnable")),
    ("gen_charge_current", amps("/Control/GeneratorChargeCurrent")),
    ("gen_charge_enable", plain("/Control/GeneratorChargeEnable")),
    ("min_soc", percent("/Control/MinSoc")),
    ("max_soc", percent("/Control/MaxSoc")),
    ("export_limit", watts("/Control/ExportLimit")),
    ("export_enable", plain("/Control/ExportEnable")),
    ("power_setpoint", watts("/Control/GridPower").every_write()),
    ("battery_power_setpoint", watts("/Control/BatteryPower").every_write()),
    ("force_charge", plain("/Control/ForceCharge").every_write()),
    ("ac_input_current_limit", amps("/Control/AcInputCurrentLimit")),
    ("ac_power_limit", watts("/Ac/PowerLimit")),
    ("ac_power_limit_percent", percent("/Control/AcPowerLimitPercent")),
    ("on_off", plain("/Control/OnOff")),
    ("work_mode", plain("/Control/WorkMode")),
    ("battery_capacity", Item::new("/Control/BatteryCapacity", text::AMP_HOURS).writable()),
    ("shutdown_soc", percent("/Control/ShutdownSoc")),
    ("restart_soc", percent("/Control/RestartSoc")),
    ("low_soc", percent("/Control/LowSoc")),
    ("shutdown_voltage", volts("/Control/ShutdownVoltage")),
    ("restart_voltage", volts("/Control/RestartVoltage")),
    ("low_voltage", volts("/Control/LowVoltage")),
];

const fn amps(path: &'static str) -> Item<f64> {
    Item::new(path, text::AMPS).writable()
}

const fn watts(path: &'static str) -> Item<f64> {
    Item::new(path, text::WATTS).writable()
}

const fn volts(path: &'static str) -> Item<f64> {
    Item::new(path, text::VOLTS).writable()
}

const fn percent(path: &'static str) -> Item<f64> {
    Item::new(path, text::PERCENT_1).writable()
}

const fn plain(path: &'static str) -> Item<f64> {
    Item::new(path, Text::Plain).writable()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::tests::{line, path_list};

    #[test]
    fn the_path_list_says_what_the_constants_say() {
        let set_points = SET_POINTS.iter().map(|(_, item)| line(*item));
        let own =
            [line(MODE), line(MODES_OFFERED), line(POWER), line(TIMEOUT), line(RESULT), line(FLASH_WRITES)];
        let constants: Vec<_> = own.into_iter().chain(set_points).collect();
        assert_eq!(path_list(include_str!("../../xml/org.busbar.control.paths")), constants);
    }
}
