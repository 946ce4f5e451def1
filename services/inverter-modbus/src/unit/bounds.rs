//! What clients set, kept within what is decided elsewhere and what the user allows.

use tokio::time::Instant;

use super::control::Control;
use super::following::Wanted;
use super::life::Unit;
use super::limits::{CHARGE, DISCHARGE, VOLTAGE, least};
use super::orders::DECIDED;
use super::sight::{Sight, sighted};
use super::undo;
use super::volts::Steady;
use super::wear::spared;
use crate::config;
use crate::profile::write::Mode;

/// The set point that takes a power into the battery or, below zero, out of it.
const BATTERY_POWER: &str = "battery_power_setpoint";
/// The current that it takes from the grid for its battery.
const GRID_CHARGE: &str = "grid_charge_current";

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

/// The most power that the battery may give and take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Room {
    out_w: f64,
    in_w: f64,
    /// It is made of a voltage of long ago: it raises nothing.
    is_old: bool,
}

/// The room that a decision and the user leave; nothing if neither says anything. Without the battery's voltage no power but
/// none is known to be right, and nothing is changed until there is one.
pub(super) fn room(wanted: Option<&Wanted>, config: &config::Device, volts: Option<Steady>) -> Option<Room> {
    let most = |decided: Option<f64>, own: Option<f64>| decided.map_or(own, |amps| Some(least(amps, own)));
    let charge_a = most(wanted.and_then(|wanted| wanted.charge_a), config.max_charge_current_a);
    let discharge_a = most(wanted.and_then(|wanted| wanted.discharge_a), config.max_discharge_current_a);
    if charge_a.is_none() && discharge_a.is_none() {
        return None;
    }
    let watts = |amps: Option<f64>| match (amps, volts) {
        (Some(0.0), _) => 0.0,
        (Some(amps), Some(_)) => power_w(amps, volts),
        _ => f64::INFINITY,
    };
    let is_old = volts.is_none_or(|steady| steady.is_old);
    Some(Room { out_w: watts(discharge_a), in_w: watts(charge_a), is_old })
}

fn power_w(amps: f64, volts: Option<Steady>) -> f64 {
    (amps * volts.map_or(0.0, |steady| steady.volts)).floor()
}

/// What a client sets, and not more than the user allows.
fn allowed(name: &str, value: f64, config: &config::Device, volts: Option<Steady>) -> f64 {
    let (charge, discharge) = (config.max_charge_current_a, config.max_discharge_current_a);
    let most = match name {
        GRID_CHARGE => charge,
        _ if name == CHARGE[0] => charge,
        _ if name == DISCHARGE[0] => discharge,
        _ if name == CHARGE[1] => charge.map(|amps| power_w(amps, volts)),
        _ if name == DISCHARGE[1] => discharge.map(|amps| power_w(amps, volts)),
        _ => None,
    };
    most.map_or(value, |most| value.min(most))
}

