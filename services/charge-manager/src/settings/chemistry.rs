//! The chemistries, and their temperature curves.
//!
//! Charge: LFP Sleeper85/esphome-yambms (yambms_auto_temp_ccl_dcl.yaml) with the zero and the hot end of
//! mr-manuel/venus-os_dbus-serialbattery; NMC bands in the manner of JEITA; LTO Toshiba SCiB presentation; lead-acid Rolls
//! battery manual ("avoid charging above 50 °C"). Discharge: LFP dbus-serialbattery, less strict; the others this
//! project's own.

use serde::{Deserialize, Serialize};

/// What the cells are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Chemistry {
    /// Lithium iron phosphate.
    #[default]
    Lfp,
    /// Lithium nickel manganese cobalt or nickel cobalt aluminium.
    Nmc,
    /// Lithium titanate.
    Lto,
    /// Lead-acid with liquid electrolyte.
    Flooded,
    /// Lead-acid with absorbent glass mat.
    Agm,
    /// Lead-acid with gel.
    Gel,
}

/// What cannot be set, because the cells are made so. Per cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nature {
    /// As the user knows it.
    pub name: &'static str,
    /// Voltage that the data sheets forbid to exceed, V.
    pub highest_v: f64,
    /// Voltage that the data sheets forbid to go below, V.
    pub lowest_v: f64,
    /// Readings outside these are no voltages of a cell, V.
    pub believable_v: (f64, f64),
    /// Highest charge voltage after temperature compensation, V.
    pub compensated_v: f64,
    /// Rest voltages of an empty and a full cell, from which a state of charge can be guessed, V.
    pub rest_v: &'static [(f64, f64)],
    /// Cells in series of packs of 12, 24 and 48 V; the least where there are several.
    pub in_series: [u32; 3],
    /// Charge, C-rate over temperature in °C.
    pub charge_c_over_c: &'static [(f64, f64)],
    /// Discharge, part of the maximum over temperature in °C.
    pub discharge_over_c: &'static [(f64, f64)],
}

static LFP: Nature = Nature {
    name: "LFP",
    highest_v: 3.65,
    lowest_v: 2.50,
    believable_v: (1.0, 4.5),
    compensated_v: 3.65,
    // On the plateau in between the voltage says nothing.
    rest_v: &[
        (2.5, 0.0),
        (3.07, 5.0),
        (3.195, 10.0),
        (3.25, 21.0),
        (3.335, 95.0),
        (3.36, 99.0),
        (3.45, 100.0),
    ],
    in_series: [4, 8, 15],
    charge_c_over_c: &[
        (0.0, 0.0),
        (2.0, 0.05),
        (5.0, 0.12),
        (10.0, 0.30),
        (15.0, 0.40),
        (20.0, 0.50),
        (40.0, 0.50),
        (45.0, 0.30),
        (50.0, 0.10),
        (55.0, 0.0),
    ],
    discharge_over_c: &[
        (-20.0, 0.0),
        (-10.0, 0.25),
        (0.0, 0.5),
        (5.0, 1.0),
        (45.0, 1.0),
        (50.0, 0.5),
        (55.0, 0.25),
        (60.0, 0.0),
    ],
};

static NMC: Nature = Nature {
    name: "NMC",
    highest_v: 4.25,
    lowest_v: 2.50,
    believable_v: (1.0, 4.5),
    compensated_v: 4.20,
    rest_v: &[
        (2.5, 0.0),
        (3.348, 10.0),
        (3.589, 30.0),
        (3.74, 50.0),
        (3.932, 70.0),
        (4.09, 90.0),
        (4.2, 100.0),
    ],
    in_series: [3, 6, 13],
    charge_c_over_c: &[
        (0.0, 0.0),
        (5.0, 0.10),
        (10.0, 0.20),
        (15.0, 0.30),
        (20.0, 0.50),
        (40.0, 0.50),
        (45.0, 0.25),
        (50.0, 0.0),
    ],
    discharge_over_c: &[(-20.0, 0.0), (-10.0, 0.3), (5.0, 1.0), (45.0, 1.0), (55.0, 0.3), (60.0, 0.0)],
};

