//! `settings_xml` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| busbar_fuzz::settings_xml::run(data));
