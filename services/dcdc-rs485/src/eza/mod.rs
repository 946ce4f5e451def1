//! The protocol of the EZA2500: pure, total, without I/O and clock.
//!
//! - [`number`]: decimal numbers as they are written, exactly
//! - [`field`]: what a word means, its scale and its range
//! - [`command`]: every command, what it sends and what it is answered
//! - [`frame`], [`reply`]: frames out; replies found in whatever was received
//! - [`words`]: status words and modes
//! - [`retry`]: which failure is tried again, and how often
//!
//! Facts: SonyCSL/apis-dcdc_batt_comm (drivers/eza2500, specification rev 0.59).

pub mod command;
pub mod field;
pub mod frame;
pub mod number;
pub mod reply;
pub mod retry;
pub mod words;
