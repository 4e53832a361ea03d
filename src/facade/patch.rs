//! Writes a probe as a patch of the spec: a JSON merge patch (RFC 7396) in YAML.

use super::Probe;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, fmt::Write};

impl Probe {
    /// The patch that makes the spec describe this response. `None` if it changes nothing.
    pub(crate) fn patch_of(&self, spec: &str, day: NaiveDate) -> Option<String> {
        let ours: Value = serde_json::from_str(spec).ok()?;
        let mut edit = Edit { probe: self, spec: ours.clone(), mark: format!("observed {day}"), seen: BTreeSet::new() };
        let (pointer, evidence) = edit.response()?;
        edit.visit(&format!("{pointer}/schema"), "", &evidence);
        let patch = difference(&ours, &edit.spec)?;
        let mut text = format!(
            "# {} {}, read on {day} with mandat {}. Keys and types of one response, no values.\n",
            self.provider,
            self.operation,
            env!("CARGO_PKG_VERSION"),
        );
        write_map(&mut text, &patch, 0);
        Some(text)
    }
}

/// A copy of the spec that follows the response.
struct Edit<'a> {
    probe: &'a Probe,
    spec: Value,
    mark: String,
    /// The schemas that were visited, by pointer.
    seen: BTreeSet<String>,
}

