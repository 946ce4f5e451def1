//! Hybrid inverters, solar inverters and meters on Modbus RTU and TCP, by tables, on the D-Bus.
//!
//! - [`profile`]: a model of device as data, one TOML file each
//! - [`engine`]: what its registers say, and what they must say
//! - [`modbus`]: the protocol as bytes; [`line`](mod@line): a port or connection with one owner

pub mod engine;
pub mod line;
pub mod modbus;
pub mod profile;
