//! Helper functions for the random tests: the number of cases, the seed, and random changes of bytes.
#![allow(dead_code, reason = "some sets of features leave helpers unused")]

use fastrand::Rng;

/// Returns the number of random cases: the value of the variable `MANDAT_CASES`, or `usual` if the variable is not set.
pub fn cases(usual: usize) -> usize {
    std::env::var("MANDAT_CASES").ok().map_or(usual, |cases| cases.parse().expect("MANDAT_CASES must be a number"))
}

/// Returns the seed of a random test, and prints the seed so that a failure can be repeated. The variable `MANDAT_SEED`
/// sets the seed.
pub fn seed() -> u64 {
    let seed = std::env::var("MANDAT_SEED").ok().map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("MANDAT_SEED={seed}");
    seed
}

/// Damages the bytes `seed` at random: changes bytes, removes or repeats parts, inserts byte sequences that break
/// parsers, or cuts off the end.
pub fn mutated(seed: &[u8], pieces: &[&[u8]], random: &mut Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.usize(1..4) {
        let (from, to) = (random.usize(..=bytes.len()), random.usize(..=bytes.len()));
        let piece = from.min(to)..from.max(to).min(from.min(to) + 12);
        match random.u8(..5) {
            0 if from < bytes.len() => bytes[from] = random.u8(..),
            1 => drop(bytes.drain(piece)),
            2 => {
                let again = bytes[piece].to_vec();
                bytes.splice(from..from, again);
            }
            3 => drop(bytes.splice(from..from, pieces[random.usize(..pieces.len())].iter().copied())),
            _ => bytes.truncate(from),
        }
    }
    bytes
}
