#![no_main]

#[path = "../../tests/any_bytes/round_trip.rs"]
mod round_trip;
#[path = "../../tests/any_bytes/wire.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::run(bytes));
