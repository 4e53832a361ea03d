//! A JSON value as the text that was received.

use super::mend::DAMAGED;
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, Error, IgnoredAny, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, MapDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Value;
use std::{borrow::Cow, fmt, iter};

/// The JSON text of a value as it was received, so that no digit of a number is lost. A borrowed input is not copied.
pub(crate) struct Raw<'a>(Cow<'a, str>);

/// serde_json's internal name for `RawValue`, a value that it passes on as text. If serde_json changed the name,
/// numbers would lose digits. A test below checks the name.
const AS_TEXT: &str = "$serde_json::private::RawValue";

/// The JSON text of a string that no Rust `String` can hold, because it has half of a surrogate pair.
pub(crate) struct Unreadable<'a>(pub Cow<'a, str>);

impl<'a> Raw<'a> {
    /// Returns the JSON text of the value.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// Decodes the value.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(OneValue(&self.0))
    }

    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }

    /// Returns true if the value is a JSON string, readable or damaged.
    pub fn is_text(&self) -> bool {
        self.0.starts_with('"')
    }

    /// Returns the content of a JSON string, or the JSON text of any other value.
    pub fn text(self) -> Result<Cow<'a, str>, Unreadable<'a>> {
        if !self.is_text() {
            return Ok(self.0);
        }
        let within = 1..self.0.len() - 1;
        match self.0 {
            Cow::Borrowed(json) if !json.contains('\\') => Ok(Cow::Borrowed(&json[within])),
            json => serde_json::from_str(&json).map(Cow::Owned).map_err(|_| Unreadable(json)),
        }
    }

    /// Joins two values of the same key into a damaged text. It is unclear which of the two is right, so neither is
    /// used.
    ///
    /// A value that is already marked stays unchanged: each further mark would double the escapes in the text.
    pub fn twice(self, other: &Raw) -> Raw<'static> {
        if self.is_marked() {
            return Raw(Cow::Owned(self.0.into_owned()));
        }
        Self::damaged(format!("{}, {}", self.0, other.0))
    }

    /// Marks a value that may belong to another field as damaged, so that it is not read as this field.
    pub fn doubtful(&self) -> Raw<'static> {
        Self::damaged(self.0.clone().into_owned())
    }

    fn damaged(json: String) -> Raw<'static> {
        let text = Value::from(json).to_string();
        Raw(Cow::Owned(text.replacen('"', &format!("\"{DAMAGED}"), 1)))
    }

    /// Returns true if this reading has marked the value as damaged.
    pub fn is_marked(&self) -> bool {
        self.0.strip_prefix('"').is_some_and(|text| text.starts_with(DAMAGED))
    }

    /// Returns true if the value was marked as damaged, now or before it was stored. In a stored text, U+FFFD stands
    /// for the mark. A value of another type was stored as the JSON of the marked text.
    pub fn is_damaged(&self) -> bool {
        let stored = ["\u{fffd}", "\\\"\\\\udc00"];
        let text = self.0.strip_prefix('"');
        text.is_some_and(|text| text.starts_with(DAMAGED) || stored.iter().any(|mark| text.starts_with(mark)))
    }

    pub fn into_owned(self) -> Box<str> {
        self.0.into_owned().into()
    }
}

impl<'a> From<&'a str> for Raw<'a> {
    fn from(json: &'a str) -> Self {
        Self(Cow::Borrowed(json))
    }
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_newtype_struct(AS_TEXT, Text).map(Raw)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    /// Reads the text that serde_json passes on under its internal name.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        map.next_key::<IgnoredAny>()?.ok_or_else(|| Error::missing_field(AS_TEXT))?;
        map.next_value::<Borrowed>().map(|Borrowed(text)| text)
    }

    /// Reads a value that does not come from JSON text, such as a value in another format, or one that serde has
    /// buffered.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        Value::deserialize(d).map(|value| value.to_string().into())
    }
}

/// The JSON text of one value. A type that is read from this text gets the text, without another search for its end.
struct OneValue<'a>(&'a str);

impl<'de> OneValue<'de> {
    fn parser(&self) -> serde_json::Deserializer<serde_json::de::StrRead<'de>> {
        serde_json::Deserializer::from_str(self.0)
    }
}

impl<'de> Deserializer<'de> for OneValue<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        self.parser().deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        self.parser().deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        if self.0 == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        if name != AS_TEXT {
            return visitor.visit_newtype_struct(self);
        }
        visitor.visit_map(MapDeserializer::new(iter::once((AS_TEXT, BorrowedStrDeserializer::new(self.0)))))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        self.parser().deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct struct identifier ignored_any
    }
}

/// A text that is borrowed from the input if possible, and copied otherwise.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Borrowed<'a>(#[serde(borrow)] pub Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::Raw;

    #[test]
    fn numbers_keep_every_digit() {
        for json in ["123456789012345678901234567890", "12.50", "1e400", "-0", r#"{"a": [1.10,2]}"#] {
            assert_eq!(serde_json::from_str::<Raw>(json).unwrap().json(), json);
        }
    }
}
