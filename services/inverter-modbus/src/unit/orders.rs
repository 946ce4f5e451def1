//! What clients set and what is written for it: from an item to registers, and what came of it.

use std::time::Duration;

use dbus_interfaces::classes::{control as c, pvinverter};
use dbus_interfaces::{Item, Value, WriteRequest};
use tokio::time::Instant;

use super::control::{End, Outcome};
use super::life::Unit;
use super::set_points::{PERCENT, item_of, percent_of, whole_w};
use super::sight::sighted;
use crate::config::ControlSwitch;
use crate::device::access::Fault;
use crate::profile::write::MODE;
use crate::system::{self, Wish};

/// What stands beside bits that are to be undone is read so often.
const BESIDE: Duration = Duration::from_secs(30);
/// So often it is looked at whether somebody else has changed a limit that follows.
const LIMITS: Duration = Duration::from_secs(10);
/// What is not set by clients where it is decided elsewhere.
pub(super) const DECIDED: [&str; 5] = [
    "charge_current_limit",
    "discharge_current_limit",
    "charge_power_limit",
    "discharge_power_limit",
    "charge_voltage_limit",
];

/// What a device says that will do it, or that has something else to do (Modbus Application Protocol V1.1b3, 7).
const BUSY: [u8; 2] = [5, 6];

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
            Ok(said) => self.confirm_later(write, &said),
            Err(why) => self.refuse(write, &why),
        }
    }

    /// What is said of a set point that is wanted from now on: this was asked, and as much is set. What the device has already
    /// will not be said once more.
    fn taken_up(&self, name: &str, asked: f64, set: f64) -> String {
        match self.control.is_confirmed(name) {
            true => format!("{name} is {set}"),
            false if set < asked => format!("{name} {set} is on its way: the configuration allows no more"),
            false => format!("{name} is on its way"),
        }
    }

    /// Takes up what a client wants: what was said of an earlier wish does not hold for this one.
    pub(super) fn confirm_later(&mut self, write: WriteRequest, said: &str) {
        (self.result, self.is_due) = (said.to_owned(), true);
        write.confirm_later();
    }

    /// A client wants this of a set point, or, without a value, nothing any more. Says what becomes of it.
    pub(super) fn want(
        &mut self,
        name: &str,
        value: Option<f64>,
        client: &str,
        now: Instant,
    ) -> Result<String, String> {
        match value {
            Some(value) => {
                self.set(name, value, Some(client), now).map(|set| self.taken_up(name, value, set))
            }
            // It is not lifted by somebody who wants nothing.
            None if self.is_decided(name) => Err("it is decided elsewhere".to_owned()),
            None if self.control.end(name) => Ok(format!("{name} is on its way")),
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
            if !self.is_decided(name) {
                self.control.end(name);
            }
            return;
        };
        let now = Instant::now();
        let set = match name {
            system::MODE => self.set_mode(value, &client, now),
            system::POWER => self.set_power(value, &client, now).map(|()| self.result.clone()),
            _ => self.set(name, value, Some(&client), now).map(|set| self.taken_up(name, value, set)),
        };
        match set {
            Ok(said) => self.result = said,
            Err(why) => self.say(format!("{name}: {why}"), true),
        }
        self.is_due = true;
    }

    /// Takes up a set point, for a client that can be looked for. Returns what is set, at most what the user allows.
    fn set(&mut self, name: &str, value: f64, client: Option<&str>, now: Instant) -> Result<f64, String> {
        if let Some(why) = self.may_not_set(name, now) {
            return Err(why.to_owned());
        }
        let value = self.allowed(name, value, now);
        let control = &mut self.control;
        let checked = sighted(&self.device, &self.config, |sight| {
            control.check(name, value, sight).map(|()| control.want_once(name, value, sight))
        });
        let checked = checked.filter(|_| self.was_there).ok_or("the device is not there")?;
        checked.map_err(|why| why.to_string())?;
        self.commanders.wrote(name, client, now);
        Ok(value)
    }

    /// Writes what is wanted and due.
    pub(super) fn order(&mut self, now: Instant) {
        self.take_up();
        self.bound(now);
        self.look_beside(now);
        self.look_at_limits(now);
        let (control, kept) = (&mut self.control, &mut self.kept);
        let looked = sighted(&self.device, &self.config, |sight| {
            let outcomes = control.outcomes(sight, now);
            if !kept.holds()
                && let Some(order) = control.next(sight, now)
            {
                kept.hold(order);
            }
            outcomes
        });
        let Some(outcomes) = looked else { return };
        self.is_due |= self.waiting.look(&self.control, now);
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
        self.send(now);
    }

    /// Keeps what stands beside bits that are to be undone from getting old: the last word has no time to read it.
    fn look_beside(&mut self, now: Instant) {
        if now < self.looked_beside_at + BESIDE {
            return;
        }
        let control = &self.control;
        let beside = sighted(&self.device, &self.config, |sight| control.beside(sight));
        self.device.read_soon(&beside.unwrap_or_default(), now);
        self.looked_beside_at = now;
    }

    /// Reads the limits that follow oftener than their blocks: who raises one at the device is noticed soon.
    fn look_at_limits(&mut self, now: Instant) {
        if self.source.is_none() || now < self.looked_at_limits_at + LIMITS {
            return;
        }
        let limits = sighted(&self.device, &self.config, |sight| {
            let writes = DECIDED.iter().filter_map(|name| sight.map.write(name, sight.point));
            writes.flat_map(|write| write.seen.clone()).collect::<Vec<_>>()
        });
        self.device.read_soon(&limits.unwrap_or_default(), now);
        self.looked_at_limits_at = now;
    }

    /// An order was carried out, or not.
    pub(super) fn ordered(&mut self, number: u64, outcome: &Result<(), Fault>) {
        let Some(at) = self.orders.iter().position(|(known, _)| *known == number) else { return };
        let (_, name) = self.orders.remove(at);
        let now = Instant::now();
        self.is_due = true;
        let end = match outcome {
            Ok(()) => End::Taken,
            Err(Fault::Exception(code)) if BUSY.contains(code) => End::Lost,
            Err(Fault::Exception(_) | Fault::Odd) => End::Refused,
            Err(_) => End::Lost,
        };
        self.done(&name, end, now);
        if let Err(fault) = outcome {
            let again = if end == End::Lost { ": it is tried again" } else { "" };
            self.say(format!("{name}: {fault}{again}"), true);
        }
        let registers = sighted(&self.device, &self.config, |sight| {
            sight.map.write(&name, sight.point).map(|write| write.seen.clone())
        });
        let mut registers = registers.flatten().unwrap_or_default();
        registers.extend(self.control.uncertain(self.device.image()));
        self.device.read_soon(&registers, now);
    }

    /// An order did not go out.
    pub(super) fn did_not_go_out(&mut self, name: &str, now: Instant) {
        self.done(name, End::Unsent, now);
    }

    fn done(&mut self, name: &str, end: End, now: Instant) {
        let control = &mut self.control;
        // Without a device there is nothing to be done with: it will be recognised anew.
        sighted(&self.device, &self.config, |sight| control.done(name, end, sight, now));
    }

    pub(super) fn say(&mut self, what: String, is_bad: bool) {
        if is_bad {
            if self.spoken.is_news(&what, Instant::now()) {
                tracing::warn!(device = self.device.access().label(), "{what}");
            }
        } else {
            tracing::info!(device = self.device.access().label(), "{what}");
        }
        self.result = what;
    }
}
