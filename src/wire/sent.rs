//! What a request may hold. Each text is tidied and checked as it is sent, whether a builder took it or JSON was read.

use super::{Document, Extra, Format, Invalid, Json, Lenient, List, Masked, is_iban};
use regress::{Match, Regex};
use serde_json::Value;
use std::sync::LazyLock;

/// What a text of a request is, by the `format` in its spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// The name of one thing. It is not empty.
    Reference,
    /// A new mandate's reference, in the characters that a bank takes.
    Umr,
    /// An IBAN. People write it in groups and in lower case; the electronic form has neither.
    Iban,
    /// A BIC. People write it in lower case, too.
    Bic,
    /// A SIREN or a SIRET, which people write in groups.
    Siren,
}

/// A text as it is sent: without blanks at its ends. An IBAN, a BIC and a SIREN are sent without any.
///
/// # Errors
/// If it breaks the rules of its form, or a vendor's documented bounds. Lengths are in characters.
pub(crate) fn checked(
    text: String,
    form: Form,
    min: usize,
    max: usize,
    pattern: Option<&Regex>,
) -> Result<String, Invalid> {
    let text = tidied(text, form)?;
    let length = text.chars().count();
    if length < min || length > max {
        let wanted = match (min, max) {
            (0, max) => format!("at most {max}"),
            (min, usize::MAX) => format!("at least {min}"),
            (min, max) if min == max => format!("{min}"),
            (min, max) => format!("{min} to {max}"),
        };
        return Err(Invalid(format!("it has {length} characters, {wanted} are allowed")));
    }
    if pattern.is_some_and(|pattern| pattern.find(&text).is_none()) {
        return Err(Invalid("it is not of the documented form".into()));
    }
    Ok(text)
}

fn tidied(text: String, form: Form) -> Result<String, Invalid> {
    if let Some(found) = invisible(&text) {
        return Err(unseen(&text, &found));
    }
    let text = match form {
        Form::Text | Form::Reference | Form::Umr if text.trim().len() == text.len() => text,
        Form::Text | Form::Reference | Form::Umr => text.trim().to_owned(),
        Form::Iban | Form::Bic => text.split_whitespace().collect::<String>().to_ascii_uppercase(),
        Form::Siren => text.split_whitespace().collect(),
    };
    let refuse = |why: &str| Err(Invalid(why.into()));
    match form {
        Form::Reference | Form::Umr | Form::Iban | Form::Bic | Form::Siren if text.is_empty() => refuse("it is empty"),
        Form::Umr if !text.chars().all(of_a_umr) => {
            refuse("it has a character that banks do not take. Use a-z, A-Z, 0-9, blanks and / - ? : ( ) . , ' + _")
        }
        Form::Umr if text.starts_with('/') || text.ends_with('/') || text.contains("//") => {
            refuse("it begins or ends with a slash, or has two in a row, which banks do not take")
        }
        Form::Siren if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            refuse("it has a character that no SIREN or SIRET has. Use digits and blanks only")
        }
        Form::Iban if !is_iban(&text) => refuse("it is no IBAN: check it for a missing, additional or wrong character"),
        _ => Ok(text),
    }
}

/// What the SEPA rulebook takes in a reference, and `_`, which SafeDebit's samples have.
fn of_a_umr(c: char) -> bool {
    c.is_ascii_alphanumeric() || " /-?:().,'+_".contains(c)
}

/// The first character that nobody sees: of control, of writing direction, of no width, a separator of lines.
pub(crate) fn invisible(text: &str) -> Option<Match> {
    static INVISIBLE: LazyLock<Regex> = LazyLock::new(|| {
        let classes = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]";
        // It is our own and has no flaw; a test uses it.
        Regex::with_flags(classes, "u").unwrap()
    });
    // Most texts are plain, and told so without the tables of Unicode.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) { None } else { INVISIBLE.find(text) }
}

/// Where it stands and which it is, and nothing else of the text.
fn unseen(text: &str, found: &Match) -> Invalid {
    let before = text[..found.start()].chars().count();
    let code = text[found.range()].chars().next().map_or(0, u32::from);
    Invalid(format!("its character {} is invisible (U+{code:04X}). Remove it", before + 1))
}

/// What a request may hold.
pub trait Sent: Sized {
    /// The value as it is sent, or why it cannot be.
    #[doc(hidden)]
    fn sent(self) -> Result<Self, Invalid>;
}

impl Sent for String {
    fn sent(self) -> Result<Self, Invalid> {
        tidied(self, Form::Text)
    }
}

impl<T: Sent> Sent for Option<T> {
    fn sent(self) -> Result<Self, Invalid> {
        self.map(Sent::sent).transpose()
    }
}

impl<T: Sent> Sent for Masked<T> {
    fn sent(self) -> Result<Self, Invalid> {
        self.0.sent().map(Self)
    }
}

