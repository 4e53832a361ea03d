//! Limits the load on a vendor: the concurrent attempts, the attempts in each second, and the retries.

use super::Settings;
use leaky_bucket::RateLimiter;
use std::{num::NonZeroU32, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::retry::budget::TpsBudget;

/// The load limits of one vendor, which all clones of its client share.
pub(super) struct Limits {
    concurrency: Semaphore,
    rate: Option<RateLimiter>,
    /// The retry budget. Each call adds to the budget, and each retry takes from it.
    pub budget: TpsBudget,
}

impl Limits {
    pub fn new(settings: &Settings) -> Self {
        Self {
            concurrency: Semaphore::new(settings.concurrency),
            rate: settings.rate_per_second.map(rate),
            // Over ten seconds, the budget allows one retry for every five calls, plus one a second. This is enough for
            // a short failure, and does not multiply the load during an outage.
            budget: TpsBudget::new(Duration::from_secs(10), 1, 0.2),
        }
    }

    /// Waits until an attempt may start. Drop the returned permit when the attempt has ended.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // `acquire` fails only if the semaphore is closed, which never happens.
        let permit = self.concurrency.acquire().await.ok();
        // Wait for the rate limit last. If attempts waited for a permit after the rate limit, they could all start at
        // the same moment.
        if let Some(rate) = &self.rate {
            rate.acquire_one().await;
        }
        permit
    }
}

/// Builds a limiter of `per_second` attempts. Each refill allows a tenth of them, and at least one, so that the
/// attempts are spread evenly.
fn rate(per_second: NonZeroU32) -> RateLimiter {
    let portion = (per_second.get() / 10).max(1);
    let interval = Duration::from_secs(1) * portion / per_second.get();
    let portion = portion as usize;
    RateLimiter::builder().initial(portion).max(portion).refill(portion).interval(interval).build()
}
