//! Decodes text in the encodings that spreadsheet programs and databases write.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes a file of mandates. A byte order mark determines the encoding. Without a mark, this function recognizes
/// UTF-8 and UTF-16 by their bytes, and reads any other text as Windows-1252. The function refuses a mixture of
/// encodings, because a wrong guess would damage the caller's own cells.
pub fn decode(bytes: &[u8]) -> Result<String, &'static str> {
    // Every .xlsx and .ods file is a zip archive, and so begins with these bytes.
    if bytes.starts_with(b"PK\x03\x04") {
        return Err("the file is a workbook of a spreadsheet program. Save the file as CSV");
    }
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or_else(|| (encoding(bytes), 0));
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
    let text = text.ok_or("the file contains bytes that are not valid in its encoding. Save the file as UTF-8")?;
    if encoding == WINDOWS_1252 && has_utf_8(bytes) {
        return Err("the file mixes UTF-8 with another encoding. Save the file as UTF-8");
    }
    if text.contains('\0') {
        return Err("the file is no text file, because it contains NUL characters. Save the file as CSV in UTF-8");
    }
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn encoding(bytes: &[u8]) -> &'static Encoding {
    let zeros = |start: usize| bytes.iter().skip(start).step_by(2).filter(|byte| **byte == 0).count();
    // References and column names are ASCII. In UTF-16, every second byte of an ASCII text is zero.
    let most = bytes.len() / 4;
    match (zeros(0), zeros(1)) {
        (0, 0) if std::str::from_utf8(bytes).is_err() => WINDOWS_1252,
        (_, odd) if odd > most => UTF_16LE,
        (even, _) if even > most => UTF_16BE,
        _ => UTF_8,
    }
}

/// Returns true if the bytes contain UTF-8 sequences that are implausible as Windows-1252: an accented letter, or a
/// character of three or more bytes.
fn has_utf_8(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| chunk.valid().chars().any(|c| ('\u{c0}'..='\u{ff}').contains(&c) || c >= '\u{800}'))
}
