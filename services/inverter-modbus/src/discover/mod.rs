//! Looking for devices on a line: which registers are read in which order, and what follows from what stands there.
//!
//! - [`knowledge`]: the profiles, and the order and exclusions of `discovery.toml`
//! - [`judge`]: what the registers of one unit say
//! - [`search`]: the search of one line: pure, says what to read next and takes the answer
//! - `place`: what is known of one unit on the way; `said`: what is asked, heard and found
//! - [`plan`]: which rates and units are tried at a port or host
//! - [`runner`]: the search on real lines; [`found`]: what was found, as a device of the configuration
//! - [`searches`]: the searches of the process; [`watch`](mod@watch): a line that is searched while it runs;
//!   [`stored`]: what was found there before

pub mod found;
pub mod judge;
pub mod knowledge;
mod place;
pub mod plan;
pub mod runner;
mod said;
pub mod search;
pub mod searches;
pub mod stored;
pub mod watch;
