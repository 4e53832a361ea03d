//! What the generator cannot take, or takes wrongly, is rewritten here before it sees the spec.
//!
//! Each lowering is one small function with the reason above it. One that finds nothing to do fails the build:
//! the spec has changed, and the lowering or its place in the provider's list is out of date.

use super::{
    Provider,
    document::{
        Document, Object, Operation, Problem, Problems, json_schema, one_line, reference_name, success, walk, walk_mut,
    },
};
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Rewrites a document; returns how many places it changed.
pub type Lowering = fn(&mut Document) -> usize;

/// Documentation, by the owner and the name in Rust of what it is about.
pub type Docs = BTreeMap<(String, String), String>;

/// What later steps need to know of the spec.
pub struct Lowered {
    /// Of the fields of all schemas.
    pub docs: Docs,
    /// Types that this build writes itself instead of the generator.
    pub own_types: Vec<OwnType>,
    pub operations: Vec<Call>,
    /// Schemas that occur in a request, to which a struct builder is of use.
    pub requests: BTreeSet<String>,
}

/// A named component with a type that the generator is told to use and not to make.
pub struct OwnType {
    pub name: String,
    pub doc: String,
    pub kind: Kind,
}

pub enum Kind {
    /// A set of words: open, so that any other text is kept, or closed.
    Words { open: bool, words: Vec<Word> },
    /// A string with bounds, or one to be masked.
    Text { min: usize, max: Option<usize>, pattern: Option<String>, debug: &'static str, form: &'static str },
    /// What an answer means, by one of its words.
    States { answer: String, states: States },
    /// Another name for a type of `crate::wire`.
    Alias { path: String },
    /// A type of `crate::wire` under its own name.
    Wire { path: String },
}

/// The states that an answer tells.
pub struct States {
    /// The way to the word: `data.status`.
    pub property: String,
    pub all: Vec<State>,
}

pub struct State {
    pub name: String,
    pub words: Vec<String>,
    pub doc: String,
}

pub struct Word {
    pub raw: String,
    pub name: String,
    pub doc: String,
}

impl OwnType {
    pub fn path(&self, provider: &str) -> String {
        match &self.kind {
            Kind::Wire { path } => path.clone(),
            _ => format!("crate::{provider}::types::{}", self.name),
        }
    }
}

