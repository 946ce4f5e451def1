//! What flows: between a DC grid with a resistance and a battery with one, through a converter that limits and droops.

use super::registers::Registers;

const WAITING: u16 = 0x0000;
const DISCHARGE: u16 = 0x0002;
const VOLTAGE_REFERENCE: u16 = 0x0014;
const CHARGE: u16 = 0x0041;

const GRID_V: f64 = 380.0 / 16_384.0;
const GRID_A: f64 = 7.8125 / 8_192.0;
const BATTERY_V: f64 = 48.0 / 16_384.0;
const BATTERY_A: f64 = 52.08 / 8_192.0;
const WATTS: f64 = 2_500.0 / 2_048.0;
const DROOP: f64 = 1.0 / 8_192.0;

const EFFICIENCY: f64 = 0.95;
/// What a waiting converter takes from the battery.
const IDLE_W: f64 = -12.3;
/// What the voltage reference delivers to the grid in the plain model.
const REFERENCE_A: f64 = -0.5;
/// Open-circuit voltage of the battery: empty, and what a full one has more.
const EMPTY_V: f64 = 46.0;
const FULL_MORE_V: f64 = 8.0;
const BATTERY_OHM: f64 = 0.012;

/// How meters follow.
#[derive(Debug, Clone)]
pub enum Model {
    /// At each set point, by plain rules, and otherwise never.
    Steps,
    /// By physics, with time.
    Plant(Plant),
}

/// The surroundings of the converter.
#[derive(Debug, Clone)]
pub struct Plant {
    grid_v: f64,
    grid_ohm: f64,
    soc: f64,
    capacity_ah: f64,
}

impl Plant {
    /// A grid and a battery; `soc` from 0 to 1.
    #[must_use]
    pub fn new(grid_v: f64, grid_ohm: f64, soc: f64, capacity_ah: f64) -> Self {
        Self { grid_v, grid_ohm, soc, capacity_ah }
    }

    /// State of charge, 0 to 1.
    #[must_use]
    pub fn soc(&self) -> f64 {
        self.soc
    }

    /// Lets `elapsed_s` pass and writes the meters.
    pub fn step(&mut self, registers: &mut Registers, elapsed_s: f64) {
        let mode = registers.get("mode");
        let limit_a = f64::from(registers.get("dig")) * GRID_A;
        let target_v = f64::from(registers.get("dvg")) * GRID_V;
        let droop_ohm = f64::from(registers.get("drg")) * DROOP;
        let cell_v = EMPTY_V + FULL_MORE_V * self.soc;
        // Current into the grid, from the voltage that the converter wants behind its droop, through both resistances.
        let wanted_a = (target_v - self.grid_v) / (self.grid_ohm + droop_ohm);
        let grid_a = match mode {
            DISCHARGE if self.soc > 0.0 => -wanted_a.clamp(0.0, limit_a),
            VOLTAGE_REFERENCE => -wanted_a.clamp(-limit_a, limit_a),
            CHARGE if self.soc < 1.0 => {
                let room_v = f64::from(registers.get("cvb")) * BATTERY_V - cell_v;
                let room_w = (room_v / BATTERY_OHM).max(0.0) * cell_v;
                limit_a.min(room_w / self.grid_v.max(1.0))
            }
            _ => 0.0,
        };
        let vg = self.grid_v - grid_a * self.grid_ohm;
        let wg = vg * grid_a;
        let wb = match grid_a {
            0.0 => IDLE_W,
            into if into > 0.0 => wg * EFFICIENCY,
            _ => wg / EFFICIENCY,
        };
        let limit_w = f64::from(registers.get("cib")) * BATTERY_A * cell_v;
        let wb = wb.clamp(-limit_w, limit_w);
        let ib = wb / cell_v;
        self.soc = (self.soc + ib * elapsed_s / 3_600.0 / self.capacity_ah).clamp(0.0, 1.0);
        write_meters(registers, [vg, grid_a, cell_v + ib * BATTERY_OHM, ib, wg, wb]);
        running(registers, if mode == WAITING { 0.0 } else { grid_a });
    }
}

