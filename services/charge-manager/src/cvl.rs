//! The charge voltage.
//!
//! ```text
//! δ   = highest cell − mean                       of one sample
//! ff  = N·(ceiling − δ) + wires                   the pack voltage that puts the highest cell at the ceiling
//! b  += dt·N·clamp(highest − ceiling, ±20 mV)/60 s, 0 ≤ b ≤ 1 V
//! cvl = min(N·state, ff − b, limit of the battery, limit of the user)
//! ```
//!
//! `ff` holds only the spread of the cells: a rise of all of them feeds nothing back, so the lag of a charger cannot make
//! it swing. What is fed back is the excess of one cell's resistance, with a gain below 1 up to twice the mean. The trim
//! takes out what the charger's own meter is off.

use serde::{Deserialize, Serialize};

use crate::filter::Since;
use crate::limit::Limit;
use crate::reasons::Reason;
use crate::settings::{Chemistry, Key, Settings};
use crate::state::State;
use crate::tick::Tick;
use crate::validate::Sound;

/// Errors of the highest cell between which the trim stands still, and beyond which it goes no faster, V.
const TRIM_DEAD_V: f64 = 0.003;
const TRIM_FASTEST_V: f64 = 0.020;
/// More than this between the cells and the pack's voltage is a fault of a sensor: Ω, and V.
const WIRES_OHM: f64 = 0.002;
const WIRES_MOST_V: f64 = 0.2;
/// Where no cell is seen, so much of the pack is kept in reserve, V.
const PACK_MARGIN_V: f64 = 0.1;
/// The control never asks for less than this part of the pack's voltage.
const FLOOR_OF_PACK: f64 = 0.9;
/// How far below the voltage of the pack one that draws down is let on the way to float, V.
const FOLLOW_BELOW_V: f64 = 0.1;
/// Charge voltages are compensated between these temperatures, °C.
const COMPENSATED_C: (f64, f64) = (0.0, 45.0);
const REFERENCE_C: f64 = 25.0;
/// The lowest compensated voltage, below float at 25 °C, V per cell.
const COMPENSATED_BELOW_FLOAT_V: f64 = 0.15;

/// What is remembered of a member's charge voltage.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct TrimMemory {
    /// V per pack.
    trim_v: f64,
}

/// The charge voltage of one member.
#[derive(Debug)]
pub(crate) struct MemberVoltage {
    /// What the control wants.
    pub(crate) wish: Limit,
    /// What the battery and its chemistry forbid to exceed.
    pub(crate) cap: Limit,
    /// What the control does not go below.
    pub(crate) floor_v: f64,
}

/// Voltage of a cell in this state at this temperature, V, and whether compensation has changed it.
pub(crate) fn state_cell_v(state: State, smoothed_c: Option<f64>, settings: &Settings) -> (f64, bool) {
    let key = match state {
        State::Balance => Key::BalanceVoltage,
        State::Float => Key::FloatVoltage,
        State::Storage => Key::StorageVoltage,
        State::Equalise => Key::EqualiseVoltage,
        _ => Key::AbsorptionVoltage,
    };
    let at_25_v = settings.some(key).unwrap_or_else(|| settings.get(Key::AbsorptionVoltage));
    let per_k = settings.get(Key::TemperatureCompensation);
    let (Some(celsius), true) = (smoothed_c, per_k != 0.0) else { return (at_25_v, false) };
    let celsius = celsius.clamp(COMPENSATED_C.0, COMPENSATED_C.1);
    let least_v = settings.get(Key::FloatVoltage) - COMPENSATED_BELOW_FLOAT_V;
    let most_v = settings.chemistry().nature().compensated_v.max(at_25_v);
    let v = (at_25_v + per_k * (celsius - REFERENCE_C)).clamp(least_v, most_v);
    (v, (v - at_25_v).abs() > 1e-6)
}

