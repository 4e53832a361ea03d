//! Writes ids into the path of a URL. Each id is one segment, which no URL parser, proxy or server can read as another
//! path.

#[cfg(test)]
pub(super) mod tests;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

/// Every character except the unreserved characters of RFC 3986. URL parsers change none of the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn encode_path(id: &str) -> Cow<'_, str> {
    utf8_percent_encode(id, RESERVED).into()
}

/// Replaces the parameter `{key}` of a path by an encoded id. An encoded id contains no braces, so a later call never
/// mistakes the id for another parameter.
pub(super) fn fill(path: &mut String, key: &str, id: &str) {
    let parameter = path.match_indices('{').find_map(|(start, brace)| {
        let after = path[start + brace.len()..].strip_prefix(key)?.strip_prefix('}')?;
        Some(start..path.len() - after.len())
    });
    if let Some(parameter) = parameter {
        path.replace_range(parameter, id);
    }
}

/// Returns the reason why an id is refused, if a server could read the id as another path. To encode the id is not
/// enough: some servers and proxies decode a path, even twice, before they split it. `.` and `..` have no encoded form.
pub(crate) fn path_fault(id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("is empty".into());
    }
    if id.chars().all(|c| c == '.' || c.is_whitespace()) {
        return Some("has only dots and blanks".into());
    }
    let separator = id.bytes().find(|byte| matches!(byte, b'/' | b'\\' | b'%'));
    if let Some(separator) = separator {
        return Some(format!("contains a `{}`, which a server can read as another path", char::from(separator)));
    }
    id.contains(char::is_control).then(|| "contains a control character".into())
}

/// Returns the reason why a path of the caller is refused. It may have letters, digits, `-._~` and parameters such as
/// `{id}`, so it always stays below the base URL.
pub(super) fn template_fault(path: &str) -> Option<&'static str> {
    let Some(below) = path.strip_prefix('/') else { return Some("does not begin with `/`") };
    let known = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let fixed = |part: &str| known(part) && part.bytes().any(|byte| byte != b'.');
    let parameter = |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).is_some_and(fixed);
    match below.strip_suffix('/').unwrap_or(below).split('/').all(|part| fixed(part) || parameter(part)) {
        true => None,
        false => Some(
            "has an empty part, a part of dots, or a character other than letters, digits and `-._~`. Write an id as \
             `{id}`, and a query with `query`",
        ),
    }
}

/// Returns true if a path has the fixed segments of a template, and one segment for each parameter of the template.
pub(super) fn matches(path: &str, template: &str) -> bool {
    let is_slash = |byte: &u8| *byte == b'/';
    let (mut parts, mut expected) = (path.as_bytes().split(is_slash), template.as_bytes().split(is_slash));
    loop {
        match (parts.next(), expected.next()) {
            (None, None) => return true,
            (Some(part), Some([b'{', ..])) if !part.is_empty() && part.iter().all(|byte| is_encoded(*byte)) => {}
            (Some(part), Some(expected)) if part == expected => {}
            _ => return false,
        }
    }
}

/// Returns true for a byte that an encoded id can have.
fn is_encoded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%')
}
