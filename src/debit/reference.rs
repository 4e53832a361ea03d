//! The reference of a debit: one text for one debit at one vendor.

use crate::{
    mandate::{MandateRef, escape, trimmed, unescape},
    vocabulary::{Error, Provider},
    wire,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The name of one debit at one vendor.
///
/// Its text form has one of these forms:
///
/// - `easytransac:tid=<tid>` or `easytransac:orderId=<orderId>`
/// - `safedebit:umr=<umr>/sdd=<sdd_reference>`
///
/// Store it in one column: parsing the text gives the same reference again. The text form percent-encodes `%`, `/` and
/// invisible characters in a value. No reference to a mandate has this form, because no vendor's mandate has a `=` in
/// its id.
///
/// SafeDebit has no search by the reference of a debit alone, so the reference names the mandate, too. Seqino has no
/// debits.
///
/// `Debug` shows a value only if it looks like an id.
///
/// ```
/// use mandat::DebitRef;
///
/// let reference = DebitRef::safedebit("RUM-2026-0042", "SDD-2026-0043");
/// assert_eq!(reference.to_string(), "safedebit:umr=RUM-2026-0042/sdd=SDD-2026-0043");
/// let reference: DebitRef = "easytransac:orderId=order-1".parse()?;
/// assert_eq!(reference, DebitRef::easytransac_order("order-1"));
/// # Ok::<(), mandat::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct DebitRef {
    provider: Provider,
    parts: Vec<(&'static str, Box<str>)>,
}

/// The names of the values of each form.
fn forms(provider: Provider) -> &'static [&'static [&'static str]] {
    match provider {
        Provider::Easytransac => &[&["tid"], &["orderId"]],
        Provider::SafeDebit => &[&["umr", "sdd"]],
        Provider::Seqino => &[],
    }
}

impl DebitRef {
    fn new<const N: usize>(provider: Provider, parts: [(&'static str, String); N]) -> Self {
        Self { provider, parts: parts.into_iter().map(|(name, value)| (name, trimmed(&value).into())).collect() }
    }

    /// Refuses a reference with an empty value.
    pub(crate) fn complete(&self) -> Result<(), Error> {
        match self.parts.iter().find(|(_, value)| value.is_empty()) {
            None => Ok(()),
            Some((name, _)) => Err(Error::invalid(
                Some(self.provider),
                format!("`{name}` of the reference is empty. Use one of the forms {}", written(self.provider)),
            )),
        }
    }

    /// The vendor.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The value of this name in the text form: `tid`, `orderId`, `umr` or `sdd`.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }
}

/// One constructor per form. They exist with any features, so that stored references can always be read.
impl DebitRef {
    /// A debit at Easytransac by the vendor's id: `easytransac:tid=<tid>`.
    pub fn easytransac(tid: impl Into<String>) -> Self {
        Self::new(Provider::Easytransac, [("tid", tid.into())])
    }

    /// A debit at Easytransac by your own id: `easytransac:orderId=<orderId>`. It is inferred that a debit takes one.
    pub fn easytransac_order(order_id: impl Into<String>) -> Self {
        Self::new(Provider::Easytransac, [("orderId", order_id.into())])
    }

    /// A debit at SafeDebit by its mandate and your reference of it: `safedebit:umr=<umr>/sdd=<sdd_reference>`.
    pub fn safedebit(umr: impl Into<String>, sdd_reference: impl Into<String>) -> Self {
        Self::new(Provider::SafeDebit, [("umr", umr.into()), ("sdd", sdd_reference.into())])
    }
}

/// The forms of a vendor, for an error.
fn written(provider: Provider) -> String {
    let form = |names: &&[&str]| {
        let parts: Vec<String> = names.iter().map(|name| format!("{name}=<{name}>")).collect();
        format!("{}:{}", provider.as_str(), parts.join("/"))
    };
    forms(provider).iter().map(form).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for DebitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.parts.iter().enumerate() {
            match at {
                0 => write!(f, "{}:", self.provider.as_str())?,
                _ => f.write_str("/")?,
            }
            write!(f, "{name}={}", escape(value, "%/"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for DebitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("DebitRef");
        shown.field("provider", &self.provider);
        for (name, value) in &self.parts {
            shown.field(name, &wire::Shown(value));
        }
        shown.finish()
    }
}

impl FromStr for DebitRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, rest) = text.split_once(':').unwrap_or_default();
        let provider = name.parse::<Provider>().ok();
        if let Some(provider) = provider.filter(|provider| forms(*provider).is_empty()) {
            return Err(Error::no_debits(provider));
        }
        let parts: Option<Vec<(&str, &str)>> = rest.split('/').map(|part| part.split_once('=')).collect();
        let named = provider.zip(parts).and_then(|(provider, parts)| {
            let fits = |names: &&&[&str]| names.iter().eq(parts.iter().map(|(name, _)| name));
            let names = forms(provider).iter().find(fits)?;
            let values = parts.iter().map(|(_, value)| trimmed(&unescape(value)).into());
            Some(Self { provider, parts: names.iter().copied().zip(values).collect() })
        });
        let reference = named.ok_or_else(|| {
            let all: Vec<String> =
                Provider::ALL.iter().map(|provider| written(*provider)).filter(|form| !form.is_empty()).collect();
            let suggestion = Provider::suggestion(name, ":");
            let what =
                format!("this is not a reference to a debit{suggestion} Use one of the forms {}", all.join(", "));
            Error::invalid(provider, what)
        })?;
        reference.complete().map(|()| reference)
    }
}

impl Serialize for DebitRef {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DebitRef {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The reference of a record that [`Mandates::probe`](crate::Mandates::probe) reads: of a mandate or a debit.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RecordRef<'a> {
    /// A mandate.
    Mandate(&'a MandateRef),
    /// A debit.
    Debit(&'a DebitRef),
}

impl RecordRef<'_> {
    pub(crate) fn provider(self) -> Provider {
        match self {
            Self::Mandate(reference) => reference.provider(),
            Self::Debit(reference) => reference.provider(),
        }
    }

    pub(crate) fn complete(self) -> Result<(), Error> {
        match self {
            Self::Mandate(reference) => reference.complete(),
            Self::Debit(reference) => reference.complete(),
        }
    }
}

impl<'a> From<&'a MandateRef> for RecordRef<'a> {
    fn from(reference: &'a MandateRef) -> Self {
        Self::Mandate(reference)
    }
}

impl<'a> From<&'a DebitRef> for RecordRef<'a> {
    fn from(reference: &'a DebitRef) -> Self {
        Self::Debit(reference)
    }
}
