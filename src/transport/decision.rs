//! Decides after each failed attempt. No vendor documents an idempotency key, so a write is sent again only if no byte
//! of it was sent.

use super::Effect;
use crate::vocabulary::Outcome;
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
    /// An idle connection broke off without a response. Most likely the vendor had closed it.
    Stale,
    /// No response arrived in time.
    Timeout,
    /// The response was not read: it is too large, compressed, or took too long to decode.
    Unread,
    /// The status means success, but the body does not confirm it.
    Doubtful,
    /// The response has this HTTP status, which does not mean success.
    Status(StatusCode),
    /// The body is a refusal by the vendor, although the status means success.
    Refusal,
}

/// The facts about a failed attempt that decide the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub failure: Failure,
    /// The outcome of this attempt alone. `None` for a read.
    pub outcome: Option<Outcome>,
    /// The vendor's own response says that the record does not exist.
    pub not_found: bool,
    /// The request can be copied, because its body is no stream.
    pub repeatable: bool,
}

/// What the attempts of a call have shown so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// The outcome of the write or removal so far. `Unknown` stays `Unknown` until an attempt succeeds.
    pub outcome: Outcome,
    /// The vendor may have received an attempt. A proxy can answer 429 after the vendor has acted, so this differs from
    /// `outcome`.
    pub arrived: bool,
    /// The credentials have been renewed for this call.
    pub renewed: bool,
    /// The next attempt needs a new connection.
    pub fresh: bool,
}

impl Progress {
    pub const START: Self = Self { outcome: Outcome::NotSent, arrived: false, renewed: false, fresh: false };
}

/// The next step of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Report the error.
    Stop,
    /// Report success: an earlier attempt removed the record.
    Removed,
    /// Wait, then send the request again.
    Again,
    /// Send the request again at once on a new connection. This uses up neither an attempt nor the retry budget.
    Fresh,
    /// Send the request again at once with new credentials. Stop if the vendor adapter has none.
    Renew,
}

/// Decides after a failed attempt. No other code decides to send a request again.
pub(super) fn decide(effect: Effect, before: Progress, attempt: Attempt) -> (Next, Progress) {
    let outcome = match before.outcome {
        Outcome::Unknown => Outcome::Unknown,
        known => attempt.outcome.unwrap_or(known),
    };
    let next = match next(effect, attempt.failure) {
        _ if effect == Effect::Removal && before.arrived && attempt.not_found => Next::Removed,
        _ if !attempt.repeatable => Next::Stop,
        next => next,
    };
    // A vendor that refuses the credentials has not acted on the request.
    let arrived = !matches!(attempt.failure, Failure::NoConnection | Failure::Status(StatusCode::UNAUTHORIZED));
    let progress = Progress {
        outcome,
        arrived: before.arrived || arrived,
        renewed: before.renewed || next == Next::Renew,
        fresh: before.fresh || next == Next::Fresh,
    };
    (next, progress)
}

fn next(effect: Effect, failure: Failure) -> Next {
    match (effect, failure) {
        (_, Failure::Status(StatusCode::UNAUTHORIZED)) => Next::Renew,
        (_, Failure::NoConnection) => Next::Again,
        (Effect::Read, Failure::Stale) => Next::Fresh,
        // With any response the vendor may have acted, because a proxy can respond after the vendor has acted.
        (Effect::Write, _) => Next::Stop,
        (Effect::Read | Effect::Removal, Failure::Broken | Failure::Stale | Failure::Timeout) => Next::Again,
        (Effect::Read | Effect::Removal, Failure::Status(status)) => match status.as_u16() {
            408 | 429 | 502 | 503 | 504 => Next::Again,
            _ => Next::Stop,
        },
        // The next response may say that the record is gone, which proves the removal.
        (Effect::Removal, Failure::Unread | Failure::Doubtful) => Next::Again,
        (Effect::Read, Failure::Unread | Failure::Doubtful) => Next::Stop,
        (Effect::Read | Effect::Removal, Failure::Refusal) => Next::Stop,
    }
}

/// The delays before further attempts. Each is random, from zero to a bound that doubles every time.
pub(super) struct Delays(ExponentialBackoff);

impl Delays {
    pub fn new(first: Duration, attempts: u32) -> Self {
        let times = attempts.saturating_sub(1) as usize;
        let bound = first.saturating_mul(64);
        let backoff = ExponentialBuilder::default().with_min_delay(first).with_max_delay(bound).with_max_times(times);
        Self(backoff.build())
    }

    /// Returns the next delay, or `None` if no attempt is left.
    pub fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|bound| bound.mul_f64(fastrand::f64()))
    }
}
