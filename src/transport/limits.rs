//! Limits the load on a vendor: the concurrent attempts, the attempts in each second, and the retries.

use super::Settings;
use leaky_bucket::RateLimiter;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until},
};
use tower::retry::budget::TpsBudget;

/// The load limits of one vendor, which all clones of its client share.
pub(super) struct Limits {
    concurrency: Semaphore,
    rate: Option<RateLimiter>,
    places: Option<Places>,
    /// The retry budget. Each call adds to the budget, and each retry takes from it.
    pub budget: TpsBudget,
}

/// The permission to start an attempt. Drop it when the attempt has ended.
pub(super) struct Turn<'a> {
    place: Option<Place<'a>>,
    /// `None` never occurs, because the semaphore is never closed.
    _concurrency: Option<SemaphorePermit<'a>>,
}

impl Limits {
    pub fn new(settings: &Settings) -> Self {
        Self {
            concurrency: Semaphore::new(settings.concurrency),
            rate: settings.rate_per_second.map(rate),
            places: settings.rate_per_second.filter(|_| settings.strict_rate).map(Places::new),
            // Over ten seconds, the budget allows one retry for every five calls, plus one a second. This is enough for
            // a short failure, and does not multiply the load during an outage.
            budget: TpsBudget::new(Duration::from_secs(10), 1, 0.2),
        }
    }

    /// Waits until an attempt may start.
    pub async fn turn(&self) -> Turn<'_> {
        let _concurrency = self.concurrency.acquire().await.ok();
        // Wait for the rate limit after the permit. If attempts waited for a permit after the rate limit, they could all
        // start at the same moment.
        if let Some(rate) = &self.rate {
            rate.acquire_one().await;
        }
        let place = match &self.places {
            Some(places) => Some(places.take().await),
            None => None,
        };
        Turn { place, _concurrency }
    }
}

impl Turn<'_> {
    /// Ends a turn without a request.
    pub fn unused(mut self) {
        if let Some(place) = &mut self.place {
            place.rest = Duration::ZERO;
        }
    }

    /// Ends the turn of an attempt whose response has arrived.
    pub fn answered(mut self) {
        if let Some(place) = &mut self.place {
            place.rest = SECOND;
        }
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

const SECOND: Duration = Duration::from_secs(1);
/// The time in which a request without a response can still arrive, after its connection was closed. A network that
/// stands still for longer, and then delivers the request, is outside the promise.
const LATE: Duration = Duration::from_secs(1);

/// The places of a strict rate limit: one for each request that may arrive in a second.
///
/// An attempt takes a place before it starts, and gives the place back a second after its response. Consider the
/// requests that arrive within one second. Each took its place before it arrived. The second ends before any of them gives its
/// place back, because each response came after the arrival. So the requests had different places, and are no more than
/// the places.
struct Places {
    free: Mutex<Free>,
    permits: Semaphore,
}

struct Free {
    /// The number of places that no attempt has taken yet.
    new: u32,
    /// The times from which the other places may be taken.
    used: BinaryHeap<Reverse<Instant>>,
}

struct Place<'a> {
    places: &'a Places,
    /// The time from which the place may be taken. `None` once an attempt has started.
    from: Option<Instant>,
    /// The time for which the place stays taken after the attempt.
    rest: Duration,
    /// Released after the time of the place is stored, because fields are dropped after `drop`.
    _permit: Option<SemaphorePermit<'a>>,
}

impl Places {
    fn new(number: NonZeroU32) -> Self {
        let free = Mutex::new(Free { new: number.get(), used: BinaryHeap::new() });
        Self { free, permits: Semaphore::new((number.get() as usize).min(Semaphore::MAX_PERMITS)) }
    }

    async fn take(&self) -> Place<'_> {
        let _permit = self.permits.acquire().await.ok();
        let from = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            match free.new.checked_sub(1) {
                Some(rest) => {
                    free.new = rest;
                    Instant::now()
                }
                // There is one, because the permit stands for a place.
                None => free.used.pop().map_or_else(|| Instant::now() + LATE + SECOND, |Reverse(from)| from),
            }
        };
        // If this future is dropped meanwhile, the place keeps its time.
        let mut place = Place { places: self, from: Some(from), rest: LATE + SECOND, _permit };
        sleep_until(from).await;
        place.from = None;
        place
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let from = self.from.unwrap_or_else(|| Instant::now() + self.rest);
        self.places.free.lock().unwrap_or_else(PoisonError::into_inner).used.push(Reverse(from));
    }
}
