//! Reads the objects in a response. A required field must be readable. Any other field may be unreadable.

use super::{
    Extra, List,
    json::ObjectText,
    raw::{Borrowed, Raw},
    text::PlainText,
};
use serde::de::{DeserializeOwned, Error, MapAccess};
use std::borrow::Cow;

/// Implements `Deserialize` and `Debug` for an object that a vendor sends. Each field has one of the kinds in this
/// module, such as `Needed` or `Maybe`. Unknown fields are kept in `extra`. `Debug` shows a plain text only if it looks
/// like a reference or a word.
macro_rules! answer {
    ($name:ident { $($kind:ident $field:ident = $key:literal),* }) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> ::std::result::Result<Self, D::Error> {
                struct Fields;
                impl<'de> ::serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter) -> ::std::fmt::Result {
                        f.write_str(concat!("struct ", stringify!($name)))
                    }

                    fn visit_map<A: ::serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> ::std::result::Result<$name, A::Error> {
                        let mut extra = crate::wire::answer::Rest::default();
                        $(let mut $field = crate::wire::answer::$kind::default();)*
                        while let Some(key) = crate::wire::answer::Rest::key(&mut map)? {
                            match &*key {
                                $($key => $field.take($key, &mut map)?,)*
                                _ => match crate::wire::answer::OddKey::of(&key) {
                                    None => extra.take(&key, &mut map)?,
                                    Some(odd) => {
                                        let value = extra.take_odd(&key, &mut map)?;
                                        $(if odd.may_be($key) {
                                            crate::wire::answer!(@doubt $kind $field $key value);
                                        })*
                                    }
                                },
                            }
                        }
                        Ok($name {
                            $($field: crate::wire::answer!(@give $kind $field $key extra),)*
                            extra: extra.into(),
                        })
                    }
                }
                d.deserialize_map(Fields)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), crate::wire::answer!(@$kind &self.$field)))*
                    .field("extra", &self.extra)
                    .finish()
            }
        }
    };
    (@doubt Needed $field:ident $key:literal $value:ident) => { return Err(crate::wire::answer::damaged($key)) };
    (@doubt Text $field:ident $key:literal $value:ident) => { return Err(crate::wire::answer::damaged($key)) };
    (@doubt $kind:ident $field:ident $key:literal $value:ident) => { $field.doubt(&$value) };
    (@give Needed $field:ident $key:literal $rest:ident) => { $field.give::<A::Error>($key)? };
    (@give Text $field:ident $key:literal $rest:ident) => { $field.give::<A::Error>($key)? };
    (@give $kind:ident $field:ident $key:literal $rest:ident) => { $field.give($key, &mut $rest) };
    (@Text $text:expr) => { &crate::wire::Shown($text) };
    (@MaybeText $text:expr) => { &$text.as_deref().map(crate::wire::Shown) };
    (@$kind:ident $value:expr) => { $value };
}
pub(crate) use answer;

/// The fields of an object that its spec does not have.
#[derive(Default)]
pub(crate) struct Rest(ObjectText);

impl Rest {
    pub fn key<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
        Ok(map.next_key()?.map(|Borrowed(key)| key))
    }

    pub fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.0.push(key, map.next_value::<Raw>()?.json());
        Ok(())
    }

    /// Keeps the value of an unknown field, and also returns the value.
    pub fn take_odd<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<Raw<'de>, A::Error> {
        let value = map.next_value::<Raw>()?;
        self.0.push(key, value.json());
        Ok(value)
    }
}

/// A key with characters that no key of a spec has. It may be a key of the spec that was damaged during transmission.
pub(crate) struct OddKey<'a>(&'a str);

impl<'a> OddKey<'a> {
    pub fn of(key: &'a str) -> Option<Self> {
        key.chars().any(is_odd).then_some(Self(key))
    }

    /// Returns true if `known` differs from this key only in the odd characters. An odd character may stand for up to
    /// two characters of `known`, or for none.
    pub fn may_be(&self, known: &str) -> bool {
        // The mask below has one bit for each place in `known`, and one bit for its end.
        if known.len() >= 64 {
            return false;
        }
        let step = |places: u64, c: char| {
            let same = |(place, byte): &(usize, u8)| places & 1 << place != 0 && c == char::from(*byte);
            known.bytes().enumerate().filter(same).fold(0, |next, (place, _)| next | 1 << (place + 1))
        };
        // The places in `known` that the characters read so far can reach.
        let (mut places, mut same, mut escaped) = (1_u64, 0, false);
        for c in self.0.chars() {
            places = match is_odd(c) {
                true => places | places << 1 | places << 2,
                // A character after a backslash may be part of the damage, so also keep the places before it.
                false if escaped => places | step(places, c),
                false => step(places, c),
            };
            // Stop early, because a key may be as long as the response.
            if places == 0 {
                return false;
            }
            same += usize::from(!is_odd(c) && !escaped);
            escaped = c == '\\';
        }
        // Require that half of the characters are equal, because a key of mostly odd characters resembles every short
        // key.
        same * 2 >= known.len() && places & 1 << known.len() != 0
    }
}

