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

/// The ways of running that a device has, as items, and how long a wish lasts.
pub(super) fn shown(tx: &mut Update<'_>, map: &Map, view: &View<'_>) {
    tx.set(c::TIMEOUT, i32::try_from(view.timeout_s).unwrap_or(i32::MAX));
    if map.modes.is_empty() {
        return;
    }
    let number = present(map, view).map_or(OWN, |mode| mode_number(mode.mode));
    tx.set(c::MODE, view.is_there.then_some(number))
        .set(c::POWER, view.power_w)
        .set(c::MODES_OFFERED, words(map));
}

/// The words of the ways of running that a device can be set to.
fn words(map: &Map) -> Vec<String> {
    let numbers = std::iter::once(OWN).chain(map.modes.iter().map(|mode| mode_number(mode.mode)));
    let words = numbers.filter_map(|number| c::MODES.get(usize::try_from(number).ok()?));
    words.map(|word| (*word).to_owned()).collect()
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
            let before = std::mem::replace(&mut self.power_w, value.abs());
            let keys = [Mode::Charge.key(), Mode::Discharge.key()];
            let wanted = keys.into_iter().find(|key| self.control.is_wanted(key));
            return match wanted.map_or(Ok(()), |key| self.want_mode(key, &write, now)) {
                Ok(()) => write.accept(),
                Err(why) => {
                    self.power_w = before;
                    self.refuse(write, &why);
                }
            };
        }
        if value == f64::from(OWN) {
            let keys = self.device.map().into_iter().flat_map(|map| &map.modes).map(|mode| mode.key);
            let ended = keys.filter(|key| self.control.end(key)).count();
            let said = if ended > 0 { "is on its way" } else { "is what it has: nothing else was forced" };
            return self.confirm_later(write, &format!("{MODE}{} {said}", c::MODES.first().unwrap_or(&"")));
        }
        let mode = self.device.map().and_then(|map| {
            let is_it = |mode: &&ModeAt| f64::from(mode_number(mode.mode)) == value;
            map.modes.iter().find(is_it).map(|mode| mode.key)
        });
        let wanted = mode.ok_or_else(|| self.modes());
        match wanted.and_then(|key| self.want_mode(key, &write, now).map(|()| key)) {
            Ok(key) if self.control.is_confirmed(key) => self.confirm_later(write, &format!("{key} is set")),
            Ok(key) => self.confirm_later(write, &format!("{key} is on its way")),
            Err(why) => self.refuse(write, &why),
        }
    }

    /// The ways of running that there are, for who wants another.
    fn modes(&self) -> String {
        let words = self.device.map().map(words).unwrap_or_default();
        let number = |word: &String| c::MODES.iter().position(|known| known == word).unwrap_or_default();
        let listed: Vec<String> = words.iter().map(|word| format!("{} {word}", number(word))).collect();
        format!("this device has no such mode: {}", listed.join(", "))
    }

    fn want_mode(&mut self, key: &str, write: &WriteRequest, now: Instant) -> Result<(), String> {
        if let Some(why) = self.may_not_force(key) {
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
        self.commanders.wrote(key, Some(write.client()), now);
        Ok(())
    }
}
