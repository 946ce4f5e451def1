//! What the names of a profile mean in a simulated inverter.

use super::plant::{Plant, State};

/// Kind of an inverter that no flow decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Build {
    /// Phases, 1 to 3.
    pub phases: u8,
    /// Trackers for panels.
    pub trackers: u8,
    /// Rated power in W.
    pub rated_w: f64,
}

/// Voltage of one string of panels in V.
const STRING_V: f64 = 320.0;

/// The value of a quantity in its unit; `None` where a simulated inverter has none.
#[must_use]
pub fn value(name: &str, plant: &Plant, build: Build) -> Option<f64> {
    let (flow, energy, site) = (plant.flow(), plant.energy(), plant.site);
    let state = plant.state();
    let on_grid = plant.is_connected();
    let island = state == State::Inverting;
    let in_v = if site.grid { site.grid_v } else { 0.0 };
    let out_v = if on_grid || island { site.grid_v } else { 0.0 };
    let in_hz = if site.grid { site.grid_hz } else { 0.0 };
    let out_hz = if on_grid || island { site.grid_hz } else { 0.0 };
    // What passes between the inverter itself and its AC terminals, + out.
    let inverter_w = flow.ac_out_w - flow.ac_in_w;
    if let Some((side, phase, what)) = of_phase(name) {
        if phase > build.phases {
            return Some(0.0);
        }
        let (watts, volts) = match side {
            "ac_in" => (flow.ac_in_w, in_v),
            "grid" => (flow.grid_w, in_v),
            "ac_out" | "backup" => (flow.ac_out_w, out_v),
            "inverter" => (inverter_w, out_v),
            "load" => (flow.ac_out_w + flow.grid_w - flow.ac_in_w, out_v),
            "gen" | "_own" | "_apparent" => return Some(0.0),
            _ => return None,
        };
        let watts = watts / f64::from(build.phases);
        return match what {
            "power" | "apparent" => Some(watts),
            "voltage" => Some(volts),
            "current" => Some(if volts > 0.0 { watts / volts } else { 0.0 }),
            _ => None,
        };
    }
    if let Some((number, what)) = of_tracker(name) {
        // A port that is no tracker may be something else: the battery of a SunSpec hybrid has such numbers.
        if number > build.trackers {
            return None;
        }
        let trackers = f64::from(build.trackers);
        let watts = flow.pv_w / trackers;
        let volts = if watts > 0.0 { STRING_V } else { 0.0 };
        return match what {
            "power" => Some(watts),
            "voltage" => Some(volts),
            "current" => Some(watts / STRING_V),
            "energy_total" => Some(energy.pv / trackers),
            _ => None,
        };
    }
    let value = match name {
        "pv_power" | "_dc_power" => flow.pv_w,
        "_all_batteries_power" => flow.battery_w,
        "battery_power" | "_bank_power" | "x_battery1_power" | "x_battery_power_signed" => flow.battery_w,
        "battery_current"
        | "_bank_current"
        | "x_battery1_current"
        | "x_battery_current_signed"
        | "bms_current" => flow.battery_a,
        "battery_voltage" | "_bank_voltage" | "bms_voltage" => flow.battery_v,
        "_charge_power" => flow.battery_w.max(0.0),
        "_discharge_power" | "x_battery_discharge_power" => (-flow.battery_w).max(0.0),
        "battery_temperature" | "x_battery2_temperature" => plant.battery.celsius,
        "soc" | "bms_soc" | "x_battery1_soc" => 100.0 * plant.battery.soc,
        "soh" | "x_battery1_soh" => 99.0,
        "cycles" => 123.0,
        "battery_capacity" => plant.battery.capacity_ah,
        "cell_voltage_max" => flow.battery_v / 16.0 + 0.004,
        "cell_voltage_min" => flow.battery_v / 16.0 - 0.003,
        "cell_temperature_max" => plant.battery.celsius + 1.0,
        "cell_temperature_min" => plant.battery.celsius - 1.0,
        "ac_in_power" => flow.ac_in_w,
        "ac_out_power" | "backup_power" | "_eps_power" => flow.ac_out_w,
        "grid_power" | "x_meter_power" | "x_external_power" | "x_grid_side_power" => flow.grid_w,
        "_import_power" => flow.grid_w.max(0.0),
        "_export_power" => (-flow.grid_w).max(0.0),
        "inverter_power" => inverter_w,
        "_inverter_power" => inverter_w.max(0.0),
        "_rectifier_power" => (-inverter_w).max(0.0),
        "load_power" => flow.ac_out_w + flow.grid_w - flow.ac_in_w,
        "ac_in_frequency" | "grid_frequency" | "_frequency" | "x_frequency_older" => in_hz,
        "ac_out_frequency" | "inverter_frequency" => out_hz,
        "_ac_power" | "_ac_l1_power" | "_ac_l2_power" | "_ac_l3_power" => {
            let parts = if name == "_ac_power" { 1.0 } else { f64::from(build.phases) };
            -inverter_w / parts
        }
        "_l3_voltage" => {
            if build.phases == 3 {
                out_v
            } else {
                0.0
            }
        }
        "pv_energy_total" | "_pv_energy_total" => energy.pv,
        "charge_energy_total" => energy.charge,
        "discharge_energy_total" => energy.discharge,
        "grid_import_energy_total" => energy.import,
        "grid_export_energy_total" => energy.export,
        "load_energy_total" => energy.load,
        "ac_out_energy_total" => energy.pv + energy.discharge,
        "temperature" => 41.0,
        "temperature_dc" => 44.0,
        "phases" => build.phases.into(),
        "mppt_count" => build.trackers.into(),
        "rated_power" | "_charge_power_max" | "_rated_charge_power" => build.rated_w,
        "grid_connected" => f64::from(u8::from(on_grid)),
        "on_off" => f64::from(u8::from(plant.orders.on)),
        // SunSpec model 160: "StCh" and "StDi", the battery of a Fronius.
        "_module3_name" => f64::from(0x5374_4368_u32),
        "_module4_name" => f64::from(0x5374_4469_u32),
        "_ac_type" => f64::from(build.phases) - 1.0,
        // GoodWe: 0 one phase, 1 three; 1 connected, 0 off.
        "_phases" => {
            if build.phases == 1 {
                0.0
            } else {
                1.0
            }
        }
        "_grid_mode" => f64::from(u8::from(on_grid)),
        // SMA: 1461 connected, 1460 not.
        "_supply" => {
            if on_grid {
                1_461.0
            } else {
                1_460.0
            }
        }
        "bms_charge_voltage" => plant.battery.nominal_v * 1.1,
        "bms_discharge_voltage" => plant.battery.nominal_v * 0.9,
        "bms_charge_current" | "bms_discharge_current" => plant.battery.capacity_ah / 2.0,
        _ => return None,
    };
    Some(value)
}

/// The words of a profile for what the inverter does, the best first.
#[must_use]
pub fn state_words(state: State) -> &'static [&'static str] {
    match state {
        State::Off => &["off", "standby"],
        State::Running => &["running", "inverting"],
        State::Inverting => &["inverting", "running"],
        State::Dark => &["fault", "off"],
    }
}

/// `ac_in_l2_power`: the side, the phase and what of it.
fn of_phase(name: &str) -> Option<(&str, u8, &str)> {
    let (side, rest) = name.split_once("_l")?;
    let (digit, what) = rest.split_once('_')?;
    let phase = digit.parse().ok().filter(|phase| (1..=3).contains(phase))?;
    Some((side, phase, what)).filter(|(side, ..)| *side != "_ac")
}

/// `pv3_power`: the number and what of it.
fn of_tracker(name: &str) -> Option<(u8, &str)> {
    let rest =
        name.strip_prefix("pv").or_else(|| name.strip_prefix("_pv")).or_else(|| name.strip_prefix("x_pv"))?;
    let (digits, what) = rest.split_once('_')?;
    Some((digits.parse().ok()?, what))
}
