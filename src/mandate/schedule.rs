//! Computes when to read a mandate again. This module does no I/O, and uses no clock and no random numbers.

use super::{Mandate, MandateRef, StoredState};
use crate::{vocabulary::MandateStatus, wire};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How often to read a mandate again, for [`Mandates::watch`](crate::Mandates::watch) or your own job queue.
///
/// Each mandate deviates from these times by its own constant amount, so that the readings of many mandates spread out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// The first wait while the debtor has to sign. Default: 5 minutes. Later waits are a tenth of the time that the
    /// mandate has had this status, if that is longer.
    pub awaiting_signature: Duration,
    /// The first wait in the other setup statuses, and for an unrecognized status. Default: 1 hour. Later waits are a
    /// tenth of the time that the mandate has had this status, if that is longer.
    pub setting_up: Duration,
    /// The longest wait while the debtor has to sign, in the other setup statuses, and for an unrecognized status.
    /// Default: 1 day.
    pub longest: Duration,
    /// The wait while the mandate is in force or on hold. Default: 1 day.
    pub in_force: Duration,
    /// The wait after the mandate has ended, because it may be reinstated. Default: 7 days.
    pub ended: Duration,
    /// The time after the end of a mandate when the readings stop. Default: 90 days.
    pub given_up: Duration,
    /// The largest deviation of a wait, in percent of the wait. Default: 10. A value above 90 counts as 90.
    pub jitter: u8,
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for Schedule {
    fn default() -> Self {
        Self {
            awaiting_signature: 5 * MINUTE,
            setting_up: 60 * MINUTE,
            longest: DAY,
            in_force: DAY,
            ended: 7 * DAY,
            given_up: 90 * DAY,
            jitter: 10,
        }
    }
}

impl Schedule {
    crate::setters::setters! {
        with_awaiting_signature awaiting_signature: Duration,
        with_setting_up setting_up: Duration,
        with_longest longest: Duration,
        with_in_force in_force: Duration,
        with_ended ended: Duration,
        with_given_up given_up: Duration,
        with_jitter jitter: u8,
    }

    /// Sets [`in_force`](Self::in_force) to the time that one pass over all mandates in force takes. The readings then
    /// use the whole rate, and no backlog grows.
    ///
    /// `calls` is the number of calls of one pass: the mandates in force or on hold at one vendor, and at Seqino the
    /// clients with such a mandate. `per_second` is the rate that you keep for them. Pass nine tenths of the vendor's
    /// rate: the other readings, retries and repeated batches need the rest.
    ///
    /// The wait is never shorter than [`setting_up`](Self::setting_up), because an earlier reading of a mandate in
    /// force finds almost nothing. The wait is longer than a day if the rate does not suffice for a daily reading. If
    /// the wait is shorter than [`longest`](Self::longest), it also replaces `longest`: a mandate that is set up
    /// changes more often than one in force.
    ///
    /// ```
    /// use mandat::Schedule;
    /// use std::time::Duration;
    ///
    /// let schedule = Schedule::default().paced(3_240_000, 90.0);
    /// assert_eq!(schedule.in_force, Duration::from_secs(10 * 3600));
    /// ```
    #[must_use]
    pub fn paced(self, calls: u64, per_second: f64) -> Self {
        // A rate of zero or no number at all means that no pass ever ends.
        let pass = Duration::try_from_secs_f64(calls as f64 / per_second).unwrap_or(Duration::MAX);
        let in_force = pass.max(self.setting_up);
        Self { in_force, longest: self.longest.min(in_force), ..self }
    }

    /// Returns the time of the next reading. Returns `None` if no further reading is needed: the vendor no longer knows
    /// the mandate, or the mandate ended long ago.
    ///
    /// `known` is your stored state, which shows how long the mandate has had its status. If the mandate starts or ends
    /// before the regular time, the next reading is shortly after the start or end.
    pub fn next_check(
        &self,
        mandate: &Mandate,
        known: Option<&StoredState>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        use MandateStatus as S;
        let ended = mandate.ends.as_ref().filter(|_| mandate.status == S::Expired).and_then(wire::DateTime::get);
        let ended = ended.filter(|ends| *ends <= now);
        let seen = known.filter(|known| known.status == mandate.status).map(|known| known.since);
        let since = ended.map(|ends| ends.to_utc()).or(seen).unwrap_or(mandate.observed_at);
        let lasted = (now - since).to_std().unwrap_or_default();
        let growing = |first: Duration| (lasted / 10).min(self.longest).max(first);
        let wait = match mandate.status {
            S::Gone => return None,
            S::Revoked | S::Expired | S::Invalid if lasted >= self.given_up => return None,
            S::Revoked | S::Expired | S::Invalid => self.ended,
            S::AwaitingSignature => growing(self.awaiting_signature),
            S::Pending | S::AwaitingVerification | S::AwaitingActivation | S::Unrecognized => growing(self.setting_up),
            S::Active | S::Suspended => self.in_force,
        };
        let deviation = deviation(&mandate.reference);
        let jitter = f64::from(self.jitter.min(90)) / 100.0;
        let mut next = later(now, wait, 1.0 + jitter * deviation)?;
        for date in [&mandate.starts, &mandate.ends].into_iter().flatten().filter_map(wire::DateTime::get) {
            if date > now {
                // Many mandates start or end at the same midnight, so spread their readings over a time after it.
                let spread = later(date.to_utc(), self.awaiting_signature, jitter * (1.0 + deviation));
                next = next.min(spread.unwrap_or(next));
            }
        }
        Some(next)
    }
}

/// Adds a wait, multiplied by a factor, to an instant. Returns `None` if the result is too late for `DateTime`.
fn later(from: DateTime<Utc>, wait: Duration, factor: f64) -> Option<DateTime<Utc>> {
    let wait = wait.min(3650 * DAY).mul_f64(factor);
    from.checked_add_signed(TimeDelta::from_std(wait).ok()?)
}

/// Returns a number from -1 to 1, computed from the reference with FNV-1a. The number is the same in every process and
/// build.
fn deviation(reference: &MandateRef) -> f64 {
    let text = reference.to_string();
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    f64::from(hash) / f64::from(u32::MAX) * 2.0 - 1.0
}

impl Mandate {
    /// Returns the time of the next reading by the default [`Schedule`]. Returns `None` if no further reading is
    /// needed.
    ///
    /// This function assumes that the status is new. For waits that grow, store a [`StoredState`] and use
    /// [`Schedule::next_check`].
    pub fn next_check(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Schedule::default().next_check(self, None, now)
    }
}
