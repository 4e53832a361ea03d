#![no_main]

#[path = "../../tests/any_bytes/rows.rs"]
mod rows;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rows::run(bytes));
