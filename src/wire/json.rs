//! JSON whose shape no vendor documents, and the decoding of whole responses.

use super::{
    mend::{Mended, Purpose, mend},
    raw::{Borrowed, Raw},
    shown::is_presentable,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error, MapAccess, Unexpected, Visitor},
};
use serde_json::{Value, value::RawValue};
use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    ops::Deref,
    sync::OnceLock,
};

/// Any JSON value, kept as the text that was received, so that no digit of a number is lost.
///
/// [`as_json`](Self::as_json) returns the text. A `Json` dereferences to a serde_json [`Value`], which is parsed at the
/// first use. In the `Value`, a number may lose digits. A value that a `Value` cannot represent becomes a text.
///
/// Two `Json` are equal if their `Value`s are equal. The content may be personal data, so `Debug` shows only the JSON
/// type.
#[derive(Clone)]
pub struct Json {
    text: Box<str>,
    value: OnceLock<Box<Value>>,
}

impl Json {
    fn new(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), value: OnceLock::new() }
    }

    /// Returns the JSON text as it was received.
    pub fn as_json(&self) -> &str {
        &self.text
    }

    /// Converts to a serde_json [`Value`]. A value that a `Value` cannot represent becomes a text.
    pub fn into_value(self) -> Value {
        self.value.into_inner().map_or_else(|| view(&self.text), |value| *value)
    }
}

/// Parses JSON into a `Value`. A damaged text or a number out of range becomes a text. JSON that is nested too deeply
/// becomes one text.
fn view(json: &str) -> Value {
    let mended = || serde_json::from_str(&mend(json.as_bytes(), Purpose::View)?.text).ok();
    serde_json::from_str(json).ok().or_else(mended).unwrap_or_else(|| json.into())
}

impl Deref for Json {
    type Target = Value;
    fn deref(&self) -> &Value {
        self.value.get_or_init(|| Box::new(view(&self.text)))
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self { text: value.to_string().into(), value: OnceLock::from(Box::new(value)) }
    }
}

impl From<Raw<'_>> for Json {
    fn from(raw: Raw) -> Self {
        Self::new(raw.into_owned())
    }
}

/// Compares a `Json` with everything that a `Value` can be compared with: a `Value`, a text, a number, a boolean.
impl<T: ?Sized> PartialEq<T> for Json
where
    Value: PartialEq<T>,
{
    fn eq(&self, other: &T) -> bool {
        **self == *other
    }
}

impl PartialEq<Json> for Value {
    fn eq(&self, other: &Json) -> bool {
        *self == **other
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(kind_of(&self.text))
    }
}

impl Serialize for Json {
    /// Writes the JSON text as it was received, if this text can be read again. Otherwise writes the `Value`.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        // Only JSON can contain raw JSON, so write a `Value` in other formats. A `Value` without decimals keeps all
        // digits, so it needs no raw JSON.
        if !s.is_human_readable() || !has_decimals(self) {
            return Value::serialize(self, s);
        }
        let text = match serde_json::from_str::<Value>(&self.text) {
            Ok(_) => None,
            Err(_) => mend(self.text.as_bytes(), Purpose::View).map(|mended| mended.text),
        };
        match serde_json::from_str::<&RawValue>(text.as_deref().unwrap_or(&self.text)) {
            Ok(json) => json.serialize(s),
            Err(_) => Value::serialize(self, s),
        }
    }
}

fn has_decimals(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_decimals),
        Value::Object(fields) => fields.values().any(has_decimals),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Raw::deserialize(d).map(Self::from)
    }
}

/// The fields of a response that are unknown to the spec or could not be read, as they were received. `Debug` shows
/// only the names and JSON types of the fields.
#[derive(Clone, Default)]
pub struct Extra {
    /// The JSON object that contains the fields. The text is empty if there are no fields.
    text: Box<str>,
    fields: OnceLock<BTreeMap<String, Json>>,
}

