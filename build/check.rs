//! The rules that a spec has to keep, so that what is made of it is right. `specs/README.md` explains them.

use super::{
    document::{Document, METHODS, Object, Operation, Problem, Problems, json_schema, reference_name, success, walk},
    lower,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The annotations that the build acts on, with the values that each may have.
const ANNOTATIONS: [(&str, &[&str]); 14] = [
    ("x-evidence", &["documented", "partial", "inferred"]),
    ("x-effect", &["read", "write", "removal"]),
    ("x-sensitive", &["true"]),
    ("x-unverified", &["true"]),
    ("x-source", &[]),
    ("x-lost-answer", &[]),
    ("x-answer-repeats", &[]),
    ("x-in-use", &[]),
    ("x-states", &[]),
    ("x-extensible-enum", &[]),
    ("x-enum-varnames", &[]),
    ("x-enum-descriptions", &[]),
    ("x-documented-pattern", &[]),
    ("x-needed", &[]),
];

/// What makes a string more than a string, so that it has to be named.
const CONSTRAINTS: [&str; 8] =
    ["minLength", "maxLength", "pattern", "format", "enum", "x-extensible-enum", "x-sensitive", "x-documented-pattern"];

/// Every keyword that something is made of. Another one would be passed over in silence, a typo say.
const KEYWORDS: [&str; 17] = [
    "type",
    "description",
    "format",
    "minLength",
    "maxLength",
    "pattern",
    "enum",
    "nullable",
    "example",
    "default",
    "properties",
    "required",
    "items",
    "allOf",
    "minimum",
    "maximum",
    "additionalProperties",
];

pub fn check(document: &Document) -> Result<(), Problems> {
    let mut problems = Problems::new();
    let mut say = |place: &str, what: String, mend: &str| problems.push(Problem::new(place, what, mend));
    version(document, &mut say);
    operations(document, &mut say);
    references_and_annotations(document, &mut say);
    components(document, &mut say);
    needed(document, &mut say);
    schemas(document, &mut say);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Takes down a problem: where, what, and how to mend it.
type Say<'a> = dyn FnMut(&str, String, &str) + 'a;

fn version(document: &Document, say: &mut Say) {
    let version = document.0.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("3.0.") {
        say("openapi", format!("the version is `{version}`"), "write `openapi: 3.0.3`: the generator reads 3.0 only");
    }
}

/// Methods that a client has already.
const RESERVED: [&str; 11] =
    ["new", "clone", "fmt", "transport", "authorization", "refused", "taken", "holds", "word", "read", "probe"];

fn operations(document: &Document, say: &mut Say) {
    for (path, item) in document.0.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (key, value) in item.as_object().into_iter().flatten().filter(|(key, _)| !METHODS.contains(&key.as_str())) {
            let place = format!("paths.{path}.{key}");
            if key == "servers" {
                server(document, &place, value, say);
            } else {
                let mend = "write it into each operation: get, post, put, patch or delete";
                say(&place, "only operations and servers are read here".into(), mend);
            }
        }
    }
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for operation in document.operations() {
        let place = operation.place();
        let Some(id) = operation.text("operationId") else {
            say(&place, "there is no operationId".into(), "add one in snake_case: it becomes the method's name");
            continue;
        };
        if lower::snake(id).trim_end_matches('_') != id || !id.is_ascii() {
            say(&place, format!("the operationId `{id}` is not in snake_case"), "write it like `create_mandate`");
        }
        if let Some(first) = seen.insert(id, place.clone()) {
            say(
                &place,
                format!("the operationId `{id}` stands at {first} too"),
                "give each operation a name of its own",
            );
        }
        if RESERVED.contains(&id) || syn::parse_str::<syn::Ident>(id).is_err() {
            say(&place, format!("the operationId `{id}` cannot be a method"), "give it another name");
        }
        let texts =
            |value: &Value| value.is_string() || value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
        if operation.object.get("x-source").is_some_and(|source| !texts(source)) {
            say(&place, "x-source is no address".into(), "write one URL, or a list of them");
        }
        for key in ["x-evidence", "x-source"] {
            if !operation.object.contains_key(key) {
                say(&place, format!("there is no {key}"), "say how well it is known, and on which page of the vendor");
            }
        }
        bodies(document, &operation, say);
        effect(&operation, say);
        repeats(document, &operation, say);
        states(document, &operation, say);
    }
    if document.operations().next().is_none() {
        say("paths", "there is no operation".into(), "describe at least one");
    }
}

/// A path of its own replaces the base path alone: credentials go to no other host.
fn server(document: &Document, place: &str, servers: &Value, say: &mut Say) {
    let own: Vec<&str> =
        servers.as_array().into_iter().flatten().filter_map(|server| server.get("url")?.as_str()).collect();
    let host = |url: &str| url.splitn(4, '/').take(3).map(str::to_owned).collect::<Vec<_>>();
    let first = document.servers().next().unwrap_or_default();
    match own[..] {
        [url] if url.contains(['{', '?', '#']) => {
            say(place, "the address is no plain URL".into(), "write one without variables, query and fragment");
        }
        [url] if host(url) != host(first) => {
            let mend = "write that of the first server: what takes requests is where the rest is";
            say(place, format!("the host is another than that of `{first}`"), mend);
        }
        [_] => {}
        _ => say(place, "there is not one address".into(), "write one, with the host of the first server"),
    }
}

fn bodies(document: &Document, operation: &Operation, say: &mut Say) {
    let place = operation.place();
    let answers = operation.object.get("responses").and_then(Value::as_object);
    let good = answers.into_iter().flatten().filter(|(code, _)| code.starts_with('2')).count();
    if good != 1 {
        say(&format!("{place}.responses"), format!("there are {good} answers of 2xx"), "describe exactly one");
    }
    let refer = |value: Option<&Value>| value.is_some_and(|value| value.get("$ref").is_some());
    if refer(operation.object.get("requestBody")) || refer(success(operation.object).map(|(_, answer)| answer)) {
        say(&place, "a body is a reference".into(), "write it here, and name its schema under components.schemas");
    }
    let mut bodies = vec![(format!("{place}.requestBody"), operation.object.get("requestBody"))];
    if let Some((code, answer)) = success(operation.object) {
        bodies.push((format!("{place}.responses.{code}"), Some(answer)));
    }
    for (place, body) in bodies {
        let content = body.and_then(|body| body.get("content")).and_then(Value::as_object);
        let (Some(body), Some(content)) = (body, content) else { continue };
        let place = format!("{place}.content");
        if content.keys().eq(["multipart/form-data"]) && place.ends_with("requestBody.content") {
            // What sends it is written by hand.
        } else if content.keys().ne(["application/json"]) {
            let mend = "describe JSON; a form with a file may be a request, and is written by hand in src/";
            say(&place, "it is not application/json alone".into(), mend);
        } else if content["application/json"].get("example").is_none() {
            say(&place, "there is no example".into(), "add `example` with the vendor's documented values");
        } else if let Some(schema) = json_schema(body) {
            example(document, &format!("{place}.example"), schema, &content["application/json"]["example"], say);
        }
    }
    let mut names = Vec::new();
    for parameter in operation.object.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let parameter = document.target(parameter);
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or("?");
        if names.contains(&lower::snake(name))
            || ["client", "body", "request", "send", "extra"].contains(&lower::snake(name).as_str())
        {
            let mend = "its name in Rust is taken; only the vendor can give it another";
            say(&format!("{place}.parameters.{name}"), "two things of this name cannot be told apart".into(), mend);
        }
        names.push(lower::snake(name));
        if parameter.get("required") == Some(&json!(true)) && parameter.get("example").is_none() {
            say(&format!("{place}.parameters.{name}"), "there is no example".into(), "add `example`");
        }
    }
    for part in operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        if !names.contains(&lower::snake(part)) {
            say(
                &place,
                format!("the path has `{{{part}}}` and no parameter of this name"),
                "describe it under parameters",
            );
        }
    }
    let body = operation.object.get("requestBody").and_then(json_schema);
    if body.is_some_and(|schema| schema.get("$ref").is_none()) {
        say(&format!("{place}.requestBody"), "the schema stands inline".into(), "name it under components.schemas");
    }
}