/// Keys of the specs are ASCII.
fn is_odd(c: char) -> bool {
    !c.is_ascii_graphic() || c == '\\'
}

impl From<Rest> for Extra {
    fn from(Rest(text): Rest) -> Self {
        text.into()
    }
}

/// The error for a damaged key that may be the key of a required field.
pub(crate) fn damaged<E: Error>(key: &str) -> E {
    // `reason` recognizes an error that begins with "damaged key".
    E::custom(format_args!("damaged key `{key}`"))
}

/// A required field. If it is missing, duplicate or unreadable, the object cannot be read.
pub(crate) struct Needed<T>(Option<T>);

impl<T> Default for Needed<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: DeserializeOwned> Needed<T> {
    pub fn take<'de, A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        match self.0.replace(map.next_value()?) {
            Some(_) => Err(A::Error::duplicate_field(key)),
            None => Ok(()),
        }
    }

    pub fn give<E: Error>(self, key: &'static str) -> Result<T, E> {
        self.0.ok_or_else(|| E::missing_field(key))
    }
}

/// A required field whose value is a plain text.
#[derive(Default)]
pub(crate) struct Text(Needed<PlainText>);

impl Text {
    pub fn take<'de, A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        self.0.take(key, map)
    }

    pub fn give<E: Error>(self, key: &'static str) -> Result<String, E> {
        self.0.give(key).map(|PlainText(text)| text)
    }
}

/// An optional field. Its value is `None` if the field is missing or null. An unreadable or duplicate value is kept in
/// `extra`. The field has no type until its value is given, so that the compiler translates the rest once for all types.
#[derive(Default)]
pub(crate) struct Maybe<'a>(Option<Raw<'a>>);

impl<'de> Maybe<'de> {
    pub fn take<A: MapAccess<'de>>(&mut self, _: &'static str, map: &mut A) -> Result<(), A::Error> {
        let raw = map.next_value::<Raw>()?;
        self.0 = Some(match self.0.take() {
            Some(first) if !raw.is_damaged() => first.twice(&raw),
            _ => raw,
        });
        Ok(())
    }

    /// Records that a damaged key may be the key of this field. It is unclear whether `value` belongs to this field.
    pub fn doubt(&mut self, value: &Raw) {
        self.0 = Some(match self.0.take() {
            // The first value was marked as damaged by an earlier reading and then stored together with the damaged
            // key. So do not count it as a duplicate.
            Some(first) if first.is_damaged() => first,
            Some(first) => first.twice(value),
            None => value.doubtful(),
        });
    }

    /// Returns the value of the field after the whole object was read.
    pub fn give<T: DeserializeOwned>(self, key: &str, rest: &mut Rest) -> Option<T> {
        let raw = self.0.filter(|raw| !raw.is_null())?;
        let read = raw.read().ok();
        if read.is_none() {
            rest.0.push(key, raw.json());
        }
        read
    }
}

/// An optional field whose value is a plain text.
#[derive(Default)]
pub(crate) struct MaybeText<'a>(Maybe<'a>);

impl<'de> MaybeText<'de> {
    pub fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        self.0.take(key, map)
    }

    pub fn doubt(&mut self, value: &Raw) {
        self.0.doubt(value);
    }

    pub fn give(self, key: &str, rest: &mut Rest) -> Option<String> {
        self.0.give(key, rest).map(|PlainText(text)| text)
    }
}

/// An optional field whose value is a list. A missing or unreadable list is read as a blank list.
#[derive(Default)]
pub(crate) struct MaybeList<'a>(Maybe<'a>);

impl<'de> MaybeList<'de> {
    pub fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        self.0.take(key, map)
    }

    pub fn doubt(&mut self, value: &Raw) {
        self.0.doubt(value);
    }

    pub fn give<T: DeserializeOwned>(self, key: &str, rest: &mut Rest) -> List<T> {
        self.0.give(key, rest).unwrap_or_default()
    }
}
