//! The other end of every bus: simulated devices that a driver cannot tell from real ones, and faults on request.
//!
//! - [`plant`]: cells, packs, BMS and banks as pure functions of current and time, for closed loops too
//! - [`profile`], [`day`], [`charger`]: the current that flows, and who obeys the battery's limits how late
//! - [`hybrids`]: inverters with a CAN bus of their own, which obey what they are told there
//! - [`report`], [`batteries`]: what a battery says, and the frames it says it in; one file per protocol
//! - [`adapters`]: the device end of the serial CAN protocol
//! - [`faults`], [`command`]: what can go wrong, by scenario or while it runs
//! - [`device`]: all of this as one battery without I/O and clock; [`assembly`] builds it from a [`scenario`]
//! - [`converter`]: an EZA2500 converter and its battery, on terminals of their own
//! - [`inverters`]: hybrid inverters on Modbus, any that `inverter-modbus` has a profile of
//! - [`run()`]: terminals, links and real time around it; [`pty`], [`link`], [`pace`], [`outbox`], [`console`] help
//! - [`uart`]: what is heard on a line by somebody who has set another rate
//!
//! The encoders share nothing with the decoders of `bms-can`: golden vectors and foreign programs check both.

pub mod adapters;
pub mod assembly;
pub mod batteries;
pub mod can;
pub mod charger;
pub mod command;
pub mod console;
pub mod converter;
pub mod day;
pub mod device;
pub mod faults;
pub mod hybrids;
pub mod inverters;
pub mod link;
mod named;
pub mod outbox;
pub mod pace;
pub mod plant;
pub mod profile;
pub mod pty;
pub mod report;
mod run;
pub mod scenario;
pub mod uart;

pub use run::{Event, RunError, run};
