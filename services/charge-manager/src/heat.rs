//! What the temperatures of one member allow.
//!
//! A worse temperature counts at once, a better one smoothed and only after a play of one kelvin: a sensor that trembles
//! on an edge moves nothing.

use serde::{Deserialize, Serialize};

use crate::filter::{LowPass, Play};
use crate::limit::Limit;
use crate::reasons::Reason;
use crate::settings::{Key, NoTemperature, Settings};
use crate::tick::Tick;
use crate::validate::{Sound, Spot};

const SMOOTHED_S: f64 = 30.0;
/// A lead-acid battery colder than this and emptier than that may be frozen.
const FROZEN_BELOW_C: f64 = -10.0;
const FROZEN_BELOW_SOC: f64 = 40.0;
/// Where nothing is limited by temperature.
const MILD_C: f64 = 25.0;

/// What is remembered of a member's temperatures.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct HeatMemory {
    coldest: LowPass,
    hottest: LowPass,
    cold: Play,
    hot: Play,
    mosfet: Play,
}

/// What the temperatures of a member allow.
#[derive(Debug, Default)]
pub(crate) struct HeatLimits {
    pub(crate) charge: Vec<Limit>,
    pub(crate) discharge: Vec<Limit>,
    /// For the compensation of the charge voltage, °C.
    pub(crate) smoothed_c: Option<f64>,
}

/// The limits that the temperatures of one member set. `discharge_a` is its maximum.
pub(crate) fn step(
    sound: &Sound,
    memory: &mut HeatMemory,
    (charge_a, discharge_a): (f64, f64),
    settings: &Settings,
    tick: Tick,
) -> HeatLimits {
    let plan = settings.plan();
    let mut limits = HeatLimits::default();
    let play = settings.get(Key::TemperaturePlay);
    let capacity_ah = sound.capacity_ah;
    if let (Some(coldest), Some(hottest)) = (&sound.heat.coldest, &sound.heat.hottest) {
        let smooth_cold = memory.coldest.step(coldest.celsius, tick.dt_s, SMOOTHED_S);
        let smooth_hot = memory.hottest.step(hottest.celsius, tick.dt_s, SMOOTHED_S);
        limits.smoothed_c = Some(0.5 * (smooth_cold + smooth_hot));
        let cold_c = memory.cold.low(coldest.celsius.min(smooth_cold), play);
        let hot_c = memory.hot.high(hottest.celsius.max(smooth_hot), play);
        for (celsius, spot) in [(cold_c, coldest), (hot_c, hottest)] {
            let reason = |sound: &Sound| reason(sound, celsius, spot);
            limits.charge.push(Limit::new(plan.charge_c_over_c.at(celsius) * capacity_ah, reason(sound)));
            limits.discharge.push(Limit::new(plan.discharge_over_c.at(celsius) * discharge_a, reason(sound)));
        }
        let frozen = settings.chemistry().is_lead()
            && cold_c < FROZEN_BELOW_C
            && sound.soc.is_none_or(|soc| soc < FROZEN_BELOW_SOC);
        if frozen {
            limits.charge.push(Limit::new(0.0, reason(sound, cold_c, coldest)));
        }
    }
    if sound.heat.lost {
        let rate = match plan.no_temperature {
            NoTemperature::Assume => plan.charge_c_over_c.at(settings.get(Key::AssumedTemperature)),
            NoTemperature::Release => plan.charge_c_over_c.at(MILD_C),
            NoTemperature::Forbid => 0.0,
        };
        let reason = Reason::NoTemperature { member: sound.label.clone() };
        limits.charge.push(Limit::new(rate * capacity_ah, reason));
    }
    if let Some(celsius) = sound.mosfet_c {
        let part = plan.charge_over_mosfet_c.at(memory.mosfet.high(celsius, play));
        let reason = || Reason::Mosfet { member: sound.label.clone(), celsius };
        limits.charge.push(Limit::new(part * charge_a, reason()));
        limits.discharge.push(Limit::new(part * discharge_a, reason()));
    }
    limits
}

fn reason(sound: &Sound, celsius: f64, spot: &Spot) -> Reason {
    let member = sound.label.clone();
    if celsius < MILD_C {
        Reason::Cold { member, probe: Some(spot.probe.clone()), celsius: spot.celsius }
    } else {
        Reason::Hot { member, probe: spot.probe.clone(), celsius: spot.celsius }
    }
}
