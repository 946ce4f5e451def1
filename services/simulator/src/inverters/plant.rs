//! What flows through a hybrid inverter: sun, grid, house and battery, balanced in every state.

/// Losses: W, and parts of what the battery and the panels move.
const IDLE_W: f64 = 30.0;
const BATTERY_LOSS: f64 = 0.03;
const PV_LOSS: f64 = 0.02;
/// Voltage between the terminals of the battery, as a part of the nominal one, empty and full, without current.
const EMPTY: f64 = 0.95;
const FULL: f64 = 1.07;
/// Internal resistance at which the nominal voltage drops by 2 % with a current of 1 C.
const DROP_AT_1C: f64 = 0.02;

/// From a reset until there is an output again.
const START_S: f64 = 10.0;

/// What the inverter hangs on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// What the sun could give, in W.
    pub sun_w: f64,
    /// What hangs on the output, in W.
    pub load_w: f64,
    /// What hangs on the grid beside the inverter, in W.
    pub house_w: f64,
    /// There is a grid.
    pub grid: bool,
    /// Its voltage in V.
    pub grid_v: f64,
    /// Its frequency in Hz.
    pub grid_hz: f64,
}

/// The battery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Battery {
    /// State of charge, 0 to 1.
    pub soc: f64,
    /// Capacity in Ah.
    pub capacity_ah: f64,
    /// Nominal voltage in V.
    pub nominal_v: f64,
    /// Temperature in °C.
    pub celsius: f64,
}

/// What it was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orders {
    /// It is switched on.
    pub on: bool,
    /// Most current into the battery, in A.
    pub charge_a: f64,
    /// Most current out of it, in A.
    pub discharge_a: f64,
    /// Most power into the battery, in W.
    pub charge_w: f64,
    /// Most power out of it, in W.
    pub discharge_w: f64,
    /// Does not discharge below, 0 to 1.
    pub min_soc: f64,
    /// Does not charge above, 0 to 1.
    pub max_soc: f64,
    /// A power for the battery in place of self-consumption, in W; + charges.
    pub battery_w: Option<f64>,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            on: true,
            charge_a: f64::INFINITY,
            discharge_a: f64::INFINITY,
            charge_w: f64::INFINITY,
            discharge_w: f64::INFINITY,
            min_soc: 0.0,
            max_soc: 1.0,
            battery_w: None,
        }
    }
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is switched off.
    Off,
    /// It works with the grid.
    Running,
    /// It makes a grid of its own.
    Inverting,
    /// There is no output: no grid and too little battery for the load, or it starts anew.
    Dark,
}

/// Powers in W at one moment, and energies since the beginning in kWh.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flow {
    /// From the panels.
    pub pv_w: f64,
    /// Into the inverter from the grid, negative into the grid.
    pub ac_in_w: f64,
    /// Out to what hangs on it.
    pub ac_out_w: f64,
    /// Into the battery.
    pub battery_w: f64,
    /// Lost.
    pub loss_w: f64,
    /// From the grid into the whole house.
    pub grid_w: f64,
    /// Battery voltage in V.
    pub battery_v: f64,
    /// Battery current in A, + charges.
    pub battery_a: f64,
}

/// Energies since the beginning in kWh.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Energy {
    /// From the panels.
    pub pv: f64,
    /// Into the battery.
    pub charge: f64,
    /// Out of it.
    pub discharge: f64,
    /// From the grid.
    pub import: f64,
    /// Into it.
    pub export: f64,
    /// What the house took.
    pub load: f64,
}

/// The inverter and what it hangs on.
#[derive(Debug, Clone)]
pub struct Plant {
    /// Sun, grid, loads.
    pub site: Site,
    /// The battery.
    pub battery: Battery,
    /// What it was told.
    pub orders: Orders,
    /// It never feeds in.
    pub offgrid: bool,
    /// It starts anew, and has no output for so long still.
    starting_s: f64,
    state: State,
    flow: Flow,
    energy: Energy,
}

impl Plant {
    /// One that runs.
    #[must_use]
    pub fn new(site: Site, battery: Battery, offgrid: bool) -> Self {
        let mut plant = Self {
            site,
            battery,
            orders: Orders::default(),
            offgrid,
            starting_s: 0.0,
            state: State::Running,
            flow: Flow::default(),
            energy: Energy {
                pv: 1_234.5,
                charge: 512.3,
                discharge: 478.9,
                import: 345.6,
                export: 210.9,
                load: 901.2,
            },
        };
        plant.step(0.0);
        plant
    }

