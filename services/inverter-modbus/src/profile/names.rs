//! The names that points and set points may have, and the unit of each. `#` stands for a number from 1 on.
//!
//! Signs: `battery_*` positive into the battery; `grid_*` positive from the grid; `ac_in_*` and `gen_*` positive into the
//! device; `ac_out_*`, `load_*`, `backup_*` positive to what is fed; `inverter_*` positive out of the inverter.

/// Whether a name is used only inside the profile.
#[must_use]
pub fn is_private(name: &str) -> bool {
    name.starts_with('_')
}

/// Whether a name is not canonical but shown nevertheless.
#[must_use]
pub fn is_extra(name: &str) -> bool {
    name.starts_with("x_") && name.len() > 2
}

/// Whether it is the power of a meter at the grid, of the whole or of a line.
#[must_use]
pub fn is_meter_power(name: &str) -> bool {
    name.starts_with("grid_") && name.ends_with("_power")
}

/// Whether it is measured, and so changes all the time: powers, voltages, currents, temperatures and states of charge.
#[must_use]
pub fn is_live(name: &str) -> bool {
    let is_measured = |unit: &str| ["W", "VA", "var", "V", "A", "Hz", "C", "%"].contains(&unit);
    name != "rated_power" && name != "soh" && point_unit(name).is_some_and(is_measured)
}

/// What can be read, with its unit; a unit of "" is a number without one, "-" no number.
const POINTS: &[(&str, &str)] = &[
    ("pv_power", "W"),
    ("pv#_power", "W"),
    ("pv#_voltage", "V"),
    ("pv#_current", "A"),
    ("pv_energy_total", "kWh"),
    ("pv_energy_today", "kWh"),
    ("battery_voltage", "V"),
    ("battery_current", "A"),
    ("battery_power", "W"),
    ("battery_temperature", "C"),
    ("battery_capacity", "Ah"),
    ("soc", "%"),
    ("soh", "%"),
    ("cycles", ""),
    ("gen_connected", ""),
    ("ac_out_energy_total", "kWh"),
    ("ac_charge_energy_total", "kWh"),
    ("grid_import_energy_total", "kWh"),
    ("grid_import_energy_today", "kWh"),
    ("grid_export_energy_total", "kWh"),
    ("grid_export_energy_today", "kWh"),
    ("load_energy_total", "kWh"),
    ("load_energy_today", "kWh"),
    ("charge_energy_total", "kWh"),
    ("charge_energy_today", "kWh"),
    ("discharge_energy_total", "kWh"),
    ("discharge_energy_today", "kWh"),
    ("temperature", "C"),
    ("temperature_dc", "C"),
    ("grid_connected", ""),
    ("on_off", ""),
    ("state", "-"),
    ("work_mode", ""),
    ("fault_code", "-"),
    ("fault_code#", "-"),
    ("fault_number", ""),
    ("warning_code", "-"),
    ("rated_power", "W"),
    ("phases", ""),
    ("grid_phases", ""),
    ("mppt_count", ""),
    ("protocol_version", ""),
    ("serial", "-"),
    ("model", "-"),
    ("firmware", "-"),
    ("bms_charge_voltage", "V"),
    ("bms_discharge_voltage", "V"),
    ("bms_charge_current", "A"),
    ("bms_discharge_current", "A"),
    ("bms_soc", "%"),
    ("bms_voltage", "V"),
    ("bms_current", "A"),
    ("bms_temperature", "C"),
    ("cell_voltage_max", "V"),
    ("cell_voltage_min", "V"),
    ("cell_temperature_max", "C"),
    ("cell_temperature_min", "C"),
];

/// The AC sides of a device, each with what is measured on it as a whole and on each line.
const SIDES: &[&str] = &["ac_in", "gen", "ac_out", "grid", "inverter", "load", "backup"];
const OF_A_SIDE: &[(&str, &str)] =
    &[("power", "W"), ("apparent", "VA"), ("frequency", "Hz"), ("reactive", "var")];
