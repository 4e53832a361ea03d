//! The rules for a spec that the types of `model` cannot express. `specs/README.md` explains them.

use super::{
    lower::snake,
    model::{
        Effect, Endpoint, FORM, Format, JSON, Kind, Location, Media, Operation, Repeated, Response, Schema, Server,
        Spec, States,
    },
    problem::{Located, Place, Problem, Problems},
};
use heck::ToUpperCamelCase;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn check(spec: &Spec) -> Result<(), Problems> {
    let mut check = Check { spec, problems: Problems::new() };
    check.version();
    check.operations();
    check.components();
    if check.problems.is_empty() { Ok(()) } else { Err(check.problems) }
}

struct Check<'a> {
    spec: &'a Spec,
    problems: Problems,
}

/// Names of methods and fields that our own code has.
const METHODS: [&str; 11] =
    ["new", "clone", "fmt", "transport", "authorization", "refused", "taken", "holds", "word", "read", "probe"];
const FIELDS: [&str; 6] = ["client", "body", "request", "send", "send_again", "extra"];

fn is_name(text: &str) -> bool {
    syn::parse_str::<syn::Ident>(text).is_ok()
}

fn is_type_name(text: &str) -> bool {
    text == text.to_upper_camel_case() && is_name(text)
}

impl<'a> Check<'a> {
    fn say(&mut self, place: Place, what: impl Into<String>, fix: &str) {
        self.problems.push(Problem::new(place, what, fix));
    }

    fn version(&mut self) {
        let version = &self.spec.openapi;
        if !version.starts_with("3.0.") {
            let what = format!("the version of OpenAPI is `{}`", version.value);
            self.say(version.place, what, "write `openapi: 3.0.3`; the generator reads 3.0 only");
        }
    }

    fn operations(&mut self) {
        for item in self.spec.paths.values() {
            if let Some(servers) = &item.servers {
                self.server(servers);
            }
        }
        let mut ids: BTreeMap<&str, Place> = BTreeMap::new();
        for endpoint in self.spec.endpoints() {
            let id = &endpoint.operation.operation_id;
            if snake(id).trim_end_matches('_') != id.value || !id.is_ascii() {
                let what = format!("the operationId `{}` is not in snake_case", id.value);
                self.say(id.place, what, "write it like `create_mandate`; it becomes the method's name");
            } else if METHODS.contains(&id.as_str()) || !is_name(id) {
                self.say(id.place, format!("the operationId `{}` cannot be a method", id.value), "use another name");
            }
            if ids.insert(id, id.place).is_some() {
                let what = format!("another operation has the operationId `{}`", id.value);
                self.say(id.place, what, "give each operation its own name");
            }
            self.operation(endpoint);
        }
        if ids.is_empty() {
            self.say(self.spec.paths.place, "there is no operation", "describe at least one under `paths`");
        }
    }

    /// The address of a path replaces the base path only. Credentials must not go to another host.
    fn server(&mut self, servers: &Located<Vec<Server>>) {
        let host = |url: &str| url.splitn(4, '/').take(3).map(str::to_owned).collect::<Vec<_>>();
        let first = self.spec.server();
        match &servers[..] {
            [own] if own.url.contains(['{', '?', '#']) => {
                let what = "the address of the path has a variable, a query or a fragment";
                self.say(servers.place, what, "write a plain URL");
            }
            [own] if host(&own.url) != host(first) => {
                let what = format!("the host of the path is not the host of `{first}`");
                self.say(servers.place, what, "write the host of the first server; credentials go to no other host");
            }
            [_] => {}
            _ => self.say(servers.place, "the path does not have exactly one address", "write one"),
        }
    }

    fn operation(&mut self, endpoint: Endpoint<'a>) {
        let operation = &endpoint.operation.value;
        let (id, place) = (&operation.operation_id.value, endpoint.operation.place);
        let successes = operation.responses.keys().filter(|code| code.starts_with('2')).count();
        if successes != 1 {
            let what = format!("`{id}` has {successes} responses with a 2xx code");
            self.say(place, what, "describe exactly one");
        }
        self.parameters(endpoint);
        if let Some(body) = &operation.request_body {
            let what = format!("the request body of `{id}`");
            self.content(&what, body.place, &body.content, &[JSON, FORM]);
            let schema = operation.body(JSON).and_then(|media| media.schema.as_ref());
            if schema.is_some_and(|schema| schema.reference.is_none()) {
                let fix = "name the schema under `components.schemas` and refer to it";
                self.say(body.place, format!("{what} has an inline schema"), fix);
            }
            if let Some(form) = self.spec.form(operation)
                && !form
                    .properties
                    .iter()
                    .flatten()
                    .all(|(_, field)| self.spec.target(field).format == Some(Format::Binary))
            {
                let fix = "describe files only (`format: binary`); other fields of a form are not supported";
                self.say(body.place, format!("the form of `{id}` has a field that is not a file"), fix);
            }
        }
        for (code, response) in &operation.responses {
            self.response(&format!("the response {code} of `{id}`"), code, response);
        }
        self.effect(endpoint);
        if let Some(repeats) = &operation.repeats {
            self.repeats(repeats.place, operation, repeats);
        }
        if let Some(states) = &operation.states {
            self.states(states.place, operation, states);
        }
    }

