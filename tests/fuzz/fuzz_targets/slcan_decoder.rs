//! `slcan_decoder` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| busbar_fuzz::slcan_decoder::run(data));
