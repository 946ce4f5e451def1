//! What a chemistry is, as data: open-circuit voltage, losses, thermal mass, and the numbers a BMS guards it with.
//!
//! The tables are this project's own, shaped on large prismatic LFP cells and on 21700 NMC cells; the breakpoints
//! published in soorajsunil/Piecewise-Battery-OCV (README.md) were the check.

use super::curve::Curve;

/// One chemistry. Electrical numbers hold at 25 °C for a cell of `nominal_ah` and scale with the size.
#[derive(Debug)]
pub struct Chemistry {
    /// The name in scenarios.
    pub name: &'static str,
    /// Open-circuit voltage over state of charge (fraction), mean of charge and discharge, in V.
    pub ocv_v: Curve,
    /// Size of the cell that the resistances belong to, in Ah.
    pub nominal_ah: f64,
    /// Ohmic resistance with its share of the busbars, in Ω.
    pub r0_ohm: f64,
    /// Resistance of the RC element, in Ω.
    pub r1_ohm: f64,
    /// Time constant of the RC element, in s.
    pub tau_s: f64,
    /// Hysteresis around the open-circuit voltage after long charge (+) or discharge (−), in V.
    pub hysteresis_v: f64,
    /// Factor on both resistances over cell temperature in °C.
    pub resistance_over_c: Curve,
    /// Factor on both resistances over state of charge (fraction).
    pub resistance_over_soc: Curve,
    /// Usable part of the capacity over cell temperature in °C.
    pub capacity_over_c: Curve,
    /// Heat capacity of a cell of `nominal_ah`, in J/K.
    pub heat_capacity_j_per_k: f64,
    /// Part of the charge put in that can be taken out again.
    pub coulombic_efficiency: f64,
    /// Part of the capacity lost per month of 30 days.
    pub self_discharge_per_month: f64,
    /// Cell voltage from which balancing makes sense, in V.
    pub balance_from_v: f64,
    /// Default charge voltage limit per cell, in V.
    pub charge_voltage_v: f64,
    /// Default discharge voltage limit per cell, in V.
    pub discharge_voltage_v: f64,
    /// Thresholds of warnings and protections.
    pub guard: Guard,
    /// Current limits as fractions of their maximum, for a BMS that tapers.
    pub taper: Taper,
}

/// What a BMS warns of and trips at. Voltages per cell in V, temperatures in °C.
#[derive(Debug)]
pub struct Guard {
    /// Highest cell: warning, trip, release.
    pub high_v: [f64; 3],
    /// Lowest cell: warning, trip, release.
    pub low_v: [f64; 3],
    /// Hottest cell: warning, trip of both directions, release.
    pub hot_c: [f64; 3],
    /// Coldest cell: warning, trip of charge, release.
    pub cold_c: [f64; 3],
}

/// Curves of a BMS that lowers its limits before it must trip: factors on the maximum currents.
#[derive(Debug)]
pub struct Taper {
    /// Charge, over the highest cell voltage in V.
    pub charge_over_v: Curve,
    /// Discharge, over the lowest cell voltage in V.
    pub discharge_over_v: Curve,
    /// Charge, over temperature in °C (the worst sensor counts).
    pub charge_over_c: Curve,
    /// Discharge, over temperature in °C (the worst sensor counts).
    pub discharge_over_c: Curve,
}

const RESISTANCE_OVER_C: Curve = Curve(&[(-10.0, 3.8), (0.0, 2.4), (10.0, 1.6), (25.0, 1.0), (45.0, 0.75)]);

/// Half as much again below 10 %, a fifth more above 95 %; the ramps spare the voltage a step.
const RESISTANCE_OVER_SOC: Curve = Curve(&[(0.08, 1.5), (0.12, 1.0), (0.94, 1.0), (0.96, 1.2)]);

