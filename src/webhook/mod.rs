//! The common part of the vendors' webhooks, without I/O. The folder of each vendor verifies the vendor's signatures.

// Only the vendor modules use the functions of `bytes`.
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

/// A notification with a valid signature.
///
/// Store the notification's [`id`](Self::id) and respond to the vendor. Then read the mandate with
/// [`Mandates::status`](crate::Mandates::status) and act on the reading. A notification is only a hint: it may arrive
/// late, twice or out of order. The strength of the signature differs by vendor.
///
/// No vendor documents where a notification contains the mandate. Look at a real notification, then pass the JSON
/// pointer to [`mandate_at`](Self::mandate_at) or [`text_at`](Self::text_at). You can also [`read`](Self::read) the
/// body into a type of the vendor.
///
/// `Debug` shows only the vendor.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// The vendor that sent the notification.
    pub provider: Provider,
    /// The vendor's word for the event: `event_type` at Seqino, `Status` (of a transaction) at Easytransac.
    pub event: Option<String>,
    /// An id that is the same for each copy of a notification. Use it to recognise a duplicate. At Seqino, the id is
    /// `event_id`, a text or a number. Easytransac sends no id, so the id is a hash of the signature. If the id is
    /// `None`, treat the notification as new.
    pub id: Option<String>,
    /// The time of the event in UTC, from Seqino only. Easytransac's `Date` is local time in Paris without an offset,
    /// so it is only in the body.
    pub at: Option<DateTime<Utc>>,
    /// The whole content of the notification. The values of a URL-encoded form become texts. A form field such as
    /// `Client[Email]` becomes a field of an object `Client`.
    pub body: wire::Json,
}

/// The reason why a notification is refused. The reason contains no secret and no data of the notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookError {
    /// You passed no secret, or only blank secrets. Anybody can sign with a blank secret, so such a signature proves
    /// nothing.
    NoSecret,
    /// The body is larger than [`WebhookEvent::MAX_BODY`].
    TooLarge,
    /// The notification has no signature.
    MissingSignature,
    /// The signature does not match the body with any of the secrets.
    WrongSignature,
    /// The notification cannot be read. The text names the error, and its place in the body if known.
    Unreadable(String),
}

impl WebhookEvent {
    /// The largest body of a notification that is accepted: 1 MiB, in bytes. Set the same limit in your server. No
    /// vendor documents the size of its notifications.
    pub const MAX_BODY: usize = 1 << 20;

    /// Returns the text or number in the body at a JSON pointer (RFC 6901), such as `/data/mandate_id`. Returns `None`
    /// for any other type of value, and for a number that lost digits when it was read.
    pub fn text_at(&self, pointer: &str) -> Option<String> {
        text(self.body.pointer(pointer)?)
    }

    /// Returns the reference of the mandate whose parts are in the body at these JSON pointers. At Seqino, pass the
    /// pointer of the client, then the pointer of the mandate. At the other vendors, pass one pointer. Blanks at the
    /// ends of a part are removed.
    ///
    /// Returns `None` if a part is missing or blank, or if the number of parts is wrong. Returns `None` also for a part
    /// that could change the path of a request or forge a log line. Such a part has a `/`, a `\\`, a `%`, a control
    /// character or an invisible character, or consists of dots and blanks.
    pub fn mandate_at(&self, pointers: &[&str]) -> Option<MandateRef> {
        reference(self.provider, pointers.iter().map(|pointer| self.text_at(pointer)).collect::<Option<_>>()?)
    }

    /// Decodes the body into a type: `easytransac::types::Notification`, `seqino::types::WebhookEventPayload`, or your
    /// own.
    ///
    /// # Errors
    /// [`WebhookError::Unreadable`] with the name of the field that is missing or has another type.
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
    /// The HTTP status for the response to the vendor: 500 for an error in your configuration, else 413, 401 or 400. No
    /// vendor documents its reaction to these statuses.
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
                f.write_str("there is no secret to verify with, or only a blank one. Pass the secret of the vendor")
            }
            Self::TooLarge => write!(f, "the body of the notification has more than {} bytes", WebhookEvent::MAX_BODY),
            Self::MissingSignature => f.write_str("the notification has no signature"),
            Self::WrongSignature => f.write_str("the signature of the notification is wrong"),
            Self::Unreadable(why) => write!(f, "the notification cannot be read: {why}"),
        }
    }
}

impl std::error::Error for WebhookError {}

/// Returns the secrets that can verify the signature of a body. Refuses a body that is too large. Files and forms add
/// blanks around a secret, so these blanks are removed. Anybody can sign with a blank secret, so a blank secret is left
/// out.
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

/// Builds the reference of a mandate from parts that a sender chose. [`WebhookEvent::mandate_at`] documents which parts
/// are refused.
pub(crate) fn reference(provider: Provider, parts: Vec<String>) -> Option<MandateRef> {
    let invisible =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let names_one = |part: &String| path_fault(part).is_none() && !part.contains(invisible);
    // Trim before the check: a line end is allowed at the end of a part, but not within it.
    let parts: Vec<String> = parts.iter().map(|part| part.trim().to_owned()).collect();
    if parts.iter().all(names_one) { MandateRef::of_parts(provider, parts) } else { None }
}

/// Returns a text, or a number that lost no digits when it was read.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if exact(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns true if a JSON number kept all the digits that the sender wrote.
fn exact(number: &serde_json::Number) -> bool {
    /// From 2^53 on, a 64-bit float cannot represent every whole number.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    !number.is_f64() || number.as_f64().is_some_and(|float| float.abs() < LARGEST)
}
