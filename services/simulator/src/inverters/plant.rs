//! What flows through a hybrid inverter: sun, grid, house and battery.

use super::balance::balance;
use super::orders::Orders;

/// Voltage between the terminals of the battery, as a part of the nominal one, empty and full, without current.
const EMPTY: f64 = 0.95;
const FULL: f64 = 1.07;
/// Internal resistance at which the nominal voltage drops by 2 % with a current of 1 C.
const DROP_AT_1C: f64 = 0.02;

/// From a reset until there is an output again.
const START_S: f64 = 10.0;
/// A battery that refuses nothing.
const ANYTHING: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

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

/// What a simulated battery shows at its terminals, where the inverter hangs on one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pack {
    /// Voltage in V.
    pub volts: f64,
    /// Current that flows in A, + charges.
    pub amps: f64,
    /// Resistance in Ω.
    pub ohm: f64,
    /// State of charge, 0 to 1.
    pub soc: f64,
    /// Capacity in Ah.
    pub capacity_ah: f64,
    /// Temperature in °C.
    pub celsius: f64,
}

/// What kind of inverter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It feeds in what is left.
    Hybrid,
    /// It has an input for the grid, and never feeds in.
    OffGrid,
    /// It has no battery, and stands beside the house on the grid.
    Solar,
}

/// How often and how long the house was dark.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Darkness {
    /// Times.
    pub times: u32,
    /// All in all, in s.
    pub seconds: f64,
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
    /// Power of the battery that somebody imposes, in W, in place of what the orders make of it.
    pub imposed_w: Option<f64>,
    /// What it is.
    pub kind: Kind,
    pack: Option<Pack>,
    /// It starts anew, and has no output for so long still.
    starting_s: f64,
    /// What a battery leaves of the power that is wanted of it, in W.
    leaves_w: (f64, f64),
    state: State,
    flow: Flow,
    energy: Energy,
    darkness: Darkness,
}

impl Plant {
    /// One that runs.
    #[must_use]
    pub fn new(site: Site, battery: Battery, kind: Kind) -> Self {
        let mut plant = Self {
            site,
            battery,
            orders: Orders::default(),
            imposed_w: None,
            kind,
            pack: None,
            starting_s: 0.0,
            leaves_w: ANYTHING,
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
            darkness: Darkness::default(),
        };
        plant.settle();
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

    /// How dark it was.
    #[must_use]
    pub fn darkness(&self) -> Darkness {
        self.darkness
    }

    /// It works with a grid.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.site.grid && !self.orders.island
    }

    /// Drops its output and starts anew.
    pub fn reset(&mut self) {
        self.starting_s = START_S;
        self.settle();
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
        self.darkness.seconds += if self.is_dark() { elapsed_s } else { 0.0 };
        if self.pack.is_none() {
            let moved = flow.battery_a * hours / self.battery.capacity_ah;
            self.battery.soc = (self.battery.soc + moved).clamp(0.0, 1.0);
        }
        self.starting_s = (self.starting_s - elapsed_s).max(0.0);
        self.settle();
    }

    /// The current in A that it wants of the battery on whose busbar it hangs, after `elapsed_s` more seconds.
    pub fn draw(&mut self, pack: Pack, elapsed_s: f64) -> f64 {
        self.step(elapsed_s);
        self.pack = Some(Pack { ohm: pack.ohm.clamp(1e-6, 1e3), ..pack });
        self.battery.soc = pack.soc;
        self.battery.capacity_ah = pack.capacity_ah;
        self.battery.celsius = pack.celsius;
        self.within(self.room_w()).1.battery_a
    }

    /// What really flows: a battery that has opened its contactor gives and takes nothing, whatever is wanted of it.
    pub fn measure(&mut self, volts: f64, amps: f64) {
        let wanted_a = self.within(self.room_w()).1.battery_a;
        let Some(pack) = &mut self.pack else { return };
        (pack.volts, pack.amps) = (volts, amps);
        let is_refused = (amps - wanted_a).abs() > 0.05 * wanted_a.abs() + 0.5;
        let watts = volts * amps;
        self.leaves_w = if is_refused { (watts.min(0.0), watts.max(0.0)) } else { ANYTHING };
        self.settle();
    }

