//! The service on a real bus, seen by `busctl`, `dbus-send` and `dbus-monitor`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing step fails the test")]

mod client;
mod disk;
mod flood;
mod life;
mod rig;
mod table;
