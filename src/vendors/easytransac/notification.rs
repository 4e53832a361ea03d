//! Verifies the notifications that Easytransac posts to the notification URL of an application.

use crate::{
    vocabulary::Provider,
    webhook::{WebhookError, WebhookEvent, acceptable, bytes},
    wire,
};
use encoding_rs::{Encoding, ISO_8859_15, UTF_8, WINDOWS_1252};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};
use std::{borrow::Cow, cmp::Ordering};
use subtle::ConstantTimeEq;

/// Verifies a notification and returns its content. `body` is the unchanged body of the POST request: JSON according to
/// the documentation, or a URL-encoded form as in the vendor's SDK and shop plugins. `keys` are the API keys that may
/// have signed the notification. For an application with V2, the documentation does not say which key signs. Blanks
/// around a key are removed. A blank key is ignored.
///
/// The signature is the SHA-1 of the values and the API key. The fields are sorted by their names in lower case, and a
/// `$` follows each value. The values of a nested object are inserted in its place in the same way. The signature
/// covers bytes, so this function tries the values in UTF-8, Windows-1252 (a superset of Latin-1) and ISO 8859-15.
///
/// # Limits of the signature
/// The signature covers only the values, in their order. Somebody who has seen one notification can create other valid
/// notifications without the key:
/// - **Names are not signed.** A sender can rename any field if the order stays the same. The value of `AmountRefund`
///   can become that of `AmountPreAuth`, and a text of the customer can become the `Status`.
/// - **Boundaries are not signed.** If a value contains a `$`, characters can move to the previous or next field, and
///   fields can merge or split: `a$b` is signed like `a` and `b`. Fields can move into and out of a nested object.
/// - **Types are not signed.** `null`, `false` and the empty text have the same signature, and so have `true`, `1` and
///   `"1"`. An empty object or list has the same signature as a missing field.
/// - **The encoding is not signed.** `é` in UTF-8 and `Ã©` in Windows-1252 are the same bytes.
/// - **Time is not signed.** An old notification stays valid forever.
/// - SHA-1 with the key at the end of the text is no longer a strong signature.
///
/// So treat a notification only as a hint. Read the facts from the vendor: `get_transaction_status` for a payment,
/// [`Mandates::status`](crate::Mandates::status) for a mandate. Never book an amount or ship an order because of a
/// notification. The vendor posts several notifications for one transaction, and more than one for the same status.
///
/// The vendor's scheme does not define the signature of some bodies, so this function refuses them. Such a body has two
/// fields whose names differ only in case, or values that are nested too deep for the signature. Or it has a JSON
/// number that is so large or small that it needs an exponent.
///
/// # Errors
/// Any [`WebhookError`].
///
/// # Sources
/// <https://docs.easytransac.com/doc-559527>, <https://docs.easytransac.com/doc-625263>,
/// <https://docs.easytransac.com/doc-557646>, and the vendor's
/// [SDK](https://github.com/easytransac/easytransac-sdk-php).
pub fn verify_notification(body: &[u8], keys: &[&str]) -> Result<WebhookEvent, WebhookError> {
    let keys = acceptable(body, keys)?;
    let text = bytes::text(body);
    let body = match text.trim_ascii_start().as_bytes().first() {
        Some(b'{' | b'[') => wire::read(text.as_bytes()).map_err(WebhookError::Unreadable)?,
        _ => Value::from(form(body)?).into(),
    };
    let Value::Object(fields) = &*body else { return Err(WebhookError::MissingSignature) };
    let given = fields.iter().find(|(name, _)| is_signature(name)).and_then(|(_, value)| value.as_str());
    let given = given.filter(|given| !given.trim().is_empty()).ok_or(WebhookError::MissingSignature)?;
    let text = signed_text(fields)?;
    let given = bytes::hex(bytes::bare(given.as_bytes())).ok_or(WebhookError::WrongSignature)?;
    let digests = keys.iter().flat_map(|key| written(&text).map(move |text| digest(&text, key)));
    // Compare with every digest, so that the duration does not reveal which key matches.
    if digests.filter(|digest| bool::from(digest.ct_eq(&given))).count() == 0 {
        return Err(WebhookError::WrongSignature);
    }
    Ok(WebhookEvent {
        event: fields.get("Status").and_then(Value::as_str).map(str::to_owned),
        // Use a hash of the signature as the id, so that a reader of the id does not learn a valid signature.
        id: Some(base16ct::lower::encode_string(&Sha1::digest(&given))),
        ..WebhookEvent::new(Provider::Easytransac, body)
    })
}

