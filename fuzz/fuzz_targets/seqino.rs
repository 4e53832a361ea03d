#![no_main]

#[path = "../../tests/any_bytes/again.rs"]
mod again;
#[path = "../../tests/any_bytes/seqino.rs"]
mod seqino;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seqino::run(bytes));
