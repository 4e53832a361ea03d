//! Texts with documented limits, and enumerations of words.

use super::{
    Format, FromText, Lenient,
    raw::{Raw, Unreadable},
};
use chrono::NaiveDate;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};
use std::{borrow::Cow, fmt};

/// The reason why a value cannot be sent. The reason never contains the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue(pub(super) String);

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidValue {}

/// Defines the type of a text that a spec names. `TryFrom` checks the documented limits, and `Deserialize` does not.
/// `Debug` hides personal data. There is no `Display`, so that no log shows a vendor's text by accident: use `as_str`.
macro_rules! text {
    ($debug:ident $form:ident $(#[$doc:meta])* $name:ident, $min:expr, $max:expr $(, pattern $pattern:literal)?) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(::std::string::String);

        impl $name {
            /// Returns the text that is sent or was received.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn checked(text: ::std::string::String) -> ::std::result::Result<Self, crate::wire::InvalidValue> {
                let pattern = crate::wire::text!(@pattern $($pattern)?);
                crate::wire::checked(text, crate::wire::Form::$form, $min, $max, pattern).map(Self)
            }
        }

        impl crate::wire::Sent for $name {
            fn sent(self) -> ::std::result::Result<Self, crate::wire::InvalidValue> {
                Self::checked(self.0)
            }
        }

        crate::wire::text!(@try_from $name ::std::string::String, &str, &::std::string::String);
        crate::wire::text!(@from_sepa $form $name);

        impl From<&$name> for $name {
            fn from(text: &$name) -> Self {
                text.clone()
            }
        }

        impl From<&$name> for ::std::string::String {
            fn from(text: &$name) -> Self {
                text.0.clone()
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = crate::wire::InvalidValue;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                Self::checked(text.into())
            }
        }

        impl From<$name> for ::std::string::String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> ::std::result::Result<Self, D::Error> {
                crate::wire::plain_text(d).map(Self)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({})", stringify!($name), crate::wire::text!(@$debug &self.0))
            }
        }
    };
    (@try_from $name:ident $($text:ty),+) => {$(
        impl TryFrom<$text> for $name {
            type Error = crate::wire::InvalidValue;
            fn try_from(text: $text) -> ::std::result::Result<Self, Self::Error> {
                Self::checked(text.into())
            }
        }
    )+};
    // The vendor's limits are checked when the value is sent.
    (@from_sepa Iban $name:ident) => { crate::wire::text!(@from $name Iban); };
    (@from_sepa Bic $name:ident) => { crate::wire::text!(@from $name Bic); };
    (@from_sepa Umr $name:ident) => { crate::wire::text!(@from $name Umr); };
    (@from_sepa NewUmr $name:ident) => { crate::wire::text!(@from $name Umr); };
    (@from_sepa $form:ident $name:ident) => {};
    (@from $name:ident $sepa:ident) => {
        impl From<crate::sepa::$sepa> for $name {
            fn from(value: crate::sepa::$sepa) -> Self {
                Self(value.into())
            }
        }

        impl From<&crate::sepa::$sepa> for $name {
            fn from(value: &crate::sepa::$sepa) -> Self {
                Self(value.as_str().into())
            }
        }
    };
    (@pattern) => { None };
    (@pattern $pattern:literal) => {{
        // The build script has already checked that this pattern compiles.
        static PATTERN: ::std::sync::LazyLock<::regress::Regex> =
            ::std::sync::LazyLock::new(|| ::regress::Regex::new($pattern).unwrap());
        Some(&*PATTERN)
    }};
    (@plain $text:expr) => { crate::wire::Shown($text) };
    (@masked $text:expr) => { "***" };
    (@iban $text:expr) => { crate::wire::mask_iban($text) };
}
pub(crate) use text;

