//! Each parser of outside bytes reads or refuses any input. These tests damage documented samples at random. The fuzz
//! targets in `fuzz/` run the same code under libFuzzer, which measures coverage.

mod chance;
mod easytransac;
mod references;
mod round_trip;
mod rows;
mod safedebit;
mod seeds;
mod seqino;
mod spec;
mod status;
mod stored;
mod webhooks;
mod wire;

use std::panic::{catch_unwind, resume_unwind};

/// Generates one test for each fuzz target. The macro takes the name of the target and the number of random inputs.
macro_rules! targets {
    ($($target:ident $times:literal),+) => {
        mod any_bytes_are_read_or_refused_by {
            $(
                #[test]
                fn $target() {
                    super::run_on_random_input(stringify!($target), super::$target::run, $times);
                }
            )+
        }

        /// Writes the documented samples to files, because libFuzzer reads its first inputs from files.
        #[test]
        #[ignore = "writes fuzz/corpus; .ci/fuzz-bytes runs it"]
        fn documented_samples_are_written_as_fuzz_seeds() {
            for target in [$(stringify!($target)),+] {
                let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
                std::fs::create_dir_all(&folder).unwrap();
                for (index, seed) in seeds::of(target).iter().enumerate() {
                    std::fs::write(folder.join(format!("seed-{index}")), seed).unwrap();
                }
            }
        }
    };
}

targets! {
    easytransac 4000, references 4000, rows 500, safedebit 2000, seqino 2000, spec 20, status 400, stored 4000,
    webhooks 4000, wire 4000
}

/// Byte sequences that often break parsers. The random tests insert these sequences into their inputs.
const PIECES: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b":",
    b",",
    b"null",
    b"1e999",
    b"-0.0",
    b"\xff\xfe",
    b"\\ud800",
    b"%2F",
    b"\0",
    b"18446744073709551616",
    b"+12345-1-1",
];

fn run_on_random_input(target: &str, run: fn(&[u8]), times: usize) {
    let mut random = fastrand::Rng::with_seed(chance::seed());
    let seeds = seeds::of(target);
    let mutants = (0..times).map(|_| chance::mutated(&seeds[random.usize(..seeds.len())], &PIECES, &mut random));
    for bytes in seeds.iter().cloned().chain(mutants) {
        if let Err(panic) = catch_unwind(|| run(&bytes)) {
            println!("input: {}", bytes.escape_ascii());
            resume_unwind(panic);
        }
    }
}
