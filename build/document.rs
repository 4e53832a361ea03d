//! A spec as a JSON tree, and how a mistake in it is told.

use serde_json::{Map, Value};
use std::fmt;

pub type Object = Map<String, Value>;

/// What is wrong in a spec, where, and how to mend it.
#[derive(Debug)]
pub struct Problem {
    place: String,
    what: String,
    mend: String,
}

pub type Problems = Vec<Problem>;

impl Problem {
    pub fn new(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cargo shows one line per message.
        write!(f, "at {}: {}. Mend: {}", self.place, one_line(&self.what), one_line(&self.mend))
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        vec![problem]
    }
}

/// An operation and where it stands.
pub struct Operation<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// The address that stands beside it, where it is another than that of the whole.
    pub server: Option<&'a str>,
    pub object: &'a Object,
}

impl<'a> Operation<'a> {
    pub fn place(&self) -> String {
        format!("paths.{}.{}", self.path, self.method)
    }

    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.object.get(key).and_then(Value::as_str)
    }

    pub fn id(&self) -> &'a str {
        self.text("operationId").unwrap_or_default()
    }
}

pub const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub struct Document(pub Value);

impl Document {
    pub fn read(text: &str) -> Result<Self, Problems> {
        let value: Value = serde_saphyr::from_str(text).map_err(|e| {
            let place =
                e.location().map_or("the whole file".into(), |l| format!("line {}, column {}", l.line(), l.column()));
            let what = e.without_snippet().to_string();
            Problem::new(place, format!("not readable as YAML: {what}"), "correct the YAML there")
        })?;
        Ok(Self(value))
    }

    pub fn to_json(&self) -> String {
        self.0.to_string()
    }

    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.0.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            let server = item.pointer("/servers/0/url").and_then(Value::as_str);
            methods.filter(|(method, _)| METHODS.contains(&method.as_str())).filter_map(move |(method, object)| {
                Some(Operation { method, path, server, object: object.as_object()? })
            })
        })
    }

    /// The document with one operation.
    pub fn only(&self, operation: &Operation) -> Self {
        let mut document = self.0.clone();
        document["paths"] = serde_json::json!({operation.path: {operation.method: operation.object}});
        Self(document)
    }

    /// Every operation, to be changed.
    pub fn operations_mut(&mut self) -> impl Iterator<Item = &mut Object> {
        let items = self.0.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Object::values_mut);
        let items = items.filter_map(Value::as_object_mut).flat_map(Object::values_mut);
        items.filter_map(Value::as_object_mut)
    }

    /// The addresses of the whole.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        let servers = self.0.get("servers").and_then(Value::as_array).into_iter().flatten();
        servers.filter_map(|server| server.get("url").and_then(Value::as_str))
    }

    pub fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
    }

    pub fn schemas_mut(&mut self) -> Option<&mut Object> {
        self.0.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    }

    /// What a `$ref` stands for.
    pub fn resolve(&self, reference: &str) -> Option<&Value> {
        self.0.pointer(reference.strip_prefix('#')?)
    }

    /// The value itself, or what it refers to.
    pub fn target<'a>(&'a self, value: &'a Value) -> &'a Value {
        value.get("$ref").and_then(Value::as_str).and_then(|r| self.resolve(r)).unwrap_or(value)
    }
}

/// The name at the end of a `$ref`.
pub fn reference_name(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.rsplit('/').next()
}

/// The first answer that means success, with its status code.
pub fn success(operation: &Object) -> Option<(&String, &Value)> {
    operation.get("responses")?.as_object()?.iter().find(|(code, _)| code.starts_with('2'))
}

/// The schema of a body in JSON.
pub fn json_schema(body: &Value) -> Option<&Value> {
    body.pointer("/content/application~1json/schema")
}

/// Calls `see` with every object below `value`, itself first, and with its place.
pub fn walk<'a>(place: &str, value: &'a Value, see: &mut impl FnMut(&str, &'a Object)) {
    match value {
        Value::Object(object) => {
            see(place, object);
            for (key, value) in object {
                // An example is data, not schema.
                if key != "example" && key != "default" {
                    walk(&format!("{place}.{key}"), value, see);
                }
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| walk(&format!("{place}[{i}]"), v, see)),
        _ => {}
    }
}

/// Calls `see` with every object below `value`, innermost first, to be changed.
pub fn walk_mut(value: &mut Value, see: &mut impl FnMut(&mut Object)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                if key != "example" && key != "default" {
                    walk_mut(value, see);
                }
            }
            see(object);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk_mut(item, see)),
        _ => {}
    }
}

pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
