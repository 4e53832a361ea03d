#![no_main]

#[path = "../../tests/any_bytes/again.rs"]
mod again;
#[path = "../../tests/any_bytes/references.rs"]
mod references;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| references::run(bytes));
