//! The vocabulary: one set of words for the state of a mandate at any vendor. No I/O.

use super::Provider;
use crate::wire::ShownWord;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Enums whose variants are their own stable text form, in `FromStr` and in serde.
macro_rules! stable_text {
    ($name:ident { $($variant:ident),+ } else $unknown:expr) => {
        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable text form, for storage.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;
            #[doc = concat!("Reads the stable text form, in any case. A text that is none of them is an error: a slip, or the word of a newer version of this crate. Serde reads such a text as `", stringify!($unknown), "`.")]
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let known = Self::ALL.iter().copied().find(|value| value.as_str().eq_ignore_ascii_case(text));
                known.ok_or($crate::UnknownWord { words: &[$(stringify!($variant)),+] })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let words: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                schemars::json_schema!({"type": "string", "enum": words})
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(d).map(|text| text.parse().unwrap_or($unknown))
            }
        }
    };
}

/// A text that is none of the words of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    pub(crate) words: &'static [&'static str],
}

/// It lists the words, and does not show the text: that may hold anything.
impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "none of {}", self.words.join(", "))
    }
}

impl std::error::Error for UnknownWord {}

/// Enums that are shown as they are stored.
macro_rules! shown_as_stored {
    ($($name:ident),+) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}
pub(crate) use {shown_as_stored, stable_text};
shown_as_stored!(MandateStatus, AccountStatus, Change);

/// The state of a mandate, whoever the vendor is.
///
/// There is no `Default`: a default is how a mandate that nobody read comes to be treated as active. What a vendor
/// said is kept beside it, in [`Mandate::raw`](crate::Mandate::raw). A status alone never answers whether you may
/// collect; see [`Mandate::may_collect`](crate::Mandate::may_collect).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MandateStatus {
    /// Being set up; the vendor does not say what it waits for.
    Pending,
    /// The debtor has to sign.
    AwaitingSignature,
    /// Identity or company checks are under way.
    AwaitingVerification,
    /// Signed, not yet in force.
    AwaitingActivation,
    /// In force, says the vendor.
    Active,
    /// On hold.
    Suspended,
    /// Ended by a party.
    Revoked,
    /// Ended by time.
    Expired,
    /// The vendor refused or failed it.
    Invalid,
    /// Known before, and the vendor says that it no longer knows it.
    Gone,
    /// The vendor's word is not in our tables: read [`Mandate::raw`](crate::Mandate::raw).
    Unrecognized,
}

stable_text!(MandateStatus {
    Pending, AwaitingSignature, AwaitingVerification, AwaitingActivation, Active, Suspended, Revoked, Expired, Invalid,
    Gone, Unrecognized
} else Self::Unrecognized);

/// Where in its life a mandate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Phase {
    /// Not yet in force.
    Setup,
    /// In force.
    InForce,
    /// Suspended.
    OnHold,
    /// Over. A vendor can still bring it back; see [`Change::Reinstated`].
    Ended,
    /// Not known.
    Unknown,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Who has to act next, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextStep {
    /// The vendor does not say.
    NotKnown,
    /// The debtor signs.
    DebtorSigns,
    /// You ask the debtor to sign: nobody has yet.
    AskDebtor,
    /// The client and the vendor finish their checks.
    ClientAndVendorVerify,
    /// You activate it, or its start date comes.
    ActivateOrWait,
    /// You may use it.
    Use,
    /// You need a new mandate.
    Replace,
    /// You read the cause first.
    ReadCause,
    /// You look into why the vendor no longer knows it.
    FindOut,
    /// You read the vendor's own word.
    ReadRawWord,
}

stable_text!(NextStep {
    NotKnown, DebtorSigns, AskDebtor, ClientAndVendorVerify, ActivateOrWait, Use, Replace, ReadCause, FindOut, ReadRawWord
} else Self::NotKnown);

impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotKnown => "not known",
            Self::DebtorSigns => "debtor",
            Self::AskDebtor => "you: ask the debtor to sign",
            Self::ClientAndVendorVerify => "client, vendor",
            Self::ActivateOrWait => "you, or time",
            Self::Use | Self::FindOut => "you",
            Self::Replace => "you: a new mandate",
            Self::ReadCause => "you: read the cause first",
            Self::ReadRawWord => "you: read the raw word",
        })
    }
}

/// How one reading of a mandate differs from the one before. Observed, never refused: the vendor is the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// On its usual way.
    Forward,
    /// Out of an ended phase: a vendor brought it back.
    Reinstated,
    /// Back to an earlier state.
    Regressed,
    /// What no table expects. Look at it.
    Anomalous,
}

stable_text!(Change { Forward, Reinstated, Regressed, Anomalous } else Self::Anomalous);

impl MandateStatus {
    /// Where in its life a mandate with this status is.
    pub fn phase(self) -> Phase {
        match self {
            Self::Pending | Self::AwaitingSignature | Self::AwaitingVerification | Self::AwaitingActivation => {
                Phase::Setup
            }
            Self::Active => Phase::InForce,
            Self::Suspended => Phase::OnHold,
            Self::Revoked | Self::Expired | Self::Invalid | Self::Gone => Phase::Ended,
            Self::Unrecognized => Phase::Unknown,
        }
    }

