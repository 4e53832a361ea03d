//! Cleans and checks credentials, which callers read from files, environment variables or copied text.

use crate::vocabulary::{Error, Provider};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// Builds the value of a header with a credential, which HTTP libraries do not print. Returns `None` if the text has a
/// character that an HTTP header does not allow.
pub(crate) fn secret_header(text: &SecretString) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(text.expose_secret()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Removes the blanks around a credential. Files and copied text add such blanks, and a vendor would refuse the
/// credential.
///
/// # Errors
/// An error if the credential is empty or has an invisible character.
pub(crate) fn credential(provider: Provider, what: &str, given: SecretString) -> Result<SecretString, Error> {
    let refuse = |why: &str| Err(Error::not_configured(provider, format!("the {what} {why}")));
    let text = given.expose_secret();
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || is_format(c));
    if trimmed.is_empty() {
        return refuse("is empty");
    }
    if trimmed.contains(|c: char| c.is_control() || is_format(c)) {
        return refuse("contains an invisible character: type it again by hand");
    }
    if trimmed.len() == text.len() {
        return Ok(given);
    }
    tracing::warn!(provider = provider.as_str(), credential = what, "removed the blanks around a credential");
    Ok(SecretString::from(trimmed))
}

/// Returns true for an invisible character: a byte order mark, a soft hyphen or a mark of writing direction.
pub(crate) fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
