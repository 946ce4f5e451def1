//! What is wanted of a device, and when it is written: as often as its memory bears, confirmed by what it shows.
//!
//! A set point that lies in memory which wears out has an allowance of three writes that fills up by one every `every_s`
//! seconds; the ways of running have one together. Raising a limit leaves one write in it, a reduction that counts does not wait
//! for it, and an end never does. What is to be undone goes out first, then
//! what lowers, then what raises.
//!
//! A sequence with a release is in force until it is ended: [`Control::end`] writes the release, with what stood in the
//! registers before. Whatever is written into the same registers ends it too.

mod last;
mod left;

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::engine::encode::{Known, Refused, Written};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::write::Persist;

use super::sight::Sight;
use super::traces::Traces;
use super::undo;
use super::wear::Allowance;
use super::wish::{Became, Wish};
use crate::profile::write::MODE;

/// All set points of a device, and its ways of running.
#[derive(Debug, Default)]
pub struct Control {
    points: BTreeMap<String, Wish>,
    /// By set point; all ways of running share one.
    allowances: BTreeMap<String, Allowance>,
    flash_writes: u32,
    traces: Traces,
    /// What has become of wishes that are none any more.
    became: Vec<Outcome>,
}

/// What is to be written now.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The set point.
    pub name: String,
    /// The writes, in order.
    pub writes: Vec<Written>,
}

/// How the writes of an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The device took them.
    Taken,
    /// The device does not want them.
    Refused,
    /// Nobody knows whether they arrived, or the device was busy.
    Lost,
    /// They did not leave the process.
    Unsent,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The device shows it, or took it where it shows nothing.
    Confirmed(String, f64),
    /// It does not, for this reason.
    Failed(String, f64, String),
    /// It was ended, and its registers are as they were.
    Released(String),
    /// It was ended, and the device still shows it.
    Stuck(String),
}

impl Control {
    /// From now on `value` is wanted, clipped to what can be. A switch that is set to 0 is ended.
    pub fn want(&mut self, name: &str, value: f64, sight: &Sight<'_>) {
        let Some(write) = sight.map.write(name, sight.point) else { return };
        let value = if write.spec.map.is_some() { value } else { write.clip(value, sight.point) };
        if value == 0.0 && undo::is_switch(&write.spec) && !is_mode(write) {
            if !self.end(name) {
                self.became.push(Outcome::Confirmed(name.to_owned(), value));
            }
            return;
        }
        if let Some(wish) = self.points.get_mut(name) {
            wish.is_once = false;
        }
        if self.points.get(name).is_some_and(|wish| wish.value == value && !wish.is_over) {
            return;
        }
        if self.points.get_mut(name).is_some_and(|wish| wish.is_as_good(value, write, sight)) {
            return;
        }
        let (inherited, behind) = self.make_room(name, write, sight);
        let wish = self.points.entry(name.to_owned()).or_insert_with(|| Wish::new(value));
        wish.change(value);
        if wish.before.is_none() {
            wish.inherited = inherited;
        }
        wish.behind = behind;
    }

    /// The same for who sets it once and does not look at it any more: who changes memory that wears out at the device later, or
    /// switches it on or off there, is right.
    pub fn want_once(&mut self, name: &str, value: f64, sight: &Sight<'_>) {
        self.want(name, value, sight);
        if let Some(wish) = self.points.get_mut(name) {
            wish.is_once = true;
        }
    }

    /// What was wanted last counts: what cannot be beside `name` is ended, or not wanted any more if it has no end or was not
    /// begun. Returns what stood in the registers of the former, and their names.
    fn make_room(&mut self, name: &str, write: &WriteAt, sight: &Sight<'_>) -> (Image, Vec<String>) {
        let (mut inherited, mut behind) = (Image::default(), Vec::new());
        self.points.retain(|other, wish| {
            let Some(theirs) = sight.map.write(other, sight.point).filter(|_| other != name) else {
                return true;
            };
            // Two ways of running cannot be wanted at once.
            let are_modes = is_mode(write) && is_mode(theirs);
            if !are_modes && !undo::touch(write, theirs) {
                return true;
            }
            let Some(before) = &wish.before else { return false };
            inherited.fill(before);
            behind.push(other.clone());
            wish.end();
            true
        });
        (inherited, behind)
    }

    /// What is wanted of these is decided anew before anything is written for it, and nothing is undone.
    pub(super) fn disown(&mut self, names: &[&str]) {
        self.points.retain(|name, _| !names.contains(&name.as_str()));
    }

