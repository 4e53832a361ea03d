//! Lists in a response. One unreadable item does not affect the other items.

use super::{
    Json, Unread,
    json::{ObjectText, reason},
    raw::{Borrowed, Raw},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Unexpected, Visitor},
    ser::SerializeSeq,
};
use std::{cell::Cell, fmt, ops::Deref};

/// A list in a response. The list dereferences to a slice of the items that could be read. [`unread`](Self::unread)
/// returns the other items. If `ONE` is true, the vendor may also send one item without a list around it.
///
/// A PHP back end writes a list with removed items as an object with numbers as keys. PHP also has several forms of an
/// empty list. This type reads all these forms; see [`is_explicit`](Self::is_explicit).
#[derive(Clone, Debug)]
pub struct List<T, const ONE: bool = false> {
    items: Vec<T>,
    unread: Vec<UnreadItem>,
    explicit: bool,
}

/// A list that a vendor may also send as a single item. `[]`, `[x]` and `x` can be read.
pub type OneOrMany<T> = List<T, true>;

/// An item of a list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadItem {
    /// The position of the item in the list, from 0.
    pub index: usize,
    /// The reason why the item could not be read, without values.
    pub why: String,
    /// The JSON text of the item.
    pub text: Unread,
}

impl<T, const ONE: bool> List<T, ONE> {
    /// Returns the items that could not be read.
    pub fn unread(&self) -> &[UnreadItem] {
        &self.unread
    }

    /// Returns true if the vendor sent no item, readable or not. An empty list proves nothing unless
    /// [`is_explicit`](Self::is_explicit) returns true.
    pub fn is_blank(&self) -> bool {
        self.items.is_empty() && self.unread.is_empty()
    }

    /// Returns true if the vendor sent a list, or an object in place of a list (`{}`).
    ///
    /// Returns false for `null`, `false`, an empty text and a missing field. In these cases the vendor may have found
    /// nothing, or may not have searched.
    pub fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// Returns the items that could be read, and drops the unreadable items.
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }
}

/// Limits the memory of a list in proportion to the length of its JSON text, so that a small response cannot use up the
/// memory.
#[derive(Default)]
struct Size {
    text: usize,
    kept: usize,
}

thread_local! {
    /// The number of bytes that all lists on this thread have kept. The difference before and after the reading of an
    /// item is the size of its inner lists.
    static KEPT: Cell<usize> = const { Cell::new(0) };
}

impl Size {
    /// The maximum size in bytes is `TIMES` times the length of the JSON text, plus `MORE`.
    const TIMES: usize = 3;
    const MORE: usize = 1 << 18;

    /// Reads one item from its JSON text, and adds its size to the size of the list.
    fn read<T: DeserializeOwned>(&mut self, json: &Raw) -> serde_json::Result<T> {
        let before = KEPT.get();
        let item = json.read();
        self.text += json.json().len() + 1;
        self.kept += size_of::<T>() + KEPT.get().wrapping_sub(before);
        item
    }

    fn is_too_large(&self) -> bool {
        self.kept > Self::TIMES * self.text + Self::MORE
    }

    fn end(self) {
        KEPT.set(KEPT.get().wrapping_add(self.kept));
    }
}

/// A list that is being read. The code that reads JSON does not know the type of the items, so that the compiler
/// translates it once for all lists.
trait Filling {
    /// Reads an item. Returns the number of items as the error if the list needs too much memory.
    fn push(&mut self, item: &Raw) -> Result<(), usize>;
    /// Replaces the list with a list of one item.
    fn only(&mut self, item: &Raw) -> serde_json::Result<()>;
    fn is_blank(&self) -> bool;
}

struct Filled<T, const ONE: bool> {
    list: List<T, ONE>,
    size: Size,
}

impl<T: DeserializeOwned, const ONE: bool> Filling for Filled<T, ONE> {
    fn push(&mut self, item: &Raw) -> Result<(), usize> {
        let Self { list, size } = self;
        match size.read(item) {
            Ok(item) => push(&mut list.items, item),
            Err(e) => {
                let index = list.items.len() + list.unread.len();
                let item = UnreadItem { index, why: reason(&e), text: Unread::new(item.json().to_owned()) };
                size.kept += size_of::<UnreadItem>() + item.why.len() + item.text.as_str().len();
                push(&mut list.unread, item);
            }
        }
        if size.is_too_large() { Err(list.items.len() + list.unread.len()) } else { Ok(()) }
    }

