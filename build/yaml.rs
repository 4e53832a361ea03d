//! Reads YAML into a tree whose nodes know their places, and Rust types from such a tree.

use super::problem::{Located, Place, Problem};
use granit_parser::{Event, Options, Parser, ScalarStyle, StrInput};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::MapAccessDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Number, Value};
use std::{collections::BTreeSet, fmt, marker::PhantomData};

/// The tag `!!str`.
const TEXT: &str = "tag:yaml.org,2002:str";

/// The most lists and maps inside one another. Each level needs stack.
const DEEPEST: usize = 64;

/// A value of a YAML document with its place.
#[derive(Clone)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
}

#[derive(Clone)]
pub enum Kind {
    /// A text. `plain` means that it has no quotes, so that it may also be a number, a boolean or null.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// The fields of a map. Each key is a scalar, and occurs once.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Reads the only document of a text. `theirs` marks the places of a user's file.
    pub fn read(text: &str, theirs: bool) -> Result<Self, Problem> {
        // Another crate of a user can enable the parser's feature for comments, which are then events by default.
        let mut options = Options::default();
        options.set_emit_comments(false);
        let events = Parser::new_from_str_with_options(text, options);
        Ok(Reader { events, theirs, depth: 0 }.document()?)
    }

    /// Reads a Rust type from this node.
    pub fn to<'de, T: Deserialize<'de>>(&'de self) -> Result<T, Problem> {
        Ok(self.seeded(PhantomData)?)
    }

    /// Reads a value. A mistake without a place gets the place of this node.
    fn seeded<'de, T: DeserializeSeed<'de>>(&'de self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self).map_err(|e: Error| Error { place: e.place.or(Some(self.place)), ..e })
    }

    pub fn json(&self) -> Value {
        match &self.kind {
            Kind::Scalar { text, plain: true } => plain(text),
            Kind::Scalar { text, plain: false } => text.as_str().into(),
            Kind::List(items) => items.iter().map(Self::json).collect(),
            Kind::Map(fields) => fields.iter().map(|(key, value)| (key.text(), value.json())).collect(),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if plain(text).is_null())
    }

    /// Returns the text of a scalar. A list and a map have none.
    pub fn text(&self) -> &str {
        if let Kind::Scalar { text, .. } = &self.kind { text } else { "" }
    }
}

/// Returns the value of a scalar without quotes, by the core schema of YAML 1.2.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    // Rust would also read a sign after the prefix.
    let radix = |prefix, radix| {
        u64::from_str_radix(text.strip_prefix(prefix).filter(|rest| !rest.starts_with(['+', '-']))?, radix).ok()
    };
    let whole = || text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8)).map(Number::from);
    let negative = || text.parse::<i64>().ok().map(Number::from);
    // Rust would also read `inf` and `nan`.
    let decimal = || {
        let digits = text.bytes().all(|c| c.is_ascii_digit() || b"+-.eE".contains(&c));
        Number::from_f64(text.parse().ok().filter(|_| digits)?)
    };
    whole().or_else(negative).or_else(decimal).map_or_else(|| text.into(), Value::Number)
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    theirs: bool,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn place(&self, at: granit_parser::Marker) -> Place {
        let number = |number| u64::try_from(number).unwrap_or(u64::MAX);
        Place { line: number(at.line()), column: number(at.col()).saturating_add(1), theirs: self.theirs }
    }

    fn next(&mut self) -> Result<(Event<'a>, Place), Error> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, self.place(span.start))),
            Some(Err(e)) => Err(Error { place: Some(self.place(*e.marker())), what: e.info() }),
            None => Err(Error { place: None, what: "unexpected end of input".into() }),
        }
    }

    fn document(mut self) -> Result<Node, Error> {
        let mut found = None;
        loop {
            match (self.next()?, &found) {
                ((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _), _) => {}
                ((Event::StreamEnd, _), _) => break,
                ((_, place), Some(_)) => {
                    return Err(Error { place: Some(place), what: "there is more than one document".into() });
                }
                ((event, place), None) => found = Some(self.node(event, place)?),
            }
        }
        let nothing = || Kind::Scalar { text: String::new(), plain: true };
        let start = Place { line: 1, column: 1, theirs: self.theirs };
        Ok(found.unwrap_or_else(|| Node { place: start, kind: nothing() }))
    }

    fn node(&mut self, event: Event<'a>, place: Place) -> Result<Node, Error> {
        let mistake = |what: String| Error { place: Some(place), what };
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(mistake(format!("more than {DEEPEST} values inside one another")));
        }
        let kind = match event {
            Event::Scalar(text, style, _, tag) => {
                if let Some(tag) = tag.as_ref().filter(|tag| tag.to_string() != TEXT) {
                    return Err(mistake(format!("the tag `{tag}` is not supported")));
                }
                Kind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain && tag.is_none() }
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Kind::List(items),
                        (event, place) => items.push(self.node(event, place)?),
                    }
                }
            }
            Event::MappingStart(..) => Kind::Map(self.fields()?),
            // Aliases can multiply a short text without end, and a merge patch cannot change one of the copies.
            Event::Alias(..) => return Err(mistake("an alias is not supported, so write the value here".into())),
            other => return Err(mistake(format!("unexpected {other:?}"))),
        };
        self.depth -= 1;
        Ok(Node { place, kind })
    }

    fn fields(&mut self) -> Result<Vec<(Node, Node)>, Error> {
        let mut fields: Vec<(Node, Node)> = Vec::new();
        let mut known = BTreeSet::new();
        loop {
            let (event, place) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(fields);
            }
            let key = self.node(event, place)?;
            let mistake = |what| Err(Error { place: Some(place), what });
            if !matches!(key.kind, Kind::Scalar { .. }) {
                return mistake("a key is a list or a map".into());
            }
            if !known.insert(key.text().to_owned()) {
                return mistake(format!("duplicate mapping key: {}", key.text()));
            }
            let (event, place) = self.next()?;
            let value = self.node(event, place)?;
            fields.push((key, value));
        }
    }
}

