//! Checks the values of a request. Each text is cleaned and checked before it is sent, whether it comes from a builder
//! or from JSON.

use super::{Document, Extra, Format, InvalidValue, Json, Lenient, List, Masked, is_iban};
use crate::sepa::of_a_umr;
use regress::{Match, Regex};
use serde_json::Value;
use std::sync::LazyLock;

/// The kind of a text in a request, which the `format` in the spec selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// The reference of a record. A reference must not be empty.
    Reference,
    /// The reference of an existing mandate. The reference must not be empty.
    Umr,
    /// The reference of a new mandate. It may contain only the characters that banks accept.
    NewUmr,
    /// An IBAN. A caller may pass it with blanks or in lower case. It is sent without blanks and in capitals.
    Iban,
    /// A BIC. It is sent without blanks and in capitals.
    Bic,
    /// A SIREN or a SIRET. It is sent without the blanks between groups.
    Siren,
}

/// Returns a text as it is sent. Blanks at its ends are removed. An IBAN, a BIC and a SIREN lose all blanks.
///
/// # Errors
/// An error if the text breaks the rules of its form or the vendor's documented limits. Lengths are in characters.
pub(crate) fn checked(
    text: String,
    form: Form,
    min: usize,
    max: usize,
    pattern: Option<&Regex>,
) -> Result<String, InvalidValue> {
    let text = tidied(text, form)?;
    let length = text.chars().count();
    if length < min || length > max {
        let wanted = match (min, max) {
            (0, max) => format!("at most {max}"),
            (min, usize::MAX) => format!("at least {min}"),
            (min, max) if min == max => format!("{min}"),
            (min, max) => format!("{min} to {max}"),
        };
        return Err(InvalidValue(format!("the value has {length} characters, {wanted} are allowed")));
    }
    if pattern.is_some_and(|pattern| pattern.find(&text).is_none()) {
        return Err(InvalidValue("the value does not match the documented pattern".into()));
    }
    Ok(text)
}

fn tidied(text: String, form: Form) -> Result<String, InvalidValue> {
    if let Some(found) = invisible(&text) {
        return Err(unseen(&text, &found));
    }
    let text = match form {
        Form::Text | Form::Reference | Form::Umr | Form::NewUmr if text.trim().len() == text.len() => text,
        Form::Text | Form::Reference | Form::Umr | Form::NewUmr => text.trim().to_owned(),
        Form::Iban | Form::Bic => text.split_whitespace().collect::<String>().to_ascii_uppercase(),
        Form::Siren => text.split_whitespace().collect(),
    };
    let refuse = |why: &str| Err(InvalidValue(why.into()));
    match form {
        Form::Reference | Form::Umr | Form::NewUmr | Form::Iban | Form::Bic | Form::Siren if text.is_empty() => {
            refuse("the value is empty")
        }
        Form::NewUmr if !text.chars().all(of_a_umr) => {
            refuse("it has a character that banks do not accept. Use a-z, A-Z, 0-9, blanks and / - ? : ( ) . , ' + _")
        }
        Form::NewUmr if text.starts_with('/') || text.ends_with('/') || text.contains("//") => {
            refuse("the value begins or ends with a slash, or has two slashes in a row, which banks do not accept")
        }
        Form::Siren if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            refuse("the value has a character that no SIREN or SIRET has. Use only digits and blanks")
        }
        Form::Iban if !is_iban(&text) => refuse("this is not an IBAN: check for a missing, extra or wrong character"),
        _ => Ok(text),
    }
}

/// Finds the first invisible character of a text: a control character, a mark of writing direction, a character without
/// width, or a line separator.
pub(crate) fn invisible(text: &str) -> Option<Match> {
    static INVISIBLE: LazyLock<Regex> = LazyLock::new(|| {
        let classes = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]";
        // The pattern is a constant, and a test checks that it compiles.
        Regex::with_flags(classes, "u").unwrap()
    });
    // Most texts are ASCII. They do not need a search with the Unicode tables.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) { None } else { INVISIBLE.find(text) }
}

