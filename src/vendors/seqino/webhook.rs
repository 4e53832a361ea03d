//! Seqino's webhook: what it posts to the URL that `create_webhook` was given.

use crate::{
    vocabulary::Provider,
    webhook::{WebhookError, WebhookEvent, acceptable, bytes},
    wire,
};
#[cfg(feature = "sandbox")]
use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How a signature is written in its header. Seqino does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64 of the standard or the URL-safe alphabet, with or without padding.
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

/// Verifies a request of Seqino. Seqino signs with HMAC-SHA256 and the secret that `create_webhook` returned once. The signed
/// bytes are those of the body, and the key is the text of the secret; both are inferred.
///
/// - `body` is the whole body as it came.
/// - `headers` are the names and values of the request: the `&HeaderMap` of the crate `http`, or a list of pairs.
/// - `header` is the name of the header with the signature, in any case. Seqino does not document this name. Look at a
///   first `webhook.test` event.
/// - `secrets` are one or more secrets, to replace one while the old one is still in use. Blanks around a secret are
///   removed, and a blank secret verifies nothing.
///
/// Seqino does not document the form of the signature. Hexadecimal and Base64 are read, with blanks around them, and after
/// the name of an algorithm (`sha256=`). Of several signatures, separated by commas or in several headers, one has to match.
///
/// No page says how long a signature stays valid. Store [`WebhookEvent::id`], which is signed, to recognise a duplicate. The
/// event is only a hint: read the mandate with [`Mandates::status`](crate::Mandates::status).
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

/// Verifies like [`verify_request`], with a signature that you took from its header, in one encoding.
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
    // A back end may add the byte order mark after it has signed.
    let unmarked = Some(bytes::unmarked(body)).filter(|unmarked| unmarked.len() < body.len());
    let bodies = || [body].into_iter().chain(unmarked);
    let mut macs = secrets.iter().flat_map(|secret| bodies().filter_map(|body| mac(body, secret)));
    if !macs.any(|mac| signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())) {
        return Err(WebhookError::WrongSignature);
    }
    let body = wire::read(bytes::text(body).as_bytes()).map_err(WebhookError::Unreadable)?;
    let mut event = WebhookEvent::new(Provider::Seqino, body);
    event.event = event.text_at("/event_type");
    event.id = event.text_at("/event_id").filter(|id| !id.trim().is_empty());
    let at = event.text_at("/timestamp").and_then(|at| DateTime::parse_from_rfc3339(at.trim()).ok());
    event.at = at.map(|at| at.to_utc());
    Ok(event)
}

/// The signature that [`verify_webhook`] takes for this body, for your own tests. Seqino's own may be written otherwise.
///
/// # Errors
/// [`WebhookError::NoSecret`] and [`WebhookError::TooLarge`].
#[cfg(feature = "sandbox")]
pub fn sign_webhook(body: &[u8], encoding: Encoding, secret: &str) -> Result<String, WebhookError> {
    let secret = acceptable(body, &[secret])?.concat();
    let signature = mac(body, &secret).ok_or(WebhookError::NoSecret)?.finalize().into_bytes();
    Ok(match encoding {
        Encoding::Hex => base16ct::lower::encode_string(&signature),
        Encoding::Base64 => BASE64_STANDARD.encode(signature),
    })
}

/// A secret of any length is a key.
fn mac(body: &[u8], secret: &str) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(secret.as_bytes()).ok().map(|mac: Hmac<Sha256>| mac.chain_update(body))
}