impl<F: Format> Sent for Lenient<F> {
    fn sent(self) -> Result<Self, Invalid> {
        match &self {
            Self::Read(value) if F::valid(*value) => Ok(self),
            _ => Err(Invalid(format!("it is no {}", F::WANTED))),
        }
    }
}

impl<T: Sent, const ONE: bool> Sent for List<T, ONE> {
    fn sent(self) -> Result<Self, Invalid> {
        let refuse = |index: usize, why: &str| Invalid(format!("its item {} is refused: {why}", index + 1));
        if let Some(item) = self.unread().first() {
            return Err(refuse(item.index, &item.why));
        }
        let items = self.into_iter().enumerate();
        items.map(|(i, item)| item.sent().map_err(|e| refuse(i, &e.0))).collect()
    }
}

/// Bytes, as base64.
impl Sent for Document {
    fn sent(self) -> Result<Self, Invalid> {
        Ok(self)
    }
}

impl Sent for Json {
    fn sent(self) -> Result<Self, Invalid> {
        seen(&self).map(|()| self)
    }
}

impl Sent for Extra {
    fn sent(self) -> Result<Self, Invalid> {
        self.iter().try_for_each(|(key, value)| key_seen(key).and_then(|()| seen(value))).map(|()| self)
    }
}

/// A value of which the spec knows nothing may be a text of several lines, such as the note of an invoice.
fn seen(value: &Value) -> Result<(), Invalid> {
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

fn key_seen(key: &str) -> Result<(), Invalid> {
    invisible(key).map_or(Ok(()), |found| Err(unseen(key, &found)))
}

/// The value of a field, or why it was refused.
pub(crate) fn sent<T: Sent>(field: Result<T, String>, name: &str) -> Result<T, String> {
    field?.sent().map_err(|e| format!("`{name}` is refused: {e}"))
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
        fn a_text_with_an_invisible_character_is_refused_wherever_it_stands(
            before in "[a-zA-Z0-9 é/]{0,9}",
            after in "[a-zA-Z0-9 é/]{0,9}",
            code in prop_oneof![
                0_u32..0x20, 0x7f_u32..0xa0, 0x200b_u32..0x2010, 0x2028_u32..0x202f, 0x2060_u32..0x2070,
                prop::sample::select(vec![0xad, 0x61c, 0x180e, 0xfeff, 0xfe0f, 0x3164, 0xe0041]),
            ],
        ) {
            let invisible = char::from_u32(code).unwrap();
            let text = format!("{before}{invisible}{after}");
            for form in [Form::Text, Form::Reference, Form::Umr, Form::Iban, Form::Bic, Form::Siren] {
                let why = tidy(&text, form).unwrap_err();
                let wanted = format!("its character {} is invisible (U+{:04X}). Remove it", before.chars().count() + 1, code);
                prop_assert_eq!(why, wanted);
            }
            let inline = json_text(&text).sent().is_err();
            prop_assert_eq!(inline, !['\n', '\r', '\t'].contains(&invisible));
        }

        #[test]
        fn what_people_write_is_sent_as_it_is_but_for_blanks_at_the_ends(
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
        fn an_iban_is_sent_in_its_electronic_form_however_it_is_grouped(
            blanks in prop::collection::vec("[ \u{a0}\u{202f}]{0,2}", IBAN.len()),
            lower in prop::collection::vec(any::<bool>(), IBAN.len()),
        ) {
            let letter = |(c, lower): (char, &bool)| if *lower { c.to_ascii_lowercase() } else { c };
            let letters = IBAN.chars().zip(&lower).map(letter);
            let text: String = letters.zip(&blanks).map(|(c, blank)| format!("{blank}{c}")).collect();
            prop_assert_eq!(tidy(&text, Form::Iban), Ok(IBAN.to_owned()));
        }

        #[test]
        fn what_is_no_iban_is_refused_and_not_shown(text in "[ -~é]{0,34}", at in 0..IBAN.len(), digit in 0_u32..10) {
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
    fn a_reference_of_blanks_is_empty_and_a_name_of_blanks_is_an_empty_name() {
        for text in ["", " ", "\u{a0} \u{2003}"] {
            assert_eq!(tidy(text, Form::Reference), Err("it is empty".into()));
            assert_eq!(tidy(text, Form::Umr), Err("it is empty".into()));
            assert_eq!(tidy(text, Form::Iban), Err("it is empty".into()));
            assert_eq!(tidy(text, Form::Text), Ok(String::new()));
        }
    }

    #[test]
    fn a_new_umr_has_the_characters_that_a_bank_takes() {
        for good in ["RUM-2026-0042", "a b", "++A(1)/B?:.,'_", " RUM-1 "] {
            assert_eq!(tidy(good, Form::Umr), Ok(good.trim().to_owned()));
        }
        for bad in
            ["RUM-é", "/RUM", "RUM/", "A//B", "RUM#1", "RUM\\1", "R&M", "RUM\u{2013}1", "😀", "R\"M", "R;M", "РУМ"]
        {
            assert!(tidy(bad, Form::Umr).is_err(), "{bad}");
        }
    }
}