    /// What it does.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What flows.
    #[must_use]
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// What has flown.
    #[must_use]
    pub fn energy(&self) -> Energy {
        self.energy
    }

    /// Drops its output and starts anew.
    pub fn reset(&mut self) {
        self.starting_s = START_S;
        self.step(0.0);
    }

    /// Lets `elapsed_s` pass.
    pub fn step(&mut self, elapsed_s: f64) {
        let hours = elapsed_s / 3_600.0;
        let flow = self.flow;
        let kwh = |watts: f64| watts.max(0.0) * hours / 1_000.0;
        self.energy.pv += kwh(flow.pv_w);
        self.energy.charge += kwh(flow.battery_w);
        self.energy.discharge += kwh(-flow.battery_w);
        self.energy.import += kwh(flow.grid_w);
        self.energy.export += kwh(-flow.grid_w);
        self.energy.load += kwh(flow.ac_out_w + self.site.house_w);
        let moved = flow.battery_a * hours / self.battery.capacity_ah;
        self.battery.soc = (self.battery.soc + moved).clamp(0.0, 1.0);
        self.starting_s = (self.starting_s - elapsed_s).max(0.0);
        self.balance();
    }

    fn balance(&mut self) {
        let Site { sun_w, load_w, house_w, grid, .. } = self.site;
        let (least_w, most_w) = self.room_w();
        let wanted = |surplus_w: f64| self.orders.battery_w.unwrap_or(surplus_w).clamp(least_w, most_w);
        let house_w = if grid { house_w } else { 0.0 };
        (self.state, self.flow) = if self.starting_s > 0.0 {
            (State::Dark, Flow::default())
        } else if !self.orders.on {
            // A switch connects the load to the grid.
            let through_w = if grid { load_w } else { 0.0 };
            (State::Off, Flow { ac_in_w: through_w, ac_out_w: through_w, ..Flow::default() })
        } else if grid {
            let give_w = sun_w * (1.0 - PV_LOSS) - IDLE_W;
            // The meter sees what hangs beside the inverter too: it is served as well, unless nothing may be fed in.
            let served_w = load_w + if self.offgrid { 0.0 } else { house_w };
            let mut battery_w = wanted(into_battery_w(give_w - served_w));
            if self.offgrid {
                battery_w = battery_w.max(into_battery_w(-IDLE_W - load_w));
            }
            let all_w = load_w + battery_w + loss_w(sun_w, battery_w);
            // What nobody may have, the panels do not give.
            let pv_w = if self.offgrid { sun_w.min(needed_pv_w(load_w, battery_w)) } else { sun_w };
            let ac_in_w = if pv_w < sun_w { 0.0 } else { all_w - pv_w };
            let ac_in_w = if self.offgrid { ac_in_w.max(0.0) } else { ac_in_w };
            let loss_w = pv_w + ac_in_w - load_w - battery_w;
            (State::Running, Flow { pv_w, ac_in_w, ac_out_w: load_w, battery_w, loss_w, ..Flow::default() })
        } else {
            let battery_w = into_battery_w(sun_w * (1.0 - PV_LOSS) - IDLE_W - load_w);
            if battery_w < least_w {
                (State::Dark, Flow::default())
            } else {
                let battery_w = battery_w.min(most_w);
                let pv_w = needed_pv_w(load_w, battery_w);
                let loss_w = pv_w - load_w - battery_w;
                (State::Inverting, Flow { pv_w, ac_out_w: load_w, battery_w, loss_w, ..Flow::default() })
            }
        };
        self.flow.grid_w = self.flow.ac_in_w + house_w;
        let open_v = self.open_v();
        // Into the terminals: battery_w = v * i and v = open_v + i * r.
        let ohm = self.battery.nominal_v * DROP_AT_1C / self.battery.capacity_ah;
        self.flow.battery_v =
            (open_v + (open_v * open_v + 4.0 * ohm * self.flow.battery_w).max(0.0).sqrt()) / 2.0;
        self.flow.battery_a = self.flow.battery_w / self.flow.battery_v;
    }

    fn open_v(&self) -> f64 {
        self.battery.nominal_v * (EMPTY + (FULL - EMPTY) * self.battery.soc)
    }