static LTO: Nature = Nature {
    name: "LTO",
    highest_v: 2.85,
    lowest_v: 1.70,
    believable_v: (0.8, 3.2),
    compensated_v: 2.85,
    rest_v: &[(1.8, 0.0), (2.05, 5.0), (2.12, 10.0), (2.27, 50.0), (2.45, 90.0), (2.7, 100.0)],
    in_series: [5, 10, 20],
    charge_c_over_c: &[
        (-30.0, 0.0),
        (-20.0, 0.2),
        (-10.0, 0.5),
        (0.0, 1.0),
        (45.0, 1.0),
        (55.0, 0.5),
        (60.0, 0.0),
    ],
    discharge_over_c: &[(-30.0, 0.0), (-20.0, 0.5), (0.0, 1.0), (50.0, 1.0), (60.0, 0.0)],
};

const LEAD_REST_V: &[(f64, f64)] =
    &[(1.94, 0.0), (1.99, 20.0), (2.03, 40.0), (2.07, 60.0), (2.10, 80.0), (2.13, 100.0)];
const LEAD_DISCHARGE: &[(f64, f64)] = &[(-20.0, 0.3), (0.0, 0.7), (15.0, 1.0), (45.0, 1.0), (55.0, 0.0)];

static FLOODED: Nature = Nature {
    name: "flooded lead-acid",
    highest_v: 2.75,
    lowest_v: 1.50,
    believable_v: (0.8, 3.2),
    compensated_v: 2.60,
    rest_v: LEAD_REST_V,
    in_series: [6, 12, 24],
    charge_c_over_c: &[(-20.0, 0.05), (0.0, 0.10), (20.0, 0.13), (40.0, 0.13), (50.0, 0.0)],
    discharge_over_c: LEAD_DISCHARGE,
};

static AGM: Nature = Nature {
    name: "AGM",
    compensated_v: 2.45,
    charge_c_over_c: &[(-20.0, 0.05), (0.0, 0.10), (20.0, 0.20), (40.0, 0.20), (50.0, 0.0)],
    ..FLOODED
};

static GEL: Nature = Nature {
    name: "gel",
    compensated_v: 2.40,
    charge_c_over_c: &[(-20.0, 0.05), (0.0, 0.10), (20.0, 0.15), (40.0, 0.15), (50.0, 0.0)],
    ..FLOODED
};

impl Chemistry {
    /// All of them, in the order of the settings' columns.
    pub const ALL: [Chemistry; 6] =
        [Chemistry::Lfp, Chemistry::Nmc, Chemistry::Lto, Chemistry::Flooded, Chemistry::Agm, Chemistry::Gel];

    /// What it is by nature.
    #[must_use]
    pub fn nature(self) -> &'static Nature {
        match self {
            Chemistry::Lfp => &LFP,
            Chemistry::Nmc => &NMC,
            Chemistry::Lto => &LTO,
            Chemistry::Flooded => &FLOODED,
            Chemistry::Agm => &AGM,
            Chemistry::Gel => &GEL,
        }
    }

    /// Is it one of the lead-acid ones, which have no cells to look at?
    #[must_use]
    pub fn is_lead(self) -> bool {
        matches!(self, Chemistry::Flooded | Chemistry::Agm | Chemistry::Gel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Curve;

    #[test]
    fn every_curve_of_every_chemistry_is_a_curve() {
        for chemistry in Chemistry::ALL {
            let nature = chemistry.nature();
            for points in [nature.rest_v, nature.charge_c_over_c, nature.discharge_over_c] {
                assert!(Curve::new(points.to_vec()).is_ok(), "{}", nature.name);
            }
        }
    }
}
