//! All processes together, seen from outside.
//!
//! - `systemcalc.rs`: which battery Victron's systemcalc would choose; pure
//! - `flows.rs`: what systemcalc adds up of inverters and meters, and what DVCC writes to; pure
//! - `tape.rs`: everything that services say on a bus, in the order in which they say it
//! - `watch.rs`: the tape played through the model, and what must hold at each moment of it
//! - `site.rs`: a bus with simulated batteries, their real services and the settings service
//!
//! - `bank.rs`: the real manager on a site, and an island inverter that follows it
//!
//! `examples/fake_manager.rs` is a manager of a bank that does no more than the tests need. `examples/would_choose.rs`
//! prints the model's choice on any bus, beside the original by hand. `examples/island.rs` is an inverter that feeds a house.
#![expect(clippy::panic, reason = "a step that fails has to fail the test that asked for it")]

mod bank;
pub mod flows;
mod site;
pub mod systemcalc;
mod tape;
mod watch;

pub use bank::{BANK, ISLAND, island, lowest_discharge_a};
pub use site::{MANAGER, SOON, Site, battery};
pub use tape::{Heard, Tape, What};
pub use watch::Watch;
