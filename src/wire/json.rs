//! Values whose shape nobody documented.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Deref};

/// Any JSON value. It may hold anything, so `Debug` does not show it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Json(pub Value);

impl Deref for Json {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(kind(&self.0))
    }
}

/// Fields of an answer that the spec does not know, kept as they came. `Debug` shows their names and kinds only.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Extra(pub BTreeMap<String, Value>);

impl Deref for Extra {
    type Target = BTreeMap<String, Value>;
    fn deref(&self) -> &BTreeMap<String, Value> {
        &self.0
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in &self.0 {
            map.entry(&format_args!("{}", safe_key(key)), &format_args!("{}", kind(value)));
        }
        map.finish()
    }
}

/// The JSON type of a value.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A key as it may be shown. A map may be keyed by an IBAN, a name or an e-mail address; a field name is a short
/// identifier with few digits.
pub(crate) fn safe_key(key: &str) -> String {
    let name = key.len() <= 48 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if name && key.chars().filter(char::is_ascii_digit).count() <= 4 {
        key.to_owned()
    } else {
        format!("(a key of {} bytes)", key.len())
    }
}

/// What serde says of a value that it could not read, without the value: its messages quote it.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    for (start, what) in [("missing field `", "is missing"), ("duplicate field `", "stands there twice")] {
        if let Some(field) = message.strip_prefix(start).and_then(|rest| rest.split('`').next()) {
            return format!("`{field}` {what}");
        }
    }
    // What follows the last "expected" is our own text.
    match message.rsplit_once(", expected ") {
        Some((_, wanted)) if error.is_data() => {
            format!("expected {}", wanted.split(" at line ").next().unwrap_or_default())
        }
        _ if error.is_eof() => "it ends too early".into(),
        _ if error.is_syntax() => "it is no JSON".into(),
        _ => "it cannot be read".into(),
    }
}

/// A body of JSON of which nothing is known. If it is none, this tells where, and not even a key of it.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| unread(body, &e))
}

/// Why a body cannot be read, and where.
fn unread(body: &[u8], error: &serde_json::Error) -> String {
    match body {
        [] => "the body is empty".into(),
        _ => format!("{}, at line {} column {}", reason(error), error.line(), error.column()),
    }
}

/// What a body that is an object says: its `flag`, and what stands under `names`, null where nothing does. Once the flag is
/// true no more is read: decoding will. Until then nothing else in it, however odd, and nothing that stands there twice
/// keeps it from being read: of two the last counts.
pub(crate) fn said<const N: usize>(body: &[u8], flag: &str, names: [&str; N]) -> Result<(Value, [Value; N]), String> {
    #[derive(Deserialize)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
    struct Said<'a, const N: usize> {
        flag: (&'a str, Value),
        names: [&'a str; N],
        values: [Value; N],
    }
    impl<'de, const N: usize> Visitor<'de> for &mut Said<'_, N> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(Key(key)) = map.next_key()? {
                if key == self.flag.0 {
                    self.flag.1 = map.next_value()?;
                    if self.flag.1 == true {
                        break;
                    }
                } else if let Some(which) = self.names.iter().position(|name| *name == key) {
                    self.values[which] = map.next_value()?;
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(())
        }
    }
    let mut said = Said { flag: (flag, Value::Null), names, values: [const { Value::Null }; N] };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = deserializer.deserialize_map(&mut said).and_then(|()| deserializer.end());
    match read {
        // That the object goes on after it is an error here and no matter.
        Err(e) if said.flag.1 != true => Err(unread(body, &e)),
        _ => Ok((said.flag.1, said.values)),
    }
}

/// A path may lead through a map whose keys are data.
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
