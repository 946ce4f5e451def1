//! The encoders against recorded frames of real packs and against bytes worked out by hand from the makers' documents.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests, where a panic is the message")]

mod growatt;
mod pairs;
mod properties;
mod pylontech;
mod pylontech_family;
mod pytes;
mod support;
mod vectors;
