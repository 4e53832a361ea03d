#![no_main]

#[path = "../../tests/any_bytes/again.rs"]
mod again;
#[path = "../../tests/any_bytes/safedebit.rs"]
mod safedebit;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| safedebit::run(bytes));
