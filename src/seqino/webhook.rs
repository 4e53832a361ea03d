//! Seqino's webhook: what it posts to the URL that `create_webhook` was given.

use crate::{Provider, WebhookError, WebhookEvent, webhook::acceptable, wire};
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
    /// Base64 with the standard alphabet and padding.
    Base64,
}

/// Verifies what Seqino posted. It is signed by HMAC-SHA256 with the webhook's secret, which `create_webhook` answers
/// once. That the body's bytes are what is signed, and the secret's text the key, is inferred.
///
/// `body` is the whole body as it came; one byte changed and the signature is wrong. `signature` is the value of the
/// header that carries it. Neither its name nor its form is documented: look at a first `webhook.test` event, and if
/// something stands before the signature (`sha256=`), cut it off. With several `secrets` any may have signed, so that a
/// new one can come while the old one is still in use.
///
/// Nothing that is documented limits how long a signature holds. To notice a second one keep
/// [`WebhookEvent::id`]; it is signed here. The event is a hint all the same: read the mandate with
/// [`Mandates::status`](crate::Mandates::status).
///
/// # Errors
/// Any [`WebhookError`].
///
/// # Sources
/// <https://pdp-api-v250704-iron.seqino.dev/openapi/webhooks/create_webhook_webhooks_post.md>
pub fn verify_webhook(
    body: &[u8],
    signature: Option<&[u8]>,
    encoding: Encoding,
    secrets: &[&str],
) -> Result<WebhookEvent, WebhookError> {
    acceptable(body, secrets)?;
    let signature = signature.filter(|signature| !signature.is_empty()).ok_or(WebhookError::MissingSignature)?;
    let signature = match encoding {
        Encoding::Hex => base16ct::mixed::decode_vec(signature).ok(),
        Encoding::Base64 => BASE64_STANDARD.decode(signature).ok(),
    };
    let signature = signature.ok_or(WebhookError::WrongSignature)?;
    if !secrets.iter().filter_map(|secret| mac(body, secret)).any(|mac| mac.verify_slice(&signature).is_ok()) {
        return Err(WebhookError::WrongSignature);
    }
    let body = wire::read(body).map_err(WebhookError::Unreadable)?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let at = text("timestamp").and_then(|at| DateTime::parse_from_rfc3339(&at).ok()).map(|at| at.to_utc());
    Ok(WebhookEvent {
        event: text("event_type"),
        id: text("event_id"),
        at,
        ..WebhookEvent::new(Provider::Seqino, body)
    })
}

/// The signature that [`verify_webhook`] takes for this body, for your own tests. Seqino's own may be written otherwise.
///
/// # Errors
/// [`WebhookError::NoSecret`] and [`WebhookError::TooLarge`].
#[cfg(feature = "sandbox")]
pub fn sign_webhook(body: &[u8], encoding: Encoding, secret: &str) -> Result<String, WebhookError> {
    acceptable(body, &[secret])?;
    let signature = mac(body, secret).ok_or(WebhookError::NoSecret)?.finalize().into_bytes();
    Ok(match encoding {
        Encoding::Hex => base16ct::lower::encode_string(&signature),
        Encoding::Base64 => BASE64_STANDARD.encode(signature),
    })
}

/// A secret of any length is a key.
fn mac(body: &[u8], secret: &str) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(secret.as_bytes()).ok().map(|mac: Hmac<Sha256>| mac.chain_update(body))
}
