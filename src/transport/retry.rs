//! Whether to try again. No vendor documents an idempotency key, so a write is sent again only if it was never sent.

use super::Effect;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::StatusCode;
use std::time::Duration;

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection was made: nothing was sent.
    NoConnection,
    /// The connection broke off after something may have been sent.
    Broken,
    /// A connection that had been idle broke off without an answer: the vendor had closed it, most likely.
    Stale,
    /// There was no answer in time.
    Timeout,
    /// The answer was not read: it is too large, or compressed.
    Unread,
    /// A status of success, and no word that it was done.
    Doubtful,
    /// An answer of this HTTP status that is no success.
    Status(StatusCode),
    /// The vendor refused in its own words under a status of success.
    Refusal,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Give up.
    Stop,
    /// Try again after a while.
    Again,
    /// Try again at once on a new connection. It counts neither as an attempt nor as a burden on the vendor.
    Fresh,
    /// Try again at once with new credentials, once; give up if there are none.
    Renew,
}

/// The one decision about trying again.
pub(super) fn decide(effect: Effect, failure: Failure) -> Next {
    match (effect, failure) {
        // The vendor has refused it, so it is done once however often it is sent.
        (_, Failure::Status(StatusCode::UNAUTHORIZED)) => Next::Renew,
        (_, Failure::NoConnection) => Next::Again,
        (Effect::Read, Failure::Stale) => Next::Fresh,
        // Whatever came back, the vendor may have acted: a proxy can answer after it has.
        (Effect::Write, _) => Next::Stop,
        (Effect::Read | Effect::Removal, Failure::Broken | Failure::Stale | Failure::Timeout) => Next::Again,
        (Effect::Read | Effect::Removal, Failure::Status(status)) => match status.as_u16() {
            408 | 429 | 502 | 503 | 504 => Next::Again,
            _ => Next::Stop,
        },
        // Sent again, the vendor may say that it no longer knows what was to be removed.
        (Effect::Removal, Failure::Unread | Failure::Doubtful) => Next::Again,
        (Effect::Read, Failure::Unread | Failure::Doubtful) => Next::Stop,
        (Effect::Read | Effect::Removal, Failure::Refusal) => Next::Stop,
    }
}

/// How long to wait before each further attempt: from zero to a bound that doubles.
pub(super) struct Delays(ExponentialBackoff);

impl Delays {
    pub fn new(first: Duration, attempts: u32) -> Self {
        let times = attempts.saturating_sub(1) as usize;
        let bound = first.saturating_mul(64);
        let backoff = ExponentialBuilder::default().with_min_delay(first).with_max_delay(bound).with_max_times(times);
        Self(backoff.build())
    }

    /// `None` if there is no attempt left.
    pub fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|bound| bound.mul_f64(fastrand::f64()))
    }
}
