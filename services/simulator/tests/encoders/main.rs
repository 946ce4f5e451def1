//! The encoders against recorded frames of real packs and against bytes worked out by hand from the makers' documents.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests, where a panic is the message")]

mod properties;
mod pylontech;
mod sheets_of_growatt;
mod sheets_of_pairs;
mod sheets_of_pylontech;
mod sheets_of_pytes;
mod support;
mod vectors;