/// Creates the error for an invisible character. The error contains the position and the code of the character, and
/// nothing else of the text.
fn unseen(text: &str, found: &Match) -> InvalidValue {
    let before = text[..found.start()].chars().count();
    let code = text[found.range()].chars().next().map_or(0, u32::from);
    InvalidValue(format!("character {} of the value is invisible (U+{code:04X}). Remove this character", before + 1))
}

/// A type of value that a request may contain.
pub trait Sent: Sized {
    /// Cleans and checks the value. The error is the reason why the value cannot be sent.
    #[doc(hidden)]
    fn sent(self) -> Result<Self, InvalidValue>;
}

impl Sent for String {
    fn sent(self) -> Result<Self, InvalidValue> {
        tidied(self, Form::Text)
    }
}

impl<T: Sent> Sent for Option<T> {
    fn sent(self) -> Result<Self, InvalidValue> {
        self.map(Sent::sent).transpose()
    }
}

impl<T: Sent> Sent for Masked<T> {
    fn sent(self) -> Result<Self, InvalidValue> {
        self.0.sent().map(Self)
    }
}

impl<F: Format> Sent for Lenient<F> {
    fn sent(self) -> Result<Self, InvalidValue> {
        match &self {
            Self::Read(value) if F::valid(*value) => Ok(self),
            _ => Err(InvalidValue(format!("the value is not {}", F::WANTED))),
        }
    }
}

impl<T: Sent, const ONE: bool> Sent for List<T, ONE> {
    fn sent(self) -> Result<Self, InvalidValue> {
        let refuse = |index: usize, why: &str| InvalidValue(format!("item {} is not valid: {why}", index + 1));
        if let Some(item) = self.unread().first() {
            return Err(refuse(item.index, &item.why));
        }
        let items = self.into_iter().enumerate();
        items.map(|(i, item)| item.sent().map_err(|e| refuse(i, &e.0))).collect()
    }
}

/// A document is base64, which needs no check for invisible characters.
impl Sent for Document {
    fn sent(self) -> Result<Self, InvalidValue> {
        Ok(self)
    }
}

impl Sent for Json {
    fn sent(self) -> Result<Self, InvalidValue> {
        seen(&self).map(|()| self)
    }
}

impl Sent for Extra {
    fn sent(self) -> Result<Self, InvalidValue> {
        self.iter().try_for_each(|(key, value)| key_seen(key).and_then(|()| seen(value))).map(|()| self)
    }
}

