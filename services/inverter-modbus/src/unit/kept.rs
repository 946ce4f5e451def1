//! What was begun at a device and is not undone yet, over the death of the process: most devices go on with a forced charge for
//! ever.
//!
//! It is kept before the first write goes out, with what stood in the registers before. The process that comes next undoes it
//! unless the device has something else by then: who wanted it is gone.

use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::control::Order;
use super::float::Lowered;
use super::half::{Half, Role};
use super::life::Unit;
use super::sight::{Sight, sighted};
use crate::engine::image::Image;
use crate::profile::scalar::Table;
use crate::state_file;

/// Changes with every change of what is kept: another version is not read.
const VERSION: u32 = 1;
/// The largest file that is read.
const LARGEST: u64 = 64 * 1024;
/// An order does not wait longer for a memory card that does not come to an end.
const PATIENCE: Duration = Duration::from_secs(1);

/// What has been begun at one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    version: u32,
    profile: String,
    serial: Option<String>,
    begun: Vec<Begun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    float: Option<Lowered>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Begun {
    name: String,
    before: Vec<(Table, u16, u16)>,
}

/// The file about one device, and the order that waits for it.
pub(super) struct Kept {
    file: PathBuf,
    /// What the process before has left, until it is looked at.
    left: Option<Stored>,
    /// What the file has, or is given now.
    has: Option<Stored>,
    writing: Option<(JoinHandle<io::Result<()>>, Instant)>,
    /// The order waits no longer.
    is_late: bool,
    held: Option<Order>,
}

impl Kept {
    /// The file about the device of this name in this folder; what is in it, if anything may be written to the device.
    pub(super) fn open(folder: &Path, name: &str, is_controlled: bool) -> Kept {
        let file = folder.join(format!("{name}.begun.json"));
        let left = match state_file::read::<Stored>(&file, LARGEST) {
            Ok(stored) if stored.version == VERSION => Some(stored),
            Ok(_) => broken(&file, &format!("it is none of version {VERSION}")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => broken(&file, &error.to_string()),
        };
        if left.is_some() && !is_controlled {
            tracing::warn!("{}: nothing may be written: what was begun is not undone", file.display());
        }
        let left = left.filter(|_| is_controlled);
        let has = left.clone();
        Kept { file, left, has, writing: None, is_late: false, held: None }
    }

    /// Whether an order waits; no other one goes before it.
    pub(super) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// An order goes out when it is kept what it begins.
    pub(super) fn hold(&mut self, order: Order) {
        self.held = Some(order);
    }

    /// The device may be another one: what waits does not go out any more.
    pub(super) fn drop_order(&mut self) {
        self.held = None;
    }

    /// Begins to write what has been begun, if that is something else than before.
    fn keep(&mut self, stored: Stored, now: Instant) {
        let stored = Some(stored).filter(|stored| !stored.begun.is_empty() || stored.float.is_some());
        if self.left.is_some() || self.writing.is_some() || self.has == stored {
            return;
        }
        self.has.clone_from(&stored);
        let file = self.file.clone();
        // Flash may take seconds: on a thread of its own.
        let task = tokio::task::spawn_blocking(move || put(&file, stored.as_ref()));
        (self.writing, self.is_late) = (Some((task, now)), false);
    }

    /// The order that may go out.
    fn free(&mut self) -> Option<Order> {
        let is_free = self.writing.is_none() || self.is_late;
        self.held.take_if(|_| is_free)
    }

    /// Waits until the file is written, or an order has waited long enough. Dropping the future loses nothing.
    pub(super) async fn written(&mut self) {
        let Some((task, since)) = &mut self.writing else { return pending().await };
        let outcome = if self.is_late { Ok(task.await) } else { timeout_at(*since + PATIENCE, task).await };
        let why = match outcome {
            Err(_) => {
                self.is_late = true;
                Some("it takes too long".to_owned())
            }
            Ok(outcome) => {
                self.writing = None;
                outcome.map_err(io::Error::other).flatten().err().map(|error| error.to_string())
            }
        };
        if let Some(why) = why {
            let file = self.file.display();
            tracing::warn!(
                "{file} is not written: {why}: what is forced would outlive the death of this process"
            );
        }
    }

    /// Everything that was begun is undone, at the end. The float voltage stays as low as the charge voltage.
    pub(super) fn end(&mut self) {
        let Some(has) = self.has.take().filter(|_| self.left.is_none()) else { return };
        let rest = Some(Stored { begun: Vec::new(), ..has }).filter(|rest| rest.float.is_some());
        if let Err(error) = put(&self.file, rest.as_ref()) {
            tracing::warn!("{} cannot be brought up to date: {error}", self.file.display());
        }
    }
}

fn put(file: &Path, stored: Option<&Stored>) -> io::Result<()> {
    stored.map_or_else(|| state_file::remove(file), |stored| state_file::write(file, stored))
}

fn broken(file: &Path, why: &str) -> Option<Stored> {
    tracing::warn!(
        "{}: {why}: if something was forced when the last process died, it still is",
        file.display()
    );
    None
}

impl Unit {
    /// Undoes what a process before this one has begun, once the device was read. Who has its name may have begun it, and lives.
    pub(super) fn take_up(&mut self) {
        // The meter of an inverter may never be on the bus.
        let is_seen = |half: &Half| half.is_published() || half.role == Role::Grid;
        if !self.device.is_whole() || !self.halves.iter().all(is_seen) {
            return;
        }
        let Some(left) = self.kept.left.take() else { return };
        let serial = self.device.identity().and_then(|identity| identity.serial.clone());
        if (&left.profile, &left.serial) != (&self.profile.id, &serial) {
            return self.say("what was begun before was begun at another device".to_owned(), true);
        }
        if let Some(lowered) = left.float {
            self.take_up_float(lowered);
        }
        for Begun { name, before } in left.begun {
            let mut image = Image::default();
            before.into_iter().for_each(|(table, addr, word)| image.put(table, addr, &[word], 0));
            let control = &mut self.control;
            let take_up = |sight: &Sight<'_>| control.take_up(&name, image, sight);
            match sighted(&self.device, &self.config, take_up) {
                Some(true) => {
                    self.say(format!("{name} was in force when the process before died, and is ended"), true)
                }
                _ => self.say(
                    format!("{name} was in force when the process before died, and is not any more"),
                    false,
                ),
            }
        }
    }

