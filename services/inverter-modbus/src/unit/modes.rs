//! Ways of running: shown, and set by clients.

use dbus_interfaces::classes::control as c;
use dbus_interfaces::{Update, WriteRequest};
use tokio::time::Instant;

use super::life::Unit;
use super::sight::sighted;
use super::view::View;
use crate::engine::map::{Map, ModeAt};
use crate::profile::expr::Condition;
use crate::profile::write::{MODE, Mode};

/// The device runs as it likes.
const OWN: i32 = 0;

/// The place of a way of running in `classes::control::MODES`.
const fn mode_number(mode: Mode) -> i32 {
    match mode {
        Mode::SelfConsumption => 1,
        Mode::Sleep => 2,
        Mode::OffGrid => 3,
        Mode::Charge => 4,
        Mode::Discharge => 5,
        Mode::On => 6,
        Mode::Off => 7,
    }
}

/// The ways of running that a device has, as items.
pub(super) fn shown(tx: &mut Update<'_>, map: &Map, view: &View<'_>) {
    if map.modes.is_empty() {
        return;
    }
    tx.set(c::MODE, view.is_there.then(|| number(map, view)))
        .set(c::POWER, view.power_w)
        .set(c::MODES_OFFERED, c::mode_words(numbers(map)));
}

/// The one in force, as `/Control/Mode` has it.
pub(super) fn number(map: &Map, view: &View<'_>) -> i32 {
    present(map, view).map_or(OWN, |mode| mode_number(mode.mode))
}

/// Those that a device can be set to.
pub(super) fn numbers(map: &Map) -> Vec<i32> {
    std::iter::once(OWN).chain(map.modes.iter().map(|mode| mode_number(mode.mode))).collect()
}

/// The most power that each of those takes that have one, W; nothing if none has.
pub(super) fn most_w(map: &Map) -> Option<f64> {
    let forced = map.modes.iter().filter(|mode| mode.mode.has_power());
    let most =
        forced.filter_map(|mode| map.writes.iter().find(|write| write.spec.name == mode.key)?.spec.max);
    most.reduce(f64::min)
}

/// The one in force: what is forced before what the device does by itself, and what it shows before what it was told.
fn present<'m>(map: &'m Map, view: &View<'_>) -> Option<&'m ModeAt> {
    let point = |name: &str| view.number(name);
    let is_active = |active: &Option<Condition>| active.as_ref().is_some_and(|active| active.holds(&point));
    let told = |mode: &&ModeAt| mode.active.is_none() && view.mode == Some(mode.key);
    let forced = map.modes.iter().filter(|mode| mode.mode.has_power());
    let mut others = map.modes.iter().filter(|mode| !mode.mode.has_power());
    let by_itself = others.find(|mode| is_active(&mode.active));
    forced.clone().find(|mode| is_active(&mode.active)).or_else(|| map.modes.iter().find(told)).or(by_itself)
}

impl Unit {
    /// The way of running that was set and lasts until it is ended, as soon as that is certain.
    pub(super) fn mode(&self) -> Option<&str> {
        let control = &self.control;
        control.in_force().find(|name| name.starts_with(MODE) && control.is_confirmed(name))
    }

    /// A client wants it to run in another way, with another power, or for another time.
    pub(super) fn write_mode(&mut self, write: WriteRequest, value: f64, now: Instant) {
        if write.is(c::TIMEOUT) {
            self.commanders.last_for(value as u32);
            return write.accept();
        }
        if write.is(c::POWER) {
            return match self.set_power(value, write.client(), now) {
                Ok(()) => write.accept(),
                Err(why) => self.refuse(write, &why),
            };
        }
        match self.set_mode(value, write.client(), now) {
            Ok(said) => self.confirm_later(write, &said),
            Err(why) => self.refuse(write, &why),
        }
    }

    /// From now on this is the power of `charge` and `discharge`, also of the one in force.
    pub(super) fn set_power(&mut self, watts: f64, client: &str, now: Instant) -> Result<(), String> {
        let before = std::mem::replace(&mut self.power_w, watts.abs());
        let keys = [Mode::Charge.key(), Mode::Discharge.key()];
        let wanted = keys.into_iter().find(|key| self.control.is_wanted(key));
        let set = wanted.map_or(Ok(()), |key| self.want_mode(key, client, now));
        if set.is_err() {
            self.power_w = before;
        }
        set
    }

    /// From now on it runs in this way, or as it likes. Says what becomes of it.
    pub(super) fn set_mode(&mut self, number: f64, client: &str, now: Instant) -> Result<String, String> {
        if number == f64::from(OWN) {
            let keys = self.device.map().into_iter().flat_map(|map| &map.modes).map(|mode| mode.key);
            let ended = keys.filter(|key| self.control.end(key)).count();
            let said = if ended > 0 { "is on its way" } else { "is what it has: nothing else was forced" };
            return Ok(format!("{MODE}{} {said}", c::MODES.first().unwrap_or(&"")));
        }
        let mode = self.device.map().and_then(|map| {
            let is_it = |mode: &&ModeAt| f64::from(mode_number(mode.mode)) == number;
            map.modes.iter().find(is_it).map(|mode| mode.key)
        });
        let key = mode.ok_or_else(|| self.modes())?;
        self.want_mode(key, client, now)?;
        let said = if self.control.is_confirmed(key) { "is set" } else { "is on its way" };
        Ok(format!("{key} {said}"))
    }

    /// The ways of running that there are, for who wants another.
    fn modes(&self) -> String {
        let words = c::mode_words(self.device.map().map(numbers).unwrap_or_default());
        let number = |word: &String| c::MODES.iter().position(|known| known == word).unwrap_or_default();
        let listed: Vec<String> = words.iter().map(|word| format!("{} {word}", number(word))).collect();
        format!("this device has no such mode: {}", listed.join(", "))
    }

    fn want_mode(&mut self, key: &str, client: &str, now: Instant) -> Result<(), String> {
        if let Some(why) = self.may_not_set(key, now) {
            return Err(why.to_owned());
        }
        let has_power = [Mode::Charge, Mode::Discharge].iter().any(|mode| mode.key() == key);
        let power = if has_power { self.power_w } else { 0.0 };
        if !self.was_there {
            return Err("the device is not there".to_owned());
        }
        let control = &mut self.control;
        let wanted = sighted(&self.device, &self.config, |sight| {
            control.check(key, power, sight).map(|()| control.want(key, power, sight))
        });
        wanted.ok_or("the device is not there")?.map_err(|why| why.to_string())?;
        self.commanders.wrote(key, Some(client), now);
        Ok(())
    }
}
