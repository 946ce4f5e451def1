//! Profiles of inverters, held against captures of real batteries and against themselves.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod captures;
mod encoded;
mod high_voltage;
mod list;
mod rules;
mod sunny_island;
mod support;
