//! Fair use: how much is asked of a vendor at once, in a second, and again.

use super::Settings;
use leaky_bucket::RateLimiter;
use std::{num::NonZeroU32, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::retry::budget::TpsBudget;

/// The limits of one vendor, shared by all clones of its client.
pub(super) struct Limits {
    concurrency: Semaphore,
    rate: Option<RateLimiter>,
    /// Each call allows for some attempts more.
    pub budget: TpsBudget,
}

impl Limits {
    pub fn new(settings: &Settings) -> Self {
        Self {
            concurrency: Semaphore::new(settings.concurrency),
            rate: settings.rate_per_second.map(rate),
            // Over ten seconds one call in five may be repeated, and one in each second besides: enough for a hiccup, no
            // multiple of an outage.
            budget: TpsBudget::new(Duration::from_secs(10), 1, 0.2),
        }
    }

    /// Waits for its turn. The vendor is busy with this caller until the permit is dropped.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        let permit = self.concurrency.acquire().await.ok();
        // Last: what waited after it for a permit could start all at once.
        if let Some(rate) = &self.rate {
            rate.acquire_one().await;
        }
        permit
    }
}

/// So many in a second, in portions of a tenth of a second at most.
fn rate(per_second: NonZeroU32) -> RateLimiter {
    let portion = (per_second.get() / 10).max(1);
    let interval = Duration::from_secs(1) * portion / per_second.get();
    let portion = portion as usize;
    RateLimiter::builder().initial(portion).max(portion).refill(portion).interval(interval).build()
}
