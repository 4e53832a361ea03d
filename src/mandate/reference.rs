//! The reference of a mandate: a text that identifies one mandate at one vendor.

use super::Lookup;
use crate::{
    vocabulary::{Error, Provider},
    wire,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, fmt, str::FromStr};

/// The reference of one mandate at one vendor.
///
/// The text form of a reference is `easytransac:<mandateId>`, `safedebit:<umr>` or `seqino:<client_id>/<mandate_id>`.
/// Store this text in one column: parsing the text returns the same reference. The text form percent-encodes `%` and
/// invisible characters, and `/` within a Seqino id.
///
/// `Debug` shows an id only if it looks like an id. For example, an IBAN is shown as its length.
///
/// A reference does not name your account at the vendor. Use one [`Mandates`](crate::Mandates) per account.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct MandateRef {
    provider: Provider,
    client: Option<Box<str>>,
    id: Box<str>,
}

impl MandateRef {
    fn new(provider: Provider, client: Option<&str>, id: &str) -> Self {
        Self { provider, client: client.map(|client| trimmed(client).into()), id: trimmed(id).into() }
    }

    /// Builds a reference from the parts of its text form: client and mandate at Seqino, only the mandate at the other
    /// vendors.
    pub(crate) fn of_parts(provider: Provider, mut parts: Vec<String>) -> Option<Self> {
        let id = parts.pop()?;
        let client = parts.pop();
        let fits = parts.is_empty() && client.is_some() == provider.reference_form().contains('/');
        Some(Self::new(provider, client.as_deref(), &id)).filter(|reference| fits && reference.complete().is_ok())
    }

    /// Refuses a reference with an empty part.
    pub(crate) fn complete(&self) -> Result<(), Error> {
        if self.id.is_empty() || self.client.as_deref() == Some("") {
            let form = self.provider.reference_form();
            return Err(Error::invalid(
                Some(self.provider),
                format!("a part of the mandate's reference is empty. Use the form {form}"),
            ));
        }
        Ok(())
    }

    /// The vendor of the mandate.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The vendor's id of the mandate. At SafeDebit this is the UMR.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the client that granted the mandate. Only Seqino has clients.
    pub fn client_id(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// Makes a lookup of a mandate that the vendor has known before, for [`Mandates::status`](crate::Mandates::status).
    ///
    /// If Seqino no longer knows the mandate, the result is [`MandateStatus::Gone`](crate::MandateStatus::Gone) instead
    /// of an error. The responses of the other vendors are not clear enough for the status `Gone`.
    pub fn known(&self) -> Lookup<'_> {
        Lookup { reference: self, known: true, past: None }
    }
}

/// One constructor per vendor. All constructors exist with any set of features, so that a stored reference can always
/// be read.
impl MandateRef {
    /// Names a mandate at Easytransac: `easytransac:<mandateId>`.
    pub fn easytransac(mandate_id: impl Into<String>) -> Self {
        Self::new(Provider::Easytransac, None, &mandate_id.into())
    }

    /// Names a mandate at SafeDebit: `safedebit:<umr>`.
    pub fn safedebit(umr: impl Into<String>) -> Self {
        Self::new(Provider::SafeDebit, None, &umr.into())
    }

    /// Names a mandate at Seqino PDP: `seqino:<client_id>/<mandate_id>`.
    pub fn seqino(client_id: impl Into<String>, mandate_id: impl Into<String>) -> Self {
        Self::new(Provider::Seqino, Some(&client_id.into()), &mandate_id.into())
    }
}

impl fmt::Display for MandateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = self.provider.as_str();
        match &self.client {
            None => write!(f, "{provider}:{}", escape(&self.id, "%")),
            Some(client) => write!(f, "{provider}:{}/{}", escape(client, "%/"), escape(&self.id, "%/")),
        }
    }
}

impl fmt::Debug for MandateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MandateRef")
            .field("provider", &self.provider)
            .field("client", &self.client.as_deref().map(wire::Shown))
            .field("id", &wire::Shown(&self.id))
            .finish()
    }
}

/// Percent-encodes an id for the text form of a reference. A slash within an id must not divide the text form. A line
/// end must not forge a line in a log.
pub(crate) fn escape(part: &str, reserved: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for c in part.chars() {
        if reserved.contains(c) || is_invisible(c) {
            let mut buffer = [0; 4];
            escaped.extend(c.encode_utf8(&mut buffer).bytes().map(|byte| format!("%{byte:02X}")));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns true for a control character, a line separator, or a mark that changes the direction of a text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Removes blanks at the ends of a part of a reference, because a request does not send them. A part of only blanks
/// stays unchanged, and is refused later.
pub(crate) fn trimmed(part: &str) -> &str {
    let trimmed = part.trim_matches(|c: char| c.is_whitespace() && !is_invisible(c));
    if trimmed.is_empty() { part } else { trimmed }
}

/// Decodes percent escapes in a part of a reference. A `%` without two hexadecimal digits after it stays unchanged.
pub(crate) fn unescape(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return part.into();
    }
    let mut rest = part.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, following @ ..] = rest {
        let digit = |at: usize| following.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (*first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = &following[2..];
            }
            _ => {
                bytes.push(*first);
                rest = following;
            }
        }
    }
    // Percent escapes that do not decode to UTF-8 stay unchanged.
    String::from_utf8(bytes).map_or(Cow::Borrowed(part), Cow::Owned)
}

impl FromStr for MandateRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, id) = text.split_once(':').unwrap_or_default();
        let Ok(provider) = name.parse::<Provider>() else {
            let forms: Vec<&str> = Provider::ALL.iter().map(|provider| provider.reference_form()).collect();
            return Err(Error::invalid(
                None,
                format!(
                    "a reference begins with the name of its vendor{} Use one of the forms {}",
                    Provider::suggestion(name, ":"),
                    forms.join(", ")
                ),
            ));
        };
        let reference = if provider.reference_form().contains('/') {
            let (client, id) = id.split_once('/').unwrap_or_default();
            Self::new(provider, Some(&unescape(client)), &unescape(id))
        } else {
            Self::new(provider, None, &unescape(id))
        };
        reference.complete().map(|()| reference)
    }
}

impl Serialize for MandateRef {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MandateRef {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
