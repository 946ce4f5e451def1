//! The converter's protocol against recorded frames, and its promises for any bytes whatever.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a vector that is not what it should be has to fail its test"
)]

mod properties;
mod vectors;
