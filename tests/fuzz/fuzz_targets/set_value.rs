//! `set_value` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| busbar_fuzz::set_value::run(data));
