#![no_main]

#[path = "../../tests/any_bytes/round_trip.rs"]
mod round_trip;
#[path = "../../tests/any_bytes/safedebit.rs"]
mod safedebit;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| safedebit::run(bytes));
