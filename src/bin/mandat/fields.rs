//! The fields of a request, as the spec of the vendor describes them.

use serde_json::{Map, Value};

/// One field of a request.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name in the vendor's JSON. A dot leads to a field within an object: `directory_entry.siren`.
    pub name: String,
    pub required: bool,
    /// True if the value is personal or secret, so that no preview shows it.
    pub personal: bool,
    pub kind: Kind,
    pub about: String,
}

/// The JSON type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Whole,
    Boolean,
    /// The spec names no type. Only JSON input can have this field.
    Any,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whole => "whole number",
            Self::Boolean => "true or false",
            Self::Any => "JSON",
        }
    }
}

/// Returns the fields of the JSON body of an operation, in the order of the spec.
pub fn of_operation(spec: &Value, operation: &str) -> Vec<Field> {
    let paths = spec["paths"].as_object().into_iter().flat_map(Map::values);
    let mut operations = paths.filter_map(Value::as_object).flat_map(Map::values);
    let body = operations
        .find(|found| found["operationId"] == operation)
        .map(|found| &found["requestBody"]["content"]["application/json"]["schema"]);
    let mut fields = Vec::new();
    if let Some(schema) = body {
        Schema { spec, schema }.fields("", true, &mut fields);
    }
    fields
}

/// A schema in its spec.
#[derive(Clone, Copy)]
struct Schema<'a> {
    spec: &'a Value,
    schema: &'a Value,
}

impl<'a> Schema<'a> {
    /// Returns the schemas that apply: this one, the one to which `$ref` leads, and those in `allOf`.
    fn parts(self) -> Vec<&'a Value> {
        let Self { spec, schema } = self;
        let target = schema["$ref"].as_str().and_then(|at| spec.pointer(at.trim_start_matches('#')));
        let within = schema["allOf"].as_array().into_iter().flatten().chain(target);
        let within = within.flat_map(|schema| Schema { spec, schema }.parts());
        std::iter::once(schema).chain(within).collect()
    }

    /// Returns the value of a keyword in the first schema that has it.
    fn keyword(self, name: &str) -> &'a Value {
        self.parts().into_iter().map(|part| &part[name]).find(|value| !value.is_null()).unwrap_or(&Value::Null)
    }

    fn fields(self, prefix: &str, all_required: bool, fields: &mut Vec<Field>) {
        let required = self.keyword("required");
        let properties = self.keyword("properties").as_object();
        for (key, schema) in properties.into_iter().flatten() {
            let field = Schema { spec: self.spec, schema };
            let name = format!("{prefix}{key}");
            let required =
                all_required && required.as_array().is_some_and(|names| names.iter().any(|name| name == key));
            if field.keyword("properties").is_object() {
                field.fields(&format!("{name}."), required, fields);
                continue;
            }
            let kind = match field.keyword("type").as_str() {
                Some("string") => Kind::Text,
                Some("integer") => Kind::Whole,
                Some("boolean") => Kind::Boolean,
                _ => Kind::Any,
            };
            let mut about = field.keyword("description").as_str().unwrap_or_default().trim().to_owned();
            if let Some(words) = field.keyword("enum").as_array() {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                about = format!("{about} One of: {}.", words.join(", ")).trim_start().to_owned();
            }
            let personal = field.parts().iter().any(|part| part["x-sensitive"] == true);
            fields.push(Field { name, required, personal, kind, about });
        }
    }
}

/// Sets the value of a field in a JSON body.
pub fn set(body: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => drop(body.insert(name.into(), value)),
        Some((outer, inner)) => {
            let object = body.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(object) = object {
                set(object, inner, value);
            }
        }
    }
}

/// Returns the value of a field in a JSON body.
pub fn get<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    match name.split_once('.') {
        None => body.get(name),
        Some((outer, inner)) => get(body.get(outer)?.as_object()?, inner),
    }
}