/// An operation, as the transport and the tests have to know it.
pub struct Call {
    pub id: String,
    pub method: String,
    pub path: String,
    pub effect: &'static str,
    pub authenticated: bool,
    /// Whether the answer holds a document.
    pub document: bool,
    /// The HTTP status of its answer.
    pub code: String,
    /// What to do when the answer to a write or a removal was lost.
    pub lost_answer: String,
    /// The vendor's codes for a reference that is in use.
    pub in_use: Vec<String>,
    /// The type of what its answer means, if its success alone does not tell.
    pub states: Option<String>,
    /// Where each value of the answer stands, its JSON type, and whether it is required.
    pub answer: Vec<(String, &'static str, bool)>,
    /// The places of the answer that repeat the request, and where in it: kind and name.
    pub repeats: Vec<(String, &'static str, String)>,
    /// Documentation of each parameter.
    pub parameters: Docs,
    /// The example of each required parameter, and of the body.
    pub example: Vec<(String, String)>,
    pub body: Option<(String, String)>,
    /// Of a form, which is sent by code written by hand: the names of its files.
    pub files: Option<Vec<String>>,
    /// Of an operation with a base path of its own: that of all the others, and its own.
    pub outside: Option<(String, String)>,
}

impl Call {
    /// `create_mandate` -> `CREATE_MANDATE`.
    pub fn constant(&self) -> String {
        self.id.to_uppercase()
    }

    /// The operation and the name of each parameter that becomes a segment of its path.
    pub fn path_parameters(&self) -> impl Iterator<Item = (String, String)> {
        let names = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.map(|name| (self.id.to_upper_camel_case(), snake(name)))
    }
}

pub fn lower(document: &mut Document, provider: &Provider, unverified: bool) -> Result<Lowered, Problems> {
    let all = reachable(document, |_| true);
    if !unverified {
        // A write whose request is a guess and which moves money.
        leave_out(document, |operation| operation.get("x-unverified") == Some(&json!(true)));
    }
    let files = take_forms(document);
    let left = reachable(document, |_| true);
    for (name, lowering) in provider.lowerings {
        if lowering(document) == 0 {
            let what = format!("the lowering `{name}` found nothing to do");
            let mend = "remove it from the provider's list in build/mod.rs, or give the spec back what it lowers";
            Err(Problem::new("the whole file", what, mend))?;
        }
    }
    let operations = document
        .operations()
        .map(|operation| Call { files: files.get(operation.id()).cloned(), ..call(document, &operation) });
    let operations: Vec<Call> = operations.collect();
    success_only(document);
    no_forms_left(document)?;
    forget(document, all.difference(&left));
    let answers = answered(document);
    let requests = reachable(document, |part| part != "responses");
    leave_out(document, |operation| files.contains_key(operation["operationId"].as_str().unwrap_or_default()));
    keep_unknown_fields(document, &answers);
    only_needed(document);
    describe(document);
    let docs = docs(document);
    let mut own_types = answer_states(document);
    name_scalars(document, &mut own_types);
    take_named(document, &mut own_types);
    Ok(Lowered { docs, own_types, operations, requests })
}

/// The names of all schemas that the chosen parts of the operations lead to.
pub fn reachable(document: &Document, part: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let parts = document
        .operations()
        .flat_map(|operation| operation.object.iter().filter(|(key, _)| part(key)).map(|(_, value)| value));
    parts.flat_map(|value| reachable_from(document, value)).collect()
}

/// The names of all schemas that a vendor sends: in an answer, or where no operation refers to it, in a notification.
pub fn answered(document: &Document) -> BTreeSet<String> {
    let mut answers = reachable(document, |part| part == "responses");
    let called = reachable(document, |_| true);
    for (name, schema) in document.schemas().filter(|(name, _)| !called.contains(*name)) {
        answers.insert(name.clone());
        answers.extend(reachable_from(document, schema));
    }
    answers
}

/// The names of all schemas that a value leads to.
fn reachable_from(document: &Document, value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        walk("", value, &mut |_, object| {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str)
                && let Some(target) = document.resolve(reference)
            {
                let name = reference.rsplit('/').next().unwrap_or_default();
                if found.insert(name.to_owned()) {
                    open.push(target);
                }
            }
        });
    }
    found
}

fn leave_out(document: &mut Document, which: impl Fn(&Value) -> bool) {
    for item in document.0["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        if let Some(item) = item.as_object_mut() {
            item.retain(|_, operation| !which(operation));
        }
    }
}

/// The generator takes no form with a file in it. What sends one is written by hand, on the same transport; its answer
/// and what the transport has to know are still made. The names of the files, by operation.
fn take_forms(document: &mut Document) -> BTreeMap<String, Vec<String>> {
    let file = |(_, property): &(&String, &Value)| document.target(property).get("format") == Some(&json!("binary"));
    let forms = document.operations().filter_map(|operation| {
        let form = operation.object.get("requestBody")?.pointer("/content/multipart~1form-data/schema")?;
        let fields = document.target(form).get("properties")?.as_object()?;
        Some((operation.id().to_owned(), fields.iter().filter(file).map(|(name, _)| snake(name)).collect()))
    });
    let forms: BTreeMap<String, Vec<String>> = forms.collect();
    for operation in document.operations_mut() {
        if operation.get("operationId").and_then(Value::as_str).is_some_and(|id| forms.contains_key(id)) {
            operation.remove("requestBody");
        }
    }
    forms
}

fn forget<'a>(document: &mut Document, names: impl Iterator<Item = &'a String>) {
    if let Some(schemas) = document.schemas_mut() {
        names.for_each(|name| drop(schemas.remove(name)));
    }
}

