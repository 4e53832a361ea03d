//! When to look again. No I/O, no clock, no chance.

use super::{Known, Mandate, MandateRef};
use crate::{vocabulary::MandateStatus, wire};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How often a mandate is looked at again, for [`Mandates::watch`](crate::Mandates::watch) and for a job queue of your own.
///
/// Each mandate has a deviation of its own from these times, so that many of them do not come at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// While the debtor has to sign: so long at first, then a tenth of the time that it has lasted. 5 minutes.
    pub awaiting_signature: Duration,
    /// While it is set up otherwise, and where the vendor's word is not known: likewise. 1 hour.
    pub setting_up: Duration,
    /// The longest of those waits. 1 day.
    pub longest: Duration,
    /// While it is in force or on hold. 1 day.
    pub in_force: Duration,
    /// After an ending that can be undone. 7 days.
    pub ended: Duration,
    /// So long after such an ending it is not looked at any more. 90 days.
    pub given_up: Duration,
    /// How far a wait may deviate, in percent, 90 at most. 10.
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
    /// When to look at a mandate again; `None` if it need not be: the vendor no longer knows it, or it ended long ago.
    ///
    /// `known` is what you have stored of it, which tells how long its state has lasted. A start or an end that comes
    /// before is looked at when it comes.
    pub fn next_check(&self, mandate: &Mandate, known: Option<&Known>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
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
                // Many begin and end at the same midnight.
                let spread = later(date.to_utc(), self.awaiting_signature, jitter * (1.0 + deviation));
                next = next.min(spread.unwrap_or(next));
            }
        }
        Some(next)
    }
}

/// `None` after the end of time.
fn later(from: DateTime<Utc>, wait: Duration, factor: f64) -> Option<DateTime<Utc>> {
    let wait = wait.min(3650 * DAY).mul_f64(factor);
    from.checked_add_signed(TimeDelta::from_std(wait).ok()?)
}

/// From -1 to 1, by the reference alone: the same in each process, whatever it was built with (FNV-1a).
fn deviation(reference: &MandateRef) -> f64 {
    let text = reference.to_string();
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    f64::from(hash) / f64::from(u32::MAX) * 2.0 - 1.0
}

impl Mandate {
    /// When to look at it again by the default [`Schedule`], if at all; see there. Its state is taken to be new: keep a
    /// [`Known`] and use [`Schedule::next_check`] for waits that grow.
    pub fn next_check(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Schedule::default().next_check(self, None, now)
    }
}