/// Checks the texts of a value that the spec does not describe. Line breaks are allowed, as in the note of an invoice.
fn seen(value: &Value) -> Result<(), InvalidValue> {
    match value {
        Value::String(text) => {
            let lines = text.split(['\n', '\r', '\t']);
            lines
                .filter_map(|line| Some((line, invisible(line)?)))
                .try_for_each(|(line, found)| Err(unseen(line, &found)))
        }
        Value::Array(items) => items.iter().try_for_each(seen),
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| key_seen(key).and_then(|()| seen(value))),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn key_seen(key: &str) -> Result<(), InvalidValue> {
    invisible(key).map_or(Ok(()), |found| Err(unseen(key, &found)))
}

/// Checks the value of a field. The error contains the name of the field and the reason.
pub(super) fn sent<T: Sent>(field: Result<T, String>, name: &str) -> Result<T, String> {
    match field?.sent() {
        Ok(value) => Ok(value),
        Err(e) => Err(not_valid(name, &e)),
    }
}

pub(super) fn not_valid(name: &str, why: &InvalidValue) -> String {
    format!("`{name}` is not valid: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IBAN: &str = "FR7630001007941234567890185";

    fn tidy(text: &str, form: Form) -> Result<String, String> {
        checked(text.into(), form, 0, 40, None).map_err(|e| e.to_string())
    }

    proptest! {
        #[test]
        fn invisible_characters_are_refused_in_every_form(
            before in "[a-zA-Z0-9 é/]{0,9}",
            after in "[a-zA-Z0-9 é/]{0,9}",
            code in prop_oneof![
                0_u32..0x20, 0x7f_u32..0xa0, 0x200b_u32..0x2010, 0x2028_u32..0x202f, 0x2060_u32..0x2070,
                prop::sample::select(vec![0xad, 0x61c, 0x180e, 0xfeff, 0xfe0f, 0x3164, 0xe0041]),
            ],
        ) {
            let invisible = char::from_u32(code).unwrap();
            let text = format!("{before}{invisible}{after}");
            for form in [Form::Text, Form::Reference, Form::Umr, Form::NewUmr, Form::Iban, Form::Bic, Form::Siren] {
                let why = tidy(&text, form).unwrap_err();
                let at = before.chars().count() + 1;
                let wanted = format!("character {at} of the value is invisible (U+{code:04X}). Remove this character");
                prop_assert_eq!(why, wanted);
            }
            let inline = json_text(&text).sent().is_err();
            prop_assert_eq!(inline, !['\n', '\r', '\t'].contains(&invisible));
        }

        #[test]
        fn a_text_is_sent_unchanged_except_for_blanks_at_its_ends(
            name in "[\\p{L}\\p{N}\\p{P}]([\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} \u{a0}]{0,20}[\\p{L}\\p{N}])?",
            before in "[ \u{a0}\u{202f}]{0,3}",
            after in "[ \u{a0}\u{202f}]{0,3}",
        ) {
            prop_assume!(invisible(&name).is_none());
            let text = format!("{before}{name}{after}");
            prop_assert_eq!(tidy(&text, Form::Text), Ok(name.clone()));
            prop_assert_eq!(tidy(&text, Form::Reference), Ok(name));
        }

        #[test]
        fn an_iban_is_sent_in_its_electronic_form(
            blanks in prop::collection::vec("[ \u{a0}\u{202f}]{0,2}", IBAN.len()),
            lower in prop::collection::vec(any::<bool>(), IBAN.len()),
        ) {
            let letter = |(c, lower): (char, &bool)| if *lower { c.to_ascii_lowercase() } else { c };
            let letters = IBAN.chars().zip(&lower).map(letter);
            let text: String = letters.zip(&blanks).map(|(c, blank)| format!("{blank}{c}")).collect();
            prop_assert_eq!(tidy(&text, Form::Iban), Ok(IBAN.to_owned()));
        }

        #[test]
        fn a_wrong_iban_is_refused_and_not_shown(text in "[ -~é]{0,34}", at in 0..IBAN.len(), digit in 0_u32..10) {
            prop_assume!(!is_iban(&text.split_whitespace().collect::<String>().to_ascii_uppercase()));
            prop_assert!(tidy(&text, Form::Iban).is_err());
            let (mut wrong, other): (Vec<char>, _) = (IBAN.chars().collect(), char::from_digit(digit, 10).unwrap());
            prop_assume!(wrong[at] != other);
            wrong[at] = other;
            let wrong: String = wrong.into_iter().collect();
            let why = tidy(&wrong, Form::Iban).unwrap_err();
            prop_assert!(!why.contains(&wrong) && !why.contains(&wrong[18..]));
        }
    }

    fn json_text(text: &str) -> Json {
        Json::from(serde_json::json!({"note": [text]}))
    }

    #[test]
    fn blanks_alone_are_no_reference_and_an_empty_name() {
        for text in ["", " ", "\u{a0} \u{2003}"] {
            assert_eq!(tidy(text, Form::Reference), Err("the value is empty".into()));
            assert_eq!(tidy(text, Form::Umr), Err("the value is empty".into()));
            assert_eq!(tidy(text, Form::NewUmr), Err("the value is empty".into()));
            assert_eq!(tidy(text, Form::Iban), Err("the value is empty".into()));
            assert_eq!(tidy(text, Form::Text), Ok(String::new()));
        }
    }

    #[test]
    fn a_new_umr_has_only_characters_that_banks_accept() {
        for good in ["RUM-2026-0042", "a b", "++A(1)/B?:.,'_", " RUM-1 "] {
            assert_eq!(tidy(good, Form::NewUmr), Ok(good.trim().to_owned()));
        }
        for bad in
            ["RUM-é", "/RUM", "RUM/", "A//B", "RUM#1", "RUM\\1", "R&M", "RUM\u{2013}1", "😀", "R\"M", "R;M", "РУМ"]
        {
            assert!(tidy(bad, Form::NewUmr).is_err(), "{bad}");
        }
    }
}
