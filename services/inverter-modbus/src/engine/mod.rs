//! What registers say, and what they must say: pure, without a clock.
//!
//! - [`image`]: the registers of a device as they were read
//! - [`layout`]: numbers and texts in registers, both ways
//! - `alarms`: which of them are alarms
//! - [`map`](mod@map): a profile with all its addresses settled, by `settle`
//! - [`sunspec`]: the chain of models, which settles the addresses of some
//! - [`decode`]: points from an image; [`filter`]: which of them are believed
//! - [`encode`]: a set point as writes; `words`: those that stand for numbers
//! - [`plan`]: which registers are read together; [`schedule`]: when
//! - [`pretend`]: an image that says given points, for simulators and tests

mod alarms;
pub mod decode;
pub mod encode;
pub mod filter;
pub mod image;
pub mod layout;
pub mod map;
pub mod plan;
pub mod pretend;
pub mod schedule;
mod settle;
pub mod sunspec;
mod words;