/// The reason why a text is not YAML, or not of the expected form. The place is that of the innermost node.
#[derive(Debug)]
pub struct Error {
    place: Option<Place>,
    what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self { place: None, what: what.to_string() }
    }

    fn invalid_type(found: Unexpected, expected: &dyn de::Expected) -> Self {
        match found {
            Unexpected::Unit => Self::custom(format_args!("invalid type: null, expected {expected}")),
            found => Self::custom(format_args!("invalid type: {found}, expected {expected}")),
        }
    }
}

impl From<Error> for Problem {
    fn from(Error { place, what }: Error) -> Self {
        let fix = "correct the spec at this place; `specs/README.md` lists the parts that a spec may have";
        Self::new(place.unwrap_or_default(), format!("the spec cannot be read: {what}"), fix)
    }
}

/// The items of a list. Each mistake gets the place of its item.
struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|item| item.seeded(seed)).transpose()
    }
}

/// The fields of a map. Each mistake gets the place of its key or value.
struct Fields<'de> {
    rest: std::slice::Iter<'de, (Node, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        key.seeded(seed).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.value.take().ok_or_else(|| de::Error::custom("a value was read before its key"))?;
        value.seeded(seed)
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.kind {
            Kind::Scalar { .. } => match self.json() {
                Value::Null => visitor.visit_unit(),
                Value::Bool(value) => visitor.visit_bool(value),
                Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                    (Some(number), _) => visitor.visit_u64(number),
                    (None, Some(number)) => visitor.visit_i64(number),
                    (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
                },
                _ => visitor.visit_borrowed_str(self.text()),
            },
            Kind::List(items) => {
                let mut rest = Items(items.iter());
                let value = visitor.visit_seq(&mut rest)?;
                let read = items.len() - rest.0.len();
                if read == items.len() {
                    Ok(value)
                } else {
                    Err(de::Error::invalid_length(items.len(), &format!("a list of {read}").as_str()))
                }
            }
            Kind::Map(all) => visitor.visit_map(Fields { rest: all.iter(), value: None }),
        }
    }

    /// Reads a text. A number without quotes is a text, too, but null is not.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => visitor.visit_borrowed_str(text),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.text())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == LOCATED {
            visitor.visit_seq(Parts { node: self, given: 0 })
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let expected = &"a word, or a map with exactly one key";
        match &self.kind {
            Kind::Scalar { text, .. } => visitor.visit_enum(text.as_str().into_deserializer()),
            Kind::Map(all) if all.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Fields { rest: all.iter(), value: None }))
            }
            Kind::Map(_) => Err(de::Error::invalid_value(Unexpected::Map, expected)),
            Kind::List(_) => Err(de::Error::invalid_type(Unexpected::Seq, expected)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct
    }
}

/// The name by which [`Located`] asks for the place of a node.
const LOCATED: &str = "mandat::Located";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Placed<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Placed<T> {
            type Value = Located<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Located<T>, A::Error> {
                let mut number = || Ok(parts.next_element::<u64>()?.unwrap_or_default());
                let place = Place { line: number()?, column: number()?, theirs: number()? > 0 };
                let value = parts.next_element()?.ok_or_else(|| de::Error::missing_field("value"))?;
                Ok(Located { place, value })
            }
        }

        d.deserialize_newtype_struct(LOCATED, Placed(PhantomData))
    }
}

/// The parts of a [`Located`]: line, column, origin, value.
struct Parts<'de> {
    node: &'de Node,
    given: u8,
}

impl<'de> SeqAccess<'de> for Parts<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Place { line, column, theirs } = self.node.place;
        self.given += 1;
        match self.given {
            1 => seed.deserialize(line.into_deserializer()),
            2 => seed.deserialize(column.into_deserializer()),
            3 => seed.deserialize(u64::from(theirs).into_deserializer()),
            _ => seed.deserialize(self.node),
        }
        .map(Some)
    }
}
