//! Reads the bytes of a vendor's notification: headers, signatures, text encodings and forms.

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// Returns the values of an HTTP header. The case of the header's name does not matter.
pub(crate) fn values<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    headers: impl IntoIterator<Item = (N, V)>,
    name: &str,
) -> impl Iterator<Item = V> {
    let name = name.trim().as_bytes();
    let named = move |(header, _): &(N, V)| header.as_ref().trim_ascii().eq_ignore_ascii_case(name);
    headers.into_iter().filter(named).map(|(_, value)| value)
}

/// Removes blanks, quotation marks, the name of the algorithm (`sha256=`) and the padding from a signature.
pub(crate) fn bare(signature: &[u8]) -> &[u8] {
    let around = |byte: &u8| matches!(byte, b'=' | b':' | b'"') || byte.is_ascii_whitespace();
    let end = signature.iter().rposition(|byte| !around(byte)).map_or(0, |last| last + 1);
    let start = signature[..end].iter().rposition(around).map_or(0, |last| last + 1);
    &signature[start..end]
}

/// Decodes a signature in hexadecimal, in upper or lower case. First call [`bare`] on the signature.
#[cfg(any(feature = "easytransac", feature = "seqino"))]
pub(crate) fn hex(bare: &[u8]) -> Option<Vec<u8>> {
    base16ct::mixed::decode_vec(bare).ok()
}

/// Decodes a signature in Base64, with the standard or the URL-safe alphabet. First call [`bare`] on the signature.
pub(crate) fn base64(bare: &[u8]) -> Option<Vec<u8>> {
    let standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    BASE64_STANDARD_NO_PAD.decode(bare.iter().map(standard).collect::<Vec<u8>>()).ok()
}

/// Removes the byte order mark from the body of a request.
pub(crate) fn unmarked(body: &[u8]) -> &[u8] {
    &body[Encoding::for_bom(body).map_or(0, |(_, length)| length)..]
}

/// Converts the body of a request to text. A byte order mark decides the encoding. Bytes that are not UTF-8 are read as
/// Windows-1252, a superset of Latin-1 in which every byte is a character. So no byte is lost.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    let encoding = Encoding::for_bom(body).map_or(UTF_8, |(encoding, _)| encoding);
    let body = unmarked(body);
    let text = encoding.decode_without_bom_handling_and_without_replacement(body);
    text.unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(body).0)
}

/// Returns the names and values of a URL-encoded form in their order. The whole form has one encoding: UTF-8, or
/// Windows-1252 if a part is not UTF-8.
pub(crate) fn form(body: &[u8]) -> Vec<(String, String)> {
    let space = |byte: &u8| if *byte == b'+' { b' ' } else { *byte };
    let spaced: Vec<u8> = unmarked(body).trim_ascii().iter().map(space).collect();
    let pairs = spaced.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let pairs: Vec<[Cow<[u8]>; 2]> = pairs
        .map(|pair| {
            let mut parts = pair.splitn(2, |byte| *byte == b'=').map(|part| percent_decode(part).into());
            [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()]
        })
        .collect();
    let utf8 = pairs.iter().flatten().all(|part| std::str::from_utf8(part).is_ok());
    let encoding = if utf8 { UTF_8 } else { WINDOWS_1252 };
    let read = |part: Cow<[u8]>| encoding.decode_without_bom_handling(&part).0.into_owned();
    pairs.into_iter().map(|[name, value]| (read(name), read(value))).collect()
}
