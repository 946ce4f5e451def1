//! What clients set and what is written for it: from an item to registers, and what came of it.

use dbus_interfaces::classes::{control as c, pvinverter};
use dbus_interfaces::{Item, Value, WriteRequest};
use tokio::time::Instant;

use super::control::{Control, End, Order, Outcome};
use super::life::Unit;
use super::set_points::{PERCENT, item_of, percent_of};
use super::sight::sighted;
use super::view::rated_w;
use crate::config::ControlSwitch;
use crate::device::access::Fault;
use crate::profile::write::Mode;
use crate::system::Wish;

/// What is not set by clients where it is decided elsewhere.
pub(super) const DECIDED: [&str; 5] = [
    "charge_current_limit",
    "discharge_current_limit",
    "charge_power_limit",
    "discharge_power_limit",
    "charge_voltage_limit",
];

/// What an order is.
pub(super) enum Ordered {
    /// A set point.
    SetPoint(String),
    /// A way of running.
    Mode(Mode),
}

impl Unit {
    /// A client wants something set.
    pub(super) fn write(&mut self, write: WriteRequest) {
        let now = Instant::now();
        let Some(write) = self.told(write) else { return };
        if self.config.control == ControlSwitch::Off {
            return write.refuse("control is off in the configuration");
        }
        let Some(value) = write.value().and_then(Value::as_f64) else {
            return write.refuse("a number is needed");
        };
        if write.is(c::POWER) {
            self.power_w = value;
            return write.accept();
        }
        if write.is(c::MODE) {
            return match self.set_mode(value) {
                Ok(()) => write.confirm_later(),
                Err(why) => write.refuse(why),
            };
        }
        let Some(map) = self.device.map().filter(|_| self.was_there) else {
            return write.refuse("the device is not there");
        };
        if write.is(pvinverter::POWER_LIMIT) && map.write("ac_power_limit", &|_| None).is_none() {
            let percent =
                percent_of(value, rated_w(&self.device)).ok_or("its rated power is not known".to_owned());
            return match percent.and_then(|percent| self.set(PERCENT, percent, now)) {
                Ok(()) => write.confirm_later(),
                Err(why) => write.refuse(why),
            };
        }
        let is_it = |item: &Item<f64>| write.is(*item);
        let spec = map.writes.iter().find(|known| item_of(&known.spec).is_some_and(|item| is_it(&item)));
        let Some(spec) = spec else { return write.refuse("nothing can be written here") };
        let name = spec.spec.name.clone();
        match self.set(&name, value, now) {
            Ok(()) => write.confirm_later(),
            Err(why) => write.refuse(why),
        }
    }

    /// The system wants its share of something set.
    pub(super) fn wished(&mut self, wish: Wish) {
        let Wish { name, value } = wish;
        if let Err(why) = self.set(name, value, Instant::now()) {
            self.say(format!("{name}: {why}"), true);
            self.is_due = true;
        }
    }

    /// Takes up a set point.
    fn set(&mut self, name: &str, value: f64, now: Instant) -> Result<(), String> {
        if let Some(source) = self.source.as_ref().filter(|_| DECIDED.contains(&name)) {
            return Err(source.decides().to_owned());
        }
        let control = &mut self.control;
        let checked = sighted(&self.device, &self.config, |sight| {
            control.check(name, value, sight).map(|()| control.want(name, value, sight, now))
        });
        let checked = checked.filter(|_| self.was_there).ok_or("the device is not there")?;
        checked.map_err(|why| why.to_string())
    }

    /// Writes what is wanted and due.
    pub(super) fn order(&mut self, now: Instant) {
        let control = &mut self.control;
        let looked = sighted(&self.device, &self.config, |sight| {
            (control.outcomes(sight, now), control.next(sight, now))
        });
        let Some((outcomes, order)) = looked else { return };
        for outcome in outcomes {
            self.is_due = true;
            match outcome {
                Outcome::Confirmed(name, value) => self.say(format!("{name} is {value}"), false),
                Outcome::Failed(name, value, why) => {
                    self.say(format!("{name} was set to {value}, and {why}"), true);
                }
            }
        }
        if let Some(Order { name, writes }) = order {
            let number = self.next_order;
            self.next_order += 1;
            if self.device.command(number, writes) {
                self.orders.push((number, Ordered::SetPoint(name)));
            } else {
                self.control.done(&name, End::Lost, self.device.reads(), now);
            }
        }
    }

    /// An order was carried out, or not.
    pub(super) fn ordered(&mut self, number: u64, outcome: &Result<(), Fault>) {
        let Some(at) = self.orders.iter().position(|(known, _)| *known == number) else { return };
        let (_, what) = self.orders.remove(at);
        let now = Instant::now();
        self.is_due = true;
        match what {
            Ordered::SetPoint(name) => {
                let end = match outcome {
                    Ok(()) => End::Taken,
                    Err(Fault::Exception(_) | Fault::Odd) => End::Refused,
                    Err(_) => End::Lost,
                };
                self.control.done(&name, end, self.device.reads(), now);
                if let Err(fault) = outcome {
                    self.say(format!("{name}: {fault}"), true);
                }
                let registers = sighted(&self.device, &self.config, |sight| {
                    sight.map.write(&name, sight.point).map(Control::registers)
                });
                self.device.read_soon(&registers.flatten().unwrap_or_default(), now);
            }
            Ordered::Mode(mode) => match outcome {
                Ok(()) => self.say(format!("{mode:?} was set"), false),
                Err(fault) => self.say(format!("{mode:?}: {fault}"), true),
            },
        }
    }

    fn say(&mut self, what: String, is_bad: bool) {
        if is_bad {
            tracing::warn!(device = self.profile.id, "{what}");
        } else {
            tracing::info!(device = self.profile.id, "{what}");
        }
        self.result = what;
    }

    /// Undoes what must not stay without somebody who wants it: sequences with an end. Limits stay as they are, so that a
    /// restart interrupts nothing.
    pub(super) async fn release(&mut self) {
        let control = &self.control;
        let writes = sighted(&self.device, &self.config, |sight| control.undone(sight)).unwrap_or_default();
        if !writes.is_empty()
            && let Err(fault) = self.device.access().write(&writes).await
        {
            tracing::warn!(device = self.profile.id, "what was set could not be released: {fault}");
        }
    }
}
