#![no_main]

#[path = "../../tests/any_bytes/references.rs"]
mod references;
#[path = "../../tests/any_bytes/round_trip.rs"]
mod round_trip;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| references::run(bytes));
