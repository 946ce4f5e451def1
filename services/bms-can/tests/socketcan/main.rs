//! What goes through the sockets of the kernel's CAN, without a kernel that has any.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod diagnosis;
mod error_frames;
mod frames;
mod netlink;
mod waiting;
