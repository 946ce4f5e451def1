//! The converter's process against a simulated converter: both real processes, over a terminal and TCP.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a scenario that is not what it should be has to fail its test"
)]

mod bed;
mod faults;
mod following;
mod guide;
mod http;
mod life;
mod on_bus;
mod scenarios;
