//! The service on a real bus: batteries and devices of the test's own making, the manager as it runs in its process.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod example;
mod first_look;
mod reduction;
mod rig;
mod settings_page;
mod site;
mod victron;
