//! The plant: a battery bank as physics and a BMS, without I/O and without a clock.
//!
//! `Bank::step(current, dt)` is all a closed loop needs; simulated days take seconds.
//! chemistry → cell → pack (+ balancer) → module (+ switches, sensors, bms, counters) → bank.

pub mod alarms;
pub mod balancer;
pub mod bank;
pub mod bms;
pub mod cell;
pub mod chemistry;
pub mod counters;
pub mod curve;
pub mod module;
pub mod pack;
pub mod rng;
pub mod sensors;
pub mod switches;
pub mod trip;