impl Edit<'_> {
    /// The pointer to the description of the response, and its evidence.
    fn response(&self) -> Option<(String, String)> {
        let paths = self.spec["paths"].as_object()?;
        let operations =
            paths.iter().flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |o| (path, o)));
        let (path, (method, operation)) =
            operations.into_iter().find(|(_, (_, o))| o["operationId"] == *self.probe.operation)?;
        let (code, response) = operation["responses"].as_object()?.iter().find(|(code, _)| code.starts_with('2'))?;
        let evidence = response["x-evidence"].as_str().or(operation["x-evidence"].as_str()).unwrap_or_default();
        let path = path.replace('~', "~0").replace('/', "~1");
        Some((format!("/paths/{path}/{method}/responses/{code}/content/application~1json"), evidence.into()))
    }

    fn at(&self, pointer: &str) -> &Value {
        self.spec.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Follows references. If a schema has several forms, the first form is the success.
    fn resolved(&self, pointer: &str) -> String {
        let schema = self.at(pointer);
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
            return self.resolved(name);
        }
        let forms = ["allOf", "oneOf", "anyOf"].into_iter().find(|forms| schema.get(forms).is_some());
        forms.map_or_else(|| pointer.into(), |forms| self.resolved(&format!("{pointer}/{forms}/0")))
    }

    /// The JSON types at a place of the response.
    fn kinds(&self, place: &str) -> BTreeSet<String> {
        self.probe.shape.get(place).into_iter().flat_map(|kinds| kinds.split(" or ")).map(str::to_owned).collect()
    }

    fn visit(&mut self, pointer: &str, place: &str, evidence: &str) {
        let pointer = self.resolved(pointer);
        let own = self.at(&pointer)["x-evidence"].as_str().unwrap_or(evidence).to_owned();
        if self.at(&pointer).get("items").is_some() {
            self.visit(&format!("{pointer}/items"), &format!("{place}[]"), &own);
        }
        let known: Vec<String> =
            self.at(&pointer)["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
        if known.is_empty() || !self.kinds(place).contains("object") || !self.seen.insert(pointer.clone()) {
            return;
        }
        let inside = if place.is_empty() { String::new() } else { format!("{place}.") };
        let keys = self.probe.shape.keys().filter_map(|place| place.strip_prefix(&inside));
        // The probe writes a key in brackets in place of a key that can be personal.
        let keys = keys.filter(|key| !key.is_empty() && !key.contains(['.', '[', '(']));
        let new: Vec<String> = keys.filter(|key| !known.iter().any(|known| known == key)).map(str::to_owned).collect();
        let missing: Vec<String> = known
            .iter()
            .filter(|key| self.is_needed(&pointer, key) && self.kinds(&format!("{inside}{key}")).is_empty())
            .cloned()
            .collect();
        let mut renamed = Vec::new();
        for key in &new {
            let at = format!("{inside}{key}");
            let kinds = self.kinds(&at);
            let alike = |old: &&String| self.may_be(&format!("{pointer}/properties/{old}"), &at);
            let rivals = new.iter().filter(|other| self.kinds(&format!("{inside}{other}")) == kinds).count();
            match missing.iter().filter(alike).collect::<Vec<_>>()[..] {
                // One key is missing, and exactly one new key has its type.
                [old] if rivals == 1 => renamed.push((old.clone(), key.clone())),
                _ => {
                    let schema = self.observed(&kinds);
                    self.set(&format!("{pointer}/properties"), key, schema);
                }
            }
        }
        for (old, key) in &renamed {
            self.rename(&pointer, old, key);
        }
        for old in missing.iter().filter(|old| renamed.iter().all(|(renamed, _)| renamed != *old)) {
            self.no_longer_required(&pointer, old);
        }
        let renamed = renamed.into_iter().map(|(_, key)| key);
        for key in known.into_iter().chain(renamed) {
            self.property(&pointer, &key, &format!("{inside}{key}"), &own);
        }
    }

    /// Returns true if the value at `place` may be this field under another key. The value then has the type of the
    /// field, and an object also has one of the field's keys.
    fn may_be(&self, field: &str, place: &str) -> bool {
        if self.kinds(place) != BTreeSet::from([self.kind(field).to_owned()]) {
            return false;
        }
        let field = self.resolved(field);
        if self.at(&field).get("items").is_some() {
            let place = format!("{place}[]");
            return self.kinds(&place).is_empty() || self.may_be(&format!("{field}/items"), &place);
        }
        let known = self.at(&field)["properties"].as_object();
        known.is_none_or(|known| known.keys().any(|key| self.probe.shape.contains_key(&format!("{place}.{key}"))))
    }

    /// Compares a known field.
    fn property(&mut self, object: &str, key: &str, place: &str, evidence: &str) {
        let pointer = format!("{object}/properties/{key}");
        let kinds = self.kinds(place);
        if kinds.is_empty() || self.at(&pointer).is_null() {
            return;
        }
        if self.probe.differences.iter().any(|other| other.place == place && other.answer.ends_with("nothing")) {
            self.no_longer_required(object, key);
        }
        let null = !self.is_needed(object, key) && kinds.contains("null");
        let kind = self.kind(&pointer);
        let odd: Vec<&String> =
            kinds.iter().filter(|found| *found != kind && kind != "any" && !(null && *found == "null")).collect();
        let odd_null = odd.iter().all(|found| *found == "null");
        let own = [self.at(&pointer), self.at(&self.resolved(&pointer))]
            .iter()
            .find_map(|schema| schema["x-evidence"].as_str());
        let own = own.unwrap_or(evidence).to_owned();
        if !odd.is_empty() && !odd_null {
            let mut schema = self.observed(&kinds);
            for key in ["description", "x-rust-name"] {
                if let Some(value) = self.at(&pointer).get(key) {
                    schema[key] = value.clone();
                }
            }
            self.set(&format!("{object}/properties"), key, schema);
            return;
        }
        if !odd.is_empty() {
            // Other tools ignore a key beside `$ref`.
            if let Some(reference) = self.at(&pointer).get("$ref").cloned() {
                self.set(&format!("{object}/properties"), key, json!({"allOf": [{"$ref": reference}]}));
            }
            self.set(&pointer, "nullable", true.into());
        }
        let seen = kinds.iter().any(|kind| kind != "null") && matches!(own.as_str(), "partial" | "inferred");
        if seen || !odd.is_empty() {
            self.set(&pointer, "x-evidence", self.mark.clone().into());
        }
        self.visit(&pointer, place, &own);
    }

    fn set(&mut self, object: &str, key: &str, value: Value) {
        if let Some(fields) = self.spec.pointer_mut(object).and_then(Value::as_object_mut) {
            fields.insert(key.into(), value);
        }
    }

    /// The JSON type that the spec has.
    fn kind(&self, pointer: &str) -> &'static str {
        match self.at(&self.resolved(pointer))["type"].as_str() {
            Some("string") => "string",
            Some("integer" | "number") => "number",
            Some("boolean") => "boolean",
            Some("array") => "array",
            Some("object") => "object",
            _ => "any",
        }
    }

    fn is_needed(&self, object: &str, key: &str) -> bool {
        let listed =
            |list: &str| self.at(object)[list].as_array().is_some_and(|names| names.iter().any(|name| name == key));
        let pointer = format!("{object}/properties/{key}");
        let nullable =
            [self.at(&pointer), self.at(&self.resolved(&pointer))].iter().any(|schema| schema["nullable"] == true);
        (listed("required") || listed("x-needed")) && !nullable
    }

    fn names(&mut self, object: &str, change: impl Fn(&mut Vec<Value>)) {
        for list in ["required", "x-needed"] {
            if let Some(names) = self.spec.pointer_mut(&format!("{object}/{list}")).and_then(Value::as_array_mut) {
                change(names);
            }
        }
    }

    fn no_longer_required(&mut self, object: &str, key: &str) {
        self.names(object, |names| names.retain(|name| name != key));
    }

    /// Renames a key, and keeps its field in Rust.
    fn rename(&mut self, object: &str, old: &str, key: &str) {
        self.names(object, |names| names.iter_mut().filter(|name| *name == old).for_each(|name| *name = key.into()));
        let Some(fields) = self.spec.pointer_mut(&format!("{object}/properties")).and_then(Value::as_object_mut) else {
            return;
        };
        let Some(mut schema) = fields.remove(old) else { return };
        if schema.get("x-rust-name").is_none() {
            schema["x-rust-name"] = old.into();
        }
        schema["x-evidence"] = self.mark.clone().into();
        fields.insert(key.into(), schema);
        let paths = self.spec["paths"].clone();
        let mut medias = Vec::new();
        bodies(&paths, "/paths", &mut medias);
        for media in medias {
            let mut example = self.at(&format!("{media}/example")).clone();
            self.rename_in(&format!("{media}/schema"), &mut example, object, (old, key));
            if !example.is_null() {
                self.set(&media, "example", example);
            }
            let Some((operation, _)) = media.split_once("/responses/") else { continue };
            let renamed = |path: &str| self.renamed(&format!("{media}/schema"), path, object, (old, key));
            let property = self.at(operation)["x-states"]["property"].as_str().map(renamed);
            let repeats = self.at(operation)["x-answer-repeats"].as_object().map(|repeats| {
                let repeats = repeats.iter().map(|(path, source)| (renamed(path), source.clone()));
                repeats.collect::<Map<_, _>>()
            });
            if let Some(property) = property {
                self.set(&format!("{operation}/x-states"), "property", property.into());
            }
            if let Some(repeats) = repeats {
                self.set(operation, "x-answer-repeats", repeats.into());
            }
        }
    }

    /// Renames a key in a path such as `data.status`.
    fn renamed(&self, schema: &str, path: &str, object: &str, (old, key): (&str, &str)) -> String {
        let mut at = self.resolved(schema);
        let keys = path.split('.').map(|part| {
            let part = if at == object && part == old { key } else { part };
            at = self.resolved(&format!("{at}/properties/{part}"));
            part
        });
        keys.collect::<Vec<_>>().join(".")
    }

    /// Renames a key in each object of an example that has this schema.
    fn rename_in(&self, pointer: &str, value: &mut Value, object: &str, (old, key): (&str, &str)) {
        let pointer = self.resolved(pointer);
        match value {
            Value::Array(items) => {
                let pointer = format!("{pointer}/items");
                items.iter_mut().for_each(|item| self.rename_in(&pointer, item, object, (old, key)));
            }
            Value::Object(fields) => {
                if pointer == object
                    && let Some(value) = fields.remove(old)
                {
                    fields.insert(key.into(), value);
                }
                for (name, value) in fields {
                    self.rename_in(&format!("{pointer}/properties/{name}"), value, object, (old, key));
                }
            }
            _ => {}
        }
    }

    /// The schema of an observed value. A text and a number can be personal, so `Debug` must not show them.
    fn observed(&mut self, kinds: &BTreeSet<String>) -> Value {
        let others: Vec<&str> = kinds.iter().map(String::as_str).filter(|kind| *kind != "null").collect();
        let mut masked = |name: &str, kind: &str| {
            self.set("/components/schemas", name, json!({"type": kind, "x-sensitive": true}));
            json!({"allOf": [{"$ref": format!("#/components/schemas/{name}")}]})
        };
        let mut schema = match others[..] {
            ["string"] => masked("ObservedText", "string"),
            ["number"] => masked("ObservedNumber", "integer"),
            ["boolean"] => json!({"type": "boolean"}),
            ["array"] => json!({"type": "array", "items": {}}),
            ["object"] => json!({"type": "object", "additionalProperties": {}}),
            _ => json!({}),
        };
        if kinds.contains("null") && schema != json!({}) {
            schema["nullable"] = true.into();
        }
        schema["x-evidence"] = self.mark.clone().into();
        schema
    }
}