/// Lithium iron phosphate, a 280 Ah prismatic cell.
///
/// R0: AC resistance 0.20 ± 0.05 mΩ (data sheet EVE LF105) plus busbars. Taper: the curves of
/// mr-manuel/venus-os_dbus-serialbattery (config.default.ini).
pub static LFP: Chemistry = Chemistry {
    name: "lfp",
    ocv_v: Curve(&[
        (-0.020, 2.020),
        (0.000, 2.500),
        (0.010, 2.740),
        (0.020, 2.880),
        (0.030, 2.960),
        (0.050, 3.070),
        (0.075, 3.150),
        (0.100, 3.195),
        (0.150, 3.220),
        (0.200, 3.245),
        (0.250, 3.263),
        (0.300, 3.278),
        (0.350, 3.286),
        (0.400, 3.289),
        (0.450, 3.291),
        (0.500, 3.293),
        (0.550, 3.296),
        (0.600, 3.302),
        (0.650, 3.317),
        (0.700, 3.327),
        (0.750, 3.330),
        (0.800, 3.331),
        (0.850, 3.332),
        (0.900, 3.333),
        (0.950, 3.336),
        (0.970, 3.339),
        (0.980, 3.344),
        (0.990, 3.360),
        (0.995, 3.390),
        (1.000, 3.450),
        (1.005, 3.550),
        (1.010, 3.700),
        (1.020, 3.950),
        (1.050, 4.300),
    ]),
    nominal_ah: 280.0,
    r0_ohm: 0.25e-3,
    r1_ohm: 0.40e-3,
    tau_s: 60.0,
    hysteresis_v: 0.008,
    resistance_over_c: RESISTANCE_OVER_C,
    resistance_over_soc: RESISTANCE_OVER_SOC,
    capacity_over_c: Curve(&[(-10.0, 0.80), (0.0, 0.92), (25.0, 1.0)]),
    heat_capacity_j_per_k: 5_900.0,
    coulombic_efficiency: 0.995,
    self_discharge_per_month: 0.02,
    balance_from_v: 3.40,
    charge_voltage_v: 3.60,
    discharge_voltage_v: 2.90,
    guard: Guard {
        high_v: [3.60, 3.65, 3.45],
        low_v: [2.80, 2.50, 3.00],
        hot_c: [50.0, 55.0, 50.0],
        cold_c: [2.0, 0.0, 2.0],
    },
    taper: Taper {
        charge_over_v: Curve(&[(3.375, 1.0), (3.400, 0.25), (3.425, 0.05), (3.450, 0.005), (3.500, 0.0)]),
        discharge_over_v: Curve(&[(2.80, 0.0), (2.90, 0.005), (3.00, 0.05), (3.10, 0.25), (3.19, 1.0)]),
        charge_over_c: Curve(&[
            (0.0, 0.0),
            (2.0, 0.25),
            (5.0, 0.5),
            (10.0, 1.0),
            (40.0, 1.0),
            (45.0, 0.5),
            (50.0, 0.25),
            (55.0, 0.0),
        ]),
        discharge_over_c: Curve(&[
            (-10.0, 0.0),
            (0.0, 0.25),
            (5.0, 0.5),
            (10.0, 1.0),
            (40.0, 1.0),
            (45.0, 0.5),
            (50.0, 0.25),
            (55.0, 0.0),
        ]),
    },
};

