#![no_main]

#[path = "../../tests/any_bytes/round_trip.rs"]
mod round_trip;
#[path = "../../tests/any_bytes/status.rs"]
mod status;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| status::run(bytes));
