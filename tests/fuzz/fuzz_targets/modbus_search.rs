//! `modbus_search` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| busbar_fuzz::modbus_search::run(data));
