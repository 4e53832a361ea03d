//! Decides which texts from outside may appear in `Debug`, `Display` and logs.
//!
//! A vendor may send an IBAN, an e-mail address, a token or a link in place of a reference or a status word. So a text
//! is shown only if it looks like a reference or a word, and not like personal data.

use crate::sepa::{Iban, check_digits_fit};
use std::fmt;

/// The longest text that is shown, in bytes. A UUID and a UMR are shorter than this, and most tokens are longer.
const LONGEST: usize = 40;

/// Returns true if a text may be shown. Such a text is short, and consists of letters, digits and simple punctuation.
/// It does not look like an IBAN, telephone number, e-mail address, token or link.
pub(crate) fn is_presentable(text: &str) -> bool {
    // Allow only Latin letters, because other scripts can change the direction of the text around them.
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_./:+,()'#".contains(c) || ('À'..='ſ').contains(&c);
    text.len() <= LONGEST
        && text.chars().all(plain)
        && !is_link(text)
        && !is_token(text)
        && !is_telephone(text)
        && !has_iban(text)
}

/// Recognizes a link: `https://...`, `www.example.com` or `example.com/path`. A slash alone is not a sign of a link,
/// because a UMR often has one.
fn is_link(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("//") || lower.contains("www.") || (lower.contains('.') && lower.contains('/'))
}

/// Recognizes a token: the start of a JSON object in base64, or three parts separated by dots. Also recognizes a key of
/// Easytransac and the value of an `Authorization` header.
fn is_token(text: &str) -> bool {
    let parts = || text.split('.');
    text.contains("eyJ")
        || (parts().count() == 3 && parts().all(|part| part.len() >= 4))
        || ["et_live_", "et_test_", "Bearer ", "Basic "].iter().any(|start| text.starts_with(start))
}

/// Recognizes a text of nine or more digits without letters, such as a telephone number, a card number or a social
/// security number.
fn is_telephone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= 9 && !text.contains(char::is_alphabetic)
}

/// Returns true if a text may contain an IBAN in any grouping. An IBAN is recognized at the start of a word. Within a
/// word, its check digits must be right. A UUID is never taken for an IBAN.
fn has_iban(text: &str) -> bool {
    let mut word = true;
    !is_uuid(text)
        && text.char_indices().any(|(at, c)| {
            let (begins, rest) = (word, &text[at..]);
            word = !c.is_ascii_alphanumeric();
            let joined: String = rest.chars().filter(char::is_ascii_alphanumeric).collect();
            let run = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            !word && begins_as_iban(&joined) && (begins || may_be_iban(run) || may_be_iban(&joined))
        })
}

fn is_uuid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// The countries that have IBANs (ISO 13616, the registry of 2025).
const COUNTRIES: &str = "AD AE AL AT AZ BA BE BG BH BI BR BY CH CR CY CZ DE DJ DK DO EE EG ES FI FK FO FR GB GE GI GL GR \
    GT HN HR HU IE IL IQ IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MN MR MT MU NI NL NO OM PK PL PS PT QA RO RS RU \
    SA SC SD SE SI SK SM SO ST SV TL TN TR UA VA VG XK YE";

/// Returns true if an ASCII text begins like an IBAN: with a country and check digits, and at least ten more
/// characters.
fn begins_as_iban(text: &str) -> bool {
    text.len() >= 14
        && COUNTRIES.split(' ').any(|country| country.eq_ignore_ascii_case(&text[..2]))
        && text[2..4].bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns true if a text has the form of an IBAN (ISO 13616).
pub(crate) fn looks_like_iban(text: &str) -> bool {
    text.len() <= 34 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && begins_as_iban(text)
}

/// Returns true if a text has to be hidden like an IBAN. The form and the check digits of an IBAN are enough, so some
/// texts are hidden that are no IBAN.
pub(crate) fn may_be_iban(text: &str) -> bool {
    looks_like_iban(text) && check_digits_fit(text)
}

/// Returns true if a text is a valid IBAN in its electronic form.
pub(crate) fn is_iban(text: &str) -> bool {
    Iban::try_from(text).is_ok_and(|iban| iban.as_str() == text)
}

/// Returns the country and the last four characters of an IBAN. Returns `***` for any other text.
pub(crate) fn mask_iban(text: &str) -> String {
    if looks_like_iban(text) { format!("{}…{}", &text[..2], &text[text.len() - 4..]) } else { "***".into() }
}

/// A plain text, such as a reference, for `Display`. A text that may not be shown is replaced by its length in bytes.
pub(crate) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_presentable(self.0) {
            true => f.pad(self.0),
            false => f.pad(&format!("({} bytes)", self.0.len())),
        }
    }
}

/// `Debug` shows the same as `Display`, with quotation marks around the text.
impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_presentable(self.0) {
            true => fmt::Debug::fmt(self.0, f),
            false => fmt::Display::fmt(self, f),
        }
    }
}

/// A status word of a vendor for `Display`. A word that may not be shown is replaced by its length. An object or a list
/// is never shown, because it can contain personal data.
pub(crate) struct ShownWord<'a>(pub &'a str);

impl ShownWord<'_> {
    const LONGEST: usize = 64;

    /// Cuts a word to at most `LONGEST` bytes, without dividing a character.
    pub fn cut(word: &str) -> &str {
        let end = (0..=word.len().min(Self::LONGEST)).rev().find(|end| word.is_char_boundary(*end));
        &word[..end.unwrap_or(0)]
    }
}

impl fmt::Display for ShownWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_bytes().first() {
            Some(b'{') => f.pad("(an object)"),
            Some(b'[') => f.pad("(a list)"),
            None => f.pad("(empty)"),
            _ => fmt::Display::fmt(&Shown(self.0), f),
        }
    }
}