    /// Makes the flows what site, battery and orders say.
    pub fn settle(&mut self) {
        let was_dark = self.is_dark();
        let (room_w, leaves_w) = (self.room_w(), self.leaves_w);
        (self.state, self.flow) = self.within((room_w.0.max(leaves_w.0), room_w.1.min(leaves_w.1)));
        self.darkness.times += u32::from(self.is_dark() && !was_dark);
    }

    fn within(&self, room_w: (f64, f64)) -> (State, Flow) {
        let mut orders = self.orders;
        if let Some(imposed_w) = self.imposed_w {
            orders.force(imposed_w);
        }
        let (state, mut flow) = if self.starting_s > 0.0 {
            (State::Dark, Flow::default())
        } else {
            balance(self.kind, &self.site, &orders, room_w, self.open_v())
        };
        // Into the terminals: battery_w = v * i and v = open_v + i * r.
        let (open_v, watts) = (self.open_v(), flow.battery_w);
        flow.battery_v = (open_v + (open_v * open_v + 4.0 * self.ohm() * watts).max(0.0).sqrt()) / 2.0;
        flow.battery_a = if flow.battery_v > 0.0 { watts / flow.battery_v } else { 0.0 };
        (state, flow)
    }

    fn is_dark(&self) -> bool {
        self.kind != Kind::Solar && self.site.load_w > 0.0 && self.flow.ac_out_w == 0.0
    }

    fn open_v(&self) -> f64 {
        match self.pack {
            Some(pack) => (pack.volts - pack.amps * pack.ohm).max(0.0),
            None => self.battery.nominal_v * (EMPTY + (FULL - EMPTY) * self.battery.soc),
        }
    }

    fn ohm(&self) -> f64 {
        match self.pack {
            Some(pack) => pack.ohm,
            None => self.battery.nominal_v * DROP_AT_1C / self.battery.capacity_ah,
        }
    }

    /// The most that the battery gives (negative) and takes, in W.
    #[must_use]
    pub fn room_w(&self) -> (f64, f64) {
        if self.kind == Kind::Solar {
            return (0.0, 0.0);
        }
        let Orders { charge_a, discharge_a, charge_w, discharge_w, charge_v, low_v, max_soc, .. } =
            self.orders;
        let min_soc = if self.is_connected() { self.orders.min_soc } else { self.orders.min_soc_island };
        let (open_v, ohm) = (self.open_v(), self.ohm());
        let most_a = charge_a.min(((charge_v - open_v) / ohm).max(0.0));
        let least_a = discharge_a.min(((open_v - low_v) / ohm).max(0.0));
        // At the terminals: v * i with v = open_v + i * r.
        let most_w = charge_w.min(most_a * (open_v + most_a * ohm));
        let least_w = discharge_w.min(least_a * (open_v - least_a * ohm).max(open_v / 2.0));
        let is_full = self.battery.soc >= max_soc.min(1.0);
        let is_empty = self.battery.soc <= min_soc.max(0.0);
        (if is_empty { 0.0 } else { -least_w }, if is_full { 0.0 } else { most_w })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plant(sun_w: f64, load_w: f64, grid: bool, soc: f64) -> Plant {
        let site = Site { sun_w, load_w, house_w: 250.0, grid, grid_v: 230.0, grid_hz: 50.0 };
        let battery = Battery { soc, capacity_ah: 200.0, nominal_v: 51.2, celsius: 24.0 };
        Plant::new(site, battery, Kind::Hybrid)
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
            island: bool,
        ) {
            let mut plant = plant(sun_w, load_w, grid, soc);
            plant.kind = if offgrid { Kind::OffGrid } else { Kind::Hybrid };
            plant.orders = Orders { on, charge_a, discharge_a, island, ..plant.orders };
            plant.imposed_w = told;
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
