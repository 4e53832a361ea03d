//! The common part of the vendors' callbacks. No I/O; the folder of each vendor has its signature scheme.

// A callback is a vendor's.
#[cfg(any(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
pub(crate) mod bytes;

use crate::{
    mandate::MandateRef,
    transport::{is_format, path_fault},
    vocabulary::Provider,
    wire,
};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// A notification whose signature was right.
///
/// It is a hint, not a state: it may be late, come twice or out of order, and what its signature proves differs by
/// vendor. Store its [`id`](Self::id), answer the vendor, then read the mandate with
/// [`Mandates::status`](crate::Mandates::status) and act on that.
///
/// No vendor documents where a notification names a mandate. So you say where it stands, once you have seen one:
/// [`mandate_at`](Self::mandate_at), [`text_at`](Self::text_at), or [`read`](Self::read) with a type of the vendor.
///
/// `Debug` shows the vendor and nothing of the content.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// Who sent it.
    pub provider: Provider,
    /// What happened, in the vendor's word: `event_type` at Seqino, `Status` (of a transaction) at Easytransac.
    pub event: Option<String>,
    /// The same for each copy of one notification, so that you can recognise a duplicate. At Seqino it is `event_id`, a
    /// text or a number. Easytransac sends no id, so it is a hash of the signature. If it is `None`, treat the
    /// notification as new.
    pub id: Option<String>,
    /// When it happened, in UTC; Seqino only. Easytransac's `Date` is local time in Paris without an offset, and stays
    /// in the body.
    pub at: Option<DateTime<Utc>>,
    /// All that was sent. Of a form, texts, and objects where its names have brackets.
    pub body: wire::Json,
}

/// Why a notification is not to be believed. Nothing that was sent and no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookError {
    /// No secret was given, or only blank ones. Anybody could sign with a blank one, so it verifies nothing.
    NoSecret,
    /// The body is larger than [`WebhookEvent::MAX_BODY`].
    TooLarge,
    /// There is no signature.
    MissingSignature,
    /// The signature is none of this body with one of these secrets.
    WrongSignature,
    /// It cannot be read: why, and where.
    Unreadable(String),
}

impl WebhookEvent {
    /// The largest body that is looked at, in bytes: 1 MiB. No vendor documents how large its own are. Have your
    /// server stop reading there, too.
    pub const MAX_BODY: usize = 1 << 20;

    /// The text or number at a JSON pointer (RFC 6901), such as `/data/mandate_id`. `None` also for a number that cannot
    /// be read without a loss of digits.
    pub fn text_at(&self, pointer: &str) -> Option<String> {
        match self.body.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) if exact(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The mandate whose parts stand at these JSON pointers, in the order of its text form: at Seqino that of the
    /// client, then that of the mandate; elsewhere one.
    ///
    /// `None` if a part is missing or blank, or if there are too few or too many parts. `None` also for a part that could
    /// reach another path or forge a log: with a `/`, a `\\` or a `%`, with a control character or an invisible character,
    /// or with only dots and blanks. Blanks at the ends of a part are removed.
    pub fn mandate_at(&self, pointers: &[&str]) -> Option<MandateRef> {
        reference(self.provider, pointers.iter().map(|pointer| self.text_at(pointer)).collect::<Option<_>>()?)
    }

    /// The body as a type: `easytransac::types::Notification`, `seqino::types::WebhookEventPayload`, or one of yours.
    ///
    /// # Errors
    /// [`WebhookError::Unreadable`] with the field that is missing or of another type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, WebhookError> {
        let mut body = serde_json::Deserializer::from_str(self.body.as_json());
        serde_path_to_error::deserialize(&mut body).map_err(|e| {
            let place = wire::safe_path(e.path());
            WebhookError::Unreadable(format!("{place}{}", wire::reason(e.inner())))
        })
    }

    pub(crate) fn new(provider: Provider, body: wire::Json) -> Self {
        Self { provider, event: None, id: None, at: None, body }
    }
}

impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookEvent({})", self.provider)
    }
}

impl WebhookError {
    /// What to answer the sender: 500 where the fault is ours, else 413, 401 or 400. No vendor documents what it makes
    /// of it.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::NoSecret => 500,
            Self::TooLarge => 413,
            Self::MissingSignature | Self::WrongSignature => 401,
            Self::Unreadable(_) => 400,
        }
    }
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret => {
                f.write_str("there is no secret to verify with, or only blank ones. Pass the secret of the vendor")
            }
            Self::TooLarge => write!(f, "the body has more than {} bytes", WebhookEvent::MAX_BODY),
            Self::MissingSignature => f.write_str("the signature is missing"),
            Self::WrongSignature => f.write_str("the signature is wrong"),
            Self::Unreadable(why) => write!(f, "it cannot be read: {why}"),
        }
    }
}

impl std::error::Error for WebhookError {}

/// The secrets that can verify a body of an acceptable size. Files and forms add blanks around a secret, so these are
/// removed. Anybody could sign with a blank secret, so it is left out.
pub(crate) fn acceptable<'a>(body: &[u8], secrets: &[&'a str]) -> Result<Vec<&'a str>, WebhookError> {
    let blank = |c: char| c.is_whitespace() || c.is_control() || is_format(c);
    let trimmed: Vec<&str> = secrets.iter().map(|secret| secret.trim_matches(blank)).collect();
    let usable: Vec<&str> = trimmed.iter().copied().filter(|secret| !secret.is_empty()).collect();
    if usable.is_empty() {
        return Err(WebhookError::NoSecret);
    }
    if usable.len() < secrets.len() {
        tracing::warn!("a webhook secret is blank and was ignored. Remove it from the configuration.");
    }
    if trimmed.iter().zip(secrets).any(|(trimmed, secret)| !trimmed.is_empty() && trimmed.len() < secret.len()) {
        tracing::warn!("blanks or line ends around a webhook secret were ignored. Store the secret without them.");
    }
    if body.len() > WebhookEvent::MAX_BODY { Err(WebhookError::TooLarge) } else { Ok(usable) }
}

/// The mandate that these parts from outside name. [`WebhookEvent::mandate_at`] documents the rules.
pub(crate) fn reference(provider: Provider, parts: Vec<String>) -> Option<MandateRef> {
    let invisible =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let names_one = |part: &String| path_fault(part).is_none() && !part.contains(invisible);
    // A line end is a blank at the end of a part, and a control character within it.
    let parts: Vec<String> = parts.iter().map(|part| part.trim().to_owned()).collect();
    if parts.iter().all(names_one) { MandateRef::of_parts(provider, parts) } else { None }
}

/// Whether a number has all the digits that were sent.
fn exact(number: &serde_json::Number) -> bool {
    /// A float cannot hold each whole number from here on.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    !number.is_f64() || number.as_f64().is_some_and(|float| float.abs() < LARGEST)
}