/// Holds the keys of an example to its schema: tests send it, the sandbox answers it, and a field that was renamed or
/// became required is easily forgotten here.
fn example(document: &Document, place: &str, schema: &Value, value: &Value, say: &mut Say) {
    let schema = document.target(schema);
    // Of several forms the first is meant, the others being a failure, or one where there may be many.
    if let Some(inner) = ["/allOf/0", "/oneOf/0", "/anyOf/0"].iter().find_map(|at| schema.pointer(at)) {
        return example(document, place, inner, value, say);
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        return values.iter().enumerate().for_each(|(i, v)| example(document, &format!("{place}[{i}]"), items, v, say));
    }
    let (Some(properties), Some(given)) = (schema.get("properties").and_then(Value::as_object), value.as_object())
    else {
        return;
    };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if properties.contains_key(name) && !given.contains_key(name) {
            say(place, format!("the example lacks `{name}`, which is required"), "add it, with the vendor's value");
        }
    }
    for (name, value) in given {
        match properties.get(name) {
            Some(property) => example(document, &format!("{place}.{name}"), property, value, say),
            None => say(
                place,
                format!("the example has `{name}`, which its schema has not"),
                "describe it under properties, or correct or remove it",
            ),
        }
    }
}

fn effect(operation: &Operation, say: &mut Say) {
    let writes = lower::effect(operation) == "Write";
    if writes && !operation.object.contains_key("x-lost-answer") {
        let mend = "say in x-lost-answer how a caller finds out, or set x-effect to read or removal";
        say(&operation.place(), "a write does not say what to do when its answer is lost".into(), mend);
    }
    if let Some(codes) = operation.object.get("x-in-use")
        && lower::codes(codes).is_empty()
    {
        let mend = "write `codes`, a list of texts, and `x-evidence`";
        say(&format!("{}.x-in-use", operation.place()), "there are no codes".into(), mend);
    }
    for key in
        ["x-unverified", "x-in-use", "x-states"].iter().filter(|key| !writes && operation.object.contains_key(**key))
    {
        say(&operation.place(), format!("{key} stands on what is no write"), "remove it");
    }
}

