//! A device on the bus: its services, what they show, what is set through them.
//!
//! - [`control`]: what is wanted of the device and when it is written, `wish` of one set point, `wear` of memory, `traces` of writes, `undo` of sequences: pure; `waiting`: what of it waits, in words
//! - [`sight`]: what is known of the device for that
//! - `view`: what its points come to, `faults`: what they say of faults; `show`, `set_points`, `heard`: that as items, `spoken`: as lines of the log
//! - `half`: one service with its number and name
//! - `orders`, `modes`, `standard`: what clients set, on the paths of Venus too, `commander`: how long it lasts, `last_word`: how it ends with the process, `kept`: with the next one; `following`, `followed`: the decision that limits follow, `limits`: what the device can do of it, `grace`: before there is one
//! - `bounds`: what clients force, within that decision; `volts`: the voltage that makes power of current; `float`: the float voltage, within the charge voltage that follows
//! - `dvcc`: what DVCC writes to one that invites it
//! - `life`: the loop around all; `in_time`: what the bus has a part in

mod bounds;
mod commander;
pub mod control;
mod dvcc;
mod faults;
mod float;
mod followed;
mod following;
mod grace;
pub(crate) mod half;
mod heard;
mod in_time;
mod kept;
mod last_word;
mod life;
mod limits;
mod modes;
mod orders;
mod set_points;
mod show;
pub mod sight;
mod spoken;
mod standard;
mod traces;
mod undo;
mod view;
mod volts;
mod waiting;
mod wear;
mod wish;

pub(crate) use in_time::in_time;
pub use life::Unit;