    fn response(&mut self, what: &str, code: &str, response: &'a Located<Response>) {
        let success = code.starts_with('2');
        if let Some(reference) = &response.reference {
            let found = reference.strip_prefix("#/components/responses/");
            if success || found.is_none_or(|name| !self.spec.components.responses.contains_key(name)) {
                let fix = "describe the response here; only failures may refer to `components.responses`";
                self.say(response.place, format!("{what} refers to `{reference}`"), fix);
            }
        }
        if success {
            self.content(what, response.place, &response.content, &[JSON]);
        } else {
            response.content.values().for_each(|media| self.media(media));
        }
    }

    fn media(&mut self, media: &'a Media) {
        if let Some(schema) = &media.schema {
            self.schema("the body", schema, false);
        }
    }

    /// Requires one media type, with a schema and a matching example.
    fn content(&mut self, what: &str, place: Place, content: &'a BTreeMap<String, Media>, allowed: &[&str]) {
        content.values().for_each(|media| self.media(media));
        let Some((media_type, media)) = content.first_key_value() else { return };
        if content.len() > 1 || !allowed.contains(&media_type.as_str()) {
            let what = format!("{what} is not described as JSON only");
            return self.say(
                place,
                what,
                "describe `application/json`; a request may instead be `multipart/form-data`",
            );
        }
        match (&media.schema, &media.example) {
            (None, _) => self.say(place, format!("{what} has no schema"), "add `schema`"),
            (_, None) if media_type != FORM => {
                self.say(place, format!("{what} has no example"), "add `example` with the vendor's documented values");
            }
            (Some(schema), Some(example)) => {
                self.example(&format!("the example of {what}"), example.place, schema, example)
            }
            (Some(_), None) => {}
        }
    }

    /// Compares the keys of an example with its schema. Tests send the example and the sandbox answers it, so a renamed
    /// or newly required field must not be forgotten there.
    fn example(&mut self, what: &str, place: Place, schema: &'a Located<Schema>, value: &Value) {
        let schema = self.spec.target(schema);
        // Only the first alternative is compared: the others are a failure, or a single item instead of a list.
        if let Some(first) = schema.one_of.first().or(schema.any_of.first()) {
            return self.example(what, place, first, value);
        }
        if let (Some(items), Some(values)) = (schema.items.as_deref(), value.as_array()) {
            return values.iter().for_each(|value| self.example(what, place, items, value));
        }
        let (Some(properties), Some(given)) = (&schema.properties, value.as_object()) else { return };
        for name in schema.required.iter().filter(|name| properties.contains_key(*name) && !given.contains_key(*name)) {
            let fix = "add it, with the vendor's value";
            self.say(place, format!("{what} lacks `{name}`, which is required"), fix);
        }
        for (name, value) in given {
            match properties.get(name) {
                Some(property) => self.example(what, place, property, value),
                None => {
                    let fix = "describe the field under `properties`, or correct the example";
                    self.say(place, format!("{what} has `{name}`, which its schema lacks"), fix);
                }
            }
        }
    }

