//! Everything here that reads what somebody else wrote, each as a function of any bytes whatever. A target fails by
//! panicking: because the code under test did, or because what it made of the bytes is not what it promises.
//!
//! `fuzz_targets` hands them to libFuzzer; `tests/corpus.rs` runs them without it.

pub mod can_dialects;
pub mod candump_log;
pub mod config_bms_can;
pub mod config_scenario;
pub mod dbus_message;
pub mod eza_reply;
mod frames;
mod lines;
pub mod modbus_answer;
pub mod modbus_profile;
pub mod modbus_search;
pub mod recognise;
pub mod set_value;
pub mod settings_calls;
pub mod settings_xml;
pub mod simulator_adapter;
pub mod simulator_command;
pub mod slcan_decoder;
pub mod socketcan;
mod values;