/// Defines an enumeration of words. `TryFrom` accepts only the words in the spec. Any other word in a response is kept
/// if the enumeration has a variant for it. Otherwise it is an error.
macro_rules! words {
    ($(#[$attribute:meta])* $name:ident $(or $other:ident)?
        { $($(#[$word_doc:meta])* $word:ident = $raw:literal),+ }) => {
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$word_doc])* $word,)+
            $(
                /// Any other text, as the vendor sent it.
                $other(::std::string::String),
            )?
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> ::std::result::Result<Self, D::Error> {
                let text = crate::wire::any_text(d)?;
                let word = text.parse();
                $(let word = word.or_else(|_| Ok::<_, crate::wire::InvalidValue>(Self::$other(text.into_owned())));)?
                word.map_err(::serde::de::Error::custom)
            }
        }

        impl $name {
            /// Returns the word as the vendor writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => $raw,)+
                    $(Self::$other(text) => text,)?
                }
            }

            /// All words of the enumeration, in the order of the spec.
            pub const KNOWN: &'static [Self] = &[$(Self::$word),+];
        }

        impl ::std::str::FromStr for $name {
            type Err = crate::wire::InvalidValue;
            fn from_str(text: &str) -> ::std::result::Result<Self, crate::wire::InvalidValue> {
                match text {
                    $($raw => Ok(Self::$word),)+
                    _ => Err(crate::wire::InvalidValue::one_of(&[$($raw),+])),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::wire::InvalidValue;
            fn try_from(text: &str) -> ::std::result::Result<Self, crate::wire::InvalidValue> {
                text.parse()
            }
        }

        impl From<&$name> for $name {
            fn from(word: &$name) -> Self {
                word.clone()
            }
        }

        impl crate::wire::Sent for $name {
            fn sent(self) -> ::std::result::Result<Self, crate::wire::InvalidValue> {
                match self {
                    $(Self::$other(text) => crate::wire::Sent::sent(text).map(Self::$other),)?
                    known => Ok(known),
                }
            }
        }

        /// `Display` shows the word if it does not look like personal data. Otherwise `Display` shows the length of the
        /// word in bytes.
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$word => f.pad($raw),)+
                    $(Self::$other(text) => ::std::fmt::Display::fmt(&crate::wire::ShownWord(text), f),)?
                }
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> ::std::result::Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

impl InvalidValue {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }

    pub(crate) fn one_of(words: &[&str]) -> Self {
        Self(format!("the value is not one of {}", words.join(", ")))
    }
}

/// A sensitive value. `Debug` hides the value, and there is no `Display`. Dereference a `Masked` to read its value.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Masked<T>(pub(crate) T);

impl<T> Masked<T> {
    /// Masks a sensitive value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the sensitive value, which `Debug` no longer hides.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for Masked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<F: Format> From<Lenient<F>> for Masked<Lenient<F>> {
    fn from(value: Lenient<F>) -> Self {
        Self(value)
    }
}

impl<F: Format<Value = NaiveDate>> From<NaiveDate> for Masked<Lenient<F>> {
    fn from(date: NaiveDate) -> Self {
        Self(Lenient::Read(date))
    }
}

impl<const MIN: i64, const MAX: i64> TryFrom<i32> for Masked<super::Int<MIN, MAX>> {
    type Error = InvalidValue;
    fn try_from(number: i32) -> Result<Self, InvalidValue> {
        number.try_into().map(Self)
    }
}

impl<F: FromText> TryFrom<&str> for Masked<Lenient<F>> {
    type Error = InvalidValue;
    fn try_from(text: &str) -> Result<Self, InvalidValue> {
        text.parse().map(Self)
    }
}

/// Reads a JSON string, or a JSON number as its digits. Any other value is an error.
pub(crate) fn plain_text<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let raw = Raw::deserialize(d)?;
    let refused = |found| D::Error::invalid_type(Unexpected::Other(found), &"a text that can be read");
    match raw.json().as_bytes().first() {
        Some(b'"' | b'-' | b'0'..=b'9') => {
            raw.text().map(Cow::into_owned).map_err(|Unreadable(_)| refused("a damaged text"))
        }
        _ => Err(refused("another value")),
    }
}

/// Reads a JSON string or number as text, for a field that may be missing or null.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<PlainText>::deserialize(d)?.map(|PlainText(text)| text))
}

/// A text that is read from a JSON string or number.
#[derive(Deserialize)]
pub(crate) struct PlainText(#[serde(deserialize_with = "plain_text")] pub String);

/// Reads any JSON value as text: the content of a string, or the JSON text of any other value. A damaged text is an
/// error.
pub(crate) fn any_text<'de, D: Deserializer<'de>>(d: D) -> Result<Cow<'de, str>, D::Error> {
    let damaged =
        |Unreadable(_)| D::Error::invalid_value(Unexpected::Other("a damaged text"), &"a text that can be read");
    Raw::deserialize(d)?.text().map_err(damaged)
}