/// Whether each value that an answer repeats is in the answer and in the request.
fn repeats(document: &Document, operation: &Operation, say: &mut Say) {
    let Some(all) = operation.object.get("x-answer-repeats") else { return };
    let place = format!("{}.x-answer-repeats", operation.place());
    let read = lower::repeats(operation.object);
    if all.as_object().is_none_or(|all| all.is_empty() || all.len() != read.len()) {
        let mend = "write a place of the answer and where the request has it, like `umr: $request.body#/umr`";
        return say(&place, "it cannot be read".into(), mend);
    }
    let answer = success(operation.object).and_then(|(_, answer)| json_schema(answer));
    let body = operation.object.get("requestBody").and_then(json_schema);
    for (at, kind, name) in read {
        if answer.is_none_or(|schema| !has(document, schema, &at.replace('.', "/"))) {
            say(&place, format!("the answer has no `{at}`"), "correct the place, as in `data.orderId`");
        }
        let parameters = operation.object.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let sent = match kind {
            "Body" => body.is_some_and(|schema| name.strip_prefix('/').is_some_and(|at| has(document, schema, at))),
            kind => parameters
                .map(|parameter| document.target(parameter))
                .any(|parameter| parameter["in"] == kind.to_lowercase().as_str() && parameter["name"] == name.as_str()),
        };
        if !sent {
            say(&place, format!("the request has no `{name}` there"), "correct where the request has it");
        }
    }
}

