//! `simulator_adapter` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| busbar_fuzz::simulator_adapter::run(data));
