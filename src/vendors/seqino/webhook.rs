//! Verifies the requests that Seqino posts to the URL of `create_webhook`.

use crate::{
    vocabulary::Provider,
    webhook::{WebhookError, WebhookEvent, acceptable, bytes, text},
    wire,
};
#[cfg(feature = "sandbox")]
use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The encoding of a signature in its header. Seqino does not document the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64 in the standard or the URL-safe alphabet, with or without padding.
    Base64,
}

impl Encoding {
    fn decode(self, bare: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hex => bytes::hex(bare),
            Self::Base64 => bytes::base64(bare),
        }
    }
}

/// Verifies a request that Seqino posted, and returns its content. Seqino signs with HMAC-SHA256 and the secret that
/// `create_webhook` returned once. It is inferred that the signature covers the bytes of the body, and that the key is
/// the text of the secret.
///
/// - `body` is the complete, unchanged body of the request.
/// - `headers` are the names and values of the request's headers: the `&HeaderMap` of the crate `http`, or a list of
///   pairs.
/// - `header` is the name of the header with the signature, in upper or lower case. Seqino does not document this name.
///   Look for the header in a first `webhook.test` event.
/// - `secrets` are one or more secrets. Pass two while you replace a secret and the old one is still in use. Blanks
///   around a secret are removed. A blank secret is ignored.
///
/// Seqino does not document the form of the signature. This function reads hexadecimal and Base64. Blanks may surround
/// the signature, and the name of an algorithm may precede it (`sha256=`). There may be several signatures, separated
/// by commas or in several headers. One of them has to match.
///
/// No page says how long a signature stays valid. Store [`WebhookEvent::id`] to recognise a duplicate: the signature
/// covers the id. The event is only a hint: read the mandate with [`Mandates::status`](crate::Mandates::status).
///
/// # Errors
/// Any [`WebhookError`].
///
/// # Sources
/// <https://pdp-api-v250704-iron.seqino.dev/openapi/webhooks/create_webhook_webhooks_post.md>
pub fn verify_request<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    body: &[u8],
    headers: impl IntoIterator<Item = (N, V)>,
    header: &str,
    secrets: &[&str],
) -> Result<WebhookEvent, WebhookError> {
    let values: Vec<V> = bytes::values(headers, header).collect();
    verify(body, values.iter().map(AsRef::as_ref), &[Encoding::Hex, Encoding::Base64], secrets)
}

/// Verifies a request of Seqino like [`verify_request`]. You pass the signature instead of the headers, and say in
/// which encoding it is.
///
/// # Errors
/// Any [`WebhookError`].
pub fn verify_webhook(
    body: &[u8],
    signature: Option<&[u8]>,
    encoding: Encoding,
    secrets: &[&str],
) -> Result<WebhookEvent, WebhookError> {
    verify(body, signature.into_iter(), &[encoding], secrets)
}

fn verify<'a>(
    body: &[u8],
    signatures: impl Iterator<Item = &'a [u8]>,
    encodings: &[Encoding],
    secrets: &[&str],
) -> Result<WebhookEvent, WebhookError> {
    let secrets = acceptable(body, secrets)?;
    let signatures: Vec<&[u8]> = signatures
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|signature| !signature.is_empty())
        .collect();
    if signatures.is_empty() {
        return Err(WebhookError::MissingSignature);
    }
    let signatures: Vec<Vec<u8>> = signatures
        .iter()
        .flat_map(|signature| encodings.iter().map(|encoding| encoding.decode(bytes::bare(signature))))
        .flatten()
        .collect();
    // A server between Seqino and you may add a byte order mark to a signed body. So also verify the body without this
    // mark.
    let unmarked = Some(bytes::unmarked(body)).filter(|unmarked| unmarked.len() < body.len());
    let bodies = || [body].into_iter().chain(unmarked);
    let mut macs = secrets.iter().flat_map(|secret| bodies().filter_map(|body| mac(body, secret)));
    if !macs.any(|mac| signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())) {
        return Err(WebhookError::WrongSignature);
    }
    let body = wire::read_damaged(bytes::text(body).as_bytes()).map_err(WebhookError::Unreadable)?;
    let event = WebhookEvent::new(Provider::Seqino, body);
    let field = |name: &str| text(event.body.get(name)?);
    let kind = field("event_type");
    let id = field("event_id").filter(|id| !id.trim().is_empty() && !id.contains('\u{fffd}'));
    let at = field("timestamp").and_then(|at| DateTime::parse_from_rfc3339(at.trim()).ok());
    Ok(WebhookEvent { event: kind, id, at: at.map(|at| at.to_utc()), ..event })
}

/// Creates a signature for a body, for your own tests. [`verify_webhook`] accepts this signature. Seqino's own
/// signatures may have another form.
///
/// # Errors
/// [`WebhookError::NoSecret`] for a blank secret, and [`WebhookError::TooLarge`] for a body of more than
/// [`WebhookEvent::MAX_BODY`] bytes.
#[cfg(feature = "sandbox")]
pub fn sign_webhook(body: &[u8], encoding: Encoding, secret: &str) -> Result<String, WebhookError> {
    let secret = acceptable(body, &[secret])?.concat();
    let signature = mac(body, &secret).ok_or(WebhookError::NoSecret)?.finalize().into_bytes();
    Ok(match encoding {
        Encoding::Hex => base16ct::lower::encode_string(&signature),
        Encoding::Base64 => BASE64_STANDARD.encode(signature),
    })
}

/// Computes the HMAC of a body. HMAC accepts a key of any length.
fn mac(body: &[u8], secret: &str) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(secret.as_bytes()).ok().map(|mac: Hmac<Sha256>| mac.chain_update(body))
}
