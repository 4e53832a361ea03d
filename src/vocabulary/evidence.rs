//! The meaning of the vendors' status words, and how well each meaning is known.

use super::{MandateStatus, NextStep, Provider, status::stable_text};
use chrono::NaiveDate;
use std::fmt;

/// How well the meaning of a vendor's word is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// The vendor documents the word and its meaning.
    Documented,
    /// The vendor documents the word, but not its meaning. The meaning is an inference of this crate's authors.
    WordDocumented,
    /// Seen in a real response of the vendor. No page has it.
    Observed,
    /// The vendor does not say that it uses the word for mandates, or does not say so with this meaning. The meaning is
    /// an inference of this crate's authors.
    Inferred,
}

stable_text!(Evidence { Documented, WordDocumented, Observed, Inferred } else Self::Inferred);

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Documented => "documented",
            Self::WordDocumented => "word documented, meaning inferred",
            Self::Observed => "observed",
            Self::Inferred => "inferred",
        })
    }
}

/// The meaning of a vendor's status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub status: MandateStatus,
    pub next: NextStep,
    pub evidence: Evidence,
    pub observed_on: Option<NaiveDate>,
}

impl Meaning {
    pub fn new(status: MandateStatus, evidence: Evidence) -> Self {
        Self { status, next: status.next_step(), evidence, observed_on: None }
    }
}

/// One row of the table that maps vendors' words to statuses; see [`vocabulary`](crate::vocabulary()).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VocabularyRow {
    /// The vendor.
    pub provider: Provider,
    /// The vendor's status word, with any further condition for this meaning.
    pub raw: String,
    /// The status that the word means.
    pub status: MandateStatus,
    /// The party that must act next, and the action.
    pub next_step: NextStep,
    /// How well the meaning is known.
    pub evidence: Evidence,
    /// The day of the response, for [`Evidence::Observed`].
    pub observed_on: Option<NaiveDate>,
}

impl VocabularyRow {
    pub(crate) fn new(provider: Provider, raw: String, meaning: Meaning) -> Self {
        let Meaning { status, next, evidence, observed_on } = meaning;
        Self { provider, raw, status, next_step: next, evidence, observed_on }
    }
}