/// Lowers what is forced to its room. A way of running comes back with the room up to `power_w`, where it lies in
/// memory that wears out in steps that are worth a write; a set point stays where it is until it is set again.
pub(super) fn keep_within(control: &mut Control, room: Room, power_w: f64, sight: &Sight<'_>) {
    for (mode, most) in [(Mode::Charge, room.in_w), (Mode::Discharge, room.out_w)] {
        let key = mode.key();
        if let (Some(before), Some(write)) = (control.wanted(key), sight.map.write(key, sight.point)) {
            let most = if room.is_old { most.min(before) } else { most };
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
        control.want(BATTERY_POWER, watts.clamp(-room.out_w, room.in_w), sight);
    }
}

impl Unit {
    /// Keeps what clients have set within what is decided and what the user allows.
    pub(super) fn bound(&mut self, now: Instant) {
        let (control, config, float) = (&mut self.control, &self.config, &mut self.float);
        if self.source.is_some() {
            sighted(&self.device, config, |sight| float.keep_below(control.wanted(VOLTAGE), control, sight));
        }
        let wanted = self.wanted.as_ref().filter(|_| self.source.is_some());
        // Until something is decided about it, what was told before holds.
        if self.source.is_some() && (wanted.is_none() || self.grace.holds(now)) {
            return;
        }
        let Some(room) = room(wanted, config, self.volts.steady(now)) else { return };
        let power_w = self.power_w;
        sighted(&self.device, config, |sight| keep_within(control, room, power_w, sight));
    }

    /// What a client may set of what it wants to set.
    pub(super) fn allowed(&self, name: &str, value: f64, now: Instant) -> f64 {
        allowed(name, value, &self.config, self.volts.steady(now))
    }

    /// Whether this set point follows what is decided elsewhere.
    pub(super) fn is_decided(&self, name: &str) -> bool {
        self.source.is_some() && DECIDED.contains(&name)
    }

    /// Why a client may not set `key`.
    pub(super) fn may_not_set(&self, key: &str, now: Instant) -> Option<&'static str> {
        let wanted = self.wanted.as_ref().filter(|_| self.source.is_some() && !self.grace.holds(now));
        let volts = self.volts.steady(now);
        if is_forced(key) && volts.is_none() && room(wanted, &self.config, volts).is_some() {
            return Some("the battery's voltage is not known, which the largest current is to be kept by");
        }
        let source = self.source.as_ref()?;
        if self.is_decided(key) {
            return Some(source.decides());
        }
        sighted(&self.device, &self.config, |sight| refusal(key, wanted, sight)).flatten()
    }

    /// The set points that are decided elsewhere, of those that are undone at the end otherwise.
    pub(super) fn decided(&self) -> Vec<&'static str> {
        let has_source = self.source.is_some();
        CHARGE.into_iter().chain(DISCHARGE).filter(|_| has_source).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::image::Image;
    use crate::engine::map::Map;
    use crate::engine::sunspec::{Chain, Model};
    use crate::profile::builtin;

    const FIFTY: Option<Steady> = Some(Steady { volts: 50.0, is_old: false });

    fn room_of(charge_a: f64, discharge_a: f64) -> Room {
        let config = config::Device::at("goodwe-et");
        room(Some(&Wanted::decided(charge_a, discharge_a)), &config, FIFTY).unwrap()
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
                keep_within(&mut control, room_of(amps, 100.0), 3000.0, sight);
                assert_eq!(control.wanted(key), Some(watts), "{amps} A");
            }
            keep_within(&mut control, room_of(100.0, 0.0), 3000.0, sight);
            assert_eq!(control.wanted(key), Some(3000.0), "discharging is another matter");
        });
    }

    #[test]
    fn what_is_set_by_the_registers_of_the_limits_is_refused_to_clients() {
        let profile = builtin::by_id("sunspec-hybrid").unwrap();
        let models = [103, 120, 124, 160, 802].into_iter().zip((0_u16..).map(|n| 40_070 + 200 * n));
        let chain = Chain { models: models.map(|(id, addr)| Model { id, addr, length: 190 }).collect() };
        let map = Map::new(&profile, Some(&chain), true);
        let wanted = Wanted::decided(0.0, 0.0);
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
            assert_eq!(refusal(Mode::Charge.key(), Some(&Wanted::decided(1.0, 1.0)), sight), None);
        });
    }

    #[test]
    fn the_user_s_own_limits_hold_for_what_clients_set_with_and_without_a_decision() {
        let own = config::Device {
            max_charge_current_a: Some(100.0),
            max_discharge_current_a: Some(80.0),
            ..config::Device::at("goodwe-et")
        };
        let room_of = |wanted: Option<&Wanted>, config| room(wanted, config, FIFTY);
        let both = |out_w, in_w| Some(Room { out_w, in_w, is_old: false });
        assert_eq!(room_of(Some(&Wanted::decided(200.0, 20.0)), &own), both(1000.0, 5000.0));
        assert_eq!(room_of(None, &own), both(4000.0, 5000.0));
        assert_eq!(room_of(None, &config::Device::at("goodwe-et")), None);
        let unknown = room(None, &own, None).map(|room| (room.in_w, room.is_old));
        assert_eq!(unknown, Some((f64::INFINITY, true)), "nothing is changed without a voltage");
        let nothing = room(Some(&Wanted::decided(0.0, 20.0)), &own, None).map(|room| (room.in_w, room.out_w));
        assert_eq!(nothing, Some((0.0, f64::INFINITY)), "no current is no power at any voltage");
        for (name, asked, set) in [
            ("charge_current_limit", 240.0, 100.0),
            ("grid_charge_current", 240.0, 100.0),
            ("discharge_current_limit", 60.0, 60.0),
            ("charge_power_limit", 9000.0, 5000.0),
            ("discharge_power_limit", 9000.0, 4000.0),
            ("min_soc", 90.0, 90.0),
        ] {
            assert_eq!(allowed(name, asked, &own, FIFTY), set, "{name}");
        }
    }

    #[test]
    fn a_voltage_of_long_ago_or_none_raises_nothing_that_is_forced() {
        let map = Map::new(&builtin::by_id("goodwe-et").unwrap(), None, true);
        let mut control = Control::default();
        let old = Room { is_old: true, ..room_of(60.0, 60.0) };
        with(&map, |sight| {
            let key = Mode::Charge.key();
            control.want(key, 2000.0, sight);
            keep_within(&mut control, old, 3000.0, sight);
            assert_eq!(control.wanted(key), Some(2000.0));
            keep_within(&mut control, Room { in_w: f64::INFINITY, ..old }, 3000.0, sight);
            assert_eq!(control.wanted(key), Some(2000.0));
            keep_within(&mut control, Room { in_w: 1000.0, ..old }, 3000.0, sight);
            assert_eq!(control.wanted(key), Some(1000.0));
        });
    }
}