/// Creates the JSON body of a notification with these fields and a valid signature, for your own tests. If `fields`
/// contains a signature, the new one replaces it.
///
/// # Errors
/// A [`WebhookError`] if [`verify_notification`] would refuse these fields.
#[cfg(feature = "sandbox")]
pub fn sign_notification(mut fields: Map<String, Value>, key: &str) -> Result<String, WebhookError> {
    let key = acceptable(&[], &[key])?.concat();
    fields.retain(|name, _| !is_signature(name));
    let signature = base16ct::lower::encode_string(&digest(signed_text(&fields)?.as_bytes(), &key));
    fields.insert("Signature".into(), signature.into());
    Ok(Value::Object(fields).to_string())
}

/// Returns the bytes of a text in UTF-8, Windows-1252 and ISO 8859-15, except in an encoding that lacks one of the
/// characters. ASCII has the same bytes in all of them.
fn written(text: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let different = if text.is_ascii() { 1 } else { 3 };
    let encodings = [UTF_8, WINDOWS_1252, ISO_8859_15].into_iter().take(different);
    encodings.filter_map(|encoding: &Encoding| match encoding.encode(text) {
        (bytes, _, false) => Some(bytes),
        _ => None,
    })
}

fn digest(text: &[u8], key: &str) -> [u8; 20] {
    Sha1::new().chain_update(text).chain_update(key).finalize().into()
}

fn is_signature(name: &str) -> bool {
    name.eq_ignore_ascii_case("signature")
}

/// Returns the text that the signature covers: the values in PHP's order and form, because the vendor defines the
/// signature by PHP code.
fn signed_text(fields: &Map<String, Value>) -> Result<String, WebhookError> {
    let mut text = String::new();
    for (name, value) in sorted(fields)? {
        match value {
            _ if is_signature(name) => {}
            Value::Object(inner) => sorted(inner)?.into_iter().try_for_each(|(_, value)| append(&mut text, value))?,
            Value::Array(items) => items.iter().try_for_each(|value| append(&mut text, value))?,
            value => append(&mut text, value)?,
        }
    }
    Ok(text)
}

/// Sorts the fields of an object by their names in lower case. In a form, the items of a list have their indices as
/// names. These are sorted by number.
fn sorted(fields: &Map<String, Value>) -> Result<Vec<(&String, &Value)>, WebhookError> {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| order(a, b));
    if sorted.windows(2).any(|pair| order(pair[0].0, pair[1].0).is_eq()) {
        return Err(WebhookError::Unreadable("the names of two fields differ only in case".into()));
    }
    Ok(sorted)
}

fn order(a: &str, b: &str) -> Ordering {
    let number = |name: &str| name.parse().unwrap_or(u64::MAX);
    number(a).cmp(&number(b)).then_with(|| lower(a).cmp(lower(b)))
}

fn lower(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn append(text: &mut String, value: &Value) -> Result<(), WebhookError> {
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => text.push('1'),
        Value::String(value) => text.push_str(value),
        // PHP writes 18.00 as 18. Refuse a number that needs an exponent: written out with all its zeros, it could be
        // much longer than the body.
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float != 0.0 && !(1e-4..1e15).contains(&float.abs()) => {
                return Err(WebhookError::Unreadable("a number is too large or too small for the signature".into()));
            }
            Some(float) if number.is_f64() => *text += &float.to_string(),
            _ => *text += &number.to_string(),
        },
        Value::Array(_) | Value::Object(_) => {
            return Err(WebhookError::Unreadable("a value is nested too deep for the signature".into()));
        }
    }
    text.push('$');
    Ok(())
}

/// Reads a URL-encoded form like PHP: `Client[Email]` is the field `Email` of an object `Client`. If a name occurs
/// twice, the last value is used.
fn form(body: &[u8]) -> Result<Map<String, Value>, WebhookError> {
    let mut fields = Map::new();
    for (name, value) in bytes::form(body) {
        let Some((outer, inner)) = name.split_once('[') else {
            fields.insert(name, value.into());
            continue;
        };
        let inner = inner.strip_suffix(']').filter(|inner| !inner.contains(['[', ']']));
        let inner = inner
            .ok_or_else(|| WebhookError::Unreadable("the brackets in the name of a form field are not valid".into()))?;
        let outer = fields.entry(outer).or_insert_with(|| Map::new().into());
        if !outer.is_object() {
            *outer = Map::new().into();
        }
        if let Some(outer) = outer.as_object_mut() {
            let inner = if inner.is_empty() { outer.len().to_string() } else { inner.to_owned() };
            outer.insert(inner, value.into());
        }
    }
    Ok(fields)
}
