//! Divides the rate of an account among its lanes. This module does no I/O and reads no clock.
//!
//! # The promise
//!
//! In any second, at most `rate` requests of an account arrive at the vendor.
//!
//! The lanes of an account have shares whose sum is the rate ([`share`]). So it is enough that each lane keeps its share.
//! A lane is held by one worker at a time, and its next holder begins two seconds after its last one has stopped
//! ([`crate::lease`]). So all requests of a lane within one second come from one holder.
//!
//! This holder sends through one client of mandat, with the settings of a [`Pace`]. Count the requests that arrive within
//! any second:
//!
//! - At the beginning of the second, at most `concurrency` requests were under way. They may all arrive now, however long
//!   the network delayed them.
//! - Each other request started within the second, with a token of mandat's rate limit. The limit holds at most
//!   `portion` tokens, and adds `portion` at each refill. A second contains at most `refills` refills.
//!
//! So at most `concurrency + portion + portion * refills` requests arrive. [`Pace::of`] chooses the fastest rate for which
//! this number is at most the share. The worker's clock measures durations only, and no clock is compared with another.

use mandat::Settings;
use std::{num::NonZeroU32, time::Duration};

/// The settings with which one worker sends the requests of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    rate: Option<NonZeroU32>,
    concurrency: u32,
}

/// The lowest rate of an account. With a lower rate, one request under way, one token and one refill are too many.
pub const LOWEST_RATE: u32 = 3;

/// The share of one lane in the rate of its account. The shares of all lanes add up to the rate.
pub fn share(rate: u32, lanes: u32, lane: u32) -> u32 {
    let until = |lane: u32| u64::from(lane) * u64::from(rate) / u64::from(lanes.max(1));
    u32::try_from(until(lane + 1) - until(lane)).unwrap_or(u32::MAX)
}

/// The number of lanes of a new account: enough for several machines, and few enough that each has a useful share.
pub fn lanes(rate: Option<u32>) -> u32 {
    rate.map_or(8, |rate| (rate / 16).clamp(1, 16))
}

/// The requests that all lanes of an account start in a second. `None` is no limit.
pub(crate) fn used(rate: Option<u32>, lanes: u32) -> Option<u32> {
    let rate = rate?;
    let paces = (0..lanes).filter_map(|lane| Pace::of(Some(share(rate, lanes, lane))));
    Some(paces.filter_map(|pace| pace.rate()).sum())
}

impl Pace {
    /// The fastest pace that keeps a share. `None` is no limit. Returns `None` for a share below [`LOWEST_RATE`].
    pub fn of(share: Option<u32>) -> Option<Self> {
        let Some(share) = share else { return Some(Self { rate: None, concurrency: 32 }) };
        // A quarter of the share may be under way: the vendor then gets the whole pace up to a third of a second for
        // each response.
        let concurrency = (share / 4).max(1);
        let rate = (1..=share).rev().find(|rate| arrivals(*rate, concurrency) <= u64::from(share))?;
        Some(Self { rate: NonZeroU32::new(rate), concurrency })
    }

    /// The requests that this pace starts in a second. `None` is no limit.
    pub fn rate(&self) -> Option<u32> {
        self.rate.map(NonZeroU32::get)
    }

    /// The settings of mandat for this pace.
    pub fn settings(&self) -> Settings {
        Settings::default()
            .with_rate_per_second(self.rate)
            .with_concurrency(self.concurrency as usize)
            // A vendor that hangs must not hold a lane for long. The queue reads the mandate again later.
            .with_attempt_timeout(Duration::from_secs(5))
            .with_overall_timeout(Duration::from_secs(10))
            .with_max_retry_after(Duration::from_secs(2))
    }
}

/// The most requests that can arrive within one second. `portion` and the interval of a refill are those of mandat's
/// rate limit.
fn arrivals(rate: u32, concurrency: u32) -> u64 {
    let portion = (rate / 10).max(1);
    let interval = Duration::from_secs(1) * portion / rate;
    let refills = Duration::from_secs(1).as_nanos().div_ceil(interval.as_nanos().max(1));
    u64::from(concurrency) + u64::from(portion) * (1 + u64::try_from(refills).unwrap_or(u64::MAX >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_rate() {
        for rate in LOWEST_RATE..700 {
            for lanes in [1, 2, 3, 7, lanes(Some(rate)), rate / LOWEST_RATE] {
                let shares: Vec<u32> = (0..lanes).map(|lane| share(rate, lanes, lane)).collect();
                assert_eq!(shares.iter().sum::<u32>(), rate, "{lanes} lanes");
                assert!(shares.iter().all(|share| share.abs_diff(rate / lanes) <= 1), "{rate}/{lanes}: {shares:?}");
            }
        }
    }

    #[test]
    fn every_lane_of_an_allowed_account_has_a_pace() {
        for rate in LOWEST_RATE..700 {
            let lanes = lanes(Some(rate));
            for lane in 0..lanes {
                let share = share(rate, lanes, lane);
                let pace = Pace::of(Some(share)).unwrap();
                assert!(arrivals(pace.rate().unwrap(), pace.concurrency) <= u64::from(share));
            }
        }
        assert_eq!(Pace::of(Some(LOWEST_RATE - 1)), None);
    }

    /// The cost of the promise: the part of the rate that the fleet does not use.
    #[test]
    fn more_than_six_tenths_of_a_usual_rate_are_used() {
        for rate in [15, 50, 100, 500] {
            let lanes = lanes(Some(rate));
            let used: u32 =
                (0..lanes).map(|lane| Pace::of(Some(share(rate, lanes, lane))).unwrap().rate().unwrap()).sum();
            assert!(f64::from(used) / f64::from(rate) > 0.6, "{used} of {rate}");
        }
    }

    /// Sends through the rate limit of mandat as a lane does, with delays of the network that change at random, and
    /// counts the arrivals in each second. Virtual time makes the test exact and fast.
    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_arrivals_than_the_share() {
        for share in [3, 7, 15, 31, 62] {
            let Pace { rate, concurrency } = Pace::of(Some(share)).unwrap();
            let rate = rate.unwrap().get();
            let portion = (rate / 10).max(1) as usize;
            let limit = leaky_bucket(rate, portion);
            let under_way = tokio::sync::Semaphore::new(concurrency as usize);
            let began = tokio::time::Instant::now();
            let mut arrived: Vec<Duration> = futures_util::future::join_all((0..share * 8).map(|call: u32| {
                let (limit, under_way) = (&limit, &under_way);
                async move {
                    let _permit = under_way.acquire().await.unwrap();
                    limit.acquire_one().await;
                    // The network and the vendor stop for a second now and then.
                    let delay = if (call / 11).is_multiple_of(5) { 1000 } else { u64::from(call * 37 % 120) };
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    let at = began.elapsed();
                    tokio::time::sleep(Duration::from_millis(u64::from(call * 53 % 90))).await;
                    at
                }
            }))
            .await;
            arrived.sort();
            for (first, at) in arrived.iter().enumerate() {
                let within = arrived[first..].iter().take_while(|other| **other < *at + Duration::from_secs(1)).count();
                assert!(within <= share as usize, "{within} of {share} after {at:?}");
            }
        }
    }

    fn leaky_bucket(rate: u32, portion: usize) -> leaky_bucket::RateLimiter {
        let interval = Duration::from_secs(1) * u32::try_from(portion).unwrap() / rate;
        leaky_bucket::RateLimiter::builder().initial(portion).max(portion).refill(portion).interval(interval).build()
    }
}
