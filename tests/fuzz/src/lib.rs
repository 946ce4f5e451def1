//! Everything here that reads what somebody else wrote, each as a function of any bytes whatever. A target fails by
//! panicking: because the code under test did, or because what it made of the bytes is not what it promises.
//!
//! `fuzz_targets` hands them to libFuzzer; `tests/corpus.rs` runs them without it.

pub mod can_dialects;
pub mod candump_log;
pub mod config_bms_can;
pub mod config_scenario;
pub mod dbus_message;
mod frames;
mod lines;
pub mod recognise;
pub mod set_value;
pub mod settings_calls;
pub mod settings_xml;
pub mod simulator_adapter;
pub mod simulator_command;
pub mod slcan_decoder;
mod values;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its module, its binary and its corpus.
    pub name: &'static str,
    /// What to do with some bytes.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "can_dialects", run: can_dialects::run },
    Target { name: "candump_log", run: candump_log::run },
    Target { name: "config_bms_can", run: config_bms_can::run },
    Target { name: "config_scenario", run: config_scenario::run },
    Target { name: "dbus_message", run: dbus_message::run },
    Target { name: "recognise", run: recognise::run },
    Target { name: "set_value", run: set_value::run },
    Target { name: "settings_calls", run: settings_calls::run },
    Target { name: "settings_xml", run: settings_xml::run },
    Target { name: "simulator_adapter", run: simulator_adapter::run },
    Target { name: "simulator_command", run: simulator_command::run },
    Target { name: "slcan_decoder", run: slcan_decoder::run },
];
