#![no_main]

#[path = "../../tests/any_bytes/easytransac.rs"]
mod easytransac;
#[path = "../../tests/any_bytes/round_trip.rs"]
mod round_trip;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| easytransac::run(bytes));
