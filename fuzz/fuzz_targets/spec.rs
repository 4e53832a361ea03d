#![no_main]

#[path = "../../tests/any_bytes/spec.rs"]
mod spec;

libfuzzer_sys::fuzz_target!(
    // What panics in the generator is caught and told. libFuzzer would stop at it.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| spec::run(bytes)
);
