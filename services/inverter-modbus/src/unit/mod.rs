//! A device on the bus: its services, what they show, what is set through them.
//!
//! - [`control`]: what is wanted of the device and when it is written, `wish` of one set point, `wear` of memory, `traces` of writes, `undo` of sequences: pure
//! - [`sight`]: what is known of the device for that
//! - `view`: what its points come to, `faults`: what they say of faults; `show`, `set_points`, `heard`: that as items
//! - `half`: one service with its number and name
//! - `orders`, `modes`: what clients set, `commander`: how long it lasts; `following`, `followed`: the decision that limits follow
//! - `bounds`: what clients force, within that decision
//! - `dvcc`: what DVCC writes to one that invites it
//! - `life`: the loop around all

mod bounds;
mod commander;
pub mod control;
mod dvcc;
mod faults;
mod followed;
mod following;
pub(crate) mod half;
mod heard;
mod life;
mod modes;
mod orders;
mod set_points;
mod show;
pub mod sight;
mod traces;
mod undo;
mod view;
mod wear;
mod wish;

pub use life::Unit;