/// The rules of the maker's test bench, applied when a mode or a current was written.
pub fn step_by_rules(registers: &mut Registers) {
    let limit = i32::from(registers.get("dig"));
    let limit_a = f64::from(limit) * GRID_A;
    let grid_a = match registers.get("mode") {
        DISCHARGE => -limit_a,
        CHARGE => limit_a,
        VOLTAGE_REFERENCE => {
            registers.set("vg", registers.get("dvg"));
            REFERENCE_A
        }
        _ => 0.0,
    };
    let vg = f64::from(registers.get("vg").cast_signed()) * GRID_V;
    let vb = f64::from(registers.get("vb").cast_signed()) * BATTERY_V;
    let wg = vg * grid_a;
    let wb = if grid_a > 0.0 { wg * EFFICIENCY } else { wg / EFFICIENCY };
    let ib = if vb == 0.0 { 0.0 } else { wb / vb };
    write_meters(registers, [vg, grid_a, vb, ib, wg, wb]);
    running(registers, grid_a);
}

/// Off, charging or discharging.
fn running(registers: &mut Registers, grid_a: f64) {
    let bits = match grid_a {
        0.0 => 0,
        into if into > 0.0 => 1,
        _ => 2,
    };
    registers.set("cst", registers.get("cst") & !0b11 | bits);
}

fn write_meters(registers: &mut Registers, values: [f64; 6]) {
    let scales = [GRID_V, GRID_A, BATTERY_V, BATTERY_A, WATTS, WATTS];
    for ((name, value), scale) in ["vg", "ig", "vb", "ib", "wg", "wb"].into_iter().zip(values).zip(scales) {
        // What was a whole count before must stay one.
        let counts = (value / scale * (1.0 + 1e-12)).trunc();
        registers.set_signed(name, counts.clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(mode: u16, dvg_v: f64, dig_a: f64) -> Registers {
        let mut registers = Registers::default();
        registers.set("mode", mode);
        registers.set("dvg", (dvg_v / GRID_V) as u16);
        registers.set("dig", (dig_a / GRID_A) as u16);
        registers
    }

    fn amps(registers: &Registers) -> f64 {
        f64::from(registers.get("ig").cast_signed()) * GRID_A
    }

    #[test]
    fn discharging_empties_the_battery_and_stops_when_it_is_empty() {
        let (mut plant, mut registers) = (Plant::new(349.0, 2.0, 0.01, 10.0), set(DISCHARGE, 380.0, 5.0));
        plant.step(&mut registers, 1.0);
        assert!((amps(&registers) + 5.0).abs() < 0.01);
        assert_eq!(registers.get("cst") & 3, 2);
        for _ in 0..3_600 {
            plant.step(&mut registers, 1.0);
        }
        assert_eq!((plant.soc(), registers.get("ig"), registers.get("cst") & 3), (0.0, 0, 0));
    }

    #[test]
    fn the_grid_rises_to_the_target_and_droop_keeps_it_below() {
        let (mut plant, mut registers) =
            (Plant::new(340.0, 2.0, 0.5, 100.0), set(VOLTAGE_REFERENCE, 350.0, 8.0));
        plant.step(&mut registers, 1.0);
        let volts = |registers: &Registers| f64::from(registers.get("vg")) * GRID_V;
        assert!((volts(&registers) - 350.0).abs() < 0.1, "{}", volts(&registers));
        registers.set("drg", 8_192);
        plant.step(&mut registers, 1.0);
        assert!((volts(&registers) - 346.67).abs() < 0.1, "{}", volts(&registers));
    }

    #[test]
    fn a_full_battery_takes_nothing() {
        let (mut plant, mut registers) = (Plant::new(350.0, 2.0, 1.0, 100.0), set(CHARGE, 350.0, 5.0));
        plant.step(&mut registers, 1.0);
        assert_eq!((registers.get("ig"), registers.get("cst") & 3), (0, 0));
    }
}