impl Deref for Extra {
    type Target = BTreeMap<String, Json>;
    fn deref(&self) -> &BTreeMap<String, Json> {
        self.fields.get_or_init(|| {
            let fields = |text: &str| Some(serde_json::from_str::<Fields>(text).ok()?.0);
            fields(&self.text).unwrap_or_default()
        })
    }
}

/// The fields by name. Two fields with the same name become one damaged text, because it is unclear which of them is
/// right.
struct Fields(BTreeMap<String, Json>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut fields = BTreeMap::<String, Json>::new();
        d.deserialize_map(Object(|key: Cow<str>, raw: Raw| {
            match fields.entry(key.into_owned()) {
                Entry::Vacant(entry) => drop(entry.insert(raw.into())),
                Entry::Occupied(mut entry) => {
                    let first = Raw::from(entry.get().as_json());
                    if !first.is_marked() {
                        let both = first.twice(&raw).into();
                        entry.insert(both);
                    }
                }
            }
            true
        }))?;
        Ok(Self(fields))
    }
}

impl Extra {
    /// Adds a field.
    pub(crate) fn push(&mut self, key: &str, value: &Value) {
        let mut text = ObjectText(self.text.strip_suffix('}').unwrap_or_default().to_owned());
        text.push(key, &value.to_string());
        *self = text.into();
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text || **self == **other
    }
}

impl FromIterator<(String, Value)> for Extra {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(fields: I) -> Self {
        let mut text = ObjectText::default();
        fields.into_iter().for_each(|(key, value)| text.push(&key, &value.to_string()));
        text.into()
    }
}

impl From<BTreeMap<String, Value>> for Extra {
    fn from(fields: BTreeMap<String, Value>) -> Self {
        Self::from_iter(fields)
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(&**self)
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut text = ObjectText::default();
        d.deserialize_map(Object(|key: Cow<str>, raw: Raw| {
            text.push(&key, raw.json());
            true
        }))?;
        Ok(text.into())
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in &**self {
            map.entry(&format_args!("{}", safe_key(key)), value);
        }
        map.finish()
    }
}

/// Builds the JSON text of an object field by field.
#[derive(Default)]
pub(crate) struct ObjectText(String);

impl ObjectText {
    pub fn push(&mut self, key: &str, json: &str) {
        self.0.reserve(key.len() + json.len() + r#","":}"#.len());
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        match key.contains(|c: char| matches!(c, '"' | '\\' | '\0'..' ')) {
            true => self.0 += &Value::from(key).to_string(),
            false => self.0.extend(["\"", key, "\""]),
        }
        self.0.extend([":", json]);
    }

    /// Returns the JSON text of the object, or an empty text if it has no field.
    pub fn finish(mut self) -> String {
        if !self.0.is_empty() {
            self.0.push('}');
        }
        self.0
    }
}

impl From<ObjectText> for Extra {
    fn from(text: ObjectText) -> Self {
        Self { text: text.finish().into(), fields: OnceLock::new() }
    }
}

/// Calls a function for each field of an object until the function returns false. The deserializer then returns an
/// error, because the rest of the object was not read. The caller must expect this error.
pub(crate) struct Object<F>(pub F);

impl<'de, F: FnMut(Cow<'de, str>, Raw<'de>) -> bool> Visitor<'de> for Object<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Borrowed(key)) = map.next_key()? {
            if !(self.0)(key, map.next_value()?) {
                break;
            }
        }
        Ok(())
    }
}

macro_rules! any_shape {
    ($name:ident as $like:ty) => {
        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$like>::json_schema(generator)
            }
        }
    };
}
any_shape!(Json as Value);
any_shape!(Extra as BTreeMap<String, Value>);

/// Returns the JSON type of a value by the first character of its text.
fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// Returns a key in a form that an error may show. The keys of a map can be IBANs, names or e-mail addresses. So a key
/// is shown only if it is a short identifier with few digits, like the name of a field.
pub(crate) fn safe_key(key: &str) -> String {
    let name = key.len() <= 48 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && is_presentable(key);
    if name && key.chars().filter(char::is_ascii_digit).count() <= 4 {
        key.to_owned()
    } else {
        format!("(a key of {} bytes)", key.len())
    }
}

