//! The EZA2500 converter on RS485, the battery behind it, and the web API that APIS drives both with.
//!
//! - [`eza`]: the converter's protocol, pure
//! - [`config`]: our TOML, or the original's `dcdc_batt_comm.yml`
//! - [`direction`]: who switches the direction of a line
//! - [`mod@line`]: a serial port with one owner, half duplex
//! - [`converter`]: the task that owns the converter: requests in order, commands with their retries
//! - [`battery`]: the same for the battery over Modbus RTU, and the watch that forces the converter to wait
//! - [`web`]: the web API
//! - `dbus`: both on the D-Bus, whom the converter obeys, and commands from any input
//! - [`run()`]: the process

pub mod battery;
pub mod config;
pub mod converter;
mod dbus;
pub mod direction;
pub mod error;
pub mod eza;
pub mod line;
mod run;
pub mod web;

pub use config::Config;
pub use run::run;
