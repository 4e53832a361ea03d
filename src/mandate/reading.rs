//! One reading of a mandate, and the request for one.

use super::MandateRef;
use crate::{
    vocabulary::{AccountStatus, Change, Evidence, MandateStatus, Meaning, NextStep, Phase, RawStatus, stable_text},
    wire::{self, Extra},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// What to look up: a reference, and whether the vendor has known the mandate before.
///
/// Made from a [`MandateRef`]; from a [`Mandate`], which was known if it was read and not only created; or from a
/// [`Tracked`](crate::Tracked). The last two remember the state before, so that the new reading knows whether the
/// mandate came back from an end.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    pub(crate) reference: &'a MandateRef,
    pub(crate) known: bool,
    pub(crate) past: Option<Past>,
}

/// What earlier readings of a mandate mean for the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// Its last state that was recognized, or `Unrecognized`.
    pub status: MandateStatus,
    pub reinstated_from: Option<MandateStatus>,
    pub acknowledged_before: Option<MandateStatus>,
}

impl Past {
    /// None if all that is known is a creation whose answer names no status: it cannot have ended before.
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

/// What a vendor said of a mandate, in our words and in its own.
///
/// It is written and read with serde, for your own store and your own tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Mandate {
    /// Which mandate.
    pub reference: MandateRef,
    /// Its state.
    pub status: MandateStatus,
    /// The vendor's own word for it.
    pub raw: RawStatus,
    /// How well the meaning of that word is known.
    #[serde(default = "not_stored")]
    pub evidence: Evidence,
    /// The ended state from which it came back, as long as nobody has acknowledged its return; `Unrecognized` if it
    /// came out of a state that nobody knows. Every verdict tells of it. Only a reading that follows an earlier one has
    /// it: see [`Lookup`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstated_from: Option<MandateStatus>,
    /// What [`Facts::last_acknowledged`](crate::Facts::last_acknowledged) said before this return, which does not
    /// acknowledge it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_before: Option<MandateStatus>,
    /// The state of the client that granted it, where a vendor keeps one (Seqino).
    #[serde(deserialize_with = "account_or_not_read")]
    pub account: Account,
    /// When it comes into force, if the vendor says so.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub starts: Option<wire::DateTime>,
    /// When it ends (that instant is no longer within), if the vendor says so.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub ends: Option<wire::DateTime>,
    /// When the vendor made it, if it says so.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub created: Option<wire::DateTime>,
    /// When this was read, by this machine's clock.
    pub observed_at: DateTime<Utc>,
    /// Where this comes from.
    pub source: Source,
    /// What the vendor said besides, kept as it came.
    pub extra: Extra,
    #[serde(rename = "next_step")]
    pub(crate) next: NextStep,
}

/// Where a [`Mandate`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// From the answer to its creation, which is no proof: SafeDebit's sample answers "active" beside a link that
    /// nobody has signed.
    Created,
    /// Read back from the vendor.
    Read,
}

stable_text!(Source { Created, Read } else Self::Created);

/// The state of the account that a mandate belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Account {
    /// The vendor has no such thing (SEPA direct debit).
    NotApplicable,
    /// As it was read.
    Read {
        /// Its state.
        status: AccountStatus,
        /// The vendor's own word for it.
        raw: RawStatus,
    },
    /// It was not read, or could not be.
    NotRead,
    /// The mandate belongs to another client than its reference says.
    Differs,
}

/// What a newer version stored is as good as not read.
fn account_or_not_read<'de, D: Deserializer<'de>>(d: D) -> Result<Account, D::Error> {
    let stored = serde_json::Value::deserialize(d)?;
    Ok(Account::deserialize(stored).unwrap_or(Account::NotRead))
}

/// An earlier version did not store it, and nothing may be concluded of that.
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

    /// The ended state from which it came back, seen from what was known before. A mark that it has is kept.
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

    /// Whether this reading knows what was known before.
    pub(crate) fn follows(&self, past: Past) -> bool {
        (self.reinstated_from, self.acknowledged_before) == (self.return_since(past), past.acknowledged_before)
    }

    /// This reading as the one that follows what was known.
    pub(crate) fn follow(&mut self, past: Past) {
        self.reinstated_from = self.return_since(past);
        self.acknowledged_before = past.acknowledged_before;
    }

    /// Who has to act next, and how.
    pub fn next_step(&self) -> NextStep {
        match (self.status, self.next) {
            (MandateStatus::AwaitingSignature, NextStep::AskDebtor) => NextStep::AskDebtor,
            (status, _) => status.next_step(),
        }
    }

    /// How long ago this was read.
    pub fn age(&self, now: DateTime<Utc>) -> Duration {
        (now - self.observed_at).to_std().unwrap_or_default()
    }

    /// How this reading differs from an earlier one of the same mandate; `None` if the status is the same.
    pub fn change_since(&self, earlier: MandateStatus) -> Option<Change> {
        earlier.change_to(self.status)
    }
}
