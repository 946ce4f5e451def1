//! A device on a line: recognised, read in turn, written.
//!
//! - [`access`]: reads and writes of its registers
//! - `own`: what this process sets at it
//! - [`recognise`]: whether it is what it should be; `same`: whether it is who it was; `exclude`: whether it bears to be asked
//! - [`poll`]: the machine around both; `command`: what is written; `presence`: what it does with one that comes and goes; `running`: what it knows of a device that was recognised

pub mod access;
mod command;
mod exclude;
mod own;
pub mod poll;
pub mod presence;
pub mod recognise;
mod running;
mod same;
