#![no_main]

#[path = "../../tests/any_bytes/spec.rs"]
mod spec;

libfuzzer_sys::fuzz_target!(
    // The code generator catches its own panics and reports them. The panic hook of libFuzzer would abort instead.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| spec::run(bytes)
);
