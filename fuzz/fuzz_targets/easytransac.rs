#![no_main]

#[path = "../../tests/any_bytes/again.rs"]
mod again;
#[path = "../../tests/any_bytes/easytransac.rs"]
mod easytransac;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| easytransac::run(bytes));