    /// The most that the battery gives (negative) and takes, in W.
    fn room_w(&self) -> (f64, f64) {
        let Orders { charge_a, discharge_a, charge_w, discharge_w, min_soc, max_soc, .. } = self.orders;
        let v = self.open_v();
        let most_w = if self.battery.soc >= max_soc.min(1.0) { 0.0 } else { charge_w.min(charge_a * v) };
        let least_w =
            if self.battery.soc <= min_soc.max(0.0) { 0.0 } else { discharge_w.min(discharge_a * v) };
        (-least_w, most_w)
    }
}

/// What arrives in the battery of a surplus, or has to leave it for a lack.
fn into_battery_w(surplus_w: f64) -> f64 {
    if surplus_w > 0.0 { surplus_w / (1.0 + BATTERY_LOSS) } else { surplus_w / (1.0 - BATTERY_LOSS) }
}

/// What the panels have to give when nothing comes from the grid.
fn needed_pv_w(load_w: f64, battery_w: f64) -> f64 {
    ((load_w + battery_w + loss_w(0.0, battery_w)) / (1.0 - PV_LOSS)).max(0.0)
}

fn loss_w(pv_w: f64, battery_w: f64) -> f64 {
    IDLE_W + PV_LOSS * pv_w + BATTERY_LOSS * battery_w.abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plant(sun_w: f64, load_w: f64, grid: bool, soc: f64) -> Plant {
        let site = Site { sun_w, load_w, house_w: 250.0, grid, grid_v: 230.0, grid_hz: 50.0 };
        let battery = Battery { soc, capacity_ah: 200.0, nominal_v: 51.2, celsius: 24.0 };
        Plant::new(site, battery, false)
    }

    #[test]
    fn a_surplus_charges_and_a_lack_discharges_so_that_the_meter_stands_still() {
        for (sun_w, load_w) in [(3_000.0, 800.0), (200.0, 1_500.0)] {
            let flow = plant(sun_w, load_w, true, 0.5).flow();
            assert!(flow.grid_w.abs() < 1e-6, "{flow:?}");
            assert_eq!(flow.battery_w > 0.0, sun_w > load_w);
        }
    }

    #[test]
    fn limits_hold_and_the_rest_goes_to_the_grid_or_stays_in_the_panels() {
        let mut on_grid = plant(5_000.0, 300.0, true, 0.5);
        on_grid.orders.charge_a = 20.0;
        on_grid.step(1.0);
        assert!(on_grid.flow().battery_a < 20.1 && on_grid.flow().ac_in_w < -3_000.0, "{:?}", on_grid.flow());
        let mut island = plant(5_000.0, 300.0, false, 0.5);
        island.orders.charge_a = 20.0;
        island.step(1.0);
        assert_eq!((island.state(), island.flow().ac_in_w), (State::Inverting, 0.0));
        assert!(island.flow().pv_w < 1_600.0, "{:?}", island.flow());
        island.orders.discharge_a = 0.0;
        island.site.sun_w = 0.0;
        island.step(1.0);
        assert_eq!((island.state(), island.flow().ac_out_w), (State::Dark, 0.0));
    }

    proptest! {
        #[test]
        fn what_comes_in_goes_out_in_every_state(
            sun_w in 0.0..20_000.0, load_w in 0.0..15_000.0, grid: bool, soc in 0.0..1.0, on: bool, offgrid: bool,
            charge_a in 0.0..300.0, discharge_a in 0.0..300.0, told in prop::option::of(-9_000.0..9_000.0),
        ) {
            let mut plant = plant(sun_w, load_w, grid, soc);
            plant.offgrid = offgrid;
            plant.orders = Orders { on, charge_a, discharge_a, battery_w: told, ..plant.orders };
            plant.step(0.0);
            let Flow { pv_w, ac_in_w, ac_out_w, battery_w, loss_w, battery_v, battery_a, .. } = plant.flow();
            prop_assert!((pv_w + ac_in_w - ac_out_w - battery_w - loss_w).abs() < 1e-6, "{:?}", plant.flow());
            prop_assert!(loss_w >= -1e-9 && pv_w >= 0.0 && pv_w <= sun_w + 1e-6, "{:?}", plant.flow());
            prop_assert!((battery_v * battery_a - battery_w).abs() < 1e-6);
            prop_assert!(!(offgrid && ac_in_w < 0.0));
            prop_assert!(grid || ac_in_w == 0.0);
        }
    }
}
