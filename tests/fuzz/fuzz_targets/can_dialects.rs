//! `can_dialects` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| busbar_fuzz::can_dialects::run(data));
