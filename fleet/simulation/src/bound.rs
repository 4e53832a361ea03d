//! The lower bound of the lateness. `docs/machines.md` proves that no order of readings can be better.

use crate::world::World;

/// The expected changes per second that the most changeable calls would find, for each vendor of a fleet.
pub struct Bound {
    vendors: Vec<Covered>,
}

struct Covered {
    /// Element `n` is the sum of the rates of change of the `n` most changeable calls.
    sums: Vec<f64>,
    calls_per_second: f64,
}

impl Bound {
    /// Makes the bound from worlds in their steady state, each with its calls per second.
    pub fn new<'a>(worlds: impl IntoIterator<Item = (&'a World, f64)>) -> Self {
        let covered = |(world, calls_per_second): (&World, f64)| {
            let rate = |call| world.read_by(call).map(|index| world.rate(index, 0.0)).sum();
            let mut rates: Vec<f64> = (0..world.calls()).map(rate).collect();
            rates.sort_unstable_by(|one, other| other.total_cmp(one));
            let mut sum = 0.0;
            let sums = std::iter::once(0.0).chain(rates.into_iter().map(|rate| {
                sum += rate;
                sum
            }));
            Covered { sums: sums.collect(), calls_per_second }
        };
        Self { vendors: worlds.into_iter().map(covered).collect() }
    }

    /// The largest share of all changes that any order notices within `lateness` seconds.
    pub fn share(&self, lateness: f64) -> f64 {
        let within = |covered: &Covered| {
            let calls = lateness * covered.calls_per_second;
            let whole = calls as usize;
            match covered.sums.get(whole..whole + 2) {
                Some(sums) => sums[0] + (sums[1] - sums[0]) * calls.fract(),
                None => covered.all(),
            }
        };
        self.vendors.iter().map(within).sum::<f64>() / self.vendors.iter().map(Covered::all).sum::<f64>()
    }

    /// No order notices this share of all changes in less than the returned number of seconds.
    pub fn lateness(&self, share: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1e9);
        for _ in 0..100 {
            let middle = (low + high) / 2.0;
            if self.share(middle) < share { low = middle } else { high = middle }
        }
        high
    }

    /// Puts the vendors of several bounds into one.
    pub fn join(bounds: Vec<Self>) -> Self {
        Self { vendors: bounds.into_iter().flat_map(|bound| bound.vendors).collect() }
    }
}

impl Covered {
    fn all(&self) -> f64 {
        self.sums.last().copied().unwrap_or_default()
    }
}