    /// Who has to act next, as far as the status alone tells;
    /// [`Mandate::next_step`](crate::Mandate::next_step) knows the vendor's word as well.
    pub fn next_step(self) -> NextStep {
        match self {
            Self::Pending | Self::Suspended => NextStep::NotKnown,
            Self::AwaitingSignature => NextStep::DebtorSigns,
            Self::AwaitingVerification => NextStep::ClientAndVendorVerify,
            Self::AwaitingActivation => NextStep::ActivateOrWait,
            Self::Active => NextStep::Use,
            Self::Revoked | Self::Expired => NextStep::Replace,
            Self::Invalid => NextStep::ReadCause,
            Self::Gone => NextStep::FindOut,
            Self::Unrecognized => NextStep::ReadRawWord,
        }
    }

    /// The ISO 20022 mandate status, for the four that have one.
    pub fn iso20022(self) -> Option<&'static str> {
        match self {
            Self::Active => Some("ACTV"),
            Self::Suspended => Some("SUSP"),
            Self::Revoked => Some("CANC"),
            Self::Expired => Some("EXPI"),
            _ => None,
        }
    }

    /// What it means that a mandate with this status now has the status `next`; `None` if they are the same.
    ///
    /// Compare with the last *recognized* status: from `Unrecognized` nothing is known, so every change is forward.
    pub fn change_to(self, next: Self) -> Option<Change> {
        use MandateStatus::{AwaitingActivation, AwaitingSignature, AwaitingVerification, Gone, Pending};
        if self == next {
            return None;
        }
        Some(match (self.phase(), next.phase()) {
            (_, Phase::Unknown) => Change::Anomalous,
            (Phase::Unknown, _) => Change::Forward,
            (Phase::Ended, Phase::Ended) if next == Gone => Change::Forward,
            (Phase::Ended, Phase::Ended) => Change::Anomalous,
            (Phase::Ended, _) => Change::Reinstated,
            (_, Phase::Ended) | (Phase::InForce, Phase::OnHold) | (Phase::OnHold, Phase::InForce) => Change::Forward,
            (Phase::Setup, Phase::OnHold) if self != AwaitingActivation => Change::Anomalous,
            (Phase::Setup, Phase::InForce | Phase::OnHold) => Change::Forward,
            // Whether signature or checks come first differs by vendor.
            (Phase::Setup, Phase::Setup) => match (self, next) {
                (Pending, _) | (_, AwaitingActivation) => Change::Forward,
                (AwaitingSignature, AwaitingVerification) | (AwaitingVerification, AwaitingSignature) => {
                    Change::Forward
                }
                _ => Change::Regressed,
            },
            _ => Change::Regressed,
        })
    }
}

/// The state of the account that a mandate belongs to: at Seqino, of the client. It is not the mandate's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AccountStatus {
    /// In use.
    Active,
    /// Not in use.
    Inactive,
    /// Not yet in use.
    Pending,
    /// On hold.
    Suspended,
    /// The vendor's word is not in our tables.
    Unrecognized,
}

stable_text!(AccountStatus { Active, Inactive, Pending, Suspended, Unrecognized } else Self::Unrecognized);

/// The vendor's own word for a status: a text as it was sent, or the JSON of what was no text. 64 bytes at most.
///
/// `Display` shows a word, but not what was no scalar: that may hold anything.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct RawStatus(#[serde(deserialize_with = "cut")] Box<str>);

fn cut<'de, D: Deserializer<'de>>(d: D) -> Result<Box<str>, D::Error> {
    String::deserialize(d).map(|word| ShownWord::cut(&word).into())
}

impl RawStatus {
    /// A vendor's word, cut after 64 bytes.
    pub fn new(word: &str) -> Self {
        Self(ShownWord::cut(word).into())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RawStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ShownWord(&self.0), f)
    }
}

impl fmt::Debug for RawStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ShownWord(&self.0), f)
    }
}

/// How well the meaning of a vendor's word is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// The vendor documents the word and what it means.
    Documented,
    /// The vendor documents the word; its meaning is our inference.
    WordDocumented,
    /// That the word occurs here, or what it means here, is our inference.
    Inferred,
}

stable_text!(Evidence { Documented, WordDocumented, Inferred } else Self::Inferred);

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Documented => "documented",
            Self::WordDocumented => "word documented, meaning inferred",
            Self::Inferred => "inferred",
        })
    }
}

/// What a vendor's word means: a row of a provider's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub status: MandateStatus,
    pub next: NextStep,
    pub evidence: Evidence,
}

impl Meaning {
    pub fn new(status: MandateStatus, evidence: Evidence) -> Self {
        Self { status, next: status.next_step(), evidence }
    }
}

/// One row of the table that maps vendors' words to statuses; see [`vocabulary`](crate::vocabulary()).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VocabularyRow {
    /// The vendor.
    pub provider: Provider,
    /// Its word, and on what the meaning depends besides.
    pub raw: String,
    /// What it means.
    pub status: MandateStatus,
    /// Who has to act next.
    pub next_step: NextStep,
    /// How well that is known.
    pub evidence: Evidence,
}

impl VocabularyRow {
    pub(crate) fn new(provider: Provider, raw: String, meaning: Meaning) -> Self {
        let Meaning { status, next, evidence } = meaning;
        Self { provider, raw, status, next_step: next, evidence }
    }
}
