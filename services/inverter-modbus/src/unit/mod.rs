//! A device on the bus: its services, what they show, what is set through them.
//!
//! - [`control`]: what is wanted of the device and when it is written: pure
//! - `show`: points as items; `followed`: the decision that limits follow
//! - `half`: one service with its number and name; `kept`: what the settings keep of it
//! - `life`: the loop around all

pub mod control;
mod followed;
mod half;
mod life;
mod show;
mod undo;

pub use life::Unit;