/// SafeDebit tells failures under 200: `oneOf [Answer, Failure]`. The generator would try both and take a failure
/// for an answer; the transport looks at `result` before anything is decoded, so the answer alone is left.
pub fn failure_envelope(document: &mut Document) -> usize {
    let mut changed = 0;
    for operation in document.operations_mut() {
        for answer in operation["responses"].as_object_mut().into_iter().flat_map(|answers| answers.values_mut()) {
            let Some(schema) = answer.pointer_mut("/content/application~1json/schema") else { continue };
            let Some(forms) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { continue };
            let before = forms.len();
            forms.retain(|form| reference_name(form) != Some("Failure"));
            if forms.len() == 1 && before == 2 {
                *schema = forms.remove(0);
                changed += 1;
            }
        }
    }
    changed
}

/// Seqino answers a list of clients or one client: `anyOf [array of X, X]`. The generator would make an enum of
/// two forms that every caller has to take apart; a list that also reads one is what they mean.
pub fn one_or_many(document: &mut Document) -> usize {
    let mut changed = 0;
    for schema in document.schemas_mut().into_iter().flat_map(|schemas| schemas.values_mut()) {
        let Some([many, one]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) else { continue };
        if many.get("type") == Some(&json!("array")) && many.get("items") == Some(one) {
            let (items, description) = (one.clone(), schema.get("description").cloned().unwrap_or_default());
            *schema = json!({"type": "array", "items": items, "description": description, "x-one-or-many": true});
            changed += 1;
        }
    }
    changed
}

/// The generator wants one answer type; every other status reaches the transport unread.
fn success_only(document: &mut Document) {
    for operation in document.operations_mut() {
        if let Some(answers) = operation["responses"].as_object_mut() {
            answers.retain(|code, _| code.starts_with('2'));
        }
    }
}

/// The generator would make an enum of a choice of forms, closed and to be taken apart by every caller.
fn no_forms_left(document: &Document) -> Result<(), Problems> {
    let mut problems = Problems::new();
    walk("", &document.0, &mut |place, object| {
        if object.contains_key("oneOf") || object.contains_key("anyOf") {
            let mend = "describe one form, or write a lowering in build/lower.rs that makes one of them";
            problems.push(Problem::new(
                place.trim_start_matches('.'),
                "a choice of forms that no lowering takes",
                mend,
            ));
        }
    });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// A field that the spec does not know is kept: vendors add fields, and parts of their pages could not be read.
fn keep_unknown_fields(document: &mut Document, answers: &BTreeSet<String>) {
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        if answers.contains(name) && schema.get("properties").is_some() {
            schema["additionalProperties"] = json!({});
        }
    }
}

/// A vendor documents more fields as required than an answer needs, and one that is missing must not cost the others.
/// `required` stays the vendor's word, which `probe` goes by.
fn only_needed(document: &mut Document) {
    for schema in document.schemas_mut().into_iter().flat_map(|schemas| schemas.values_mut()) {
        if let Some(needed) = schema.get("x-needed").cloned() {
            schema["required"] = needed;
        }
    }
}

/// Evidence, defaults and what to do about a lost answer become part of the documentation. A default is never
/// sent: the vendor applies it, and a later change of theirs must not be overruled by our copy.
fn describe(document: &mut Document) {
    for operation in document.operations_mut() {
        let mut text = prose(operation.get("description"));
        if let Some(advice) = operation.get("x-lost-answer") {
            text += &format!("\n\nIf the answer is lost: {}", prose(Some(advice)));
        }
        let sources = match operation.get("x-source") {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            other => Vec::from_iter(other.and_then(Value::as_str)),
        };
        let sources: Vec<String> = sources.iter().map(|url| format!("<{url}>")).collect();
        let evidence = operation.get("x-evidence").and_then(Value::as_str).unwrap_or_default();
        text += &format!("\n\nEvidence: {evidence}, {}", sources.join(", "));
        operation.insert("description".into(), text.into());
    }
    walk_mut(&mut document.0["components"], &mut |object| {
        // A property that is called `description` is no documentation.
        if object.get("description").is_some_and(|text| !text.is_string()) {
            return;
        }
        let default = object.remove("default");
        let text = said(object, default.as_ref());
        if !text.is_empty() {
            object.insert("description".into(), text.into());
        }
    });
}