    fn only(&mut self, item: &Raw) -> serde_json::Result<()> {
        *self = Self { list: vec![item.read()?].into(), size: Size::default() };
        Ok(())
    }

    fn is_blank(&self) -> bool {
        self.list.is_blank()
    }
}

/// Appends an item. The capacity grows by a quarter, because a `Vec` doubles and could take twice the memory of its
/// items.
fn push<T>(all: &mut Vec<T>, item: T) {
    if all.len() == all.capacity() {
        all.reserve_exact((all.len() / 4).max(4));
    }
    all.push(item);
}

impl<T, const ONE: bool> Default for List<T, ONE> {
    fn default() -> Self {
        Self { items: Vec::new(), unread: Vec::new(), explicit: false }
    }
}

/// Two lists are equal if their items are equal. The JSON form of the list does not matter.
impl<T: PartialEq, const ONE: bool> PartialEq for List<T, ONE> {
    fn eq(&self, other: &Self) -> bool {
        (&self.items, &self.unread) == (&other.items, &other.unread)
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
        Self { items, unread: Vec::new(), explicit: true }
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
    /// Writes every item in its place. An unreadable item is written as it was received. A value that was not a list is
    /// written as null.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.is_blank() && !self.explicit {
            return s.serialize_unit();
        }
        let (mut items, mut unread) = (self.items.iter(), self.unread.iter().peekable());
        let mut seq = s.serialize_seq(Some(self.items.len() + self.unread.len()))?;
        for index in 0..self.items.len() + self.unread.len() {
            match unread.next_if(|item| item.index == index) {
                Some(item) => seq.serialize_element(&Json::from(Raw::from(item.text.as_str())))?,
                None => items.next().map_or(Ok(()), |item| seq.serialize_element(item))?,
            }
        }
        seq.end()
    }
}

impl<'de, T: DeserializeOwned, const ONE: bool> Deserialize<'de> for List<T, ONE> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut filled = Filled { list: Self::default(), size: Size::default() };
        filled.list.explicit = d.deserialize_any(Items { filling: &mut filled, one: ONE })?;
        filled.size.end();
        Ok(filled.list)
    }
}

/// Reads the items of a list. Returns true if the vendor sent a list, or an object in place of a list.
struct Items<'a> {
    filling: &'a mut dyn Filling,
    one: bool,
}

impl Items<'_> {
    fn push<E: Error>(&mut self, item: &Raw) -> Result<(), E> {
        self.filling.push(item).map_err(|length| E::invalid_length(length, &"a list that needs less memory"))
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(if self.one { "a list or one object" } else { "a list" })
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<bool, A::Error> {
        while let Some(item) = seq.next_element::<Raw>()? {
            self.push(&item)?;
        }
        Ok(true)
    }

    /// Reads PHP's list with numbers as keys, or a single item without a list.
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let (mut one, mut numbered) = (ObjectText::default(), true);
        while let Some(Borrowed(key)) = map.next_key()? {
            let value = map.next_value::<Raw>()?;
            numbered &= !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
            if numbered {
                self.push(&value)?;
            } else if !self.one {
                return Err(A::Error::invalid_type(Unexpected::Map, &self));
            }
            if self.one {
                one.push(&key, value.json());
            }
        }
        if numbered && !(self.one && self.filling.is_blank()) {
            return Ok(true);
        }
        // If the keys are not numbers, the object must be a single item. Otherwise the response has the wrong form.
        let one = one.finish();
        let item = Raw::from(if one.is_empty() { "{}" } else { &one });
        self.filling.only(&item).map(|()| true).map_err(A::Error::custom)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_none<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        if value { Err(E::invalid_type(Unexpected::Bool(value), &self)) } else { Ok(false) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        if text.is_empty() { Ok(false) } else { Err(E::invalid_type(Unexpected::Other("a text"), &self)) }
    }
}