    /// Nobody wants it any more. False if there is nothing to undo.
    pub fn end(&mut self, name: &str) -> bool {
        let Some(wish) = self.points.get_mut(name) else { return false };
        if wish.before.is_none() {
            self.points.remove(name);
            return false;
        }
        wish.end();
        true
    }

    /// What is in force until it is ended.
    pub fn in_force(&self) -> impl Iterator<Item = &str> {
        let in_force = self.points.iter().filter(|(_, wish)| wish.before.is_some() && !wish.is_over);
        in_force.map(|(name, _)| name.as_str())
    }

    /// Whether anything is to be undone.
    pub(super) fn has_begun(&self) -> bool {
        self.points.values().any(|wish| wish.before.is_some())
    }

    /// Whether it is wanted, in force or not yet.
    #[must_use]
    pub fn is_wanted(&self, name: &str) -> bool {
        self.points.get(name).is_some_and(|wish| !wish.is_over)
    }

    /// What is wanted of it.
    pub(super) fn wanted(&self, name: &str) -> Option<f64> {
        self.points.get(name).filter(|wish| !wish.is_over).map(|wish| wish.value)
    }

    /// Whether it is in force as it is wanted, as far as can be known.
    #[must_use]
    pub fn is_confirmed(&self, name: &str) -> bool {
        self.points.get(name).is_some_and(|wish| wish.is_settled && !wish.is_over)
    }

    /// The limits that the device does not have as they are wanted, though it was tried.
    pub(super) fn unheeded(&self, sight: &Sight<'_>) -> Option<String> {
        let words = self.points.iter().filter(|(_, wish)| wish.is_unheeded()).filter_map(|(name, wish)| {
            let write = sight.map.write(name, sight.point).filter(|write| write.is_limit())?;
            let shown = write.shown(sight.image, sight.point);
            let is_lower = shown.is_some_and(|shown| shown <= wish.value);
            let shown = shown.map_or_else(|| "shows nothing".to_owned(), |shown| format!("shows {shown}"));
            (!is_lower).then(|| format!("{name} {} is not taken: the device {shown}", wish.value))
        });
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// What was sent is forgotten: the device was recognised anew, and may be another one. The memory has not recovered.
    pub fn forget_what_was_sent(&mut self) {
        self.points.values_mut().for_each(Wish::forget);
        self.traces.forget();
    }

    /// What waits for the allowance of its memory: its name, the value, and until when.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&str, f64, Instant)> {
        self.points.iter().filter_map(|(name, wish)| Some((name.as_str(), wish.value, wish.waits_until?)))
    }

    /// Writes to memory that wears out, so far.
    #[must_use]
    pub fn flash_writes(&self) -> u32 {
        self.flash_writes
    }

