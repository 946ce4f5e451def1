//! Ways of running: shown, and set by clients.

use dbus_interfaces::Update;
use dbus_interfaces::classes::control as c;

use super::life::Unit;
use super::orders::Ordered;
use super::sight::sighted;
use super::view::View;
use crate::engine::encode::{self, Known};
use crate::engine::image::Image;
use crate::engine::map::Map;
use crate::profile::expr::Condition;
use crate::profile::write::Mode;

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
    let point = |name: &str| view.number(name);
    let is_active = |active: &Option<Condition>| active.as_ref().is_some_and(|active| active.holds(&point));
    let active = map.modes.iter().find(|mode| is_active(&mode.active));
    tx.set(c::MODE, view.is_there.then(|| active.map_or(0, |mode| mode_number(mode.name))))
        .set(c::POWER, view.power_w);
}

impl Unit {
    /// A client wants it to run in another way.
    pub(super) fn set_mode(&mut self, value: f64) -> Result<(), String> {
        let map = self.device.map().filter(|_| self.was_there).ok_or("the device is not there")?;
        let mode = map.modes.iter().find(|mode| f64::from(mode_number(mode.name)) == value);
        let mode = mode.ok_or("this device has no such mode")?;
        let has_value = matches!(mode.name, Mode::Charge | Mode::Discharge);
        let power = has_value.then(|| self.power_w.abs());
        let writes = sighted(&self.device, &self.config, |sight| {
            let saved = Image::default();
            let known = Known { point: sight.point, secret: sight.secret, image: sight.image, saved: &saved };
            encode::mode(mode, power, &known)
        });
        let writes = writes.ok_or("the device is not there")?.map_err(|why| why.to_string())?;
        let (name, number) = (mode.name, self.next_order);
        self.next_order += 1;
        if !self.device.command(number, writes) {
            return Err("too much waits already".to_owned());
        }
        self.orders.push((number, Ordered::Mode(name)));
        Ok(())
    }
}
