//! The statuses of this crate: one set of words for the state of a mandate at any vendor.

use crate::wire::ShownWord;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Implements `FromStr` and serde for an enum. The text form of each value is the name of its variant. Never rename a
/// variant, because users store these texts.
macro_rules! stable_text {
    ($name:ident { $($variant:ident),+ } else $unknown:expr) => {
        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text form for storage, which does not change between versions.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;
            #[doc = concat!("Reads the stable text form, in upper or lower case. Any other text is an error: a typing error, or a word from a newer version of this crate. Serde reads such a text as `", stringify!($unknown), "`.")]
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

/// The error for a text that is not the text form of any value of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    pub(crate) words: &'static [&'static str],
}

/// `Display` lists the accepted words. It does not show the refused text, which may hold personal data.
impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not one of {}", self.words.join(", "))
    }
}

impl std::error::Error for UnknownWord {}

/// Implements `Display` for enums whose displayed text is the stored text form.
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

/// The status of a mandate, in words that are the same for every vendor.
///
/// There is no `Default`, because a default could make an unread mandate look active. The vendor's own word is in
/// [`Mandate::raw`](crate::Mandate::raw). A status alone does not decide whether you may collect; see
/// [`Mandate::may_collect`](crate::Mandate::may_collect).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MandateStatus {
    /// The mandate is being set up. The vendor does not name the next step.
    Pending,
    /// The debtor must sign.
    AwaitingSignature,
    /// The vendor is checking an identity or a company.
    AwaitingVerification,
    /// The mandate is signed but not yet in force.
    AwaitingActivation,
    /// The mandate is in force, according to the vendor.
    Active,
    /// The mandate is on hold.
    Suspended,
    /// One of the parties ended the mandate.
    Revoked,
    /// The mandate ended because its time was over.
    Expired,
    /// The vendor refused the mandate, or its setup failed.
    Invalid,
    /// The vendor knew the mandate before, and now responds that it does not exist.
    Gone,
    /// The vendor's status word is not in this crate's tables. Read the word in [`Mandate::raw`](crate::Mandate::raw).
    Unrecognized,
}

stable_text!(MandateStatus {
    Pending, AwaitingSignature, AwaitingVerification, AwaitingActivation, Active, Suspended, Revoked, Expired, Invalid,
    Gone, Unrecognized
} else Self::Unrecognized);

/// A phase in the life of a mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Phase {
    /// The mandate is not yet in force.
    Setup,
    /// The mandate is in force.
    InForce,
    /// The mandate is suspended.
    OnHold,
    /// The mandate has ended. A vendor can still reinstate it; see [`Change::Reinstated`].
    Ended,
    /// The phase is not known.
    Unknown,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The party that must act next, and the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextStep {
    /// The vendor does not say who must act.
    NotKnown,
    /// The debtor must sign.
    DebtorSigns,
    /// You must ask the debtor to sign. Nobody has requested the signature yet.
    AskDebtor,
    /// The client and the vendor must finish their checks.
    ClientAndVendorVerify,
    /// You must activate the mandate, or wait for its start date.
    ActivateOrWait,
    /// The mandate is ready. Ask for a verdict before you use it.
    Use,
    /// You need a new mandate.
    Replace,
    /// You should read why the mandate is invalid before you replace it.
    ReadCause,
    /// You should find out why the vendor no longer knows the mandate.
    FindOut,
    /// You should read the vendor's own word for the status, because this crate does not know the word.
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

/// The kind of change between two readings of a mandate. This crate accepts every change, because the vendor decides
/// the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The mandate changed to a later status in the usual order.
    Forward,
    /// The vendor made the mandate usable again after it had ended.
    Reinstated,
    /// The mandate changed back to an earlier status.
    Regressed,
    /// The change is unexpected. Check the mandate by hand.
    Anomalous,
}

stable_text!(Change { Forward, Reinstated, Regressed, Anomalous } else Self::Anomalous);

impl MandateStatus {
    /// The phase of a mandate with this status.
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

    /// Returns the party that must act next, derived from the status alone.
    /// [`Mandate::next_step`](crate::Mandate::next_step) also uses the vendor's word.
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

    /// The ISO 20022 code of this mandate status. Only four of the statuses have a code.
    pub fn iso20022(self) -> Option<&'static str> {
        match self {
            Self::Active => Some("ACTV"),
            Self::Suspended => Some("SUSP"),
            Self::Revoked => Some("CANC"),
            Self::Expired => Some("EXPI"),
            _ => None,
        }
    }

    /// Returns the kind of change from this status to `next`. Returns `None` if the two are the same.
    ///
    /// Call this function on the last *recognized* status. Every change from `Unrecognized` counts as forward.
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
            // The order of signature and checks differs by vendor, so both orders count as forward.
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

/// The state of the account that a mandate belongs to. The account has a state of its own, apart from the mandate's
/// status. At Seqino, it is the state of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AccountStatus {
    /// The account is in use.
    Active,
    /// The account is not in use.
    Inactive,
    /// The account is not yet in use.
    Pending,
    /// The account is on hold.
    Suspended,
    /// The vendor's word for the account's state is not in this crate's tables.
    Unrecognized,
}

stable_text!(AccountStatus { Active, Inactive, Pending, Suspended, Unrecognized } else Self::Unrecognized);

/// The vendor's own word for a status, cut to 64 bytes. The word is the text that the vendor sent, or the JSON of
/// another type of value.
///
/// `Display` shows a text. It does not show the content of an object or a list, which may hold personal data.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct RawStatus(#[serde(deserialize_with = "cut")] Box<str>);

fn cut<'de, D: Deserializer<'de>>(d: D) -> Result<Box<str>, D::Error> {
    String::deserialize(d).map(|word| ShownWord::cut(&word).into())
}

impl RawStatus {
    /// Keeps a vendor's word, cut to 64 bytes.
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
