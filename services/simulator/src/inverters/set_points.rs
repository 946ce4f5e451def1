//! What the set points of profiles mean, by their names: the one table of it.

use super::orders::Orders;

/// What an inverter can do, for values in per cent and for what its registers hold in the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plate {
    /// Rated power in W.
    pub rated_w: f64,
    /// Half of what its battery holds in an hour, in A.
    pub amps: f64,
    /// Nominal voltage of its battery in V.
    pub volts: f64,
    /// Phases.
    pub phases: f64,
}

impl Plate {
    /// A part of the rated power in W.
    #[must_use]
    pub fn percent_w(&self, percent: f64) -> f64 {
        self.rated_w * percent / 100.0
    }
}

/// A name, what stands there in the beginning, and what it makes of the orders.
type SetPoint = (&'static str, fn(&Plate) -> f64, fn(&mut Orders, f64, &Plate));

/// Nothing is forbidden in the beginning; currents are half of what the battery holds in an hour.
const SET_POINTS: &[SetPoint] = &[
    ("on_off", |_| 1.0, |orders, on, _| orders.on &= on != 0.0),
    ("charge_current_limit", |plate| plate.amps, |orders, amps, _| lower(&mut orders.charge_a, amps)),
    ("discharge_current_limit", |plate| plate.amps, |orders, amps, _| lower(&mut orders.discharge_a, amps)),
    ("charge_power_limit", watts, |orders, watts, _| lower(&mut orders.charge_w, watts)),
    ("discharge_power_limit", watts, |orders, watts, _| lower(&mut orders.discharge_w, watts)),
    ("x_charge_percent", all, |orders, part, plate| lower(&mut orders.charge_w, plate.percent_w(part))),
    ("x_discharge_percent", all, |orders, part, plate| lower(&mut orders.discharge_w, plate.percent_w(part))),
    (
        "charge_voltage_limit",
        |plate| plate.volts * 1.125,
        |orders, volts, _| {
            lower(&mut orders.charge_v, volts);
        },
    ),
    ("shutdown_voltage", |plate| plate.volts * 0.85, |orders, volts, _| orders.low_v = volts),
    (
        "min_soc",
        |_| 10.0,
        |orders, percent, _| {
            orders.min_soc = percent / 100.0;
            orders.min_soc_island = orders.min_soc_island.max(percent / 100.0);
        },
    ),
    ("shutdown_soc", |_| 10.0, |orders, percent, _| orders.min_soc_island = percent / 100.0),
    ("max_soc", all, |orders, percent, _| orders.max_soc = percent / 100.0),
    (
        "grid_charge_enable",
        |_| 1.0,
        |orders, on, _| {
            if on == 0.0 {
                orders.grid_charge_a = 0.0;
            }
        },
    ),
    ("grid_charge_current", |plate| plate.amps, |orders, amps, _| lower(&mut orders.grid_charge_a, amps)),
    ("x_charge_rate_percent", all, |orders, part, plate| lower(&mut orders.charge_w, plate.percent_w(part))),
    ("x_discharge_rate_percent", all, |orders, part, plate| {
        lower(&mut orders.discharge_w, plate.percent_w(part))
    }),
    (
        "export_enable",
        |_| 1.0,
        |orders, on, _| {
            if on == 0.0 {
                orders.export_w = 0.0;
            }
        },
    ),
    ("export_limit", most, |orders, watts, _| lower(&mut orders.export_w, watts)),
    ("x_export_limit_percent", all, |orders, part, plate| lower(&mut orders.export_w, plate.percent_w(part))),
    ("ac_power_limit", most, |orders, watts, _| lower(&mut orders.output_w, watts)),
    ("ac_power_limit_percent", all, |orders, part, plate| lower(&mut orders.output_w, plate.percent_w(part))),
    ("ac_input_current_limit", most, |orders, amps, plate| {
        lower(&mut orders.input_w, amps * MAINS_V * plate.phases);
    }),
    ("power_setpoint", nothing, |orders, watts, _| orders.grid_w = watts),
    ("battery_power_setpoint", nothing, |orders, watts, _| orders.force(watts)),
];

/// A limit, and the switch that makes it count.
const SWITCHES: [(&str, &str); 2] =
    [("export_limit", "x_export_limit_enable"), ("x_export_limit_percent", "x_export_limit_kind")];

/// These count from the moment when they are written.
const ONCE_WRITTEN: [&str; 2] = ["power_setpoint", "battery_power_setpoint"];
const MAINS_V: f64 = 230.0;

/// What the registers of a set point say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// In its unit.
    pub value: f64,
    /// How long ago it was written, in s.
    pub age_s: f64,
}

/// What stands in the registers of a set point in the beginning; 0 where nothing is said.
#[must_use]
pub fn at_first(name: &str, plate: &Plate) -> f64 {
    known(name).map_or(0.0, |(_, first, _)| first(plate))
}

/// What all set points together mean; `told` knows what stands there.
#[must_use]
pub fn mean(names: &[&str], told: impl Fn(&str) -> Option<Told>, plate: &Plate) -> Orders {
    let mut orders = Orders::default();
    for name in names {
        let (Some((_, _, means)), Some(said)) = (known(name), told(name)) else { continue };
        let switch = SWITCHES.iter().find(|(limit, _)| limit == name).and_then(|(_, switch)| told(switch));
        let counts = switch.is_none_or(|switch| switch.value != 0.0);
        let is_asked = !ONCE_WRITTEN.contains(name) || said.age_s.is_finite();
        if counts && is_asked {
            means(&mut orders, said.value, plate);
        }
    }
    orders
}

fn known(name: &str) -> Option<&'static SetPoint> {
    SET_POINTS.iter().find(|(known, ..)| *known == name)
}

fn lower(limit: &mut f64, value: f64) {
    *limit = limit.min(value.max(0.0));
}

fn all(_: &Plate) -> f64 {
    100.0
}

fn watts(plate: &Plate) -> f64 {
    plate.amps * plate.volts
}

fn nothing(_: &Plate) -> f64 {
    0.0
}

/// As much as the registers and their range hold.
fn most(_: &Plate) -> f64 {
    f64::MAX
}
