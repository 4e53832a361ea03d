//! Credentials as callers give them: out of files, variables and copied text.

use crate::vocabulary::{Error, Provider};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// A header that libraries below do not print.
pub(crate) fn secret_header(text: &SecretString) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(text.expose_secret()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// A credential without the blanks around it, which a file or a copied text brings along and a vendor refuses as wrong.
///
/// # Errors
/// For one that is empty, or has a character in it that cannot be seen.
pub(crate) fn credential(provider: Provider, what: &str, given: SecretString) -> Result<SecretString, Error> {
    let refuse = |why: &str| Err(Error::not_configured(provider, format!("the {what} {why}")));
    let text = given.expose_secret();
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || is_format(c));
    if trimmed.is_empty() {
        return refuse("is empty");
    }
    if trimmed.contains(|c: char| c.is_control() || is_format(c)) {
        return refuse("has a character in it that cannot be seen: enter it again by hand");
    }
    if trimmed.len() == text.len() {
        return Ok(given);
    }
    tracing::warn!(provider = provider.as_str(), credential = what, "blanks around a credential are left out");
    Ok(SecretString::from(trimmed))
}

/// Whether a character takes no room: a byte order mark, a soft hyphen, what sets the direction of writing.
pub(crate) fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
