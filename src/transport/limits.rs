//! Limits the load on a vendor: concurrent attempts, attempts in a second, and retries.

use super::Settings;
use leaky_bucket::RateLimiter;
use std::{num::NonZeroU32, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::retry::budget::TpsBudget;

/// The limits of one vendor, shared by all clones of its client.
pub(super) struct Limits {
    concurrency: Semaphore,
    rate: Option<RateLimiter>,
    /// The retry budget. Each call adds to it, each retry takes from it.
    pub budget: TpsBudget,
}

impl Limits {
    pub fn new(settings: &Settings) -> Self {
        Self {
            concurrency: Semaphore::new(settings.concurrency),
            rate: settings.rate_per_second.map(rate),
            // Over ten seconds: one retry for every five calls, plus one a second. That covers a short fault, and does
            // not multiply the load during an outage.
            budget: TpsBudget::new(Duration::from_secs(10), 1, 0.2),
        }
    }

    /// Waits until an attempt may start. Drop the permit when the attempt has ended.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so this is never `None`.
        let permit = self.concurrency.acquire().await.ok();
        // Take the rate limit last. Attempts that waited for a permit after it could all start at once.
        if let Some(rate) = &self.rate {
            rate.acquire_one().await;
        }
        permit
    }
}

/// Builds a limiter of `per_second` attempts. Each refill allows a tenth of them or one, which spreads them evenly.
fn rate(per_second: NonZeroU32) -> RateLimiter {
    let portion = (per_second.get() / 10).max(1);
    let interval = Duration::from_secs(1) * portion / per_second.get();
    let portion = portion as usize;
    RateLimiter::builder().initial(portion).max(portion).refill(portion).interval(interval).build()
}