    /// The float voltage was lowered by the process before, and is the user's again with the charge voltage, or now if nothing
    /// is followed any more.
    fn take_up_float(&mut self, lowered: Lowered) {
        let (control, float) = (&mut self.control, &mut self.float);
        if self.source.is_some() {
            return float.take_up(lowered);
        }
        sighted(&self.device, &self.config, |sight| lowered.give_back(control, sight));
    }

    /// Sends the order that waits, once it is kept what it has to be undone to.
    pub(super) fn send(&mut self, now: Instant) {
        let decided = self.decided();
        let control = &self.control;
        let begun = sighted(&self.device, &self.config, |sight| {
            let begun = control.begun(sight).into_iter().filter(|(name, ..)| !decided.contains(name));
            let begun =
                begun.map(|(name, before)| Begun { name: name.to_owned(), before: before.iter().collect() });
            begun.collect::<Vec<_>>()
        });
        if let Some(begun) = begun {
            let serial = self.device.identity().and_then(|identity| identity.serial.clone());
            let (profile, float) = (self.profile.id.clone(), self.float.lowered());
            let stored = Stored { version: VERSION, profile, serial, begun, float };
            self.kept.keep(stored, now);
        }
        if let Some(Order { name, writes }) = self.kept.free() {
            let number = self.next_order;
            self.next_order += 1;
            if self.device.command(number, writes) {
                self.orders.push((number, name));
            } else {
                self.did_not_go_out(&name, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(names: &[&str]) -> Stored {
        let begun = names
            .iter()
            .map(|name| Begun { name: (*name).to_owned(), before: vec![(Table::Holding, 232, 1)] });
        let profile = "deye-one-phase".into();
        Stored { version: VERSION, profile, serial: None, begun: begun.collect(), float: None }
    }

    #[tokio::test]
    async fn an_order_goes_out_when_it_is_kept_what_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(&folder.path().join("state"), "rs485_1", true);
        kept.hold(Order { name: "mode charge".into(), writes: Vec::new() });
        kept.keep(stored(&["mode charge"]), Instant::now());
        assert_eq!((kept.free(), kept.holds()), (None, true));
        kept.written().await;
        let left = Kept::open(&folder.path().join("state"), "rs485_1", true).left;
        assert_eq!(left, Some(stored(&["mode charge"])));
        assert_eq!((kept.free().map(|order| order.name), kept.holds()), (Some("mode charge".into()), false));

        kept.keep(stored(&[]), Instant::now());
        kept.written().await;
        assert_eq!(Kept::open(&folder.path().join("state"), "rs485_1", true).left, None);
    }

    #[tokio::test]
    async fn a_float_voltage_that_was_lowered_is_known_to_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path(), "rs485_1", true);
        let lowered = Lowered { own_v: 55.0, given_v: 52.5 };
        kept.keep(Stored { float: Some(lowered), ..stored(&["mode charge"]) }, Instant::now());
        kept.written().await;
        kept.end();
        let left = Kept::open(folder.path(), "rs485_1", true).left;
        assert_eq!(left, Some(Stored { float: Some(lowered), ..stored(&[]) }), "what was forced is undone");
    }

    #[tokio::test]
    async fn without_a_place_to_keep_it_an_order_goes_out_nevertheless() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("state"), "a file in its place").unwrap();
        let mut kept = Kept::open(&folder.path().join("state"), "rs485_1", true);
        kept.hold(Order { name: "mode charge".into(), writes: Vec::new() });
        kept.keep(stored(&["mode charge"]), Instant::now());
        kept.written().await;
        assert!(kept.free().is_some());
        kept.keep(stored(&["mode charge"]), Instant::now());
        assert!(kept.writing.is_none(), "it is not tried for ever");
    }

    #[tokio::test]
    async fn what_is_broken_or_of_who_may_not_write_is_not_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path(), "rs485_1", true);
        kept.keep(stored(&["mode charge"]), Instant::now());
        kept.written().await;
        assert!(Kept::open(folder.path(), "rs485_1", true).left.is_some());
        assert!(Kept::open(folder.path(), "rs485_1", false).left.is_none());
        for broken in ["", "{}", "{\"version\":2,\"profile\":\"\",\"serial\":null,\"begun\":[]}"] {
            std::fs::write(folder.path().join("rs485_1.begun.json"), broken).unwrap();
            assert!(Kept::open(folder.path(), "rs485_1", true).left.is_none(), "{broken}");
        }
    }
}
