//! What is known of a mandate, and what a reading changes about it. No I/O, no clock.

use crate::{Account, Change, Facts, Mandate, MandateRef, MandateStatus, Purpose, RawStatus, Source, Verdict};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A [`Verdict`] without its reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Yes.
    Allowed,
    /// No.
    Refused,
    /// Not known.
    Undetermined,
    /// The question has no meaning for this mandate.
    NotApplicable,
}

crate::status::stable_text!(Permission { Allowed, Refused, Undetermined, NotApplicable } else Self::Undetermined);
crate::status::shown_as_stored!(Permission);

impl Verdict {
    /// The answer without its reasons, as it is stored and compared.
    pub fn permission(&self) -> Permission {
        match self {
            Self::Allowed => Permission::Allowed,
            Self::Refused(_) => Permission::Refused,
            Self::Undetermined(_) => Permission::Undetermined,
            Self::NotApplicable => Permission::NotApplicable,
        }
    }
}

/// What you have stored of a mandate: its last reading in short, one column for each field.
///
/// The texts are stable. What a newer version of this crate stored and this one does not know is read as
/// `Unrecognized` or `Undetermined`. It is read back from its columns by serde, or field by field:
///
/// ```
/// use chrono::Utc;
/// use mandat::{Known, MandateStatus, RawStatus};
///
/// // To read such a text does not fail.
/// let Ok(status) = "Unrecognized".parse();
/// let mut known = Known::new(status, RawStatus::new("9"), Utc::now());
/// known.recognized = Some("Revoked").and_then(|column| column.parse().ok());
/// assert_eq!(known.recognized, Some(MandateStatus::Revoked));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Known {
    /// Its state.
    pub status: MandateStatus,
    /// The vendor's own word for it.
    pub raw: RawStatus,
    /// The vendor's own word for the state of the client that granted it (Seqino), if it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<RawStatus>,
    /// What `may_collect` or `may_represent` answered, if it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Permission>,
    /// Its last state that was not `Unrecognized`, which changes are compared with: or a mandate that had ended could
    /// come back through a word that nobody knows, and nobody would be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognized: Option<MandateStatus>,
    /// Whether it was read or only created; where nothing was stored, it was read.
    #[serde(default = "read", skip_serializing_if = "is_read")]
    pub source: Source,
    /// When it was first read in this state.
    pub since: DateTime<Utc>,
    /// When it was read last.
    pub observed_at: DateTime<Utc>,
}

impl Known {
    /// A reading of which nothing but this was stored.
    pub fn new(status: MandateStatus, raw: RawStatus, observed_at: DateTime<Utc>) -> Self {
        let (account, verdict, recognized, source) = (None, None, None, Source::Read);
        let known = Self { status, raw, account, verdict, recognized, source, since: observed_at, observed_at };
        Self { recognized: known.last_recognized(), ..known }
    }

    fn last_recognized(&self) -> Option<MandateStatus> {
        let states = [Some(self.status), self.recognized];
        states.into_iter().flatten().find(|status| *status != MandateStatus::Unrecognized)
    }

    /// What to store of a reading. `earlier` is what was stored before, `facts` is what you know of a mandate to collect
    /// on: without them no verdict on it is given.
    pub fn of(mandate: &Mandate, earlier: Option<&Self>, facts: Option<&Facts>, now: DateTime<Utc>) -> Self {
        let mut known = Self::new(mandate.status, mandate.raw.clone(), mandate.observed_at);
        known.source = mandate.source;
        if let Account::Read { raw, .. } = &mandate.account {
            known.account = Some(raw.clone());
        }
        known.verdict = match mandate.reference.provider().purpose() {
            Purpose::Represent => Some(mandate.may_represent(now).permission()),
            Purpose::Collect => facts.map(|facts| mandate.may_collect(facts, now).permission()),
        };
        let Some(earlier) = earlier else { return known };
        known.recognized = known.recognized.or(earlier.last_recognized());
        // That it was read once stays proof that the vendor had it.
        if earlier.source == Source::Read {
            known.source = Source::Read;
        }
        if earlier.status == known.status {
            known.since = earlier.since;
        }
        known
    }

    /// Whether a later reading tells nothing new, whenever it was made. That the client could not be read says nothing
    /// of it.
    fn covers(&self, later: &Self, mandate: &Mandate) -> bool {
        let unread = mandate.account == Account::NotRead && self.account.is_some();
        let same_verdict = later.verdict.is_none() || self.verdict == later.verdict || unread;
        let same_account = later.account.is_none() || self.account == later.account;
        // What was only created and is read now has proof, and can be missing from now on.
        let same_state = (self.status, &self.raw, self.source) == (later.status, &later.raw, later.source);
        same_state && same_verdict && same_account
    }
}

fn read() -> Source {
    Source::Read
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_read(source: &Source) -> bool {
    *source == Source::Read
}

/// A mandate that is not as it was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Changed {
    /// Which mandate.
    pub reference: MandateRef,
    /// What its change of status is, compared with the last state that was recognized; `None` if the status is the same
    /// and something else changed (the vendor's word, the client, the verdict, or that it was only created before), and
    /// at the first reading.
    pub class: Option<Change>,
    /// What was known; `None` at the first reading.
    pub from: Option<Known>,
    /// What is known now: store it.
    pub to: Known,
}

impl Changed {
    /// Compares a reading with what was known; `None` if nothing changed.
    pub fn between(
        known: Option<&Known>,
        mandate: &Mandate,
        facts: Option<&Facts>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let to = Known::of(mandate, known, facts, now);
        if known.is_some_and(|known| known.covers(&to, mandate)) {
            return None;
        }
        let class = known.filter(|known| known.status != to.status).map(|known| {
            // Back in the state that it had before a word that nobody knows.
            let from = known.last_recognized().unwrap_or(known.status);
            from.change_to(to.status).unwrap_or(Change::Forward)
        });
        Some(Self { reference: mandate.reference.clone(), class, from: known.cloned(), to })
    }
}