/// Nickel manganese cobalt, a 50 Ah cell; open-circuit voltage interpolated from the Samsung 21700-40T
/// breakpoints of soorajsunil/Piecewise-Battery-OCV. Guard and taper are this project's own.
pub static NMC: Chemistry = Chemistry {
    name: "nmc",
    ocv_v: Curve(&[
        (-0.020, 1.782),
        (0.000, 2.500),
        (0.010, 2.859),
        (0.020, 2.962),
        (0.030, 3.065),
        (0.050, 3.177),
        (0.075, 3.277),
        (0.100, 3.348),
        (0.150, 3.434),
        (0.200, 3.487),
        (0.250, 3.539),
        (0.300, 3.589),
        (0.350, 3.623),
        (0.400, 3.658),
        (0.450, 3.693),
        (0.500, 3.740),
        (0.550, 3.788),
        (0.600, 3.836),
        (0.650, 3.884),
        (0.700, 3.932),
        (0.750, 3.981),
        (0.800, 4.029),
        (0.850, 4.071),
        (0.900, 4.090),
        (0.950, 4.110),
        (0.970, 4.142),
        (0.980, 4.161),
        (0.990, 4.181),
        (0.995, 4.190),
        (1.000, 4.200),
        (1.005, 4.220),
        (1.010, 4.245),
        (1.020, 4.300),
        (1.050, 4.450),
    ]),
    nominal_ah: 50.0,
    r0_ohm: 1.2e-3,
    r1_ohm: 1.0e-3,
    tau_s: 40.0,
    hysteresis_v: 0.005,
    resistance_over_c: RESISTANCE_OVER_C,
    resistance_over_soc: RESISTANCE_OVER_SOC,
    capacity_over_c: Curve(&[(-10.0, 0.88), (0.0, 0.95), (25.0, 1.0)]),
    heat_capacity_j_per_k: 900.0,
    coulombic_efficiency: 0.995,
    self_discharge_per_month: 0.02,
    balance_from_v: 3.90,
    charge_voltage_v: 4.15,
    discharge_voltage_v: 3.10,
    guard: Guard {
        high_v: [4.20, 4.25, 4.10],
        low_v: [3.00, 2.75, 3.20],
        hot_c: [50.0, 55.0, 50.0],
        cold_c: [2.0, 0.0, 2.0],
    },
    taper: Taper {
        charge_over_v: Curve(&[(4.05, 1.0), (4.10, 0.5), (4.15, 0.1), (4.19, 0.0)]),
        discharge_over_v: Curve(&[(3.10, 0.0), (3.20, 0.25), (3.40, 1.0)]),
        charge_over_c: Curve(&[
            (0.0, 0.0),
            (5.0, 0.2),
            (10.0, 0.4),
            (15.0, 0.6),
            (20.0, 1.0),
            (40.0, 1.0),
            (45.0, 0.5),
            (50.0, 0.0),
        ]),
        discharge_over_c: Curve(&[
            (-20.0, 0.0),
            (-10.0, 0.3),
            (5.0, 1.0),
            (45.0, 1.0),
            (55.0, 0.3),
            (60.0, 0.0),
        ]),
    },
};

/// Every chemistry that a scenario can name.
pub static CHEMISTRIES: &[&Chemistry] = &[&LFP, &NMC];

impl Chemistry {
    /// The lowest and the highest state of charge of the model (fractions): beyond them a real cell is ruined.
    pub fn soc_bounds(&self) -> (f64, f64) {
        let ends = (self.ocv_v.0.first(), self.ocv_v.0.last());
        if let (Some(&(lowest, _)), Some(&(highest, _))) = ends { (lowest, highest) } else { (0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_circuit_voltage_is_the_printed_table_with_straight_lines_between() {
        for (soc, lfp, nmc) in [
            (0.0, 2.500, 2.500),
            (0.05, 3.070, 3.177),
            (0.125, 3.2075, 3.391),
            (0.50, 3.293, 3.740),
            (0.65, 3.317, 3.884),
            (0.925, 3.3345, 4.100),
            (0.995, 3.390, 4.190),
            (1.0, 3.450, 4.200),
            (1.01, 3.700, 4.245),
            (1.05, 4.300, 4.450),
            (1.50, 4.300, 4.450),
        ] {
            assert!((LFP.ocv_v.at(soc) - lfp).abs() < 1e-9, "LFP at {soc}");
            assert!((NMC.ocv_v.at(soc) - nmc).abs() < 1e-9, "NMC at {soc}");
        }
    }

    #[test]
    fn every_table_rises_in_x_and_every_open_circuit_voltage_rises_with_charge() {
        for chemistry in CHEMISTRIES {
            let taper = &chemistry.taper;
            for curve in [
                chemistry.ocv_v,
                chemistry.resistance_over_c,
                chemistry.resistance_over_soc,
                chemistry.capacity_over_c,
                taper.charge_over_v,
                taper.discharge_over_v,
                taper.charge_over_c,
                taper.discharge_over_c,
            ] {
                assert!(
                    curve.0.windows(2).all(|pair| pair[0].0 < pair[1].0),
                    "{}: {curve:?}",
                    chemistry.name
                );
            }
            assert!(chemistry.ocv_v.0.windows(2).all(|pair| pair[0].1 < pair[1].1), "{}", chemistry.name);
        }
    }
}
