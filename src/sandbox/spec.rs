//! Finds the operation of a request, and checks the request with the spec of the vendor.

use super::request::Request;
use crate::{sepa::Umr, wire};
use hyper::header::CONTENT_TYPE;
use jsonschema::{Draft, ValidatorMap};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, net::IpAddr, sync::OnceLock};

/// The spec of one simulated vendor.
pub(crate) struct Spec {
    pub(super) document: Value,
    /// True if a user changed the spec.
    pub(super) patched: bool,
    base_path: String,
    routes: Vec<Route>,
    /// The names of all fields and parameters in the spec. The value is true if the field is personal or secret.
    names: BTreeMap<String, bool>,
    checks: OnceLock<Option<ValidatorMap>>,
}

pub(crate) struct Route {
    method: String,
    /// The path before the path template, usually the base path of the server.
    base: String,
    /// The segments of the path template. A segment in braces is a parameter.
    parts: Vec<String>,
    pub operation: String,
    parameters: Vec<Parameter>,
    pub body: Body,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Json,
    /// The body is a form with a file.
    Form,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    /// The JSON type as which the sandbox parses the text.
    kind: String,
}

/// An error in a request, which breaks the spec.
pub(crate) struct Violation {
    /// The path to the wrong value in the request. The path begins with `body`, `query`, `path` or `header`.
    pub place: Vec<String>,
    /// The description of the error. The text contains no value of the request.
    pub what: String,
    pub missing: bool,
}

impl Route {
    /// Returns the path template of the operation in the spec.
    pub fn template(&self) -> String {
        self.parts.join("/")
    }
}

impl Spec {
    /// Reads the JSON of a spec, which the build script has already checked.
    pub fn read(json: &str) -> Self {
        let document: Value = serde_json::from_str(json).unwrap_or_default();
        let base_path = server_path(&document).unwrap_or_default();
        let routes = operations(&document).map(|(path, item, method, operation)| Route {
            method: method.to_uppercase(),
            base: server_path(item).unwrap_or_else(|| base_path.clone()),
            parts: path.split('/').map(str::to_owned).collect(),
            operation: text(&operation["operationId"]),
            parameters: parameters(&document, operation),
            body: match &operation["requestBody"]["content"] {
                Value::Null => Body::None,
                content if content.get("multipart/form-data").is_some() => Body::Form,
                _ => Body::Json,
            },
        });
        let mut routes: Vec<Route> = routes.collect();
        // Compare the request with paths that have fewer parameters first.
        routes.sort_by_key(|route| route.parts.iter().filter(|part| part.starts_with('{')).count());
        let names = names(&document);
        let patched = document.get("x-patched").is_some();
        Self { base_path, routes, names, checks: OnceLock::new(), patched, document }
    }