/// Highest voltage of a cell of this chemistry while charging, V.
fn cap_cell_v(settings: &Settings) -> f64 {
    let nature = settings.chemistry().nature();
    match settings.chemistry() {
        Chemistry::Lfp | Chemistry::Nmc | Chemistry::Lto => settings.get(Key::CellCeiling),
        Chemistry::Flooded | Chemistry::Agm | Chemistry::Gel => {
            nature.compensated_v.max(settings.get(Key::AbsorptionVoltage))
        }
    }
}

/// The charge voltage of one member. `base` is what the state of the bank wants for a cell, and why.
pub(crate) fn member(
    sound: &Sound,
    memory: &mut TrimMemory,
    base: &Limit,
    settings: &Settings,
) -> MemberVoltage {
    let n = sound.n();
    let mut cap = Limit::new(n * cap_cell_v(settings), Reason::None);
    if let Some(cvl_v) = sound.cvl.value().filter(|cvl_v| *cvl_v < cap.value) {
        cap = Limit::new(cvl_v, Reason::CvlMember { member: sound.label.clone() });
    }
    let mut wish = Limit::new(n * base.value, base.reason.clone());
    if let Some(ceiling_v) = settings.some(Key::CellCeiling) {
        let cell = match (&sound.highest, sound.mean_v) {
            (Some(top), Some(mean_v)) => {
                let over_v = top.v - ceiling_v;
                if let (Some(sample_s), true) = (sound.sample_s, over_v.abs() > TRIM_DEAD_V) {
                    let slope =
                        n * over_v.clamp(-TRIM_FASTEST_V, TRIM_FASTEST_V) / settings.get(Key::TrimTime);
                    let most_v = settings.get(Key::TrimMaximum);
                    memory.trim_v = (memory.trim_v + sample_s.min(5.0) * slope).clamp(0.0, most_v);
                }
                let v = n * (ceiling_v - (top.v - mean_v)) + wires_v(sound, mean_v) - memory.trim_v;
                let reason = Reason::CvlCell { member: sound.label.clone(), cell: top.id.clone(), v: top.v };
                Limit::new(v, reason)
            }
            _ => Limit::new(n * ceiling_v - PACK_MARGIN_V, Reason::CvlMember { member: sound.label.clone() }),
        };
        if cell.value < wish.value {
            wish = cell;
        }
    }
    let floor_v = (n * settings.get(Key::StorageVoltage)).max(FLOOR_OF_PACK * sound.voltage_v.unwrap_or(0.0));
    MemberVoltage { wish, cap, floor_v }
}

/// What the wires of the pack take of its voltage while it charges, V: the charger holds the voltage at their end.
fn wires_v(sound: &Sound, mean_v: f64) -> f64 {
    let most_v = (WIRES_OHM * sound.current_a.unwrap_or(0.0)).clamp(0.0, WIRES_MOST_V);
    sound.voltage_v.map_or(0.0, |v| v - sound.n() * mean_v).clamp(0.0, most_v)
}

/// What is remembered of the voltage that the state wants, per cell.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct BaseMemory {
    cell_v: Option<f64>,
}

/// What the state is told from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BaseSight {
    pub(crate) state: State,
    pub(crate) smoothed_c: Option<f64>,
    /// Mean voltage of a cell on the busbar, V.
    pub(crate) bus_cell_v: Option<f64>,
    /// Most cells in series of a member.
    pub(crate) cells: f64,
    /// A follower draws the battery down to a lower charge voltage.
    pub(crate) draws_down: bool,
}

