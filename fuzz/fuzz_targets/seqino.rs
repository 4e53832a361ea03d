#![no_main]

#[path = "../../tests/any_bytes/round_trip.rs"]
mod round_trip;
#[path = "../../tests/any_bytes/seqino.rs"]
mod seqino;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seqino::run(bytes));
