//! A device on a line: recognised, read in turn, written.
//!
//! - [`access`]: reads and writes of its registers
//! - [`recognise`]: whether it is what it should be
//! - [`poll`]: the machine around both

pub mod access;
pub mod poll;
pub mod recognise;
