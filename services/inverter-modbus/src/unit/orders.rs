//! What clients set and what is written for it: from an item to registers, and what came of it.

use dbus_interfaces::classes::{control as c, pvinverter};
use dbus_interfaces::{Item, Value, WriteRequest};
use tokio::time::Instant;

use super::control::{End, Outcome};
use super::last_word::{Joined, ordered, requests};
use super::life::Unit;
use super::set_points::{PERCENT, item_of, percent_of};
use super::sight::sighted;
use super::view::rated_w;
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
        let Some(map) = self.device.map().filter(|_| self.was_there) else {
            return self.refuse(write, "the device is not there");
        };
        let in_watts = write.is(pvinverter::POWER_LIMIT) && map.write("ac_power_limit", &|_| None).is_none();
        let is_it = |item: &Item<f64>| write.is(*item);
        let spec = map.writes.iter().find(|known| item_of(&known.spec).is_some_and(|item| is_it(&item)));
        let (name, value) = match spec {
            _ if in_watts => match value.map(|watts| percent_of(watts, rated_w(&self.device))) {
                Some(None) => return self.refuse(write, "its rated power is not known"),
                percent => (PERCENT.to_owned(), percent.flatten()),
            },
            Some(spec) => (spec.spec.name.clone(), value),
            None => return self.refuse(write, "nothing can be written here"),
        };
        let Some(value) = value else {
            // No value: nobody wants it any more.
            return match self.control.end(&name) {
                true => write.confirm_later(),
                false => self.refuse(write, "a number is needed"),
            };
        };
        match self.set(&name, value, Some(write.client()), now) {
            Ok(()) => write.confirm_later(),
            Err(why) => self.refuse(write, &why),
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
        self.take_up();
        self.bound();
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
        let mut registers = registers.flatten().unwrap_or_default();
        registers.extend(self.control.uncertain(self.device.image()));
        self.device.read_soon(&registers, now);
    }

    /// An order did not go out.
    pub(super) fn lost(&mut self, name: &str, now: Instant) {
        self.done(name, End::Lost, now);
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
    /// more. What the device refuses does not keep the rest from it.
    pub(super) async fn release(&mut self) {
        // A read that waits would go out between two writes.
        self.device.rest();
        let decided = self.decided();
        let control = &mut self.control;
        let releases = sighted(&self.device, &self.config, |sight| control.undone(&decided, sight));
        let limits = self.last_limits();
        let (control, image) = (&self.control, self.device.image());
        let writes = ordered(releases.unwrap_or_default(), limits, |write| control.has(write, image));
        let requests = requests(writes, &self.profile.link, &control.known(image));
        if requests.is_empty() {
            return;
        }
        let access = self.device.access();
        let mut failed = None;
        for Joined { whole, parts } in requests {
            let outcome = match access.write(&[whole]).await {
                Err(Fault::Exception(_)) if !parts.is_empty() => access.write(&parts).await,
                outcome => outcome,
            };
            failed = failed.or(outcome.err());
        }
        match failed {
            None => {
                self.kept.end();
                tracing::info!(device = self.profile.id, "what was set is undone at the end");
            }
            Some(fault) => {
                tracing::warn!(
                    device = self.profile.id,
                    "not all that was set is undone at the end: {fault}"
                );
            }
        }
    }
}