    /// Returns the path of the vendor's server, such as `/v2`.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Returns the ids of the operations.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| route.operation.as_str())
    }

    /// Returns the operation of a request, and the values of the parameters in its path.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Route, BTreeMap<String, String>)> {
        self.routes.iter().filter(|route| route.method == method).find_map(|route| {
            let path: Vec<&str> = path.strip_prefix(route.base.as_str())?.split('/').collect();
            if route.parts.len() != path.len() {
                return None;
            }
            let mut values = BTreeMap::new();
            for (part, given) in route.parts.iter().zip(&path) {
                if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                    let given = percent_encoding::percent_decode_str(given).decode_utf8().ok()?;
                    values.insert(name.to_owned(), given.into_owned());
                } else if part != given {
                    return None;
                }
            }
            Some((route, values))
        })
    }

    /// Returns the methods that the spec has for a path.
    pub fn methods(&self, path: &str) -> Vec<&str> {
        let fits = |route: &&Route| self.find(&route.method, path).is_some_and(|(found, _)| found.parts == route.parts);
        let Some(first) = self.routes.iter().find(fits) else { return Vec::new() };
        let same = self.routes.iter().filter(|route| route.parts == first.parts);
        same.map(|route| route.method.as_str()).collect()
    }

    /// Returns all errors in a request. A word that the spec does not list is also an error.
    pub fn violations(&self, route: &Route, call: &Request) -> Vec<Violation> {
        let mut found = Vec::new();
        for parameter in &route.parameters {
            let Parameter { name, place, kind, .. } = parameter;
            let given = match place.as_str() {
                "path" => call.path.get(name).map(String::as_str),
                "header" => call.header(name),
                _ => call.query.get(name).map(String::as_str),
            };
            let at = vec![place.clone(), name.clone()];
            let repeated = match place.as_str() {
                "header" => call.headers.get_all(name).iter().count() > 1,
                "query" => call.repeated.contains(name),
                _ => false,
            };
            match given {
                _ if repeated => {
                    let what = "this parameter is given more than once".into();
                    found.push(Violation { place: at, what, missing: false });
                }
                None if parameter.required => found.push(Violation::missing(at)),
                None => {}
                Some(given) => {
                    // A parameter in the path or the query is text, so parse a number or a boolean.
                    let read = if kind == "string" { None } else { serde_json::from_str(given).ok() };
                    self.check(
                        &key(&route.operation, place, name),
                        &read.unwrap_or_else(|| given.into()),
                        at,
                        &mut found,
                    );
                }
            }
        }
        let media = if route.body == Body::Json { "application/json" } else { "multipart/form-data" };
        let mut broken = |place: &str, what: String| {
            let place = place.split('.').map(str::to_owned).collect();
            found.push(Violation { place, what, missing: false });
        };
        match route.body {
            Body::None => {}
            _ if call.has_body() && !call.headers.contains_key(CONTENT_TYPE) => {
                found.push(Violation::missing(vec!["header".into(), "Content-Type".into()]));
            }
            _ if call.is_not(media) => broken("header.Content-Type", format!("this is not {media}")),
            _ if let Some(why) = &call.unreadable => broken("body", why.clone()),
            Body::Json if call.body.is_null() => found.push(Violation::missing(vec!["body".into()])),
            Body::Json => self.check(&key(&route.operation, "body", ""), &call.body, vec!["body".into()], &mut found),
            Body::Form if call.file.is_none() => found.push(Violation::missing(vec!["body".into(), "file".into()])),
            Body::Form => {}
        }
        found
    }

    /// Removes the fields and the query parameters that the operation does not document.
    pub fn keep_documented(&self, call: &mut Request) {
        if let Some(route) = self.routes.iter().find(|route| route.operation == call.operation) {
            call.query
                .retain(|name, _| route.parameters.iter().any(|known| known.place == "query" && known.name == *name));
        }
        let operation = operations(&self.document).find(|(.., operation)| operation["operationId"] == *call.operation);
        let schema = operation.and_then(|(.., it)| it.pointer("/requestBody/content/application~1json/schema"));
        schema.into_iter().for_each(|schema| self.keep(schema, &mut call.body));
    }

    fn keep(&self, schema: &Value, value: &mut Value) {
        let schema = self.form(target(&self.document, schema), value);
        match (value, schema["properties"].as_object()) {
            (Value::Array(items), _) => items.iter_mut().for_each(|item| self.keep(&schema["items"], item)),
            (Value::Object(fields), Some(known)) if schema["additionalProperties"].is_null() => {
                fields.retain(|name, _| known.contains_key(name));
                fields.iter_mut().for_each(|(name, value)| self.keep(&known[name], value));
            }
            _ => {}
        }
    }

    fn check(&self, key: &str, value: &Value, at: Vec<String>, found: &mut Vec<Violation>) {
        let checks = self.checks.get_or_init(|| checks(&self.document));
        let check = checks.as_ref().and_then(|checks| checks.get(&format!("#/definitions/{}", escape(key))));
        let Some(check) = check else {
            return found.push(Violation {
                place: at,
                what: "the sandbox cannot check this field".into(),
                missing: false,
            });
        };
        for error in check.iter_errors(value) {
            let mut place = at.clone();
            place.extend(error.instance_path().as_str().split('/').skip(1).map(str::to_owned));
            // The validator reports a missing field at its object, so add the name of the field.
            if let jsonschema::error::ValidationErrorKind::Required { property } = error.kind() {
                place.extend(property.as_str().map(str::to_owned));
                found.push(Violation::missing(place));
            } else {
                found.push(Violation { place, what: error.masked().to_string(), missing: false });
            }
        }
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns the reason why the spec does not describe this response of an operation, or `None` if the spec describes
    /// it.
    #[cfg(test)]
    pub fn undescribed(&self, operation: &str, reply: &super::Reply) -> Option<String> {
        let (.., found) = operations(&self.document).find(|(.., o)| o["operationId"] == *operation)?;
        let responses = found["responses"].as_object()?;
        let exact = reply.status.to_string();
        let class = format!("{}XX", reply.status / 100);
        let Some((status, answer)) = responses
            .iter()
            .find(|(status, _)| [&exact, &class].contains(status))
            .or(responses.get_key_value("default"))
        else {
            return Some(format!("no {exact}"));
        };
        let described = target(&self.document, answer).pointer("/content/application~1json/schema").is_some();
        let mut found = Vec::new();
        match &reply.body {
            Some(body) if described => self.check(&key(operation, "answer", status), body, Vec::new(), &mut found),
            None if !described => {}
            // The vendors' pages list these errors without a body, so the spec describes no body.
            Some(_) if !described && reply.status >= 400 => {}
            _ => {
                return Some(
                    "a body that the spec does not describe, or no body although the spec describes one".into(),
                );
            }
        }
        found.first().map(|violation| format!("{}: {}", violation.place.join("."), violation.what))
    }

    /// Masks personal data, secrets and the values of unknown fields in a request or a record.
    pub fn masked(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match self.names.get(name) {
                    Some(_) => (name.clone(), self.shown(name, value)),
                    None => (wire::safe_key(name), self.shown(name, value)),
                })
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.masked(item)).collect(),
            // A field that is not marked as personal can still contain personal data by mistake.
            Value::String(text) if is_personal(text) => "***".into(),
            other => other.clone(),
        }
    }

    pub fn shown(&self, name: &str, value: &Value) -> Value {
        match self.names.get(name) {
            Some(false) => self.masked(value),
            _ if value.is_null() => Value::Null,
            _ => "***".into(),
        }
    }
}

