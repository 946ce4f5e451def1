//! The EZA2500 converter on RS485.
//!
//! - [`eza`]: its protocol, pure

pub mod eza;