/// Checks `x-states`: every response has the property with the word, and each documented word names exactly one state.
fn states(document: &Document, operation: &Operation, say: &mut Say) {
    let Some(given) = operation.object.get("x-states") else { return };
    let place = format!("{}.x-states", operation.place());
    let Some(states) = lower::states(given) else {
        let mend = "write `property` and `states`, a list of `name`, `words` and `description`";
        return say(&place, "it is not of the form".into(), mend);
    };
    let mut schema = success(operation.object).and_then(|(_, body)| json_schema(body)).map(|schema| {
        let schema = document.target(schema);
        document.target(schema.pointer("/oneOf/0").unwrap_or(schema))
    });
    for part in states.property.split('.') {
        schema = schema.and_then(|schema| {
            let required = schema.get("required")?.as_array()?.contains(&json!(part));
            let property = schema.get("properties")?.get(part).filter(|_| required)?;
            Some(document.target(property.pointer("/allOf/0").unwrap_or(property)))
        });
    }
    let Some(known) = schema.and_then(|schema| schema.get("x-extensible-enum")?.as_array()) else {
        let mend = "name a required property with an x-extensible-enum, or the way to one: `data.status`";
        return say(&place, format!("`{}` is no word that every answer has", states.property), mend);
    };
    let mut seen = Vec::new();
    for state in &states.all {
        let name = &state.name;
        if *name != heck::ToUpperCamelCase::to_upper_camel_case(name.as_str())
            || syn::parse_str::<syn::Ident>(name).is_err()
            || name == "Unclear"
            || states.all.iter().filter(|other| other.name == *name).count() > 1
        {
            say(
                &place,
                format!("the state `{name}` cannot have this name"),
                "give each a name of its own in PascalCase",
            );
        }
        for word in &state.words {
            if !known.contains(&json!(word)) || seen.contains(&word) {
                let mend = "list each documented word once; the others are `Unclear`";
                say(&place, format!("the word `{word}` is not documented, or stands there twice"), mend);
            }
            seen.push(word);
        }
    }
}

/// Whether a schema describes what stands at `data/orderId`.
fn has(document: &Document, schema: &Value, at: &str) -> bool {
    let schema = document.target(schema);
    if let Some(inner) = ["/allOf/0", "/oneOf/0", "/anyOf/0"].iter().find_map(|form| schema.pointer(form)) {
        return has(document, inner, at);
    }
    let (name, rest) = at.split_once('/').map_or((at, None), |(name, rest)| (name, Some(rest)));
    let property = schema.get("properties").and_then(|properties| properties.get(name));
    property.is_some_and(|property| rest.is_none_or(|rest| has(document, property, rest)))
}

fn references_and_annotations(document: &Document, say: &mut Say) {
    walk("", &document.0, &mut |place, object| {
        let place = place.trim_start_matches('.');
        if let Some(reference) = object.get("$ref").and_then(Value::as_str)
            && document.resolve(reference).is_none()
        {
            say(place, format!("`{reference}` leads nowhere"), "name what it means under components");
        }
        // A header may be called `X-...`; annotations are lower case.
        for (key, value) in object.iter().filter(|(key, _)| key.starts_with("x-")) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match ANNOTATIONS.iter().find(|(name, _)| name == key) {
                None => {
                    say(place, format!("`{key}` is no annotation of ours"), "see specs/README.md for those there are")
                }
                Some((_, [])) => {}
                Some((_, values)) if values.contains(&text.as_str()) => {}
                Some((_, values)) => {
                    say(place, format!("`{key}` is `{text}`"), &format!("write one of: {}", values.join(", ")))
                }
            }
        }
    });
}

/// An answer needs fields that are described, and a request has all that it requires.
fn needed(document: &Document, say: &mut Say) {
    let requests = lower::reachable(document, |part| part != "responses");
    for (name, schema) in document.schemas() {
        let Some(needed) = schema.get("x-needed") else { continue };
        let place = format!("components.schemas.{name}.x-needed");
        let names = needed.as_array().filter(|all| !all.is_empty() && all.iter().all(Value::is_string));
        let properties = schema.get("properties").and_then(Value::as_object);
        let described = |name: &Value| properties.is_some_and(|all| name.as_str().is_some_and(|n| all.contains_key(n)));
        match names {
            None => say(&place, "it is no list of names".into(), "name the fields that an answer cannot do without"),
            Some(_) if requests.contains(name) => {
                say(&place, "the schema is one of a request".into(), "remove it: a request needs all that is required");
            }
            Some(names) => {
                for name in names.iter().filter(|name| !described(name)) {
                    say(&place, format!("{name} is needed and not described"), "describe it under properties");
                }
            }
        }
    }
    walk("", &document.0, &mut |place, object| {
        let named = place.strip_prefix(".components.schemas.").is_some_and(|name| !name.contains('.'));
        if object.contains_key("x-needed") && !named {
            say(place.trim_start_matches('.'), "x-needed does nothing here".into(), "write it into a named schema");
        }
    });
}

