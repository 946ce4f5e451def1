//! Looking for devices on a line: which registers are read in which order, and what follows from what stands there.
//!
//! - [`knowledge`]: the profiles, and the order and exclusions of `discovery.toml`
//! - [`judge`]: what the registers of one unit say
//! - [`search`]: the search of one line: pure, says what to read next and takes the answer
//! - `place`: what is known of one unit on the way
//! - [`plan`]: which rates and units are tried at a port or host
//! - [`runner`]: the search on real lines; [`found`]: what was found, as a device of the configuration

pub mod found;
pub mod judge;
pub mod knowledge;
mod place;
pub mod plan;
pub mod runner;
pub mod search;