/// What a spec says of a field or a parameter.
fn said(object: &Object, default: Option<&Value>) -> String {
    let mut text = prose(object.get("description"));
    if let Some(default) = default {
        text += &format!(" The vendor's default is `{}`.", default.as_str().unwrap_or(&default.to_string()));
    }
    if let Some(evidence) = object.get("x-evidence").and_then(Value::as_str) {
        text += &format!(" Evidence: {evidence}.");
    }
    text.trim().into()
}

/// What is said of each field, or else of its type, by its owner and its name in Rust.
fn docs(document: &Document) -> Docs {
    let mut docs = Docs::new();
    for (owner, schema) in document.schemas() {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let of_type = &document.target(property.pointer("/allOf/0").unwrap_or(property))["description"];
            let doc = property.get("description").unwrap_or(of_type).as_str().unwrap_or_default();
            docs.insert((owner.clone(), snake(name)), doc.into());
        }
    }
    docs
}

/// Text of a spec as documentation: no markup of its own can break the page, and nothing in it becomes a test.
fn prose(text: Option<&Value>) -> String {
    let mut code = false;
    let mut safe = |word: &str| {
        if word.starts_with("http://") || word.starts_with("https://") {
            let end = word.trim_end_matches(['.', ',', ')', ';']).len();
            return format!("<{}>{}", &word[..end], &word[end..]);
        }
        let mut out = String::new();
        for c in word.chars() {
            code ^= c == '`';
            if !code && matches!(c, '[' | ']' | '<' | '>') {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    let paragraphs = text.and_then(Value::as_str).unwrap_or_default().split("\n\n");
    let paragraphs = paragraphs.map(|text| text.split_whitespace().map(&mut safe).collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n").trim().into()
}

/// What an operation does to the vendor's state: what it says, or what its method means.
pub fn effect(operation: &Operation) -> &'static str {
    match operation.text("x-effect").unwrap_or(operation.method) {
        "get" | "read" => "Read",
        "delete" | "removal" => "Removal",
        _ => "Write",
    }
}

/// The codes of an `x-in-use`.
pub fn codes(value: &Value) -> Vec<String> {
    let codes = value.get("codes").and_then(Value::as_array).into_iter().flatten();
    codes.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What an `x-states` says.
pub fn states(value: &Value) -> Option<States> {
    let text = |value: &Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let state = |value: &Value| {
        let words = value.get("words")?.as_array()?.iter();
        Some(State {
            name: text(value, "name")?,
            words: words.map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>()?,
            doc: prose(value.get("description")),
        })
    };
    let all = value.get("states")?.as_array()?.iter().map(state).collect::<Option<_>>()?;
    Some(States { property: text(value, "property")?, all })
}

/// The types of what answers mean.
fn answer_states(document: &Document) -> Vec<OwnType> {
    let states = document.operations().filter_map(|operation| {
        let states = states(operation.object.get("x-states")?)?;
        let answer = reference_name(json_schema(success(operation.object)?.1)?)?.to_owned();
        let doc = format!("What became of `{}`: its answer, by its `{}`.", operation.id(), states.property);
        let name = format!("{}State", operation.id().to_upper_camel_case());
        Some(OwnType { name, doc, kind: Kind::States { answer, states } })
    });
    states.collect()
}

fn call(document: &Document, operation: &Operation) -> Call {
    let mut answer = Vec::new();
    if let Some(schema) = success(operation.object).and_then(|(_, body)| json_schema(body)) {
        shape(document, schema, "", true, &mut Vec::new(), &mut answer);
    }
    let mut parameters = Docs::new();
    let mut example = Vec::new();
    for parameter in operation.object.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let parameter = document.target(parameter);
        let name = snake(parameter["name"].as_str().unwrap_or_default());
        let schema = &parameter["schema"];
        let of_type = document.target(schema.pointer("/allOf/0").unwrap_or(schema));
        let told = [(parameter, schema.get("default")), (of_type, of_type.get("default"))];
        let mut told = told.into_iter().filter_map(|(value, default)| Some(said(value.as_object()?, default)));
        let doc = told.find(|doc| !doc.is_empty()).unwrap_or_default();
        parameters.insert((operation.id().to_upper_camel_case(), name.clone()), doc);
        if let Some(value) = parameter.get("example") {
            let text = value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
            // An amount is not made of a text.
            let text = match reference_name(&parameter["schema"]) {
                Some(cents) if document.target(&parameter["schema"]).get("format") == Some(&json!("cents")) => {
                    format!("::serde_json::from_str::<$api::types::{cents}>({:?}).unwrap()", value.to_string())
                }
                _ => text,
            };
            example.push((name, text));
        }
    }
    let body = operation.object.get("requestBody").and_then(|body| {
        let name = reference_name(json_schema(body)?)?;
        let example = body.pointer("/content/application~1json/example")?;
        Some((name.to_owned(), example.to_string()))
    });
    Call {
        id: operation.id().to_owned(),
        method: operation.method.to_uppercase(),
        path: operation.path.to_owned(),
        effect: effect(operation),
        authenticated: operation.object.get("security") != Some(&json!([])),
        code: success(operation.object).map(|(code, _)| code.clone()).unwrap_or_default(),
        lost_answer: one_line(operation.text("x-lost-answer").unwrap_or(match effect(operation) {
            "Removal" => "Send it again: a second removal does no harm.",
            _ => "",
        })),
        in_use: operation.object.get("x-in-use").map(codes).unwrap_or_default(),
        states: operation.object.get("x-states").map(|_| format!("{}State", operation.id().to_upper_camel_case())),
        document: success(operation.object).is_some_and(|(_, body)| has_document(document, body)),
        repeats: repeats(operation.object),
        answer,
        parameters,
        example,
        body,
        files: None,
        outside: operation.server.map(|own| {
            let documented = document.servers().next().unwrap_or_default();
            (base_path(documented).to_owned(), base_path(own).to_owned())
        }),
    }
}

/// `umr: $request.body#/umr`: the expressions are those of OpenAPI's links.
pub fn repeats(operation: &Object) -> Vec<(String, &'static str, String)> {
    let all = operation.get("x-answer-repeats").and_then(Value::as_object);
    let sent = |text: &Value| {
        let rest = text.as_str()?.strip_prefix("$request.")?;
        [("body#", "Body"), ("path.", "Path"), ("query.", "Query"), ("header.", "Header")]
            .into_iter()
            .find_map(|(prefix, kind)| Some((kind, rest.strip_prefix(prefix)?.to_owned())))
    };
    let all = all.into_iter().flatten();
    all.filter_map(|(place, text)| sent(text).map(|(kind, name)| (place.clone(), kind, name))).collect()
}

/// The path of a server, without a slash at its end: `https://pdp.seqino.dev/api` -> `/api`.
fn base_path(url: &str) -> &str {
    let (_, host) = url.split_once("://").unwrap_or(("", url));
    host.find('/').map_or("", |at| host[at..].trim_end_matches('/'))
}

fn has_document(document: &Document, value: &Value) -> bool {
    let schemas = reachable_from(document, value);
    let format = |name: &String| document.resolve(&format!("#/components/schemas/{name}"))?.get("format")?.as_str();
    schemas.iter().any(|name| format(name) == Some("document"))
}

/// What an answer is made of: a list of places, JSON types and whether the spec requires them. A schema within itself
/// is told once.
fn shape<'a>(
    document: &'a Document,
    schema: &'a Value,
    place: &str,
    required: bool,
    within: &mut Vec<&'a str>,
    out: &mut Vec<(String, &'static str, bool)>,
) {
    let name = reference_name(schema);
    if let Some(name) = name {
        if within.contains(&name) {
            return out.push((place.to_owned(), "any", required));
        }
        within.push(name);
    }
    let schema = document.target(schema);
    let inner = schema.pointer("/allOf/0").or_else(|| schema.pointer("/anyOf/0"));
    let kind = match schema.get("type").and_then(Value::as_str) {
        _ if inner.is_some() => None,
        Some("string") => Some("string"),
        Some("integer" | "number") => Some("number"),
        Some("boolean") => Some("boolean"),
        Some("array") => Some("array"),
        Some("object") => Some("object"),
        _ => Some("any"),
    };
    // Null stands for nothing where the spec allows it.
    let required = required && schema.get("nullable") != Some(&json!(true));
    out.extend(kind.map(|kind| (place.to_owned(), kind, required)));
    if let Some(inner) = inner {
        shape(document, inner, place, required, within, out);
    }
    if kind == Some("array") {
        shape(document, &schema["items"], &format!("{place}[]"), true, within, out);
    }
    let named = |key: &str, name: &String| schema[key].as_array().is_some_and(|all| all.contains(&json!(name)));
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let at = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let needed = named("required", name) || named("x-needed", name);
        shape(document, property, &at, needed, within, out);
    }
    if name.is_some() {
        within.pop();
    }
}

/// `X-PDP-Client-Id` -> `x_pdp_client_id`, `type` -> `type_`, as the generator does it.
pub fn snake(name: &str) -> String {
    let name = name.replace('\'', "").to_snake_case();
    let name = if name.starts_with(char::is_alphabetic) { name } else { format!("x{name}") };
    if name != "gen" && syn::parse_str::<syn::Ident>(&name).is_ok() { name } else { name + "_" }
}

/// Numbers, booleans and values without a type read leniently: one that is not as documented must not lose the
/// answer it stands in. The generator's own types are strict, so each gets a name that stands for one of ours.
fn name_scalars(document: &mut Document, own_types: &mut Vec<OwnType>) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut rename = |object: &mut Object| {
        for key in ["properties", "items", "schema"] {
            let Some(child) = object.get_mut(key) else { continue };
            let children: Vec<&mut Value> = match child {
                Value::Object(all) if key == "properties" => all.values_mut().collect(),
                one => vec![one],
            };
            for schema in children {
                if let Some((name, path)) = scalar(schema) {
                    refer(schema, &name);
                    names.insert(name, path);
                }
            }
        }
    };
    walk_mut(&mut document.0, &mut rename);
    if let Some(schemas) = document.schemas_mut() {
        for (name, path) in names {
            schemas.insert(name.clone(), json!({"type": "string"}));
            own_types.push(OwnType { name, doc: String::new(), kind: Kind::Wire { path } });
        }
    }
}

/// The name and type of ours for an inline scalar.
fn scalar(schema: &Value) -> Option<(String, String)> {
    let object = schema.as_object()?;
    if object.contains_key("$ref") || object.contains_key("allOf") {
        return None;
    }
    let path = wire_path(object)?;
    let name = path.replace(", ", "To").replace('-', "Minus").replace(|c: char| !c.is_ascii_alphanumeric(), "");
    Some((name.to_upper_camel_case(), path))
}

/// The type of `crate::wire` that reads what an object of a schema describes, if it is one that we read ourselves.
fn wire_path(schema: &Object) -> Option<String> {
    let format = schema.get("format").and_then(Value::as_str);
    Some(match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => "crate::wire::Flag".into(),
        Some("number") => "crate::wire::Number".into(),
        Some("integer") => {
            let bound = |key| schema.get(key).and_then(Value::as_i64);
            match (bound("minimum"), bound("maximum")) {
                (None, None) => "crate::wire::Int".into(),
                (Some(min), None) => format!("crate::wire::Int<{min}>"),
                (min, Some(max)) => format!("crate::wire::Int<{}, {max}>", min.unwrap_or(i64::MIN)),
            }
        }
        Some("string") => match format? {
            "date" => "crate::wire::Date".into(),
            "date-time" => "crate::wire::DateTime".into(),
            "date-fr" => "crate::wire::FrenchDate".into(),
            "cents" => match schema.get("maxLength").and_then(Value::as_u64) {
                Some(digits) => format!("crate::wire::Cents<{digits}>"),
                None => "crate::wire::Cents".into(),
            },
            "euros" => "crate::wire::Euros".into(),
            "document" => "crate::wire::Document".into(),
            _ => return None,
        },
        Some("object") if schema.contains_key("additionalProperties") && !schema.contains_key("properties") => {
            "crate::wire::Extra".into()
        }
        None if !["properties", "oneOf", "anyOf", "allOf", "$ref"].iter().any(|key| schema.contains_key(*key)) => {
            "crate::wire::Json".into()
        }
        _ => return None,
    })
}

