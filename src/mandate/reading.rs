//! One reading of a mandate, and the lookup that requests a reading.

use super::MandateRef;
use crate::{
    vocabulary::{AccountStatus, Change, Evidence, MandateStatus, Meaning, NextStep, Phase, RawStatus, stable_text},
    wire::{self, Extra},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// A request to read a mandate: its reference and its earlier state, if known.
///
/// Convert a lookup from a [`MandateRef`], a [`Mandate`] or a [`StatusQuery`](crate::StatusQuery). A `Mandate` and a
/// `StatusQuery` carry the earlier state, so the new reading can show that the mandate was reinstated. A mandate that
/// was created but never read does not count as known to the vendor.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    pub(crate) reference: &'a MandateRef,
    pub(crate) known: bool,
    pub(crate) past: Option<Past>,
}

/// The state from earlier readings of a mandate that its next reading needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// The last recognized status, or `Unrecognized` if no reading had a recognized status.
    pub status: MandateStatus,
    pub reinstated_from: Option<MandateStatus>,
    pub acknowledged_before: Option<MandateStatus>,
}

impl Past {
    /// Returns `None` if the mandate was only created and the response named no recognized status. Such a mandate
    /// cannot have ended before.
    pub fn of(self, source: Source) -> Option<Self> {
        Some(self).filter(|past| source == Source::Read || past.status != MandateStatus::Unrecognized)
    }
}

impl<'a> From<&'a MandateRef> for Lookup<'a> {
    fn from(reference: &'a MandateRef) -> Self {
        Self { reference, known: false, past: None }
    }
}

impl<'a> From<&'a Mandate> for Lookup<'a> {
    fn from(mandate: &'a Mandate) -> Self {
        let Mandate { reference, status, reinstated_from, acknowledged_before, .. } = mandate;
        let past =
            Past { status: *status, reinstated_from: *reinstated_from, acknowledged_before: *acknowledged_before };
        Self { reference, known: mandate.source == Source::Read, past: past.of(mandate.source) }
    }
}

/// One reading of a mandate: its status in this crate's vocabulary, and the vendor's own word for the status.
///
/// Serde can serialize and deserialize a reading, for your own store and tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Mandate {
    /// The reference of the mandate.
    pub reference: MandateRef,
    /// The status.
    pub status: MandateStatus,
    /// The vendor's word for the status.
    pub raw: RawStatus,
    /// How well the meaning of the vendor's word is known.
    #[serde(default = "not_stored")]
    pub evidence: Evidence,
    /// The ended status from which the mandate was reinstated, until you acknowledge the return. The value is
    /// `Unrecognized` if the earlier status was not recognized. While the field has a value, no verdict is allowed.
    ///
    /// Only a reading that follows an earlier one can have a value here: see [`Lookup`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstated_from: Option<MandateStatus>,
    /// The value of [`Facts::last_acknowledged`](crate::Facts::last_acknowledged) from before the mandate was
    /// reinstated. To state this value again does not acknowledge the return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_before: Option<MandateStatus>,
    /// The state of the client that granted the mandate. Only Seqino has clients.
    #[serde(deserialize_with = "account_or_not_read")]
    pub account: Account,
    /// The start of the mandate, if the vendor sends one.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub starts: Option<wire::DateTime>,
    /// The end of the mandate, if the vendor sends one. The mandate is no longer in force from this instant on.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub ends: Option<wire::DateTime>,
    /// The time at which the vendor created the mandate, if the vendor sends it.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub created: Option<wire::DateTime>,
    /// The time of this reading, by the clock of this machine.
    pub observed_at: DateTime<Utc>,
    /// The origin of this reading: a creation or a read.
    pub source: Source,
    /// The other fields of the response, as they were received.
    pub extra: Extra,
    #[serde(rename = "next_step")]
    pub(crate) next: NextStep,
}

/// The origin of a [`Mandate`]: the response to its creation, or a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The reading comes from the response to the creation of the mandate. This response does not prove a status:
    /// SafeDebit's sample says "active" beside an unsigned link.
    Created,
    /// A read from the vendor.
    Read,
}

stable_text!(Source { Created, Read } else Self::Created);

/// The state of the account that a mandate belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Account {
    /// The vendor has no clients, because its mandates are for SEPA direct debit.
    NotApplicable,
    /// The state of the account was read.
    Read {
        /// The status of the account.
        status: AccountStatus,
        /// The vendor's word for the status.
        raw: RawStatus,
    },
    /// The state of the account was not read, or could not be read.
    NotRead,
    /// The mandate belongs to another client than its reference says.
    Differs,
}

/// Reads the stored state of an account. A value from a newer version of this crate is read as `NotRead`.
fn account_or_not_read<'de, D: Deserializer<'de>>(d: D) -> Result<Account, D::Error> {
    let stored = serde_json::Value::deserialize(d)?;
    Ok(Account::deserialize(stored).unwrap_or(Account::NotRead))
}

/// Earlier versions of this crate did not store the evidence of a reading. Assume the weakest evidence.
fn not_stored() -> Evidence {
    Evidence::Inferred
}

impl Mandate {
    pub(crate) fn new(reference: MandateRef, word: &str, meaning: Meaning, source: Source, at: DateTime<Utc>) -> Self {
        Self {
            reference,
            status: meaning.status,
            raw: RawStatus::new(word),
            evidence: meaning.evidence,
            reinstated_from: None,
            acknowledged_before: None,
            account: Account::NotApplicable,
            starts: None,
            ends: None,
            created: None,
            observed_at: at,
            source,
            extra: Extra::default(),
            next: meaning.next,
        }
    }

    /// Returns the ended status from which this reading came back, compared with the earlier readings. A return that
    /// was already marked stays marked.
    pub(crate) fn return_since(&self, past: Past) -> Option<MandateStatus> {
        let ended = |status: MandateStatus| status.phase() == Phase::Ended;
        let marked = past.reinstated_from.or(self.reinstated_from);
        match (past.status, self.status) {
            (_, now) if ended(now) => None,
            (before, _) if ended(before) => Some(before),
            (MandateStatus::Unrecognized, now) if now != MandateStatus::Unrecognized => {
                marked.or(Some(MandateStatus::Unrecognized))
            }
            _ => marked,
        }
    }

    /// Returns true if this reading is already compared with the earlier readings.
    pub(crate) fn follows(&self, past: Past) -> bool {
        (self.reinstated_from, self.acknowledged_before) == (self.return_since(past), past.acknowledged_before)
    }

    /// Compares this reading with the earlier readings, and marks a return.
    pub(crate) fn follow(&mut self, past: Past) {
        self.reinstated_from = self.return_since(past);
        self.acknowledged_before = past.acknowledged_before;
    }

    /// Returns the party that has to act next, and the action.
    pub fn next_step(&self) -> NextStep {
        match (self.status, self.next) {
            (MandateStatus::AwaitingSignature, NextStep::AskDebtor) => NextStep::AskDebtor,
            (status, _) => status.next_step(),
        }
    }

    /// Returns the time since this reading. The time is zero if the reading is from the future.
    pub fn age(&self, now: DateTime<Utc>) -> Duration {
        (now - self.observed_at).to_std().unwrap_or_default()
    }

    /// Returns the kind of change since an earlier status of the same mandate. Returns `None` if the status is the
    /// same.
    pub fn change_since(&self, earlier: MandateStatus) -> Option<Change> {
        earlier.change_to(self.status)
    }
}
