//! What a Sunny Island cluster tells of itself on the bus that it shares with its battery: 11-bit ids, little-endian.
//!
//! - `frames`: its frames, by SMA's technical information (0x305, 0x306, 0x307 bytes 0 and 1) and by what
//!   jaedog/SMAVenusDriver: dbus-sma/dbus-sma.py has found out (all others); pure
//! - `cluster`: the newest of all, and what it means; pure. `energy`: counters; pure
//! - `reserve`: what it does about an empty battery; pure
//! - `words`: numbers of errors in words · `switch`: on and off · `items`: all this on the bus

mod cluster;
mod energy;
mod frames;
mod items;
mod reserve;
mod switch;
mod words;

pub use cluster::{AcInput, Cluster, Line, View};
pub use energy::{Counters, Flows};
pub use frames::{Status, decode};
pub(crate) use items::{energy, system, unit, unit_beside_vebus, vebus};
pub(crate) use reserve::{Marks, Reserve};
pub(crate) use switch::Switch;
pub use words::error;