/// The voltage that the state wants for a cell, and why. Down to float it goes slowly.
pub(crate) fn base(sight: BaseSight, memory: &mut BaseMemory, settings: &Settings, tick: Tick) -> Limit {
    let (state_v, compensated) = state_cell_v(sight.state, sight.smoothed_c, settings);
    let reason = match sight.state {
        State::Float => Reason::CvlFloat,
        State::Storage => Reason::CvlStorage,
        State::Equalise => Reason::Equalise,
        State::Start | State::NoData => Reason::Starting { who: None },
        _ if compensated => Reason::CvlTemperature { celsius: sight.smoothed_c.unwrap_or(REFERENCE_C) },
        _ => Reason::None,
    };
    let goes_down = matches!(sight.state, State::Float | State::Storage);
    let before_v = memory.cell_v.filter(|before_v| goes_down && *before_v > state_v);
    let limit = match (sight.state, before_v, sight.bus_cell_v) {
        (State::Start | State::NoData | State::Protect, _, Some(bus_cell_v)) => {
            Limit::new(bus_cell_v.min(state_v), reason)
        }
        (_, Some(before_v), bus_cell_v) => {
            let ramp_v = before_v - settings.get(Key::FloatRamp) * tick.dt_s / sight.cells.max(1.0);
            let mut v = ramp_v.max(state_v);
            if let (true, Some(bus_cell_v)) = (sight.draws_down, bus_cell_v) {
                v = v.max((bus_cell_v - FOLLOW_BELOW_V / sight.cells.max(1.0)).min(before_v));
            }
            let reason = if v > state_v { Reason::CvlRamp { to_v: state_v * sight.cells } } else { reason };
            Limit::new(v, reason)
        }
        _ => Limit::new(state_v, reason),
    };
    memory.cell_v = Some(limit.value);
    limit
}

/// What is remembered of the voltage that is published.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct VoltageOut {
    published_v: Option<f64>,
    slewed_v: f64,
    since_fall: Since,
    since_rise: Since,
    /// The last change was a fall.
    fell: bool,
    rising: bool,
}

/// After a fall nothing rises for so long, s.
const HOLD_S: f64 = 5.0;
/// The same where a rise lowers what is wanted.
const CAREFUL_HOLD_S: f64 = 15.0;
/// A fall so soon after another is one of many, s.
const KEEPS_FALLING_S: f64 = 10.0;

impl VoltageOut {
    /// The voltage that is published now, V.
    pub(crate) fn get(self) -> Option<f64> {
        self.published_v
    }

    /// Publishes what is wanted, never above the cap: falls at once, small ones below the cap not at all; rises slowly,
    /// in steps that are worth it. `frozen`: nothing rises. `careful`: a rise lowers what is wanted, because more current
    /// flows; half of the way is where both meet for a cell of twice the resistance.
    pub(crate) fn step(
        &mut self,
        wish_v: f64,
        cap_v: f64,
        frozen: bool,
        careful: bool,
        settings: &Settings,
        tick: Tick,
    ) -> f64 {
        let wish_v = wish_v.min(cap_v);
        let fall_s = self.since_fall.step(true, tick.dt_s);
        let rise_s = self.since_rise.step(true, tick.dt_s);
        let Some(before_v) = self.published_v else {
            (self.published_v, self.slewed_v) = (Some(wish_v), wish_v);
            return wish_v;
        };
        let mut now_v = before_v;
        let fall_step_v = settings.get(Key::VoltageFallStep);
        if wish_v <= before_v - fall_step_v || before_v > cap_v {
            // A cap that keeps falling is published in steps ahead of it.
            let again = self.fell && wish_v > before_v - fall_step_v && fall_s <= KEEPS_FALLING_S;
            now_v = if again { before_v - fall_step_v } else { wish_v };
            self.since_fall.reset();
            self.fell = true;
            self.rising = false;
        } else if fall_s >= if careful { CAREFUL_HOLD_S } else { HOLD_S } && !frozen && wish_v > before_v {
            self.rising |= wish_v > before_v + settings.get(Key::VoltageRiseStep);
            if self.rising {
                let aim_v = if careful { 0.5 * (before_v + wish_v) } else { wish_v };
                let most_v = self.slewed_v.max(before_v) + settings.get(Key::VoltageRise) * tick.dt_s;
                self.slewed_v = most_v.min(aim_v);
                let arrived = self.slewed_v >= aim_v;
                let worth = self.slewed_v >= before_v + settings.get(Key::VoltageRiseStep) || arrived;
                if worth && rise_s >= settings.get(Key::RiseDwell) {
                    now_v = self.slewed_v;
                    self.since_rise.reset();
                    self.fell = false;
                    self.rising = !arrived;
                }
            }
        } else if !frozen {
            self.rising = false;
        }
        if !self.rising || now_v < before_v {
            self.slewed_v = now_v;
        }
        self.published_v = Some(now_v);
        now_v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };

