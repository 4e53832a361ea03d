//! What `Debug`, `Display` and logs may show of a text that came from outside.
//!
//! A vendor may put an IBAN, an e-mail address, a token or a link where a reference or a word of a status should stand.
//! So what is shown has to look like a reference or a word, and like nothing of a person's.

use std::fmt;

/// In bytes: a UUID and a UMR are shorter, most tokens are longer.
const LONGEST: usize = 40;

/// Whether a text may be shown: it is short, of letters, digits and what stands between them, and looks like no IBAN,
/// telephone number, e-mail address, token or link.
pub(crate) fn is_presentable(text: &str) -> bool {
    // Latin letters only: those of other scripts may be written from right to left.
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_./:+,()'#".contains(c) || ('À'..='ſ').contains(&c);
    text.len() <= LONGEST
        && text.chars().all(plain)
        && !is_link(text)
        && !is_token(text)
        && !is_telephone(text)
        && !has_iban(text)
}

/// `https://...`, `www.example.com`, `example.com/path`. A slash alone stands in many a UMR.
fn is_link(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("//") || lower.contains("www.") || (lower.contains('.') && lower.contains('/'))
}

/// The start of a JSON object in base64, three parts between two dots, a key of Easytransac's, what stands in
/// `Authorization`.
fn is_token(text: &str) -> bool {
    let parts = || text.split('.');
    text.contains("eyJ")
        || (parts().count() == 3 && parts().all(|part| part.len() >= 4))
        || ["et_live_", "et_test_", "Bearer ", "Basic "].iter().any(|start| text.starts_with(start))
}

/// Nothing but nine digits or more and what stands between them. Numbers of cards and of social security are, too.
fn is_telephone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= 9 && !text.contains(char::is_alphabetic)
}

/// Whether an IBAN may stand anywhere in a text, however it is grouped: where a word begins, or within a word if its check
/// digits are right. A UUID has another form.
fn has_iban(text: &str) -> bool {
    let mut word = true;
    !is_uuid(text)
        && text.char_indices().any(|(at, c)| {
            let (begins, rest) = (word, &text[at..]);
            word = !c.is_ascii_alphanumeric();
            let joined: String = rest.chars().filter(char::is_ascii_alphanumeric).collect();
            let run = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            let right = |iban: &str| looks_like_iban(iban) && has_check_digits(iban);
            !word && begins_as_iban(&joined) && (begins || right(run) || right(&joined))
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

/// Country, check digits, and ten more at least. Of ASCII.
fn begins_as_iban(text: &str) -> bool {
    text.len() >= 14
        && COUNTRIES.split(' ').any(|country| country.eq_ignore_ascii_case(&text[..2]))
        && text[2..4].bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text could be an IBAN (ISO 13616).
pub(crate) fn looks_like_iban(text: &str) -> bool {
    text.len() <= 34 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && begins_as_iban(text)
}

/// Whether a text is an IBAN with the right check digits.
pub(crate) fn is_iban(text: &str) -> bool {
    looks_like_iban(text) && has_check_digits(text)
}

/// Of ASCII letters and digits.
fn has_check_digits(text: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(36).unwrap_or(0);
    let rearranged = text.bytes().cycle().skip(4).take(text.len());
    let remainder = rearranged.map(digit).fold(0, |sum, digit| (sum * if digit < 10 { 10 } else { 100 } + digit) % 97);
    remainder == 1
}

/// Country and last four of an IBAN; nothing of a text that is none.
pub(crate) fn mask_iban(text: &str) -> String {
    if looks_like_iban(text) { format!("{}…{}", &text[..2], &text[text.len() - 4..]) } else { "***".into() }
}

/// A reference or another plain text: as it is if it may be shown, else its length.
pub(crate) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_presentable(self.0) {
            true => f.pad(self.0),
            false => f.pad(&format!("({} bytes)", self.0.len())),
        }
    }
}

/// In quotation marks, as `Debug` shows a text.
impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_presentable(self.0) {
            true => fmt::Debug::fmt(self.0, f),
            false => fmt::Display::fmt(self, f),
        }
    }
}

/// A word of a vendor as it may be shown; of an object or a list nothing, as it may hold anything.
pub(crate) struct ShownWord<'a>(pub &'a str);

impl ShownWord<'_> {
    const LONGEST: usize = 64;

    /// So much of a word is kept, and no letter is cut.
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
