#![no_main]

#[path = "../../tests/any_bytes/again.rs"]
mod again;
#[path = "../../tests/any_bytes/stored.rs"]
mod stored;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stored::run(bytes));
