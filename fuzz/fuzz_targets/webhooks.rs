#![no_main]

#[path = "../../tests/any_bytes/webhooks.rs"]
mod webhooks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| webhooks::run(bytes));
