//! The list of vendors.

use super::{Error, likeness::similar};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

macro_rules! providers {
    ($($variant:ident, $feature:literal, $shown:literal, $purpose:ident, $form:literal;)+) => {
        /// A vendor of mandates. Every vendor is listed whatever the enabled features are, so that a stored reference
        /// can always be read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Provider {
            $(#[doc = $shown] $variant,)+
        }

        impl Provider {
            /// Every vendor.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable text form: the part of a [`MandateRef`](crate::MandateRef) before the colon, and the name of
            /// the feature of this crate.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $feature,)+ }
            }

            /// The vendor's name as the vendor writes it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $shown,)+ }
            }

            /// The purpose of this vendor's mandates.
            pub fn purpose(self) -> Purpose {
                match self { $(Self::$variant => Purpose::$purpose,)+ }
            }

            /// The text form of a reference to a mandate of this vendor.
            pub(crate) fn reference_form(self) -> &'static str {
                match self { $(Self::$variant => $form,)+ }
            }
        }
    };
}
providers! {
    Easytransac, "easytransac", "Easytransac", Collect, "easytransac:<mandateId>";
    SafeDebit, "safedebit", "SafeDebit", Collect, "safedebit:<umr>";
    Seqino, "seqino", "Seqino PDP", Represent, "seqino:<client_id>/<mandate_id>";
}

impl Provider {
    /// Returns the vendor whose name is most similar to a misspelt one, such as ` SafeDebit` or `safe-debit`.
    fn meant(text: &str) -> Option<Self> {
        let nearest = *similar(text, Self::ALL.iter().flat_map(|vendor| [vendor.as_str(), vendor.name()])).first()?;
        Self::ALL.iter().copied().find(|vendor| [vendor.as_str(), vendor.name()].contains(&nearest))
    }

    /// Returns the end of a sentence about a misspelt vendor: a suggestion of its name with `mark`, or only a full
    /// stop. The sentence never shows the text of the caller.
    pub(crate) fn suggestion(text: &str, mark: &str) -> String {
        let known = Self::ALL.iter().any(|provider| provider.as_str() == text);
        match Self::meant(text).filter(|_| !known) {
            Some(meant) => format!(". Did you mean `{}{mark}`?", meant.as_str()),
            None => ".".into(),
        }
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Provider {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Provider".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<_> = Self::ALL.iter().map(|provider| provider.as_str()).collect();
        schemars::json_schema!({"type": "string", "enum": words})
    }
}

/// The purpose of a mandate: the actions that its holder may take in the grantor's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Collect money from a bank account (SEPA direct debit).
    Collect,
    /// Handle e-invoices as the grantor's platform.
    Represent,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Provider {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.iter().copied().find(|provider| provider.as_str() == text);
        known.ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|provider| provider.as_str()).collect();
            Error::invalid(None, format!("a provider is one of {}{}", all.join(", "), Self::suggestion(text, "")))
        })
    }
}

impl Serialize for Provider {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