/// Turns a schema into a reference that keeps what is said beside it.
fn refer(schema: &mut Value, name: &str) {
    let mut beside = Object::new();
    for key in ["description", "nullable", "x-evidence"] {
        if let Some(value) = schema.get(key) {
            beside.insert(key.into(), value.clone());
        }
    }
    let reference = json!({"$ref": format!("#/components/schemas/{name}")});
    *schema = if beside.is_empty() {
        reference
    } else {
        beside.insert("allOf".into(), json!([reference]));
        Value::Object(beside)
    };
}

/// Named strings, words and scalars: types that the build writes, so that constructors check and answers do not.
fn take_named(document: &mut Document, own_types: &mut Vec<OwnType>) {
    let taken: BTreeSet<String> = own_types.iter().map(|own| own.name.clone()).collect();
    for (name, schema) in document.schemas_mut().into_iter().flatten() {
        let Some(object) = schema.as_object().filter(|_| !taken.contains(name)) else { continue };
        let Some(kind) = own_kind(object) else { continue };
        let doc = object.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        own_types.push(OwnType { name: name.clone(), doc, kind });
    }
    // `allOf` with one reference stands for the reference; a `type` beside it is there for linters only.
    walk_mut(&mut document.0, &mut |object| {
        if object.contains_key("allOf") {
            object.remove("type");
        }
    });
}

