//! Decides after each failed attempt whether to send the request again. No vendor documents an idempotency key. So a
//! write is sent again only if no byte of its first attempt was sent.

use super::Effect;
use crate::vocabulary::Outcome;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::StatusCode;
use std::time::Duration;

/// The way in which an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection was made, so nothing was sent.
    NoConnection,
    /// The connection broke off after the request may have been sent.
    Broken,
    /// An idle connection broke off without a response. The most likely reason is that the vendor had closed it.
    Stale,
    /// No response arrived in time.
    Timeout,
    /// The response was not read, because it is too large or compressed, or because decoding took too long.
    Unread,
    /// The HTTP status means success, but the body does not confirm the success.
    Doubtful,
    /// The response has this HTTP status, which does not mean success.
    Status(StatusCode),
    /// The HTTP status means success, but the body is a refusal by the vendor.
    Refusal,
}

/// The facts about a failed attempt that decide about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub failure: Failure,
    /// The outcome of this attempt alone. `None` for a read.
    pub outcome: Option<Outcome>,
    /// True if the vendor's own response says that the record does not exist.
    pub not_found: bool,
    /// True if the request can be copied for another attempt, because its body is not a stream.
    pub repeatable: bool,
}

/// The combined result of all attempts of a call so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// The outcome of the write or removal so far. An `Unknown` outcome remains until an attempt succeeds.
    pub outcome: Outcome,
    /// True if the vendor may have received an attempt. A proxy can respond 429 after the vendor has acted, so this
    /// field can be true although `outcome` is `Refused`.
    pub arrived: bool,
    /// True if the credentials were already renewed during this call.
    pub renewed: bool,
    /// True if the next attempt needs a new connection.
    pub fresh: bool,
}

impl Progress {
    pub const START: Self = Self { outcome: Outcome::NotSent, arrived: false, renewed: false, fresh: false };
}

/// The step after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Return the error of the attempt.
    Stop,
    /// Return success, because an earlier attempt has removed the record.
    Removed,
    /// Wait, then send the request again.
    Again,
    /// Send the request again at once on a new connection. This attempt does not count for the number of attempts or
    /// the retry budget.
    Fresh,
    /// Send the request again at once with new credentials. Stop if the vendor adapter has no other credentials.
    Renew,
}

/// Decides about the next step after a failed attempt. Only this function decides to send a request again.
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
    // A vendor that refuses the credentials with 401 has not acted on the request.
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
        // A write is not repeated after any response, because a proxy can respond with an error after the vendor has
        // acted.
        (Effect::Write, _) => Next::Stop,
        (Effect::Read | Effect::Removal, Failure::Broken | Failure::Stale | Failure::Timeout) => Next::Again,
        (Effect::Read | Effect::Removal, Failure::Status(status)) => match status.as_u16() {
            408 | 429 | 502 | 503 | 504 => Next::Again,
            _ => Next::Stop,
        },
        // Repeat the removal: the next response may say that the record does not exist, which proves the removal.
        (Effect::Removal, Failure::Unread | Failure::Doubtful) => Next::Again,
        (Effect::Read, Failure::Unread | Failure::Doubtful) => Next::Stop,
        (Effect::Read | Effect::Removal, Failure::Refusal) => Next::Stop,
    }
}

/// The delays before the next attempts. Each delay is random, from zero to a maximum that doubles with every attempt.
pub(super) struct Delays(ExponentialBackoff);

impl Delays {
    pub fn new(first: Duration, attempts: u32) -> Self {
        let times = attempts.saturating_sub(1) as usize;
        let bound = first.saturating_mul(64);
        let backoff = ExponentialBuilder::default().with_min_delay(first).with_max_delay(bound).with_max_times(times);
        Self(backoff.build())
    }

    /// Returns the delay before the next attempt, or `None` if no attempt is left.
    pub fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|bound| bound.mul_f64(fastrand::f64()))
    }
}
