//! CAN batteries on the D-Bus, and the battery's side of inverters.
//!
//! `frame` is a CAN frame and `candump` its text form in recordings. `transports` brings frames in and out: serial
//! adapters, whose line format is `slcan_codec` and `slcan_command`. `protocols` holds one file per battery dialect and
//! the registry of all; the byte layouts they share are in `protocols::layouts`. `message` is what a frame says, typed,
//! with units, and serialised under the keys that `busbar decode --json` prints. `recognise` tells from the traffic
//! which dialect a battery speaks, and when the configured one is wrong. `decode_log` reads a whole recording. All this
//! is pure: no clock, no input or output, no logging.
//!
//! `inverter` is the other role: a bus on which we are the battery.
//!
//! `battery` is what the messages say together, and what of it may be said as time passes. `unit` is one battery with its
//! service, and `give_way` who speaks for its limits; [`run`] is the process: the link, the units, the loop between them. `config` is what the user decides.

mod attention;
pub mod battery;
pub mod candump;
pub mod config;
pub mod decode_log;
mod dialect;
pub mod frame;
mod give_way;
pub mod inverter;
mod keep_alive;
mod kept;
pub mod link_health;
pub mod message;
pub mod protocols;
pub mod recognise;
mod run;
pub mod transports;
mod unit;

pub use config::Config;
pub use run::run;
