//! The error for an invalid SEPA value, and the parts that all types of values share.

use std::fmt;

/// The type of a SEPA value, such as an IBAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueKind {
    /// [`Iban`](super::Iban).
    Iban,
    /// [`Bic`](super::Bic).
    Bic,
    /// [`Umr`](super::Umr).
    Umr,
    /// [`CreditorId`](super::CreditorId).
    CreditorId,
    /// [`Siren`](super::Siren).
    Siren,
    /// [`Siret`](super::Siret).
    Siret,
    /// [`FrenchVat`](super::FrenchVat).
    FrenchVat,
}

/// Shows the usual name of a type of SEPA value, such as `IBAN`.
impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Iban => "IBAN",
            Self::Bic => "BIC",
            Self::Umr => "UMR",
            Self::CreditorId => "ICS",
            Self::Siren => "SIREN",
            Self::Siret => "SIRET",
            Self::FrenchVat => "VAT number",
        })
    }
}

/// A rule for SEPA values. An error names the rule that a text breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The text is not empty.
    NotEmpty,
    /// The text must have an allowed number of characters, not counting blanks.
    Length {
        /// The number of characters that the text has.
        found: usize,
        /// The allowed number of characters, such as `8 or 11`.
        wanted: &'static str,
    },
    /// The character at this position must be one of the allowed characters.
    Character {
        /// The allowed characters, such as `a digit`.
        wanted: &'static str,
    },
    /// The text must not be `NOTPROVIDED`, which stands for a missing BIC.
    Provided,
    /// The country must exist. The country of an IBAN must be in the registry of IBANs.
    Country,
    /// The check digits must match the other characters.
    CheckDigits,
    /// The account number must have the length and the form that the registry of IBANs gives for its country.
    AccountNumber,
    /// A UMR must have no slash at its ends, and no two slashes in a row.
    Slash,
    /// A UMR must have no blank at its ends.
    Blank,
    /// A UMR must not contain `_`. Some vendors accept it: see [`Umr::with_underscores`](super::Umr::with_underscores).
    Underscore,
}

/// The reason why a text is not a valid SEPA value. The error never contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ValueError {
    /// The type that the invalid text should have.
    pub kind: ValueKind,
    /// The rule that the text breaks.
    pub rule: Rule,
    /// The position of the first character that breaks the rule, counted from 1 in the text as it was given. `None` if
    /// the rule is about the whole text.
    pub position: Option<usize>,
}

/// Shows the broken rule, the expected form, and the correction.
impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, rule, position } = self;
        match position {
            Some(position) => write!(f, "not a valid {kind}: at character {position}, ")?,
            None => write!(f, "not a valid {kind}: ")?,
        }
        match rule {
            Rule::NotEmpty => f.write_str("the text is empty"),
            Rule::Length { found, wanted } => write!(f, "the text has {found} characters. Use {wanted}"),
            Rule::Character { wanted } => write!(f, "the character is not allowed. Use {wanted}"),
            Rule::Provided => f.write_str("`NOTPROVIDED` stands for a missing BIC. Leave the BIC out"),
            Rule::Country => f.write_str("the country is unknown. Use a country code such as FR"),
            Rule::CheckDigits => f.write_str("the check digits do not match. Look for a wrong or missing character"),
            Rule::AccountNumber => {
                f.write_str("its country has no such account number. Look for a missing or wrong character")
            }
            Rule::Slash => {
                f.write_str("a UMR must not begin or end with a slash, or have two slashes in a row. Remove this slash")
            }
            Rule::Blank => f.write_str("a UMR must not begin or end with a blank. Remove this blank"),
            Rule::Underscore => f.write_str("the SEPA rulebook does not allow `_`. Use `-`"),
        }
    }
}

impl std::error::Error for ValueError {}

/// A text without its blanks and in capitals, and the text as it was given.
pub(super) struct Reader<'a> {
    kind: ValueKind,
    given: &'a str,
    pub text: String,
}

