#![no_main]

#[path = "../../tests/any_bytes/again.rs"]
mod again;
#[path = "../../tests/any_bytes/wire.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::run(bytes));
