//! The decision in closed loops with the plant of the simulator: a clock that is stepped, simulated days in seconds.
//!
//! `rig` is the loop and what it measures, `invariants` what must hold in every tick of every run, `packs` what is charged,
//! `ideal` the fastest charge that there could be. The other
//! files are the scenarios, by subject; `table` compares our laws with the ideal.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, where a panic is the message"
)]

mod balance;
mod cells;
mod chargers;
mod charges;
mod empty;
mod ideal;
mod invariants;
mod lead;
mod members;
mod packs;
mod restart;
mod rig;
mod silence;
mod table;
mod temperature;
