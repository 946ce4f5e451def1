//! A device on a line: recognised, read in turn, written.
//!
//! - [`access`]: reads and writes of its registers
//! - `own`: what this process sets at it
//! - [`recognise`]: whether it is what it should be
//! - [`poll`]: the machine around both

pub mod access;
mod own;
pub mod poll;
pub mod recognise;
