//! What the BMS sees of the pack: noise, steps of the converters, and sensors that fail.

use std::collections::BTreeMap;

use super::pack::Pack;
use super::rng::Rng;

/// How well a BMS measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Standard deviation of a cell voltage in V.
    pub voltage_sigma_v: f64,
    /// Step of a cell voltage in V; 0 for none.
    pub voltage_step_v: f64,
    /// Standard deviation of the current in A.
    pub current_sigma_a: f64,
    /// Step of the current in A; 0 for none.
    pub current_step_a: f64,
    /// Largest constant error of the current in A; each BMS has its own.
    pub current_offset_a: f64,
    /// Step of a temperature in K; 0 for none.
    pub temperature_step_k: f64,
}

impl Noise {
    /// As common BMS measure.
    pub const TYPICAL: Self = Self {
        voltage_sigma_v: 0.001,
        voltage_step_v: 0.001,
        current_sigma_a: 0.2,
        current_step_a: 0.1,
        current_offset_a: 0.3,
        temperature_step_k: 1.0,
    };
    /// The truth.
    pub const NONE: Self = Self {
        voltage_sigma_v: 0.0,
        voltage_step_v: 0.0,
        current_sigma_a: 0.0,
        current_step_a: 0.0,
        current_offset_a: 0.0,
        temperature_step_k: 0.0,
    };
}

/// One sensor of a pack. Cells and temperature sensors count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensor {
    /// Voltage of a cell.
    Cell(usize),
    /// A temperature sensor.
    Temperature(usize),
    /// The shunt.
    Current,
}

/// How a sensor fails. Numbers are in the sensor's unit (V, °C, A).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SensorFault {
    /// Off by a constant.
    Offset(f64),
    /// Always this.
    Stuck(f64),
    /// Always what it was when it froze.
    Frozen,
    /// No reading at all.
    Lost,
}

/// One set of readings. A lost sensor reads `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readings {
    /// Cell voltages in V.
    pub cells_v: Vec<Option<f64>>,
    /// Voltage at the pack's terminals in V.
    pub pack_v: f64,
    /// Current in A, positive into the pack; `None` without shunt.
    pub current_a: Option<f64>,
    /// Temperatures in °C.
    pub temperatures_c: Vec<Option<f64>>,
}

impl Readings {
    /// Lowest and highest cell voltage in V.
    pub fn cell_range_v(&self) -> Option<(f64, f64)> {
        range(&self.cells_v)
    }

    /// Lowest and highest temperature in °C.
    pub fn temperature_range_c(&self) -> Option<(f64, f64)> {
        range(&self.temperatures_c)
    }

    /// Mean of the temperatures in °C.
    pub fn mean_temperature_c(&self) -> Option<f64> {
        let present: Vec<f64> = self.temperatures_c.iter().flatten().copied().collect();
        (!present.is_empty()).then(|| present.iter().sum::<f64>() / present.len() as f64)
    }

    /// Is there a sensor without a reading?
    pub fn incomplete(&self) -> bool {
        self.current_a.is_none() || self.cells_v.iter().chain(&self.temperatures_c).any(Option::is_none)
    }
}

