//! What the vendors' notifications have in common once they are verified. No I/O; how each is verified stands in that
//! vendor's folder.

use crate::{MandateRef, Provider, wire};
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
    /// The same for one notification however often it comes, so that it can be stored and a second one told:
    /// `event_id` at Seqino; at Easytransac, which sends none, a hash of the signature.
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
    /// No secret was given, or an empty one: anybody could sign with that.
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

    /// The text or number at a JSON pointer (RFC 6901), `/data/mandate_id` say.
    pub fn text_at(&self, pointer: &str) -> Option<String> {
        match self.body.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The mandate whose parts stand at these JSON pointers, in the order of its text form: at Seqino that of the
    /// client, then that of the mandate; elsewhere one.
    ///
    /// `None` if a part is not there or empty, or if there are too few or too many.
    pub fn mandate_at(&self, pointers: &[&str]) -> Option<MandateRef> {
        let parts: Vec<String> = pointers.iter().map(|pointer| self.text_at(pointer)).collect::<Option<_>>()?;
        MandateRef::of_parts(self.provider, parts)
    }

    /// The body as a type: `easytransac::types::Notification`, `seqino::types::WebhookEventPayload`, or one of yours.
    ///
    /// # Errors
    /// [`WebhookError::Unreadable`] with the field that is missing or of another type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, WebhookError> {
        serde_path_to_error::deserialize(&self.body.0).map_err(|e| {
            let place = wire::safe_path(e.path());
            WebhookError::Unreadable(format!("{place}{}", wire::reason(e.inner())))
        })
    }

    pub(crate) fn new(provider: Provider, body: Value) -> Self {
        Self { provider, event: None, id: None, at: None, body: body.into() }
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
            Self::NoSecret => f.write_str("there is no secret to verify with, or an empty one"),
            Self::TooLarge => write!(f, "the body has more than {} bytes", WebhookEvent::MAX_BODY),
            Self::MissingSignature => f.write_str("the signature is missing"),
            Self::WrongSignature => f.write_str("the signature is wrong"),
            Self::Unreadable(why) => write!(f, "it cannot be read: {why}"),
        }
    }
}

impl std::error::Error for WebhookError {}

/// What is checked before a body is looked at.
pub(crate) fn acceptable(body: &[u8], secrets: &[&str]) -> Result<(), WebhookError> {
    if secrets.is_empty() || secrets.contains(&"") {
        return Err(WebhookError::NoSecret);
    }
    if body.len() > WebhookEvent::MAX_BODY { Err(WebhookError::TooLarge) } else { Ok(()) }
}
