//! Lists in which one unreadable item does not cost the others.

use super::Unread;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
    ser::SerializeSeq,
};
use serde_json::{Value, value::RawValue};
use std::{fmt, marker::PhantomData, ops::Deref};

/// A list of an answer: the items that could be read, as a slice, and beside them those that could not.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T> {
    items: Vec<T>,
    unread: Vec<UnreadItem>,
}

/// An item that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadItem {
    /// Where it stood in the list, from 0.
    pub index: usize,
    /// What was missing or wrong, without values.
    pub why: String,
    /// The item as JSON.
    pub text: Unread,
}

impl<T> List<T> {
    /// The items that could not be read.
    pub fn unread(&self) -> &[UnreadItem] {
        &self.unread
    }

    /// Whether the vendor sent no item at all, readable or not.
    pub fn is_blank(&self) -> bool {
        self.items.is_empty() && self.unread.is_empty()
    }

    /// The items that could be read.
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }
}

impl<T: DeserializeOwned> List<T> {
    fn push(&mut self, text: &RawValue) {
        match serde_json::from_str(text.get()) {
            Ok(item) => self.items.push(item),
            Err(e) => self.unread.push(UnreadItem {
                index: self.items.len() + self.unread.len(),
                why: crate::wire::json::reason(&e),
                text: Unread::new(text.get().into()),
            }),
        }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), unread: Vec::new() }
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, unread: Vec::new() }
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<T: Serialize> Serialize for List<T> {
    /// Every item in its place, those that could not be read as they came.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let (mut items, mut unread) = (self.items.iter(), self.unread.iter().peekable());
        let mut seq = s.serialize_seq(Some(self.items.len() + self.unread.len()))?;
        for index in 0..self.items.len() + self.unread.len() {
            match unread.next_if(|item| item.index == index) {
                Some(item) => {
                    seq.serialize_element(&serde_json::from_str::<Value>(item.text.as_str()).unwrap_or_default())?;
                }
                None => items.next().map_or(Ok(()), |item| seq.serialize_element(item))?,
            }
        }
        seq.end()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_seq(Items(PhantomData))
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Items<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut list = List::default();
        // Each item is cut out as it stands and read alone.
        while let Some(text) = seq.next_element::<Box<RawValue>>()? {
            list.push(&text);
        }
        Ok(list)
    }
}

/// A list where a vendor also answers one item alone: `[]`, `[x]` and `x` are read.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOrMany<T>(pub List<T>);

impl<T> Deref for OneOrMany<T> {
    type Target = List<T>;
    fn deref(&self) -> &List<T> {
        &self.0
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Either<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list or one object")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<List<T>, A::Error> {
                Items(PhantomData).visit_seq(seq)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
                // One object is the item, or it is no answer to the question.
                T::deserialize(MapAccessDeserializer::new(map)).map(|item| vec![item].into())
            }
        }
        d.deserialize_any(Either(PhantomData)).map(Self)
    }
}
