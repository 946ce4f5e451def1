//! What clients set on the paths that Venus has for it.

use dbus_interfaces::WriteRequest;
use tokio::time::Instant;

use super::life::Unit;
use crate::system::{BATTERY_POWER, Step, heard};

impl Unit {
    /// A client writes to one of these paths. Returns what is none of them.
    pub(super) fn write_standard(&mut self, write: WriteRequest, now: Instant) -> Option<WriteRequest> {
        let before = self.battery_power;
        let wanted = match self.battery_power.heard(&write) {
            Some(step @ (Step::End | Step::Wait)) => {
                if step == Step::End {
                    // What is not in force, or has not begun, has ended with that.
                    self.control.end(BATTERY_POWER);
                }
                self.is_due = true;
                write.confirm_later();
                return None;
            }
            Some(Step::Want(watts)) => Ok((BATTERY_POWER, Some(watts))),
            None => match heard(&write) {
                Some(heard) => heard.map_err(str::to_owned),
                None => return Some(write),
            },
        };
        let outcome = wanted.and_then(|(name, value)| self.want(name, value, write.client(), now));
        match outcome {
            Ok(said) => self.confirm_later(write, &said),
            Err(why) => {
                self.battery_power = before;
                self.refuse(write, &why);
            }
        }
        None
    }
}