/// Returns true for an IBAN, with or without separators, and for a text with an e-mail address.
pub(super) fn is_personal(text: &str) -> bool {
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    text.contains('@') || wire::may_be_iban(&bare)
}

impl Violation {
    /// Describes all errors of a request in one text.
    pub fn describe(all: &[Self]) -> String {
        let all = all.iter().map(|violation| format!("{}: {}", violation.place.join("."), violation.what));
        all.collect::<Vec<_>>().join("; ")
    }

    fn missing(place: Vec<String>) -> Self {
        Self { place, what: "this field is required".into(), missing: true }
    }
}

/// Returns every operation of a spec: its path, the item of the path, its method, and the operation.
pub(super) fn operations(document: &Value) -> impl Iterator<Item = (&str, &Value, &str, &Value)> {
    let items = document["paths"].as_object().into_iter().flatten();
    items.flat_map(|(path, item)| {
        let operations = item.as_object().into_iter().flatten().filter(|(_, value)| value.get("operationId").is_some());
        operations.map(move |(method, operation)| (path.as_str(), item, method.as_str(), operation))
    })
}

/// Returns the path of the first server in a spec, for example `/api` for `https://pdp.seqino.dev/api`.
pub(super) fn server_path(value: &Value) -> Option<String> {
    let url = value.pointer("/servers/0/url")?.as_str()?;
    Some(url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn key(operation: &str, place: &str, name: &str) -> String {
    format!("{operation} {place} {name}")
}

/// Escapes a field name for a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

pub(super) fn target<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let resolved = value.get("$ref").and_then(Value::as_str).and_then(|r| document.pointer(r.strip_prefix('#')?));
    match resolved.unwrap_or(value) {
        value if value.get("allOf").is_some() => target(document, &value["allOf"][0]),
        value => value,
    }
}

fn parameters(document: &Value, operation: &Value) -> Vec<Parameter> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let all = all.map(|parameter| target(document, parameter)).map(|parameter| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == true,
        kind: text(&target(document, &parameter["schema"])["type"]),
    });
    all.collect()
}