fn own_kind(schema: &Object) -> Option<Kind> {
    let sensitive = schema.get("x-sensitive") == Some(&json!(true));
    for (key, open) in [("x-extensible-enum", true), ("enum", false)] {
        if let (Some(raw), Some("string")) = (schema.get(key), schema.get("type").and_then(Value::as_str)) {
            return Some(Kind::Words { open, words: words(schema, raw) });
        }
    }
    if schema.get("x-one-or-many").is_some() {
        let path = format!("crate::wire::OneOrMany<{}>", reference_name(schema.get("items")?)?);
        return Some(Kind::Alias { path });
    }
    if let Some(path) = wire_path(schema) {
        let path = if sensitive && !path.ends_with("Document") { format!("crate::wire::Masked<{path}>") } else { path };
        return Some(Kind::Alias { path });
    }
    let length = |key| schema.get(key).and_then(Value::as_u64).map(|length| length as usize);
    (schema.get("type")? == "string").then(|| Kind::Text {
        min: length("minLength").unwrap_or(0),
        max: length("maxLength"),
        pattern: schema.get("pattern").and_then(Value::as_str).map(str::to_owned),
        debug: match schema.get("format").and_then(Value::as_str) {
            Some("iban") => "iban",
            _ if sensitive => "masked",
            _ => "plain",
        },
        // What `crate::wire` makes of it when it is sent.
        form: match schema.get("format").and_then(Value::as_str) {
            Some("reference") => "Reference",
            Some("umr") => "Umr",
            Some("iban") => "Iban",
            Some("bic") => "Bic",
            Some("siren") => "Siren",
            _ => "Text",
        },
    })
}

/// The words of an enumeration with their names in Rust and what the spec says of each.
pub fn words(schema: &Object, raw: &Value) -> Vec<Word> {
    let list = |key: &str| schema.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let (names, docs) = (list("x-enum-varnames"), list("x-enum-descriptions"));
    let word = |(i, raw): (usize, &Value)| {
        let raw = raw.as_str().unwrap_or_default().to_owned();
        let name = names.get(i).and_then(Value::as_str).map_or_else(|| raw.to_upper_camel_case(), str::to_owned);
        Word { name, doc: prose(docs.get(i)), raw }
    };
    raw.as_array().into_iter().flatten().enumerate().map(word).collect()
}