/// Describes a decoding error without the value, because the messages of serde quote the value.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    for (start, what) in [
        ("missing field `", "is missing"),
        ("duplicate field `", "appears twice"),
        ("damaged key `", "may be the name of a field whose key is damaged"),
    ] {
        if let Some(field) = message.strip_prefix(start).and_then(|rest| rest.split('`').next()) {
            return format!("`{field}` {what}");
        }
    }
    // The text after the last "expected" comes from this crate, so it contains no value of the response.
    match message.rsplit_once(", expected ") {
        Some((_, wanted)) if error.is_data() => {
            format!("expected {}", wanted.split(" at line ").next().unwrap_or_default())
        }
        _ if error.is_eof() => "the text ends too early".into(),
        _ if error.is_syntax() => "the text is not JSON".into(),
        _ => "the value cannot be read".into(),
    }
}

/// Reads a body as JSON of any shape.
///
/// # Errors
/// An error if the body is not JSON. The error names the place in the body, without any key or value.
pub(crate) fn read(body: &[u8]) -> Result<Json, String> {
    let value = strict::<Value>(body).map_err(|e| unread(body, &e))?;
    let text = String::from_utf8_lossy(body.trim_ascii());
    Ok(Json { text: text.into(), value: OnceLock::from(Box::new(value)) })
}

/// Reads a body as JSON of any shape, even if single values are damaged. A damaged text, number or literal becomes a
/// text, and half of a surrogate pair becomes `\u{fffd}`.
#[cfg(feature = "seqino")]
pub(crate) fn read_damaged(body: &[u8]) -> Result<Json, String> {
    read(body).or_else(|why| match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => {
            let mended = mend(body, Purpose::View).ok_or_else(|| why.clone())?;
            read(mended.text.as_bytes()).map_err(|_| why)
        }
        _ => Err(why),
    })
}

/// Describes why a body cannot be read, and at which line and column.
pub(crate) fn unread(body: &[u8], error: &serde_json::Error) -> String {
    match body {
        [] => "the body is empty".into(),
        _ => format!("{}, at line {} column {}", reason(error), error.line(), error.column()),
    }
}

/// The error for a body that cannot be read even after its damaged values were repaired.
struct Refused {
    error: serde_json::Error,
    mended: Option<Mended>,
}

/// Reads a body as strict JSON. If that fails, repairs damaged texts and numbers, and reads the repaired body.
fn read_mended<T>(body: &[u8], mut read: impl FnMut(&[u8]) -> serde_json::Result<T>) -> Result<T, Refused> {
    let error = match read(body) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    match mend(body, Purpose::Read) {
        None => Err(Refused { error, mended: None }),
        Some(mended) => read(mended.text.as_bytes()).map_err(|error| Refused { error, mended: Some(mended) }),
    }
}

/// Reads strict JSON. In a text, no string needs a check for UTF-8 of its own.
fn strict<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => Err(first_fault(json, |before| serde_json::from_str::<T>(before).err())),
    }
}

/// Returns the first fault of JSON that is not UTF-8. It may be before the first byte that is not UTF-8.
fn first_fault(json: &[u8], fault: fn(&str) -> Option<serde_json::Error>) -> serde_json::Error {
    let before = json.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let syntax = || serde_json::from_slice::<Value>(json).err();
    let before = fault(before).filter(|error| !error.is_eof());
    before.or_else(syntax).unwrap_or_else(|| Error::custom("the text is not UTF-8"))
}

/// Decodes a response. A damaged text or number makes its field unreadable. Decoding fails only if the field is
/// required.
///
/// # Errors
/// An error if the body cannot be decoded. The error names the place and the expected type, never the value.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    read_mended(body, strict).map_err(|refused| refused.told(body, place::<T>))
}

/// Returns the place at which the reading of a text fails, or `None` if it succeeds.
fn place<T: DeserializeOwned>(json: &str) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err()?;
    Some(safe_path(error.path()))
}

