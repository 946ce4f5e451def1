//! A device on a line: recognised, read in turn, written.
//!
//! - [`access`]: reads and writes of its registers
//! - `own`: what this process sets at it
//! - [`recognise`]: whether it is what it should be
//! - [`poll`]: the machine around both; `running`: what it knows of a device that was recognised

pub mod access;
mod own;
pub mod poll;
pub mod recognise;
mod running;
