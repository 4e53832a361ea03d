//! Reads the objects of a response. A required field is read strictly, every other field leniently.

use super::{
    Extra, List,
    json::ObjectText,
    raw::{Borrowed, Raw},
    text::PlainText,
};
use serde::de::{DeserializeOwned, Error, MapAccess};
use std::{borrow::Cow, marker::PhantomData};

/// Implements `Deserialize` and `Debug` for an object that a vendor sends. Each field has one of the kinds below.
/// Unknown fields are kept in `extra`. `Debug` shows a plain text only if it looks like a reference or a word.
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
                        use crate::wire::answer::{Field, Rest};
                        let mut extra = Rest::default();
                        $(let mut $field = crate::wire::answer::$kind::default();)*
                        while let Some(key) = Rest::key(&mut map)? {
                            match &*key {
                                $($key => $field.take($key, &mut map)?,)*
                                _ => extra.take(&key, &mut map)?,
                            }
                        }
                        Ok($name { $($field: $field.give($key, &mut extra)?,)* extra: extra.into() })
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
    (@Text $text:expr) => { &crate::wire::Shown($text) };
    (@MaybeText $text:expr) => { &$text.as_deref().map(crate::wire::Shown) };
    (@$kind:ident $value:expr) => { $value };
}
pub(crate) use answer;

/// The state of one field while its object is read.
pub(crate) trait Field<'de>: Default {
    type Value;
    /// Reads the value of the key.
    fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error>;
    /// Returns the field at the end of the object.
    fn give<E: Error>(self, key: &'static str, rest: &mut Rest) -> Result<Self::Value, E>;
}

/// The unknown fields of an object.
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
}

impl From<Rest> for Extra {
    fn from(Rest(text): Rest) -> Self {
        text.into()
    }
}

/// A required field. If it is missing, duplicate or unreadable, reading the response fails.
pub(crate) struct Needed<T>(Option<T>);

impl<T> Default for Needed<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Field<'de> for Needed<T> {
    type Value = T;

    fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        match self.0.replace(map.next_value()?) {
            Some(_) => Err(A::Error::duplicate_field(key)),
            None => Ok(()),
        }
    }

    fn give<E: Error>(self, key: &'static str, _: &mut Rest) -> Result<T, E> {
        self.0.ok_or_else(|| E::missing_field(key))
    }
}

/// A required plain text.
#[derive(Default)]
pub(crate) struct Text(Needed<PlainText>);

impl<'de> Field<'de> for Text {
    type Value = String;

    fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        self.0.take(key, map)
    }

    fn give<E: Error>(self, key: &'static str, rest: &mut Rest) -> Result<String, E> {
        self.0.give(key, rest).map(|PlainText(text)| text)
    }
}

/// An optional field: `None` if it is missing or null. An unreadable or duplicate value is kept in `extra` instead.
pub(crate) struct Maybe<'a, T>(Option<Raw<'a>>, PhantomData<T>);

impl<T> Default for Maybe<'_, T> {
    fn default() -> Self {
        Self(None, PhantomData)
    }
}

impl<'de, T: DeserializeOwned> Field<'de> for Maybe<'de, T> {
    type Value = Option<T>;

    fn take<A: MapAccess<'de>>(&mut self, _: &'static str, map: &mut A) -> Result<(), A::Error> {
        let raw = map.next_value::<Raw>()?;
        self.0 = Some(match self.0.take() {
            Some(first) => first.twice(&raw),
            None => raw,
        });
        Ok(())
    }

    fn give<E: Error>(self, key: &'static str, rest: &mut Rest) -> Result<Option<T>, E> {
        let Some(raw) = self.0.filter(|raw| !raw.is_null()) else { return Ok(None) };
        let read = serde_json::from_str(raw.json());
        if read.is_err() {
            rest.0.push(key, raw.json());
        }
        Ok(read.ok())
    }
}

/// An optional plain text.
#[derive(Default)]
pub(crate) struct MaybeText<'a>(Maybe<'a, PlainText>);

impl<'de> Field<'de> for MaybeText<'de> {
    type Value = Option<String>;

    fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        self.0.take(key, map)
    }

    fn give<E: Error>(self, key: &'static str, rest: &mut Rest) -> Result<Option<String>, E> {
        Ok(self.0.give(key, rest)?.map(|PlainText(text)| text))
    }
}

/// An optional list. A missing or unreadable list is read as a blank one.
pub(crate) struct MaybeList<'a, T>(Maybe<'a, List<T>>);

impl<T> Default for MaybeList<'_, T> {
    fn default() -> Self {
        Self(Maybe::default())
    }
}

impl<'de, T: DeserializeOwned> Field<'de> for MaybeList<'de, T> {
    type Value = List<T>;

    fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        self.0.take(key, map)
    }

    fn give<E: Error>(self, key: &'static str, rest: &mut Rest) -> Result<List<T>, E> {
        Ok(self.0.give(key, rest)?.unwrap_or_default())
    }
}
