//! What an inverter was told, in physical terms and without registers.

/// What holds now. What was not told does not limit anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orders {
    /// It is switched on.
    pub on: bool,
    /// It makes a grid of its own although there is one.
    pub island: bool,
    /// Most current into the battery, in A.
    pub charge_a: f64,
    /// Most current out of it, in A.
    pub discharge_a: f64,
    /// Most power into the battery, in W.
    pub charge_w: f64,
    /// Most power out of it, in W.
    pub discharge_w: f64,
    /// Voltage that charging does not exceed, in V.
    pub charge_v: f64,
    /// Voltage below which it does not discharge, in V.
    pub low_v: f64,
    /// Does not discharge below, 0 to 1.
    pub min_soc: f64,
    /// The same without a grid.
    pub min_soc_island: f64,
    /// Does not charge above, 0 to 1.
    pub max_soc: f64,
    /// Power that the meter shall show, in W; + comes from the grid.
    pub grid_w: f64,
    /// Least and most power into the battery while there is a grid, whatever the meter shows, in W.
    pub battery_w: (f64, f64),
    /// Most current that the battery gets from the grid, in A.
    pub grid_charge_a: f64,
    /// Most power into the grid at the meter, in W.
    pub export_w: f64,
    /// Most power out of the inverter, in W.
    pub output_w: f64,
    /// Most power from the grid into the inverter, in W.
    pub input_w: f64,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            on: true,
            island: false,
            charge_a: f64::INFINITY,
            discharge_a: f64::INFINITY,
            charge_w: f64::INFINITY,
            discharge_w: f64::INFINITY,
            charge_v: f64::INFINITY,
            low_v: 0.0,
            min_soc: 0.0,
            min_soc_island: 0.0,
            max_soc: 1.0,
            grid_w: 0.0,
            battery_w: (f64::NEG_INFINITY, f64::INFINITY),
            grid_charge_a: f64::INFINITY,
            export_w: f64::INFINITY,
            output_w: f64::INFINITY,
            input_w: f64::INFINITY,
        }
    }
}

impl Orders {
    /// The battery gets this power, in W; negative gives it.
    pub fn force(&mut self, battery_w: f64) {
        self.battery_w = (battery_w, battery_w);
    }

    /// The battery gets as much as it may have, at most this, in W.
    pub fn fill(&mut self, at_most_w: f64) {
        self.force(at_most_w.max(0.0));
    }
}
