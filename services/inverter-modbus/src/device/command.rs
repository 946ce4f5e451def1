//! What is written to a device, before anything is read of it.

use tokio::time::Instant;

use super::poll::{Device, Doing, Phase};
use crate::engine::encode::Written;
use crate::profile::scalar::Table;

/// Commands that wait; a further one is refused.
const COMMANDS: usize = 16;

impl Device {
    /// Writes registers, before anything is read. False if too much waits already, or the device may be another one: by the
    /// time that is known something else may be wanted.
    #[must_use]
    pub fn command(&mut self, number: u64, writes: Vec<Written>) -> bool {
        let is_it = matches!(self.phase, Phase::Running(_)) && self.doubted(Instant::now()).is_none();
        let has_room = is_it && self.commands.len() < COMMANDS;
        if has_room {
            self.commands.push_back((number, writes));
        }
        has_room
    }

    /// The registers of a write are read next.
    pub fn read_soon(&mut self, writes: &[(Table, u16)], now: Instant) {
        if let Phase::Running(running) = &mut self.phase {
            for (table, addr) in writes {
                running.schedule.due_for(*table, *addr, now);
            }
        }
    }

    /// Nothing that has not gone out goes out any more, until the next thing happens.
    pub fn rest(&mut self) {
        self.doing = None;
        self.commands.clear();
    }

    /// A read that waits for the line waits behind what is to be written: it is due all the same afterwards.
    pub(super) fn give_way(&mut self) {
        let waits = matches!(&self.doing, Some(Doing::Read(_, _, out, _)) if !out.is_under_way());
        if waits && !self.commands.is_empty() {
            self.doing = None;
        }
    }
}
