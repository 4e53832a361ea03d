//! What tests at random share.
#![allow(dead_code, reason = "not every set of features uses all of it")]

use fastrand::Rng;

/// How much a random test tries: `usual`, or `MANDAT_CASES`.
pub fn cases(usual: usize) -> usize {
    std::env::var("MANDAT_CASES").ok().map_or(usual, |cases| cases.parse().expect("MANDAT_CASES is a number"))
}

/// Shown when a test fails; `MANDAT_SEED` gives it again.
pub fn seed() -> u64 {
    let seed = std::env::var("MANDAT_SEED").ok().map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("MANDAT_SEED={seed}");
    seed
}

/// Here and there another byte, a piece less, a piece twice, or what breaks readers.
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