    fn parameters(&mut self, endpoint: Endpoint<'a>) {
        let mut names = Vec::new();
        for used in &endpoint.operation.parameters {
            let (place, parameter) = (used.place, self.spec.parameter(used));
            let name = snake(&parameter.name);
            let (Some(location), Some(schema)) = (parameter.location, &parameter.schema) else {
                let what = match &used.reference {
                    Some(reference) => format!("no parameter is at `{reference}`"),
                    None => format!("the parameter `{}` has no `in` or no `schema`", parameter.name),
                };
                self.say(place, what, "write `name`, `in` and `schema`, or refer to `components.parameters`");
                continue;
            };
            if names.contains(&name) || FIELDS.contains(&name.as_str()) {
                let what = format!("the parameter `{}` has a name of our own or of another parameter", parameter.name);
                self.say(place, what, "only the vendor can rename it; leave it out");
            }
            if matches!(self.spec.target(schema).kind, Some(Kind::Array | Kind::Object)) {
                let what = format!("the parameter `{}` is a list or an object", parameter.name);
                self.say(place, what, "describe a single value; only a body may have a structure");
            }
            if location == Location::Path && !parameter.required {
                let what = format!("the path needs `{}`, which is not required", parameter.name);
                self.say(place, what, "add `required: true`");
            }
            if parameter.required && parameter.example.is_none() {
                self.say(place, format!("the parameter `{}` has no example", parameter.name), "add `example`");
            }
            self.schema(&format!("the parameter `{}`", parameter.name), schema, false);
            names.push(name);
        }
        for part in endpoint.placeholders().filter(|part| !names.contains(&snake(part))) {
            let what = format!("the path has `{{{part}}}` and no parameter of this name");
            self.say(endpoint.operation.place, what, "describe it under `parameters`");
        }
    }

    fn effect(&mut self, endpoint: Endpoint<'a>) {
        let Located { place, value: operation } = endpoint.operation;
        let writes = endpoint.effect() == Effect::Write;
        let id = &operation.operation_id.value;
        if writes && operation.lost_answer.is_none() {
            let fix = "say in `x-lost-answer` how a caller finds out, or set `x-effect` to read or removal";
            self.say(*place, format!("the write `{id}` does not say what to do if its response is lost"), fix);
        }
        if let Some(in_use) = operation.in_use.as_ref().filter(|in_use| in_use.codes.is_empty()) {
            self.say(in_use.place, "`x-in-use` has no codes", "list at least one under `codes`");
        }
        let present = [
            ("x-unverified", operation.unverified),
            ("x-in-use", operation.in_use.is_some()),
            ("x-states", operation.states.is_some()),
        ];
        for (key, _) in present.iter().filter(|(_, present)| *present && !writes) {
            self.say(*place, format!("`{id}` has `{key}` and is not a write"), "remove it");
        }
    }

    /// Each repeated value must be in the response and in the request.
    fn repeats(&mut self, place: Place, operation: &'a Operation, repeats: &BTreeMap<String, Repeated>) {
        let body = operation.body(JSON).and_then(|media| media.schema.as_ref());
        for (at, Repeated { location, name }) in repeats {
            if operation.answer().is_none_or(|schema| self.field(schema, at.split('.')).is_none()) {
                let what = format!("`x-answer-repeats` names `{at}`, which the response lacks");
                self.say(place, what, "correct it; a nested field is written as in `data.orderId`");
            }
            let sent = match location {
                None => body.is_some_and(|schema| self.field(schema, name.split('/').skip(1)).is_some()),
                Some(location) => self
                    .spec
                    .parameters(operation)
                    .any(|parameter| parameter.location == Some(*location) && parameter.name == *name),
            };
            if !sent {
                let what = format!("`x-answer-repeats` names `{name}`, which the request lacks there");
                self.say(place, what, "correct where the request has the value");
            }
        }
    }

    /// The states of a response are distinguished by a field that is always present. Each word selects one state.
    fn states(&mut self, place: Place, operation: &'a Operation, states: &States) {
        let field = operation.answer().and_then(|schema| self.required_field(schema, states.property.split('.')));
        let Some(known) = field.and_then(|schema| schema.open.as_ref()) else {
            let what = format!("`{}` is not a word that every response has", states.property);
            return self.say(place, what, "name a required field with an `x-extensible-enum`, as in `data.status`");
        };
        let mut words = Vec::new();
        for state in &states.states {
            let same = states.states.iter().filter(|other| other.name == state.name).count();
            if !is_type_name(&state.name) || state.name == "Unclear" || same > 1 {
                let what = format!("the state `{}` cannot have this name", state.name);
                self.say(place, what, "give each state its own name in PascalCase; `Unclear` is taken");
            }
            for word in &state.words {
                if !known.contains(word) || words.contains(&word) {
                    let what = format!("the word `{word}` is undocumented or listed twice");
                    self.say(place, what, "list each documented word at most once; the others are `Unclear`");
                }
                words.push(word);
            }
        }
    }