    #[test]
    fn voltage_falls_at_once_and_rises_at_twenty_millivolts_a_second_after_a_hold() {
        let settings = Settings::default();
        let mut out = VoltageOut::default();
        assert_eq!(out.step(55.2, 60.0, false, false, &settings, SECOND), 55.2);
        assert_eq!(out.step(55.19, 60.0, false, false, &settings, SECOND), 55.2, "not worth a change");
        assert_eq!(out.step(54.7, 60.0, false, false, &settings, SECOND), 54.7);
        let path: Vec<f64> = (0..40).map(|_| out.step(55.2, 60.0, false, false, &settings, SECOND)).collect();
        assert!(path[..5].iter().all(|v| *v == 54.7), "{path:?}");
        for (second, v) in path.iter().enumerate() {
            assert!(*v <= 54.7 + 0.0201 * (second as f64 + 1.0), "{second}: {v}");
        }
        assert!((path[39] - 55.2).abs() < 1e-9, "{path:?}");
        assert!(path.windows(2).filter(|pair| pair[1] > pair[0]).count() <= 7);
    }

    #[test]
    fn a_cap_is_kept_to_the_millivolt() {
        let settings = Settings::default();
        let mut out = VoltageOut::default();
        out.step(55.2, 60.0, false, false, &settings, SECOND);
        assert_eq!(out.step(55.2, 55.199, false, false, &settings, SECOND), 55.199);
        let ahead_v = out.step(55.2, 55.198, false, false, &settings, SECOND);
        assert!((ahead_v - 55.179).abs() < 1e-9, "one that keeps falling: {ahead_v}");
        assert_eq!(out.step(55.2, 55.190, false, false, &settings, SECOND), ahead_v);
    }

    #[test]
    fn lead_acid_is_compensated_within_its_window() {
        for (chemistry, celsius, v) in [
            (Chemistry::Agm, 5.0, 2.45),
            (Chemistry::Agm, 40.0, 2.355),
            (Chemistry::Flooded, 5.0, 2.53),
            (Chemistry::Flooded, -20.0, 2.55),
            (Chemistry::Gel, 0.0, 2.40),
            (Chemistry::Lfp, 0.0, 3.45),
        ] {
            let settings = Settings::of(chemistry);
            let (got, _) = state_cell_v(State::Absorption, Some(celsius), &settings);
            assert!((got - v).abs() < 1e-9, "{chemistry:?} at {celsius}: {got}");
        }
    }

    #[test]
    fn float_is_approached_slowly_and_left_at_once() {
        let settings = Settings::default();
        let mut memory = BaseMemory::default();
        let sight = |state| BaseSight {
            state,
            smoothed_c: None,
            bus_cell_v: Some(3.45),
            cells: 16.0,
            draws_down: false,
        };
        assert_eq!(base(sight(State::Absorption), &mut memory, &settings, SECOND).value, 3.45);
        let first = base(sight(State::Float), &mut memory, &settings, SECOND);
        assert!((16.0 * first.value - (55.2 - 0.002)).abs() < 1e-9);
        assert_eq!(first.reason.id(), "cvl-ramp");
        let last =
            (0..700).map(|_| base(sight(State::Float), &mut memory, &settings, SECOND)).last().unwrap();
        assert_eq!((last.value, last.reason.id()), (3.375, "cvl-float"));
        assert_eq!(base(sight(State::Bulk), &mut memory, &settings, SECOND).value, 3.45);
    }
}
