//! What clients force, kept within what is decided elsewhere.

use super::control::Control;
use super::following::{CHARGE, DISCHARGE, Wanted};
use super::life::Unit;
use super::orders::DECIDED;
use super::sight::{Sight, sighted};
use super::undo;
use super::wear::spared;
use crate::profile::write::Mode;

/// The set point that takes a power into the battery or, below zero, out of it.
const BATTERY_POWER: &str = "battery_power_setpoint";

/// Why a client may not force `key` while limits are decided elsewhere; `wanted` is what is decided.
pub(super) fn refusal(key: &str, wanted: Option<&Wanted>, sight: &Sight<'_>) -> Option<&'static str> {
    let write = sight.map.write(key, sight.point)?;
    let mut decided = DECIDED.iter().filter_map(|name| sight.map.write(name, sight.point));
    if decided.any(|other| undo::touch(write, other)) {
        return Some("it is set by the registers of the limits, and those are decided elsewhere");
    }
    (is_forced(key) && wanted.is_none()).then_some("nothing is decided yet about the battery")
}

fn is_forced(key: &str) -> bool {
    key == BATTERY_POWER || key == Mode::Charge.key() || key == Mode::Discharge.key()
}

/// The most power that the battery may give and take, W. Without its voltage none is known to be right.
fn room_w(wanted: &Wanted, volts: Option<f64>) -> (f64, f64) {
    let volts = volts.unwrap_or(0.0);
    let most = |amps: Option<f64>| amps.map_or(f64::INFINITY, |amps| (amps * volts).floor());
    (most(wanted.discharge_a), most(wanted.charge_a))
}

/// Lowers what is forced to what is decided. A way of running comes back with the decision up to `power_w`, where it lies in
/// memory that wears out in steps that are worth a write; a set point stays where it is until it is set again.
pub(super) fn keep_within(
    control: &mut Control,
    wanted: &Wanted,
    volts: Option<f64>,
    power_w: f64,
    sight: &Sight<'_>,
) {
    let (most_out, most_in) = room_w(wanted, volts);
    for (mode, most) in [(Mode::Charge, most_in), (Mode::Discharge, most_out)] {
        let key = mode.key();
        if let (Some(before), Some(write)) = (control.wanted(key), sight.map.write(key, sight.point)) {
            let power = power_w.abs();
            let spared = spared(write, power.min(most), Some(before));
            // What was wanted is as round as it is.
            control.want(key, if power <= most && spared != before { power } else { spared }, sight);
            if control.wanted(key).is_some_and(|least| least > most) {
                control.end(key);
            }
        }
    }
    if let Some(watts) = control.wanted(BATTERY_POWER) {
        control.want(BATTERY_POWER, watts.clamp(-most_out, most_in), sight);
    }
}

impl Unit {
    /// Keeps what clients have forced within what is decided.
    pub(super) fn bound(&mut self) {
        let Some(wanted) = self.wanted.as_ref().filter(|_| self.source.is_some()) else { return };
        let (control, volts, power_w) = (&mut self.control, self.volts.steady(), self.power_w);
        sighted(&self.device, &self.config, |sight| keep_within(control, wanted, volts, power_w, sight));
    }

    /// Why a client may not force `key`.
    pub(super) fn may_not_force(&self, key: &str) -> Option<&'static str> {
        self.source.as_ref()?;
        sighted(&self.device, &self.config, |sight| refusal(key, self.wanted.as_ref(), sight)).flatten()
    }

    /// The set points that are decided elsewhere, of those that are undone at the end otherwise.
    pub(super) fn decided(&self) -> Vec<&'static str> {
        let has_source = self.source.is_some();
        CHARGE.into_iter().chain(DISCHARGE).filter(|_| has_source).collect()
    }
}

#[cfg(test)]
mod tests {
    use dbus_interfaces::follower::Stance;

    use super::*;
    use crate::engine::image::Image;
    use crate::engine::map::Map;
    use crate::engine::sunspec::{Chain, Model};
    use crate::profile::builtin;

    fn decided(charge_a: f64, discharge_a: f64) -> Wanted {
        Wanted {
            charge_a: Some(charge_a),
            discharge_a: Some(discharge_a),
            voltage_v: None,
            stance: Stance::Obeying,
            reason: String::new(),
        }
    }

    fn with<T>(map: &Map, then: impl FnOnce(&Sight<'_>) -> T) -> T {
        let (image, point) = (Image::default(), |name: &str| (name == "battery_voltage").then_some(50.0));
        then(&Sight { map, image: &image, point: &point, secret: &|_| None, reads: 0 })
    }

    #[test]
    fn a_forced_charge_follows_the_decision_down_and_up_again_to_what_was_wanted() {
        let map = Map::new(&builtin::by_id("goodwe-et").unwrap(), None, true);
        let mut control = Control::default();
        with(&map, |sight| {
            let key = Mode::Charge.key();
            control.want(key, 3000.0, sight);
            for (amps, watts) in
                [(100.0, 3000.0), (20.0, 1000.0), (0.0, 0.0), (40.0, 2000.0), (200.0, 3000.0)]
            {
                keep_within(&mut control, &decided(amps, 100.0), Some(50.0), 3000.0, sight);
                assert_eq!(control.wanted(key), Some(watts), "{amps} A");
            }
            keep_within(&mut control, &decided(100.0, 0.0), Some(50.0), 3000.0, sight);
            assert_eq!(control.wanted(key), Some(3000.0), "discharging is another matter");
        });
    }

    #[test]
    fn what_is_set_by_the_registers_of_the_limits_is_refused_to_clients() {
        let profile = builtin::by_id("sunspec-hybrid").unwrap();
        let models = [103, 120, 124, 160, 802].into_iter().zip((0_u16..).map(|n| 40_070 + 200 * n));
        let chain = Chain { models: models.map(|(id, addr)| Model { id, addr, length: 190 }).collect() };
        let map = Map::new(&profile, Some(&chain), true);
        let wanted = decided(0.0, 0.0);
        with(&map, |sight| {
            assert!(refusal(Mode::Charge.key(), Some(&wanted), sight).is_some());
            assert_eq!(refusal("min_soc", Some(&wanted), sight), None);
        });
    }

    #[test]
    fn nothing_is_forced_before_anything_is_decided() {
        let map = Map::new(&builtin::by_id("goodwe-et").unwrap(), None, true);
        with(&map, |sight| {
            assert!(refusal(Mode::Charge.key(), None, sight).is_some());
            assert_eq!(refusal(Mode::Charge.key(), Some(&decided(1.0, 1.0)), sight), None);
        });
    }
}