fn names(document: &Value) -> BTreeMap<String, bool> {
    let mut names = BTreeMap::new();
    let mut add = |name: &str, schema: &Value| {
        let schema = target(document, schema);
        let sensitive = schema["x-sensitive"] == true;
        // A field name that is sensitive in one place of the spec counts as sensitive everywhere.
        *names.entry(name.to_owned()).or_insert(false) |= sensitive;
    };
    for schema in document["components"]["schemas"].as_object().into_iter().flat_map(Map::values) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            add(name, property);
        }
    }
    for (.., operation) in operations(document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = target(document, parameter);
            add(parameter["name"].as_str().unwrap_or_default(), &parameter["schema"]);
        }
    }
    names
}

/// Builds one validator for each body and parameter, once per process.
fn checks(document: &Value) -> Option<ValidatorMap> {
    let mut definitions = Map::new();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        definitions.insert(name.clone(), as_json_schema(schema));
    }
    for (.., operation) in operations(document) {
        let id = text(&operation["operationId"]);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = target(document, parameter);
            let key = key(&id, &text(&parameter["in"]), &text(&parameter["name"]));
            definitions.insert(key, as_json_schema(&parameter["schema"]));
        }
        if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
            definitions.insert(key(&id, "body", ""), as_json_schema(schema));
        }
        #[cfg(test)]
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            if let Some(schema) = target(document, answer).pointer("/content/application~1json/schema") {
                definitions.insert(key(&id, "answer", status), as_json_schema(schema));
            }
        }
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .with_format("iban", wire::is_iban)
        .with_format("date-fr", |text: &str| text.parse::<wire::FrenchDate>().is_ok())
        .with_format("reference", |text: &str| !text.trim().is_empty())
        .with_format("umr", |text: &str| !text.trim().is_empty())
        .with_format("new-umr", |text: &str| Umr::with_underscores(text).is_ok())
        .with_format("cents", digits)
        // The vendor calls the format IPv4, but allows texts of the length of an IPv6 address.
        .with_format("ipv4", |text: &str| text.parse::<IpAddr>().is_ok())
        .build_map(&json!({"definitions": definitions}))
        .ok()
}

/// Converts a schema of OpenAPI 3.0 to JSON Schema. A nullable field gets the type null. A set of words that allows
/// further words becomes a closed set, because the sandbox checks requests like a strict vendor.
fn as_json_schema(schema: &Value) -> Value {
    let Some(object) = schema.as_object() else { return schema.clone() };
    let mut out = Map::new();
    for (keyword, value) in object {
        let value = match (keyword.as_str(), value) {
            ("$ref", Value::String(to)) => to.replace("#/components/schemas/", "#/definitions/").into(),
            ("properties", Value::Object(all)) => all.iter().map(|(k, v)| (k.clone(), as_json_schema(v))).collect(),
            ("items" | "additionalProperties", value) => as_json_schema(value),
            ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => all.iter().map(as_json_schema).collect(),
            ("x-extensible-enum", words) => {
                out.insert("enum".into(), words.clone());
                continue;
            }
            ("example" | "default" | "nullable" | "description", _) => continue,
            (keyword, _) if keyword.starts_with("x-") => continue,
            (_, value) => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    match object.get("nullable") {
        Some(Value::Bool(true)) => json!({"anyOf": [{"type": "null"}, out]}),
        _ => out.into(),
    }
}