fn components(document: &Document, say: &mut Say) {
    let answers = lower::answered(document);
    for (name, schema) in document.schemas() {
        let place = format!("components.schemas.{name}");
        let Some(schema) = schema.as_object() else {
            say(&place, "it is no object".into(), "describe a schema");
            continue;
        };
        if *name != heck::ToUpperCamelCase::to_upper_camel_case(name.as_str())
            || syn::parse_str::<syn::Ident>(name).is_err()
        {
            say(&place, "the name is not in PascalCase".into(), "write it like `CreateMandateRequest` or `VatRegime`");
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && let Err(e) = regress::Regex::new(pattern)
        {
            say(&place, format!("the pattern does not compile: {e}"), "correct it; the dialect is ECMAScript's");
        }
        let closed =
            schema.get("enum").filter(|all| all.as_array().is_some_and(|all| all.iter().all(Value::is_string)));
        if closed.is_some() && answers.contains(name) {
            say(&place, "a closed enum stands in an answer".into(), "use x-extensible-enum: a vendor adds words");
        }
        if let Some(raw) = schema.get("x-extensible-enum").or(closed) {
            words(&place, schema, raw, say);
        }
        if schema.contains_key("$ref") {
            say(&place, "it is another name of a schema".into(), "use the one it refers to");
        }
    }
}

fn words(place: &str, schema: &Object, raw: &Value, say: &mut Say) {
    let Some(list) = raw.as_array().filter(|list| !list.is_empty() && list.iter().all(Value::is_string)) else {
        return say(place, "the words are no list of texts".into(), "quote each word; there has to be one at least");
    };
    // None of what is no list.
    let length = |key| schema.get(key).map(|all| all.as_array().map(Vec::len));
    let mend = "give one for each word, in their order";
    if length("x-enum-varnames").is_some_and(|length| length != Some(list.len())) {
        say(place, "x-enum-varnames has another length than the words".into(), mend);
    }
    // A new word is put at the end and may be described later: what it means is for the compiler to ask.
    if length("x-enum-descriptions").is_some_and(|length| length.is_none_or(|length| length > list.len())) {
        say(place, "x-enum-descriptions is no list, or has more than the words".into(), mend);
    }
    let bound = |key, otherwise| schema.get(key).and_then(Value::as_u64).unwrap_or(otherwise);
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for word in lower::words(schema, raw) {
        if !(bound("minLength", 0)..=bound("maxLength", u64::MAX)).contains(&(word.raw.chars().count() as u64)) {
            say(place, format!("the word `{}` is outside of the documented length", word.raw), "correct one of them");
        }
        if syn::parse_str::<syn::Ident>(&word.name).is_err() || word.name == "Unrecognized" {
            let what = format!("the word `{}` gives the name `{}`, which cannot be used", word.raw, word.name);
            say(place, what, "name the words in x-enum-varnames");
        } else if let Some(other) = seen.insert(word.name.clone(), word.raw.clone()) {
            let what = format!("the words `{other}` and `{}` are both called `{}`", word.raw, word.name);
            say(place, what, "name the words in x-enum-varnames");
        }
    }
}

/// Holds every schema to what the build makes something of.
fn schemas(document: &Document, say: &mut Say) {
    for (name, value) in document.schemas() {
        schema(&format!("components.schemas.{name}"), value, true, say);
    }
    walk("", &document.0, &mut |place, object| {
        // Those of bodies and parameters.
        if let Some(value) = object.get("schema").filter(|_| !place.starts_with(".components.schemas")) {
            schema(&format!("{}.schema", place.trim_start_matches('.')), value, false, say);
        }
    });
}

fn schema(place: &str, value: &Value, named: bool, say: &mut Say) {
    let Some(object) = value.as_object() else {
        return say(place, "it is no schema".into(), "describe one");
    };
    if object.contains_key("$ref") {
        return;
    }
    // A form of several is taken apart by a lowering, or refused after it.
    if let Some(forms) = object.get("oneOf").or(object.get("anyOf")).and_then(Value::as_array) {
        return forms.iter().enumerate().for_each(|(i, form)| schema(&format!("{place}[{i}]"), form, false, say));
    }
    for key in object.keys().filter(|key| !key.starts_with("x-") && !KEYWORDS.contains(&key.as_str())) {
        say(place, format!("nothing is made of `{key}`"), "correct or remove it");
    }
    let kind = object.get("type").and_then(Value::as_str);
    let known = ["string", "integer", "number", "boolean", "array", "object"];
    if object.contains_key("type") && !kind.is_some_and(|kind| known.contains(&kind)) {
        say(place, "the type is unknown".into(), &format!("write one of: {}", known.join(", ")));
    }
    if let Some(all) = object.get("allOf").and_then(Value::as_array)
        && (all.len() != 1 || reference_name(&all[0]).is_none())
    {
        say(place, "allOf has not one reference in it".into(), "name one schema in it, or spell the fields out");
    }
    string(place, object, kind, named, say);
    for (low, high) in [("minLength", "maxLength"), ("minimum", "maximum")] {
        let bound = |key| object.get(key).map(Value::as_i64);
        if bound(low) == Some(None) || bound(high) == Some(None) {
            say(place, format!("{low} or {high} is no whole number"), "write one, or leave it out");
        }
        if let (Some(Some(low_bound)), Some(Some(high_bound))) = (bound(low), bound(high))
            && low_bound > high_bound
        {
            say(place, format!("{low} is above {high}"), "correct one of them");
        }
    }
    let properties = object.get("properties").and_then(Value::as_object);
    for name in object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !properties.is_some_and(|all| all.contains_key(name)) {
            say(place, format!("`{name}` is required and not described"), "describe it under properties");
        }
    }
    if kind == Some("object")
        && !["properties", "additionalProperties", "allOf"].iter().any(|key| object.contains_key(*key))
    {
        let mend = "describe its properties, or write `additionalProperties: {}` for any fields";
        say(place, "nothing is said of what is in the object".into(), mend);
    }
    if properties.is_some() && object.contains_key("additionalProperties") {
        say(
            place,
            "additionalProperties stands beside properties".into(),
            "leave it out: unknown fields are always kept",
        );
    }
    let mut seen = BTreeMap::new();
    for (name, property) in properties.into_iter().flatten() {
        if let Some(other) = seen.insert(lower::snake(name), name).or((lower::snake(name) == "extra").then_some(name)) {
            say(place, format!("`{name}` and `{other}` have one name in Rust"), "only the vendor can give it another");
        }
        schema(&format!("{place}.properties.{name}"), property, false, say);
    }
    if let Some(items) = object.get("items") {
        schema(&format!("{place}.items"), items, false, say);
    }
}