/// The pointers to the descriptions of bodies.
fn bodies(value: &Value, at: &str, found: &mut Vec<String>) {
    if value.get("schema").is_some() && value.get("example").is_some() && value.get("in").is_none() {
        return found.push(at.into());
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        bodies(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
    }
}

/// The merge patch from one value to another.
fn difference(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (from, to) else { return (from != to).then(|| to.clone()) };
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let came = new
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), difference(old.get(key).unwrap_or(&Value::Null), value)?)));
    let patch: Map<String, Value> = gone.chain(came).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Writes a map as YAML: a block for each map of maps, and a line for each other value.
fn write_map(text: &mut String, map: &Value, depth: usize) {
    for (key, value) in map.as_object().into_iter().flatten() {
        let nested = value.as_object().is_some_and(|fields| fields.values().any(Value::is_object));
        // Writing to a string does not fail.
        let _ = if nested {
            writeln!(text, "{:depth$}{}:", "", plain(key))
        } else {
            writeln!(text, "{:depth$}{}: {}", "", plain(key), flow(value))
        };
        if nested {
            write_map(text, value, depth + 2);
        }
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", plain(key), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A text without quotes, if YAML reads it as this text.
fn plain(text: &str) -> String {
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '$')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_-$ ".contains(c))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if safe { text.into() } else { Value::from(text).to_string() }
}
