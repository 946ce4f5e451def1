//! What sits between a simulated bus and the computer: the adapter's end of its protocol.

pub mod slcan;
