#![no_main]

#[path = "../../tests/any_bytes/round_trip.rs"]
mod round_trip;
#[path = "../../tests/any_bytes/stored.rs"]
mod stored;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stored::run(bytes));
