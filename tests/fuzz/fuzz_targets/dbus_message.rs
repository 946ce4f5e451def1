//! `dbus_message` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| busbar_fuzz::dbus_message::run(data));