impl Refused {
    fn told(self, body: &[u8], place: fn(&str) -> Option<String>) -> String {
        let Self { error, mended } = self;
        if body.is_empty() {
            return unread(body, &error);
        }
        let json = mended.as_ref().map_or_else(|| std::str::from_utf8(body), |mended| Ok(&mended.text));
        let Some(place) = place(json.unwrap_or_default()) else {
            return "further text follows after the JSON".into();
        };
        let place = match &mended {
            // Leave out line and column, because those of the repaired text differ from those of the response.
            Some(_) => place.trim_end_matches(", ").to_owned(),
            None => format!("{place}line {} column {}", error.line(), error.column()),
        };
        let at = if place.is_empty() { String::new() } else { format!(", at {place}") };
        let broken =
            mended.map_or(String::new(), |mended| format!("; the JSON is damaged: {}", mended.damage.join(", ")));
        format!("{}{at}{broken}", reason(&error))
    }
}

/// Reads a body that the spec does not describe fully, such as an error. Returns `None` if the body cannot be read.
pub(crate) fn read_own<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    read_mended(body, strict).ok()
}

/// Reads the success `flag` and the fields `names` of a body. The flag is `None` if it is neither true nor false. A
/// missing field is null. If two fields have the same name, the last one counts.
///
/// The function stops reading when the flag is true, because the decoding of the response reads the rest and refuses a
/// second flag. Other fields are not decoded, so an unreadable value in one of them does not hide a refusal.
pub(crate) fn said<const N: usize>(
    body: &[u8],
    flag: &str,
    names: [&str; N],
) -> Result<(Option<bool>, [Value; N]), String> {
    let read = |json: &[u8]| {
        let (mut told, mut values) = (None::<Option<bool>>, [const { Value::Null }; N]);
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let read = deserializer.deserialize_map(Object(|key: Cow<str>, raw: Raw| {
            if key == flag {
                let truth = match raw.json() {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                };
                // If the body has two flags with different values, the flag counts as unclear.
                told = Some(told.map_or(truth, |first| first.filter(|_| first == truth)));
            } else if let Some(which) = names.iter().position(|name| *name == key) {
                values[which] = Json::from(raw).into_value();
            }
            told.flatten() != Some(true)
        }));
        let truth = told.flatten();
        match read.and_then(|()| deserializer.end()) {
            // To stop in the middle of the object is an error in serde_json. Ignore this error after a true flag.
            Err(error) if truth != Some(true) => Err(error),
            _ => Ok((truth, values)),
        }
    };
    read_mended(body, read).map_err(|refused| unread(body, &refused.error))
}

/// Returns the value at a place such as `data.mandateId`, without building the other values. If a key on the way occurs
/// twice, returns a damaged text.
pub(crate) fn value_at(json: &[u8], place: &str) -> Option<Value> {
    let (key, rest) = place.split_once('.').map_or((place, None), |(key, rest)| (key, Some(rest)));
    let mut found = None::<Raw>;
    // Damage after the value is ignored.
    let _ = serde_json::Deserializer::from_slice(json).deserialize_map(Object(|name: Cow<'_, str>, raw| {
        if name == key {
            found = Some(match found.take() {
                Some(first) => first.twice(&raw),
                None => raw,
            });
        }
        true
    }));
    match (found?, rest) {
        (raw, Some(rest)) if !raw.is_marked() => value_at(raw.json().as_bytes(), rest),
        (raw, _) => Some(Json::from(raw).into_value()),
    }
}

/// A JSON string, readable or damaged. Any other JSON value is an error.
pub(crate) struct AnyText;

impl<'de> Deserialize<'de> for AnyText {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Raw::deserialize(d)?.is_text() {
            true => Ok(Self),
            false => Err(Error::invalid_type(Unexpected::Other("another value"), &"a text")),
        }
    }
}

/// Formats the path to a value for an error. Map keys that could be personal data are hidden.
pub(crate) fn safe_path(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => out += &format!("[{index}]"),
            Segment::Map { key } => out += &format!(".{}", safe_key(key)),
            _ => {}
        }
    }
    if out.is_empty() { out } else { format!("{}, ", out.trim_start_matches('.')) }
}