const OF_A_LINE: &[(&str, &str)] = &[
    ("power", "W"),
    ("voltage", "V"),
    ("current", "A"),
    ("apparent", "VA"),
    ("reactive", "var"),
    ("frequency", "Hz"),
];

/// What can be written.
const WRITES: &[(&str, &str)] = &[
    ("charge_current_limit", "A"),
    ("discharge_current_limit", "A"),
    ("charge_power_limit", "W"),
    ("discharge_power_limit", "W"),
    ("charge_voltage_limit", "V"),
    ("float_voltage", "V"),
    ("grid_charge_current", "A"),
    ("grid_charge_enable", ""),
    ("gen_charge_current", "A"),
    ("gen_charge_enable", ""),
    ("min_soc", "%"),
    ("max_soc", "%"),
    ("export_limit", "W"),
    ("export_enable", ""),
    ("power_setpoint", "W"),
    ("battery_power_setpoint", "W"),
    ("force_charge", ""),
    ("ac_input_current_limit", "A"),
    ("ac_power_limit", "W"),
    ("ac_power_limit_percent", "%"),
    ("on_off", ""),
    ("work_mode", ""),
    ("battery_capacity", "Ah"),
    ("shutdown_soc", "%"),
    ("restart_soc", "%"),
    ("low_soc", "%"),
    ("shutdown_voltage", "V"),
    ("restart_voltage", "V"),
    ("low_voltage", "V"),
];

/// The words of `state`.
pub const STATES: &[&str] = &[
    "off",
    "standby",
    "starting",
    "running",
    "warning",
    "fault",
    "charging",
    "discharging",
    "bypass",
    "inverting",
    "passthru",
];

/// The units that may stand in a profile.
pub const UNITS: &[&str] = &["V", "A", "W", "VA", "var", "Hz", "C", "%", "kWh", "Ah", "s", "h", "min", "Ohm"];

/// The unit of a canonical point: "" for a plain number, "-" for what is no number; `None` for a name that is none.
#[must_use]
pub fn point_unit(name: &str) -> Option<&'static str> {
    let plain = POINTS.iter().find(|(known, _)| fits(known, name)).map(|(_, unit)| *unit);
    plain.or_else(|| {
        SIDES.iter().find_map(|side| {
            let rest = name.strip_prefix(side)?.strip_prefix('_')?;
            let line = ["l1_", "l2_", "l3_"].iter().find_map(|line| rest.strip_prefix(line));
            let (known, what) = line.map_or((OF_A_SIDE, rest), |what| (OF_A_LINE, what));
            known.iter().find(|(known, _)| *known == what).map(|(_, unit)| *unit)
        })
    })
}

/// The unit of a canonical set point.
#[must_use]
pub fn write_unit(name: &str) -> Option<&'static str> {
    WRITES.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

/// The canonical names that look most like one.
pub fn known_points() -> impl Iterator<Item = &'static str> {
    POINTS.iter().map(|(name, _)| *name)
}

/// The canonical set points.
pub fn known_writes() -> impl Iterator<Item = &'static str> {
    WRITES.iter().map(|(name, _)| *name)
}

/// Whether `name` is `pattern`, with a number of 1 to 8 for `#`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('#') {
        None => pattern == name,
        Some((before, after)) => name
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'8'])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_units() {
        assert_eq!(point_unit("pv3_voltage"), Some("V"));
        assert_eq!(point_unit("pv9_voltage"), None);
        assert_eq!(point_unit("ac_in_l2_power"), Some("W"));
        assert_eq!(point_unit("ac_in_l4_power"), None);
        assert_eq!(point_unit("ac_out_frequency"), Some("Hz"));
        assert_eq!(point_unit("grid_import_energy_total"), Some("kWh"));
        assert_eq!(point_unit("state"), Some("-"));
        assert_eq!(write_unit("charge_current_limit"), Some("A"));
        assert_eq!(write_unit("soc"), None);
        assert!(is_private("_sf") && is_extra("x_fan") && !is_extra("x_") && !is_extra("xfan"));
    }
}