fn range(values: &[Option<f64>]) -> Option<(f64, f64)> {
    values.iter().flatten().fold(None, |range, &value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// Temperature sensors of a pack.
const TEMPERATURE_SENSORS: usize = 4;

/// The sensors of one pack.
#[derive(Debug, Clone)]
pub struct Sensors {
    noise: Noise,
    rng: Rng,
    offset_a: f64,
    faults: BTreeMap<Sensor, SensorFault>,
    readings: Readings,
}

impl Sensors {
    /// Working sensors; `rng` decides noise and offset.
    pub fn new(noise: Noise, mut rng: Rng) -> Self {
        let offset_a = noise.current_offset_a * (2.0 * rng.uniform() - 1.0);
        Self { noise, rng, offset_a, faults: BTreeMap::new(), readings: Readings::default() }
    }

    /// Breaks one sensor, or repairs it with `None`.
    pub fn set_fault(&mut self, sensor: Sensor, fault: Option<SensorFault>) {
        match fault {
            Some(fault) => self.faults.insert(sensor, fault),
            None => self.faults.remove(&sensor),
        };
    }

    /// Repairs every sensor.
    pub fn repair(&mut self) {
        self.faults.clear();
    }

    /// The newest readings.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// Measures the pack as it is now.
    pub fn measure(&mut self, pack: &Pack) -> &Readings {
        let noise = self.noise;
        let every = pack.cells().len().div_ceil(TEMPERATURE_SENSORS).max(1);
        let mut readings = std::mem::take(&mut self.readings);
        readings.cells_v.resize(pack.cells().len(), None);
        readings.temperatures_c.resize(pack.cells().iter().step_by(every).count(), None);

        for (index, (reading, &truth)) in readings.cells_v.iter_mut().zip(pack.cells_v()).enumerate() {
            let value = stepped(truth + noise.voltage_sigma_v * self.rng.normal(), noise.voltage_step_v);
            *reading = self.through(Sensor::Cell(index), value, *reading);
        }
        let sensed = pack.cells().iter().step_by(every);
        for (index, (reading, cell)) in readings.temperatures_c.iter_mut().zip(sensed).enumerate() {
            let value = stepped(cell.temperature_c(), noise.temperature_step_k);
            *reading = self.through(Sensor::Temperature(index), value, *reading);
        }
        // The pack's own voltage goes through a divider of its own: ten times coarser than a cell's.
        let pack_v = pack.terminal_v() + 4.0 * noise.voltage_sigma_v * self.rng.normal();
        readings.pack_v = stepped(pack_v, 10.0 * noise.voltage_step_v);
        let current_a = pack.current_a() + self.offset_a + noise.current_sigma_a * self.rng.normal();
        let current_a = stepped(current_a, noise.current_step_a);
        readings.current_a = self.through(Sensor::Current, current_a, readings.current_a);

        self.readings = readings;
        &self.readings
    }

    fn through(&self, sensor: Sensor, value: f64, previous: Option<f64>) -> Option<f64> {
        match self.faults.get(&sensor) {
            None => Some(value),
            Some(SensorFault::Offset(offset)) => Some(value + offset),
            Some(SensorFault::Stuck(stuck)) => Some(*stuck),
            Some(SensorFault::Frozen) => previous.or(Some(value)),
            Some(SensorFault::Lost) => None,
        }
    }
}

fn stepped(value: f64, step: f64) -> f64 {
    if step > 0.0 { (value / step).round() * step } else { value }
}

#[cfg(test)]
mod tests {
    use super::super::cell::Effects;
    use super::super::chemistry::LFP;
    use super::super::pack::PackSpec;
    use super::*;

    fn pack() -> Pack {
        Pack::new(PackSpec::even(&LFP, 16, 280.0, 0.5, Effects::NONE))
    }

    #[test]
    fn readings_are_noisy_stepped_and_the_same_for_the_same_seed() {
        let measure = |seed| Sensors::new(Noise::TYPICAL, Rng::new(seed, 0)).measure(&pack()).clone();
        assert_eq!(measure(5), measure(5));
        assert_ne!(measure(5), measure(6));
        for cell in measure(5).cells_v.into_iter().flatten() {
            assert!(
                (cell - 3.293).abs() < 0.006 && ((cell * 1e3).round() - cell * 1e3).abs() < 1e-6,
                "{cell}"
            );
        }
        assert_eq!(measure(5).temperatures_c, [Some(25.0); 4]);
    }

    #[test]
    fn each_kind_of_broken_sensor_shows_in_its_own_reading_only() {
        let mut pack = pack();
        let mut sensors = Sensors::new(Noise::NONE, Rng::new(1, 0));
        sensors.measure(&pack);
        sensors.set_fault(Sensor::Cell(0), Some(SensorFault::Offset(0.5)));
        sensors.set_fault(Sensor::Cell(1), Some(SensorFault::Stuck(0.0)));
        sensors.set_fault(Sensor::Cell(2), Some(SensorFault::Frozen));
        sensors.set_fault(Sensor::Temperature(1), Some(SensorFault::Lost));
        sensors.set_fault(Sensor::Current, Some(SensorFault::Stuck(7.0)));
        pack.step(140.0, 1.0);
        let now_v = pack.cells_v()[3];
        let readings = sensors.measure(&pack);
        assert_eq!(readings.cells_v[..4], [Some(now_v + 0.5), Some(0.0), Some(3.293), Some(now_v)]);
        assert_eq!(readings.temperatures_c, [Some(25.0), None, Some(25.0), Some(25.0)]);
        assert_eq!(readings.current_a, Some(7.0));
        assert!(readings.incomplete());
        sensors.repair();
        assert!(!sensors.measure(&pack).incomplete());
    }
}
