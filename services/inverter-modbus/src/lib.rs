//! Hybrid inverters, solar inverters and meters on Modbus RTU and TCP, by tables, on the D-Bus.
//!
//! - [`profile`]: a model of device as data, one TOML file each; [`library`]: those that there are
//! - [`engine`]: what its registers say, and what they must say: pure
//! - [`modbus`]: the protocol as bytes; [`line`](mod@line): a port or connection with one owner
//! - [`device`]: one device, recognised and read in turn; [`mod@unit`]: the same on the bus; `system`: several as one
//! - [`discover`]: which devices there are on a line, without endangering any
//! - [`probe`]: one device read once, without a bus
//! - [`commands`]: requests of others to any device on our lines
//! - [`config`]: what the user decides; [`run()`]: the process; [`pulse`]: its loops before the watchdog

pub mod commands;
pub mod config;
pub mod device;
pub mod discover;
pub mod engine;
pub mod library;
pub mod line;
pub mod modbus;
pub mod probe;
pub mod profile;
pub mod pulse;
mod run;
mod state_file;
mod system;
pub mod unit;

pub use config::Config;
pub use run::run;