impl<'a> Reader<'a> {
    /// Removes blanks, and refuses each character that is neither an ASCII letter nor a digit.
    pub fn new(kind: ValueKind, given: &'a str) -> Result<Self, ValueError> {
        let text: String = given.chars().filter(|c| !is_blank(*c)).collect();
        let reader = Self { kind, given, text: text.to_ascii_uppercase() };
        match text.chars().position(|c| !c.is_ascii_alphanumeric()) {
            Some(at) => Err(reader.at(at, Rule::Character { wanted: "letters and digits" })),
            None if text.is_empty() => Err(reader.whole(Rule::NotEmpty)),
            None => Ok(reader),
        }
    }

    pub fn whole(&self, rule: Rule) -> ValueError {
        ValueError { kind: self.kind, rule, position: None }
    }

    /// Returns the error for the character of `text` at this index.
    pub fn at(&self, index: usize, rule: Rule) -> ValueError {
        let solid = self.given.chars().enumerate().filter(|(_, c)| !is_blank(*c));
        let position = solid.map(|(place, _)| place + 1).nth(index);
        ValueError { kind: self.kind, rule, position }
    }

    pub fn length(&self, allowed: impl Fn(usize) -> bool, wanted: &'static str) -> Result<(), ValueError> {
        let found = self.text.len();
        if allowed(found) { Ok(()) } else { Err(self.whole(Rule::Length { found, wanted })) }
    }

    /// Checks each character of a part with `allowed`. `wanted` describes the allowed characters in words.
    pub fn each(
        &self,
        part: std::ops::Range<usize>,
        allowed: impl Fn(u8) -> bool,
        wanted: &'static str,
    ) -> Result<(), ValueError> {
        match self.text.as_bytes()[part.clone()].iter().position(|byte| !allowed(*byte)) {
            Some(at) => Err(self.at(part.start + at, Rule::Character { wanted })),
            None => Ok(()),
        }
    }

    pub fn letters(&self, part: std::ops::Range<usize>) -> Result<(), ValueError> {
        self.each(part, |byte| byte.is_ascii_uppercase(), "a letter")
    }

    pub fn digits(&self, part: std::ops::Range<usize>) -> Result<(), ValueError> {
        self.each(part, |byte| byte.is_ascii_digit(), "a digit")
    }

    /// Checks that the two digits at `index` can result from the calculation of ISO 7064: they must be 02 to 98.
    pub fn possible_check_digits(&self, index: usize) -> Result<(), ValueError> {
        self.digits(index..index + 2)?;
        match &self.text[index..index + 2] {
            "00" | "01" | "99" => Err(self.at(index, Rule::CheckDigits)),
            _ => Ok(()),
        }
    }
}

/// Returns true for a blank that people type or paste between groups of characters. A line break does not count.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// Returns the remainder by 97 of ASCII letters and digits, where a letter counts as a number from 10 to 35 (ISO 7064).
pub(super) fn remainder(text: impl Iterator<Item = u8>) -> u32 {
    let digit = |byte: u8| char::from(byte).to_digit(36).unwrap_or(0);
    text.map(digit).fold(0, |sum, digit| (sum * if digit < 10 { 10 } else { 100 } + digit) % 97)
}

/// Defines the type of a checked SEPA value. Its `read` checks a text. `Debug` masks the text, and there is no
/// `Display`, so that no log shows the text by accident.
macro_rules! value {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(Clone)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::sepa::ValueError;
            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::read(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::sepa::ValueError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::read(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::sepa::ValueError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::read(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }
    };
    ($(#[$attribute:meta])* $name:ident, masked) => {
        $crate::sepa::value::value! { $(#[$attribute])* $name }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    };
}
pub(super) use value;

/// Reads a value from a text, as [`TryFrom`] does.
macro_rules! deserialize {
    ($name:ident by $read:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(d)?;
                Self::$read(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use deserialize;
