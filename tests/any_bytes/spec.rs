//! The build script turns any spec into code, or reports each mistake in the spec with its place and its fix.

#[allow(dead_code, reason = "a part of the build script")]
#[path = "../../build/mod.rs"]
mod generator;

use generator::{Provider, generate};

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(problems) = generate(&Provider::named("easytransac"), text, true) {
        assert!(!problems.is_empty());
        for problem in problems.iter().map(|problem| problem.within("spec.yaml")) {
            assert!(problem.starts_with("spec.yaml:") && problem.contains(". Fix: "), "{problem}");
            assert_eq!(problem.lines().count(), 1, "{problem}");
        }
    }
}
