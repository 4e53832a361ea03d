//! Strings with bounds, words of an enumeration, and what may be shown of them.

use super::{Format, FromText, Lenient};
use chrono::NaiveDate;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use std::{borrow::Cow, fmt};

/// Why a value cannot be sent: what is wrong with it, never the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub(super) String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// Checks a text against a vendor's documented bounds. Lengths are in characters.
pub(crate) fn check(text: &str, min: usize, max: usize, pattern: Option<&regress::Regex>) -> Result<(), Invalid> {
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
    if pattern.is_some_and(|pattern| pattern.find(text).is_none()) {
        return Err(Invalid("it is not of the documented form".into()));
    }
    Ok(())
}

/// A named string of a spec: `TryFrom` checks its bounds, `Deserialize` does not, `Debug` shows what may be shown.
macro_rules! text {
    ($debug:ident $(#[$doc:meta])* $name:ident, $min:expr, $max:expr $(, pattern $pattern:literal)?) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(::std::string::String);

        impl $name {
            /// The text as it is on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn checked(text: ::std::string::String) -> ::std::result::Result<Self, crate::wire::Invalid> {
                let pattern = crate::wire::text!(@pattern $($pattern)?);
                crate::wire::check(&text, $min, $max, pattern).map(|()| Self(text))
            }
        }

        crate::wire::text!(@try_from $name ::std::string::String, &str, &::std::string::String);

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
            type Err = crate::wire::Invalid;
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
                crate::wire::any_text(d).map(Self)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({})", stringify!($name), crate::wire::text!(@$debug &self.0))
            }
        }

        crate::wire::text!(@display $debug $name);
    };
    (@try_from $name:ident $($text:ty),+) => {$(
        impl TryFrom<$text> for $name {
            type Error = crate::wire::Invalid;
            fn try_from(text: $text) -> ::std::result::Result<Self, Self::Error> {
                Self::checked(text.into())
            }
        }
    )+};
    (@pattern) => { None };
    (@pattern $pattern:literal) => {{
        // The build script has compiled it.
        static PATTERN: ::std::sync::LazyLock<::regress::Regex> =
            ::std::sync::LazyLock::new(|| ::regress::Regex::new($pattern).unwrap());
        Some(&*PATTERN)
    }};
    (@plain $text:expr) => { $text };
    (@masked $text:expr) => { "***" };
    (@iban $text:expr) => { crate::wire::mask_iban($text) };
    (@display plain $name:ident) => {
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
    (@display $masked:ident $name:ident) => {};
}
pub(crate) use text;

/// The words of an enumeration. `TryFrom` takes those that the spec knows. In an answer, any other text is kept where
/// there is a variant for it, and cannot be read where there is none.
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
                let text = crate::wire::shown_text(d)?;
                let word = text.parse();
                $(let word = word.or_else(|_| Ok::<_, crate::wire::Invalid>(Self::$other(text.into_owned())));)?
                word.map_err(::serde::de::Error::custom)
            }
        }

        impl $name {
            /// The vendor's own word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => $raw,)+
                    $(Self::$other(text) => text,)?
                }
            }

            /// Every word that the spec documents, in its order.
            pub const KNOWN: &'static [Self] = &[$(Self::$word),+];
        }

        impl ::std::str::FromStr for $name {
            type Err = crate::wire::Invalid;
            fn from_str(text: &str) -> ::std::result::Result<Self, crate::wire::Invalid> {
                match text {
                    $($raw => Ok(Self::$word),)+
                    _ => Err(crate::wire::Invalid::one_of(&[$($raw),+])),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::wire::Invalid;
            fn try_from(text: &str) -> ::std::result::Result<Self, crate::wire::Invalid> {
                text.parse()
            }
        }

        impl From<&$name> for $name {
            fn from(word: &$name) -> Self {
                word.clone()
            }
        }

        /// At most 64 bytes of a word, and nothing of what is no word.
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&crate::wire::ShownWord(self.as_str()), f)
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

/// A word of a vendor as it may be shown: 64 bytes at most; of an object or a list nothing, as it may hold anything.
pub(crate) struct ShownWord<'a>(pub &'a str);

impl ShownWord<'_> {
    const LONGEST: usize = 64;

    /// So much of a word is kept and shown, and no letter is cut.
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
            // A word has no control characters; a terminal or a log must not obey one.
            _ => f.pad(&Self::cut(self.0).replace(char::is_control, "?")),
        }
    }
}

impl Invalid {
    pub(crate) fn one_of(words: &[&str]) -> Self {
        Self(format!("it is none of {}", words.join(", ")))
    }
}

/// Whether a text could be an IBAN (ISO 13616).
pub(crate) fn looks_like_iban(text: &str) -> bool {
    let (start, rest) = text.as_bytes().split_at(text.len().min(4));
    let is = |class: fn(&u8) -> bool, part: &[u8]| part.iter().all(class);
    (14..=34).contains(&text.len())
        && is(u8::is_ascii_alphabetic, &start[..2])
        && is(u8::is_ascii_digit, &start[2..])
        && is(u8::is_ascii_alphanumeric, rest)
}

/// Whether a text is an IBAN with the right check digits.
#[cfg(feature = "sandbox")]
pub(crate) fn is_iban(text: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(36).unwrap_or(0);
    let text = text.as_bytes();
    let remainder = text.iter().cycle().skip(4).take(text.len()).fold(0, |sum, byte| {
        let digit = digit(*byte);
        (sum * if digit < 10 { 10 } else { 100 } + digit) % 97
    });
    std::str::from_utf8(text).is_ok_and(looks_like_iban) && remainder == 1
}

/// Country and last four of an IBAN; nothing of a text that is none.
pub(crate) fn mask_iban(text: &str) -> String {
    if looks_like_iban(text) { format!("{}…{}", &text[..2], &text[text.len() - 4..]) } else { "***".into() }
}

/// A sensitive value: `Debug` does not show it, there is no `Display`. Reach it through `Deref`.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Masked<T>(pub T);

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
    type Error = Invalid;
    fn try_from(number: i32) -> Result<Self, Invalid> {
        number.try_into().map(Self)
    }
}

impl<F: FromText> TryFrom<&str> for Masked<Lenient<F>> {
    type Error = Invalid;
    fn try_from(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self)
    }
}

/// Reads any JSON value as text: a string as it is, anything else as its JSON.
pub(crate) fn any_text<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    shown_text(d).map(Cow::into_owned)
}

/// The same for what is read further: a string is not copied.
pub(crate) fn shown_text<'de, D: Deserializer<'de>>(d: D) -> Result<Cow<'de, str>, D::Error> {
    d.deserialize_any(AsText)
}

/// The same for a field that may be missing or null.
pub(crate) fn optional_any_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct AnyText(#[serde(deserialize_with = "any_text")] String);
    Ok(Option::<AnyText>::deserialize(d)?.map(|AnyText(text)| text))
}

/// No value is copied through a JSON tree but those that are one.
struct AsText;

impl<'de> Visitor<'de> for AsText {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }
    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(text.into())
    }
    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(if value { "true" } else { "false" }.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(value.to_string().into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(value.to_string().into())
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::from(value).to_string().into())
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok("null".into())
    }
    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok("null".into())
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        shown_text(d)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(|value| value.to_string().into())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|value| value.to_string().into())
    }
}
