//! Lists in which one unreadable item does not cost the others.

use super::Unread;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Unexpected, Visitor, value::MapAccessDeserializer},
    ser::SerializeSeq,
};
use serde_json::value::RawValue;
use std::{fmt, marker::PhantomData, ops::Deref};

/// A list of an answer: the items that could be read, as a slice, and beside them those that could not. Where `ONE` is
/// true, the vendor may also answer one item without a list around it.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T, const ONE: bool = false> {
    items: Vec<T>,
    unread: Vec<UnreadItem>,
}

/// A list where a vendor also answers one item alone: `[]`, `[x]` and `x` are read.
pub type OneOrMany<T> = List<T, true>;

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

impl<T, const ONE: bool> List<T, ONE> {
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

impl<T: DeserializeOwned, const ONE: bool> List<T, ONE> {
    fn push(&mut self, item: &RawValue) {
        match serde_json::from_str(item.get()) {
            Ok(item) => self.items.push(item),
            Err(e) => self.unread.push(UnreadItem {
                index: self.items.len() + self.unread.len(),
                why: crate::wire::json::reason(&e),
                text: Unread::new(item.get().to_owned()),
            }),
        }
    }
}

impl<T, const ONE: bool> Default for List<T, ONE> {
    fn default() -> Self {
        Self { items: Vec::new(), unread: Vec::new() }
    }
}

impl<T, const ONE: bool> Deref for List<T, ONE> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T, const ONE: bool> From<Vec<T>> for List<T, ONE> {
    fn from(items: Vec<T>) -> Self {
        Self { items, unread: Vec::new() }
    }
}

impl<T, const ONE: bool> FromIterator<T> for List<T, ONE> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T, const ONE: bool> IntoIterator for List<T, ONE> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T, const ONE: bool> IntoIterator for &'a List<T, ONE> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<T: Serialize, const ONE: bool> Serialize for List<T, ONE> {
    /// Every item in its place, those that could not be read as they came.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let (mut items, mut unread) = (self.items.iter(), self.unread.iter().peekable());
        let mut seq = s.serialize_seq(Some(self.items.len() + self.unread.len()))?;
        for index in 0..self.items.len() + self.unread.len() {
            match unread.next_if(|item| item.index == index) {
                Some(item) => {
                    seq.serialize_element(
                        &serde_json::from_str::<&RawValue>(item.text.as_str()).unwrap_or(RawValue::NULL),
                    )?;
                }
                None => items.next().map_or(Ok(()), |item| seq.serialize_element(item))?,
            }
        }
        seq.end()
    }
}

impl<'de, T: DeserializeOwned, const ONE: bool> Deserialize<'de> for List<T, ONE> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Items(PhantomData))
    }
}

struct Items<T, const ONE: bool>(PhantomData<T>);

impl<'de, T: DeserializeOwned, const ONE: bool> Visitor<'de> for Items<T, ONE> {
    type Value = List<T, ONE>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(if ONE { "a list or one object" } else { "a list" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = List::default();
        while let Some(item) = seq.next_element::<Box<RawValue>>()? {
            list.push(&item);
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        if !ONE {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        // One object is the item, or it is no answer to the question.
        T::deserialize(MapAccessDeserializer::new(map)).map(|item| vec![item].into())
    }
}
