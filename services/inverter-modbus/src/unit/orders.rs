//! What clients set and what is written for it: from an item to registers, and what came of it.

use dbus_interfaces::classes::{control as c, pvinverter};
use dbus_interfaces::{Item, Value, WriteRequest};
use tokio::time::Instant;

use super::control::{End, Order, Outcome};
use super::life::Unit;
use super::set_points::{PERCENT, item_of, percent_of, whole_w};
use super::sight::sighted;
use crate::config::ControlSwitch;
use crate::device::access::Fault;
use crate::profile::write::MODE;
use crate::system::Wish;

/// What is not set by clients where it is decided elsewhere.
pub(super) const DECIDED: [&str; 5] = [
    "charge_current_limit",
    "discharge_current_limit",
    "charge_power_limit",
    "discharge_power_limit",
    "charge_voltage_limit",
];

impl Unit {
    /// A client wants something set.
    pub(super) fn write(&mut self, write: WriteRequest) {
        let now = Instant::now();
        let Some(write) = self.told(write) else { return };
        if self.config.control == ControlSwitch::Off {
            return self.refuse(write, "control is off in the configuration");
        }
        let value = write.value().and_then(Value::as_f64);
        if let Some(value) = value
            && (write.is(c::POWER) || write.is(c::MODE) || write.is(c::TIMEOUT))
        {
            return self.write_mode(write, value, now);
        }
        let Some(write) = self.write_standard(write, now) else { return };
        let Some(map) = self.device.map().filter(|_| self.was_there) else {
            return self.refuse(write, "the device is not there");
        };
        let in_watts = write.is(pvinverter::POWER_LIMIT) && map.write("ac_power_limit", &|_| None).is_none();
        let is_it = |item: &Item<f64>| write.is(*item);
        let spec = map.writes.iter().find(|known| item_of(&known.spec).is_some_and(|item| is_it(&item)));
        let (name, value) = match spec {
            _ if in_watts => match whole_w(&self.device) {
                Some(whole) => (PERCENT.to_owned(), value.map(|watts| percent_of(watts, whole))),
                None => return self.refuse(write, "its rated power is not known"),
            },
            Some(spec) => (spec.spec.name.clone(), value),
            None => return self.refuse(write, "nothing can be written here"),
        };
        match self.want(&name, value, write.client(), now) {
            Ok(()) => write.confirm_later(),
            Err(why) => self.refuse(write, &why),
        }
    }

    /// A client wants this of a set point, or, without a value, nothing any more.
    pub(super) fn want(
        &mut self,
        name: &str,
        value: Option<f64>,
        client: &str,
        now: Instant,
    ) -> Result<(), String> {
        match value {
            Some(value) => self.set(name, value, Some(client), now),
            None if self.control.end(name) => Ok(()),
            None => Err("a number is needed".to_owned()),
        }
    }

    /// Refuses what a client wants, where it can be read why.
    pub(super) fn refuse(&mut self, write: WriteRequest, why: &str) {
        (self.result, self.is_due) = (why.to_owned(), true);
        write.refuse(why.to_owned());
    }

    /// The system wants its share of something set, or nobody there wants it any more.
    pub(super) fn wished(&mut self, wish: Wish) {
        let Wish { name, value, client } = wish;
        let Some(value) = value else {
            // What is decided elsewhere was not set at the system; of what is not in force there is nothing to end.
            if self.source.is_none() || !DECIDED.contains(&name) {
                self.control.end(name);
            }
            return;
        };
        if let Err(why) = self.set(name, value, Some(&client), Instant::now()) {
            self.say(format!("{name}: {why}"), true);
            self.is_due = true;
        }
    }

    /// Takes up a set point, for a client that can be looked for.
    fn set(&mut self, name: &str, value: f64, client: Option<&str>, now: Instant) -> Result<(), String> {
        if let Some(source) = self.source.as_ref().filter(|_| DECIDED.contains(&name)) {
            return Err(source.decides().to_owned());
        }
        if let Some(why) = self.may_not_force(name) {
            return Err(why.to_owned());
        }
        let control = &mut self.control;
        let checked = sighted(&self.device, &self.config, |sight| {
            control.check(name, value, sight).map(|()| control.want(name, value, sight))
        });
        let checked = checked.filter(|_| self.was_there).ok_or("the device is not there")?;
        checked.map_err(|why| why.to_string())?;
        self.commanders.wrote(name, client, now);
        Ok(())
    }

    /// Writes what is wanted and due.
    pub(super) fn order(&mut self, now: Instant) {
        self.bound();
        let control = &mut self.control;
        let looked = sighted(&self.device, &self.config, |sight| {
            (control.outcomes(sight, now), control.next(sight, now))
        });
        let Some((outcomes, order)) = looked else { return };
        for outcome in outcomes {
            self.is_due = true;
            match outcome {
                Outcome::Confirmed(name, _) if name.starts_with(MODE) => {
                    self.say(format!("{name} is set"), false)
                }
                Outcome::Failed(name, _, _) if name.starts_with(MODE) => {
                    self.say(format!("{name} was set, and the device does not show it"), true);
                }
                Outcome::Released(name) => self.say(format!("{name} has ended"), false),
                Outcome::Stuck(name) => {
                    self.say(format!("{name} was ended, and the device still shows it"), true)
                }
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
                self.orders.push((number, name));
            } else {
                self.done(&name, End::Lost, now);
            }
        }
    }

    /// An order was carried out, or not.
    pub(super) fn ordered(&mut self, number: u64, outcome: &Result<(), Fault>) {
        let Some(at) = self.orders.iter().position(|(known, _)| *known == number) else { return };
        let (_, name) = self.orders.remove(at);
        let now = Instant::now();
        self.is_due = true;
        let end = match outcome {
            Ok(()) => End::Taken,
            Err(Fault::Exception(_) | Fault::Odd) => End::Refused,
            Err(_) => End::Lost,
        };
        self.done(&name, end, now);
        if let Err(fault) = outcome {
            self.say(format!("{name}: {fault}"), true);
        }
        let registers = sighted(&self.device, &self.config, |sight| {
            sight.map.write(&name, sight.point).map(|write| write.seen.clone())
        });
        self.device.read_soon(&registers.flatten().unwrap_or_default(), now);
    }

    fn done(&mut self, name: &str, end: End, now: Instant) {
        let control = &mut self.control;
        // Without a device there is nothing to be done with: it will be recognised anew.
        sighted(&self.device, &self.config, |sight| control.done(name, end, sight, now));
    }

    pub(super) fn say(&mut self, what: String, is_bad: bool) {
        if is_bad {
            tracing::warn!(device = self.profile.id, "{what}");
        } else {
            tracing::info!(device = self.profile.id, "{what}");
        }
        self.result = what;
    }

    /// Undoes what must not stay without somebody who wants it: sequences with an end, and limits that nobody stands behind any
    /// more.
    pub(super) async fn release(&mut self) {
        let kept = self.decided();
        let control = &mut self.control;
        let undone = sighted(&self.device, &self.config, |sight| control.undone(&kept, sight));
        let undone = undone.unwrap_or_default();
        let last = self.last_limits();
        for (what, writes) in [("what was set", undone), ("the limits", last)] {
            if writes.is_empty() {
                continue;
            }
            match self.device.access().write(&writes).await {
                Ok(()) => {
                    tracing::info!(device = self.profile.id, "{what} was left as it should be at the end")
                }
                Err(fault) => {
                    tracing::warn!(
                        device = self.profile.id,
                        "{what} could not be left as it should be: {fault}"
                    );
                }
            }
        }
    }
}
