//! Helpers of the random tests.
#![allow(dead_code, reason = "some sets of features leave helpers unused")]

use fastrand::Rng;

/// The number of random cases: `MANDAT_CASES`, or else `usual`.
pub fn cases(usual: usize) -> usize {
    std::env::var("MANDAT_CASES").ok().map_or(usual, |cases| cases.parse().expect("MANDAT_CASES is a number"))
}

/// The seed of a random test, printed for a failure. `MANDAT_SEED` sets it.
pub fn seed() -> u64 {
    let seed = std::env::var("MANDAT_SEED").ok().map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("MANDAT_SEED={seed}");
    seed
}

/// Changes bytes at random, removes or repeats parts, inserts byte sequences that break parsers, or cuts the end off.
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