    /// The field at a path of names.
    fn field<'b>(
        &self,
        schema: &'a Located<Schema>,
        path: impl Iterator<Item = &'b str>,
    ) -> Option<&'a Located<Schema>> {
        path.into_iter()
            .try_fold(self.first(schema), |schema, name| Some(self.first(schema.properties.as_ref()?.get(name)?)))
    }

    fn required_field<'b>(
        &self,
        schema: &'a Located<Schema>,
        path: impl Iterator<Item = &'b str>,
    ) -> Option<&'a Located<Schema>> {
        path.into_iter().try_fold(self.first(schema), |schema, name| {
            let required = schema.required.iter().any(|required| required == name);
            Some(self.first(schema.properties.as_ref()?.get(name).filter(|_| required)?))
        })
    }

    /// The schema behind a reference, and the first alternative of several.
    fn first(&self, schema: &'a Located<Schema>) -> &'a Located<Schema> {
        let schema = self.spec.target(schema);
        schema.one_of.first().or(schema.any_of.first()).map_or(schema, |first| self.spec.target(first))
    }

    fn components(&mut self) {
        let (received, sent) = (self.spec.received(), self.spec.sent());
        for (name, schema) in &self.spec.components.schemas {
            let (place, what) = (schema.place, format!("the schema `{name}`"));
            if !is_type_name(name) {
                let fix = "write it like `CreateMandateRequest` or `VatRegime`";
                self.say(place, format!("{what} has no name in PascalCase"), fix);
            }
            if schema.reference.is_some() {
                self.say(place, format!("{what} is another name of a schema"), "use the schema that it refers to");
            }
            if schema.closed.is_some() && schema.kind == Some(Kind::String) && received.contains(name.as_str()) {
                let fix = "use `x-extensible-enum`: a vendor adds words";
                self.say(place, format!("{what} is a closed enum in a response"), fix);
            }
            if let Some(needed) = &schema.needed {
                if sent.contains(name.as_str()) {
                    let fix = "remove `x-needed`; a request needs all required fields";
                    self.say(needed.place, format!("{what} is part of a request"), fix);
                }
                let described =
                    |field: &&String| !schema.properties.as_ref().is_some_and(|all| all.contains_key(*field));
                for field in needed.iter().filter(described) {
                    let what = format!("{what} needs `{field}`, which is not described");
                    self.say(needed.place, what, "describe the field under `properties`");
                }
            }
            self.schema(&what, schema, true);
            self.words(&what, schema);
        }
    }

    fn words(&mut self, what: &str, schema: &Located<Schema>) {
        let place = schema.place;
        let Some(words) = schema.words() else { return };
        if words.is_empty() {
            return self.say(place, format!("{what} has no words"), "list at least one");
        }
        if schema.names.as_ref().is_some_and(|names| names.len() != words.len()) {
            let fix = "give one name for each word, in the same order";
            self.say(place, format!("{what} has more or fewer `x-enum-varnames` than words"), fix);
        }
        // Fewer descriptions are fine: a new word is appended, and its description may follow later.
        if schema.descriptions.as_ref().is_some_and(|all| all.len() > words.len()) {
            let fix = "give at most one description for each word, in the same order";
            self.say(place, format!("{what} has more `x-enum-descriptions` than words"), fix);
        }
        let length = schema.min_length.unwrap_or(0)..=schema.max_length.unwrap_or(usize::MAX);
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        for (i, word) in words.into_iter().enumerate() {
            if !length.contains(&word.chars().count()) {
                let fix = "correct the word or the length";
                self.say(place, format!("{what} has the word `{word}`, which breaks its own length"), fix);
            }
            let name = schema.names.as_ref().and_then(|names| names.get(i)).cloned();
            let name = name.unwrap_or_else(|| word.to_upper_camel_case());
            let fix = "name the words in `x-enum-varnames`";
            if !is_name(&name) || name == "Unrecognized" {
                self.say(place, format!("{what} would call the word `{word}` `{name}`, which is no name"), fix);
            } else if let Some(other) = names.insert(name.clone(), word) {
                self.say(place, format!("{what} would call the words `{other}` and `{word}` both `{name}`"), fix);
            }
        }
    }

    /// Checks a schema and those inside it. `named` says that it is a component of its own.
    fn schema(&mut self, what: &str, schema: &'a Located<Schema>, named: bool) {
        let place = schema.place;
        if let Some(reference) = schema.referred()
            && schema.name().is_none_or(|name| !self.spec.components.schemas.contains_key(name))
        {
            let fix = "refer to a schema under `components.schemas`";
            self.say(place, format!("{what} refers to `{reference}`, which does not exist"), fix);
        }
        if schema.reference.is_some() {
            return;
        }
        if !schema.all_of.is_empty() && (schema.all_of.len() != 1 || schema.all_of[0].reference.is_none()) {
            let fix = "put one reference into `allOf`, or list the fields";
            self.say(place, format!("{what} has an `allOf` that is not one reference"), fix);
        }
        if let Some(pattern) = &schema.pattern
            && let Err(e) = regress::Regex::new(pattern)
        {
            let fix = "correct the pattern; the dialect is ECMAScript";
            self.say(place, format!("{what} has a pattern that does not compile: {e}"), fix);
        }
        if schema.needed.is_some() && !named {
            let fix = "move it to a schema under `components.schemas`";
            self.say(place, format!("{what} has `x-needed`, which has no effect there"), fix);
        }
        self.text(what, schema, named);
        let lengths = schema.min_length.zip(schema.max_length).is_some_and(|(low, high)| low > high);
        let bounds = schema.minimum.zip(schema.maximum).is_some_and(|(low, high)| low > high);
        if lengths || bounds {
            self.say(place, format!("{what} has a lower bound above its upper bound"), "correct one of them");
        }
        self.object(what, schema, named);
        for form in schema.items.as_deref().into_iter().chain(&schema.any_of).chain(&schema.one_of) {
            self.schema(what, form, false);
        }
    }

    fn object(&mut self, what: &str, schema: &'a Located<Schema>, named: bool) {
        let place = schema.place;
        let described = |name: &&String| !schema.properties.as_ref().is_some_and(|all| all.contains_key(*name));
        for name in schema.required.iter().filter(described) {
            let what = format!("{what} requires `{name}`, which is not described");
            self.say(place, what, "describe the field under `properties`");
        }
        match (&schema.properties, &schema.additional_properties) {
            (Some(_), _) if !named => {
                self.say(place, format!("{what} has an inline object"), "name it under `components.schemas`");
            }
            (Some(_), Some(_)) => {
                let fix = "remove `additionalProperties`; unknown fields are always kept";
                self.say(place, format!("{what} has `additionalProperties` beside `properties`"), fix);
            }
            (None, None) if schema.kind == Some(Kind::Object) && schema.all_of.is_empty() => {
                let fix = "describe its properties, or write `additionalProperties: {}` for any fields";
                self.say(place, format!("{what} is an object without a description of its fields"), fix);
            }
            _ => {}
        }
        let mut names = BTreeMap::from([("extra".to_owned(), "extra")]);
        for (name, property) in schema.properties.iter().flatten() {
            if let Some(other) = names.insert(snake(name), name) {
                let what = format!("{what} has `{name}` and `{other}`, which are one name in Rust");
                self.say(property.place, what, "only the vendor can rename a field; describe one of them");
            }
            self.schema(&format!("the field `{name}` of {what}"), property, false);
        }
    }

    /// A constrained text needs a named schema: all uses share its type.
    fn text(&mut self, what: &str, schema: &Located<Schema>, named: bool) {
        let place = schema.place;
        let maskable = named && matches!(schema.kind, Some(Kind::String | Kind::Integer));
        let texts = schema.closed.as_ref().is_none_or(|all| all.iter().all(Value::is_string));
        if schema.sensitive && !maskable {
            let fix = "mark a string or an integer of its own under `components.schemas`";
            return self.say(place, format!("{what} has `x-sensitive`, which has no effect there"), fix);
        }
        if schema.sensitive && (schema.closed.is_some() || schema.open.is_some()) {
            let fix = "make it a string without words, or remove `x-sensitive`";
            return self.say(place, format!("{what} has words, which cannot be masked"), fix);
        }
        if schema.kind != Some(Kind::Boolean) && !texts {
            let fix = "list texts, quoted; describe other values in words";
            return self.say(place, format!("{what} has an enum of something other than texts"), fix);
        }
        // Plain dates and instants have a type already.
        let format = schema.format.is_some_and(|format| !matches!(format, Format::Date | Format::DateTime));
        let constraints = [
            ("minLength", schema.min_length.is_some()),
            ("maxLength", schema.max_length.is_some()),
            ("pattern", schema.pattern.is_some()),
            ("format", format),
            ("enum", schema.closed.is_some()),
            ("x-extensible-enum", schema.open.is_some()),
            ("x-documented-pattern", schema.documented_pattern.is_some()),
        ];
        if !named
            && schema.kind == Some(Kind::String)
            && let Some((key, _)) = constraints.iter().find(|(_, present)| *present)
        {
            let fix = "name it under `components.schemas` and refer to it, so that all uses share one type";
            self.say(place, format!("{what} is an inline string with `{key}`"), fix);
        }
    }
}
