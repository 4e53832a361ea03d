//! Divides the rate of an account among its lanes. This module does no I/O and reads no clock.
//!
//! # The promise
//!
//! In any second, at most `rate` requests of an account arrive at the vendor.
//!
//! # The proof
//!
//! The lanes of an account have shares whose sum is the rate ([`share`]). So it is enough that each lane keeps its share.
//! Look at the requests of one lane that arrive within one second.
//!
//! 1. All of them come from one holder. A lane is held by one worker at a time, and its next holder begins two seconds after
//!    its last one has stopped ([`crate::lease`]). We assume that a request without a response arrives within a second
//!    after its connection was closed, or never.
//! 2. The holder sends through one client of mandat, whose strict rate limit has as many *places* as the share. A request
//!    takes a place before it is sent, and gives the place back a second after its response.
//! 3. The response comes after the arrival. So each of these requests gives its place back a second after its arrival or
//!    later, which is after the end of the second that we look at.
//! 4. When the last of them arrives, each has a place, and no two have the same one. So there are no more requests than
//!    places.
//!
//! A request without a response keeps its place for two seconds after its connection was closed, because it can arrive one
//! second later. The worker's clock measures durations only, and no clock is compared with another.
//!
//! # The price
//!
//! A place serves one request in a second and the time of a response. So with responses in `d` seconds, the fleet uses
//! `1 / (1 + d)` of the rate while a job runs: 98 % at 20 ms, 91 % at 100 ms, 77 % at 300 ms. After a job of five minutes,
//! the lane rests for three seconds, and the engine starts the next job up to a second later. So the fleet uses 75 parts of
//! 76 of this: 97 %, 90 % and 76 %.
//!
//! No other pace that keeps the promise is faster. A worker knows only that a request arrives between its start and its
//! response. Requests that are under way at the beginning of a second, and requests that start within it, may all arrive
//! within it. With `n` starts in a second these are `n * d + n`, and they must not be more than the rate.

use crate::{lease::GAP, reader::LONG_JOB};
use mandat::Settings;
use std::{num::NonZeroU32, time::Duration};

/// The settings with which one worker sends the requests of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace(Option<NonZeroU32>);

/// The calls that run at the same time on a lane without a rate.
const UNLIMITED: usize = 32;
/// The engine looks for jobs in this interval.
pub(crate) const POLL: Duration = Duration::from_secs(1);

/// The share of one lane in the rate of its account. The shares of all lanes add up to the rate.
pub fn share(rate: u32, lanes: u32, lane: u32) -> u32 {
    let until = |lane: u32| u64::from(lane) * u64::from(rate) / u64::from(lanes.max(1));
    u32::try_from(until(lane + 1) - until(lane)).unwrap_or(u32::MAX)
}

/// The number of lanes of a new account: enough for several machines, and few enough that each has a useful share.
pub fn lanes(rate: Option<u32>) -> u32 {
    rate.map_or(8, |rate| (rate / 16).clamp(1, 16))
}

/// The readings in a second that the fleet makes with a rate, if responses take this time and each lane has a worker.
pub(crate) fn used(rate: u32, response: Duration) -> f64 {
    let (job, rest) = (LONG_JOB.as_secs_f64(), (GAP + POLL).as_secs_f64());
    f64::from(rate) / (1.0 + response.as_secs_f64()) * job / (job + rest)
}

impl Pace {
    /// The pace that keeps a share. `None` is no limit. Returns `None` for a share of zero.
    pub fn of(share: Option<u32>) -> Option<Self> {
        match share {
            None => Some(Self(None)),
            Some(share) => NonZeroU32::new(share).map(|share| Self(Some(share))),
        }
    }

    /// The most requests in a second. `None` is no limit.
    pub fn rate(&self) -> Option<u32> {
        self.0.map(NonZeroU32::get)
    }

    /// The settings of mandat for this pace.
    pub fn settings(&self) -> Settings {
        Settings::default()
            .with_rate_per_second(self.0)
            .with_strict_rate(true)
            .with_concurrency(self.rate().map_or(UNLIMITED, |rate| rate as usize))
            // A vendor that hangs must not hold a lane for long. The queue reads the mandate again later.
            .with_attempt_timeout(Duration::from_secs(5))
            .with_overall_timeout(Duration::from_secs(10))
            .with_max_retry_after(Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_rate() {
        for rate in 1..700 {
            for lanes in [1, 2, 3, 7, lanes(Some(rate)), rate] {
                let shares: Vec<u32> = (0..lanes).map(|lane| share(rate, lanes, lane)).collect();
                assert_eq!(shares.iter().sum::<u32>(), rate, "{lanes} lanes");
                assert!(shares.iter().all(|share| share.abs_diff(rate / lanes) <= 1), "{rate}/{lanes}: {shares:?}");
            }
        }
    }

    #[test]
    fn every_lane_of_an_account_has_a_pace() {
        for rate in 1..700 {
            let lanes = lanes(Some(rate));
            assert!((0..lanes).all(|lane| Pace::of(Some(share(rate, lanes, lane))).is_some()), "{rate}");
        }
        assert_eq!(Pace::of(Some(0)), None);
    }

    #[test]
    fn the_readme_states_the_used_part_of_a_rate() {
        for milliseconds in [20, 100, 300] {
            let used = used(100, Duration::from_millis(milliseconds));
            let row = format!("| {milliseconds} ms | {used:.0} % |");
            assert!(include_str!("../README.md").contains(&row), "{row}");
        }
    }

    #[test]
    fn a_lane_sends_at_its_share_and_strictly() {
        for (share, concurrency) in [(None, UNLIMITED), (Some(31), 31)] {
            let settings = Pace::of(share).unwrap().settings();
            assert_eq!(settings.rate_per_second.map(NonZeroU32::get), share);
            assert_eq!((settings.strict_rate, settings.concurrency), (true, concurrency));
        }
    }
}