/// Each inline string with a constraint would become a type per property; a named one is shared and can be looked up.
fn string(place: &str, object: &Object, kind: Option<&str>, named: bool, say: &mut Say) {
    if object.contains_key("x-sensitive") && (!named || !matches!(kind, Some("string" | "integer"))) {
        let mend = "give it a named schema of its own, a string or an integer, and mark that";
        return say(place, "x-sensitive does nothing here".into(), mend);
    }
    if object.contains_key("x-sensitive") && (object.contains_key("enum") || object.contains_key("x-extensible-enum")) {
        return say(place, "words cannot be masked".into(), "make it a string without words, or remove x-sensitive");
    }
    if object.get("enum").is_some_and(|all| kind != Some("boolean") && !all[0].is_string()) {
        return say(place, "an enum that is neither of texts nor of truths".into(), "describe it in words");
    }
    // A plain date or instant has a type of its own already.
    let plain_time = matches!(object.get("format").and_then(Value::as_str), Some("date" | "date-time"));
    let found = CONSTRAINTS.iter().find(|key| object.contains_key(**key) && !(plain_time && **key == "format"));
    if let (false, Some("string"), Some(key)) = (named, kind, found) {
        let mend = "name it under components.schemas and refer to it, so that every use shares one type";
        say(place, format!("an inline string has `{key}`"), mend);
    }
}