    /// Whether a set point could be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, name: &str, value: f64, sight: &Sight<'_>) -> Result<(), Refused> {
        let write = sight.map.write(name, sight.point).ok_or_else(|| {
            let condition = sight.map.only_when(name, sight.point).map(ToString::to_string);
            let name = name.to_owned();
            condition.map_or_else(
                || Refused::Unknown(name.clone()),
                |condition| Refused::Only { name: name.clone(), condition },
            )
        })?;
        let nothing = Image::default();
        let image = self.traces.supposed(sight.image);
        let known = Known { point: sight.point, secret: sight.secret, image: &image, saved: &nothing };
        write.writes(value, &known)?;
        let is_begun = self.points.get(name).is_some_and(|wish| wish.before.is_some());
        let is_end = value == 0.0 && undo::is_switch(&write.spec) && !is_mode(write);
        if !(is_begun || is_end) {
            let mut known = Image::default();
            self.points
                .values()
                .filter_map(|wish| wish.before.as_ref())
                .for_each(|before| known.fill(before));
            undo::before(write, &Sight { image: &image, ..*sight }, &known)?;
        }
        Ok(())
    }

    /// What has become of wishes since the last call.
    pub fn outcomes(&mut self, sight: &Sight<'_>, now: Instant) -> Vec<Outcome> {
        let mut outcomes = std::mem::take(&mut self.became);
        self.points.retain(|name, wish| {
            let Some(write) = sight.map.write(name, sight.point) else { return true };
            let Some(became) = wish.became(write, sight, now) else { return true };
            let name = name.clone();
            outcomes.push(match &became {
                Became::Confirmed => Outcome::Confirmed(name, wish.value),
                Became::Failed(why) => Outcome::Failed(name, wish.value, why.clone()),
                Became::Released => Outcome::Released(name),
                Became::Stuck => Outcome::Stuck(name),
            });
            match became {
                Became::Released | Became::Stuck => false,
                // A way of running that lasts by itself is wanted once: who changes it at the device is right.
                Became::Confirmed => wish.before.is_some() || !(is_mode(write) || wish.is_done(write)),
                Became::Failed(_) if is_mode(write) => {
                    wish.end();
                    wish.before.is_some()
                }
                Became::Failed(_) => true,
            }
        });
        outcomes
    }

    /// What is written next.
    pub fn next(&mut self, sight: &Sight<'_>, now: Instant) -> Option<Order> {
        let blocking: Vec<String> =
            self.points.iter().filter(|(_, wish)| wish.blocks()).map(|(name, _)| name.clone()).collect();
        let mut due: Vec<(u8, String)> = Vec::new();
        for (name, wish) in &mut self.points {
            let Some(write) = sight.map.write(name, sight.point) else { continue };
            let allowance = allowance(&mut self.allowances, write, now);
            let is_blocked = wish.behind.iter().any(|other| blocking.contains(other));
            let is_stale = self.traces.is_stale(write, sight.image);
            if is_blocked || !wish.is_due(write, sight, allowance, is_stale, now) {
                continue;
            }
            let rank = match wish.rise(write, sight) {
                _ if wish.is_over => 0,
                Some(rise) if rise > 0.0 => 2,
                _ => 1,
            };
            due.push((rank, name.clone()));
        }
        due.sort();
        if due.is_empty() {
            return None;
        }
        // What is written besides the value, or restored later, is what certainly stands there.
        let image = self.traces.known(sight.image);
        let sight = &Sight { image: &image, ..*sight };
        for (_, name) in due {
            let (wish, write) = (self.points.get_mut(&name)?, sight.map.write(&name, sight.point)?);
            match wish.writes(write, sight) {
                Ok(writes) => {
                    wish.goes_out(sight, now);
                    allowance(&mut self.allowances, write, now).take();
                    self.flash_writes += u32::from(write.spec.persist == Persist::Flash);
                    self.traces.begin(&name, &writes, sight.image);
                    return Some(Order { name, writes });
                }
                // What it is made of will be read.
                Err(why @ Refused::Unknown(_)) => {
                    if wish.puzzles(write, sight, now) {
                        self.became.push(Outcome::Failed(name, wish.value, why.to_string()));
                    }
                }
                Err(why) => {
                    self.became.push(Outcome::Failed(name, wish.value, why.to_string()));
                    wish.rests(write, sight, now);
                }
            }
        }
        None
    }

    /// A write is over. A device that refuses it is left alone for a while; a way of running that it refuses is undone, as far
    /// as it was begun.
    pub fn done(&mut self, name: &str, end: End, sight: &Sight<'_>, now: Instant) {
        self.traces.done(name, end == End::Taken, sight.reads);
        let Some(wish) = self.points.get_mut(name) else { return };
        let write = sight.map.write(name, sight.point);
        if let Some(write) = write.filter(|_| end == End::Unsent) {
            wish.did_not_leave();
            allowance(&mut self.allowances, write, now).give_back();
            self.flash_writes -= u32::from(write.spec.persist == Persist::Flash && self.flash_writes > 0);
            return;
        }
        wish.done(end == End::Taken, sight.reads);
        if end != End::Refused {
            return;
        }
        let is_mode = sight.map.modes.iter().any(|mode| mode.key == name);
        if is_mode && !wish.is_over {
            self.end(name);
        } else if let Some(write) = write {
            wish.rests(write, sight, now);
        }
    }
}

/// What is left of the memory that a set point lies in.
fn allowance<'a>(
    all: &'a mut BTreeMap<String, Allowance>,
    write: &WriteAt,
    now: Instant,
) -> &'a mut Allowance {
    let name = if is_mode(write) { MODE } else { &write.spec.name };
    let allowance = all.entry(name.to_owned()).or_insert_with(|| Allowance::new(now));
    allowance.fill(write, now);
    allowance
}

/// Whether these are the writes of a way of running.
fn is_mode(write: &WriteAt) -> bool {
    write.spec.name.starts_with(MODE)
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod once;
#[cfg(test)]
mod reductions;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod tests;
