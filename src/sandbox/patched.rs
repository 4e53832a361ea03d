//! Follows a user's spec. The simulations use the keys of our own specs: `x-our-key`, which the build writes.

use super::{
    request::{Reply, Request},
    spec::{Spec, operations, target},
};
use serde_json::{Map, Value};

/// The form of a value: in the keys of the user's spec, or of ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Ours,
    Theirs,
}

impl Spec {
    fn operation(&self, id: &str) -> Option<&Value> {
        operations(&self.document)
            .find(|(.., operation)| operation["operationId"] == *id)
            .map(|(.., operation)| operation)
    }

    /// The response to an operation that only the user's spec has: the example.
    pub fn added(&self, id: &str) -> Option<Reply> {
        let operation = self.operation(id).filter(|operation| operation["x-added"] == true)?;
        let (code, response) = operation["responses"].as_object()?.iter().find(|(code, _)| code.starts_with('2'))?;
        let body = response.pointer("/content/application~1json/example").cloned();
        Some(Reply { body, ..Reply::empty(code.replace("XX", "00").parse().unwrap_or(200)) })
    }

    /// Gives the values of a request the keys of our spec.
    pub fn in_our_keys(&self, call: &mut Request) {
        let Some(operation) = self.operation(&call.operation) else { return };
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = target(&self.document, parameter);
            let (Some(key), Some(ours)) = (parameter["name"].as_str(), parameter["x-our-key"].as_str()) else {
                continue;
            };
            for values in [&mut call.query, &mut call.path] {
                if let Some(value) = values.remove(key) {
                    values.insert(ours.into(), value);
                }
            }
        }
        let schema = operation.pointer("/requestBody/content/application~1json/schema");
        if let Some(schema) = schema {
            self.follow(schema, &mut call.body, Keys::Ours, &Value::Null);
        }
    }

    /// Gives the values of a response the keys of the user's spec, and adds the fields that only this spec requires.
    pub fn in_their_keys(&self, id: &str, reply: &mut Reply) {
        let (Some(operation), Some(body)) = (self.operation(id), &mut reply.body) else {
            return;
        };
        let (exact, class) = (reply.status.to_string(), format!("{}XX", reply.status / 100));
        let response = [exact, class].iter().find_map(|code| operation["responses"].get(code));
        if let Some(media) = response.and_then(|response| response.pointer("/content/application~1json")) {
            self.follow(&media["schema"], body, Keys::Theirs, &media["example"]);
        }
    }

    fn follow(&self, schema: &Value, value: &mut Value, to: Keys, example: &Value) {
        let forms = target(&self.document, schema);
        let schema = self.form(forms, value);
        // The example shows a success, so use it only for values of that form.
        let example = if std::ptr::eq(schema, self.form(forms, example)) { example } else { &Value::Null };
        match value {
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.follow(&schema["items"], item, to, &example[0]));
            }
            Value::Object(fields) => {
                for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                    let ours = property["x-our-key"].as_str().unwrap_or(key);
                    let (before, after) = if to == Keys::Ours { (key.as_str(), ours) } else { (ours, key.as_str()) };
                    if let Some(mut value) = fields.remove(before) {
                        self.follow(property, &mut value, to, &example[key]);
                        fields.insert(after.into(), value);
                    }
                }
                if to == Keys::Theirs {
                    add_required(schema, fields, example);
                }
            }
            _ => {}
        }
    }

    /// The form of `oneOf` or `anyOf` that describes the most keys of a value.
    pub(super) fn form<'a>(&'a self, schema: &'a Value, value: &Value) -> &'a Value {
        let forms = ["oneOf", "anyOf"].into_iter().flat_map(|forms| schema[forms].as_array().into_iter().flatten());
        let described = |form: &&Value| {
            let names = form["properties"].as_object().into_iter().flatten();
            let known = names.filter(|(key, property)| {
                value.get(property["x-our-key"].as_str().unwrap_or(key)).or(value.get(key)).is_some()
            });
            known.count() + usize::from(value.is_array() && form["type"] == "array")
        };
        let forms: Vec<&Value> = forms.map(|form| target(&self.document, form)).collect();
        // If several forms fit equally, choose the first, which is the success. `max_by_key` returns the last.
        forms.into_iter().rev().max_by_key(described).unwrap_or(schema)
    }
}

fn add_required(schema: &Value, fields: &mut Map<String, Value>, example: &Value) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if let (false, Some(value)) = (fields.contains_key(name), example.get(name)) {
            fields.insert(name.into(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A spec as the build writes it for a patch: `umr` and `id` have new names, and `kind` is new.
    fn spec() -> Spec {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let body = |schema: Value, example: Value| json!({"application/json": {"schema": schema, "example": example}});
        let found = json!({"data": [{"rum": "sample", "kind": "core"}]});
        Spec::read(
            &json!({
                "x-patched": true,
                "paths": {
                    "/search": {"post": {
                        "operationId": "search",
                        "parameters": [{"name": "ref", "in": "query", "schema": {}, "x-our-key": "id"}],
                        "requestBody": {"content": body(reference("Mandate"), json!({}))},
                        "responses": {"2XX": {
                            "content": body(json!({"oneOf": [reference("Found"), reference("Failure")]}), found),
                        }},
                    }},
                    "/language": {"get": {
                        "operationId": "get_language",
                        "x-added": true,
                        "responses": {"200": {"content": body(json!({}), json!({"language": "fr"}))}},
                    }},
                },
                "components": {"schemas": {
                    "Mandate": {
                        "required": ["rum", "kind"],
                        "properties": {"rum": {"type": "string", "x-our-key": "umr"}, "kind": {"type": "string"}},
                    },
                    "Found": {"properties": {
                        "data": {"type": "array", "items": reference("Mandate"), "x-our-key": "datas"},
                    }},
                    "Failure": {"required": ["data"], "properties": {"code": {}}},
                }},
            })
            .to_string(),
        )
    }

    #[test]
    fn simulation_reads_and_writes_its_own_keys() {
        let spec = spec();
        let mut call = Request { operation: "search".into(), body: json!({"rum": "RUM-1"}), ..Request::default() };
        call.query.insert("ref".into(), "7".into());
        spec.in_our_keys(&mut call);
        assert_eq!((call.body, call.query.get("id").map(String::as_str)), (json!({"umr": "RUM-1"}), Some("7")));

        let mut reply = Reply::new(200, json!({"datas": [{"umr": "RUM-1"}]}));
        spec.in_their_keys("search", &mut reply);
        assert_eq!(reply.body, Some(json!({"data": [{"rum": "RUM-1", "kind": "core"}]})));
    }

    #[test]
    fn refusal_is_not_completed_from_the_example_of_a_success() {
        let mut reply = Reply::new(200, json!({"code": "AUTH_001"}));
        spec().in_their_keys("search", &mut reply);
        assert_eq!(reply.body, Some(json!({"code": "AUTH_001"})));
    }

    #[test]
    fn added_operation_returns_its_example() {
        let reply = spec().added("get_language").unwrap();
        assert_eq!((reply.status, reply.body), (200, Some(json!({"language": "fr"}))));
        assert!(spec().added("search").is_none());
    }
}
