//! The part of OpenAPI 3.0 that this crate supports, as Rust types. A field that these types do not have is an error,
//! so that no misspelt field is ignored.
#![allow(dead_code, reason = "a spec may have fields without an effect on the client")]

use super::{lower::snake, problem::Located};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a map with the parts of a spec")]
pub struct Spec {
    pub openapi: Located<String>,
    info: IgnoredAny,
    #[serde(default)]
    pub servers: Vec<Located<Server>>,
    #[serde(default)]
    security: IgnoredAny,
    #[serde(default)]
    tags: IgnoredAny,
    #[serde(default)]
    external_docs: IgnoredAny,
    pub paths: Located<BTreeMap<String, PathItem>>,
    #[serde(default)]
    pub components: Components,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub url: String,
    #[serde(default)]
    description: IgnoredAny,
    #[serde(default)]
    variables: IgnoredAny,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Components {
    pub schemas: Schemas,
    pub parameters: BTreeMap<String, Located<Parameter>>,
    pub responses: BTreeMap<String, Located<Response>>,
    security_schemes: IgnoredAny,
}

pub type Schemas = BTreeMap<String, Located<Schema>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathItem {
    pub servers: Option<Located<[Server; 1]>>,
    delete: Option<Located<Operation>>,
    get: Option<Located<Operation>>,
    patch: Option<Located<Operation>>,
    post: Option<Located<Operation>>,
    put: Option<Located<Operation>>,
}

impl PathItem {
    /// Returns the operations of a path with their methods, in alphabetical order of the methods.
    fn operations(&self) -> impl Iterator<Item = (&'static str, &Located<Operation>)> {
        let Self { servers: _, delete, get, patch, post, put } = self;
        let all = [("DELETE", delete), ("GET", get), ("PATCH", patch), ("POST", post), ("PUT", put)];
        all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
    }

    fn slots(&mut self) -> [&mut Option<Located<Operation>>; 5] {
        [&mut self.delete, &mut self.get, &mut self.patch, &mut self.post, &mut self.put]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Operation {
    pub operation_id: Located<MethodName>,
    #[serde(default)]
    pub summary: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    tags: IgnoredAny,
    pub security: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    pub parameters: Vec<Located<Parameter>>,
    pub request_body: Option<Located<RequestBody>>,
    pub responses: BTreeMap<String, Located<Response>>,
    #[serde(rename = "x-evidence")]
    pub evidence: Evidence,
    #[serde(rename = "x-source")]
    pub source: Source,
    #[serde(rename = "x-effect")]
    pub effect: Option<Effect>,
    #[serde(default, rename = "x-unverified")]
    pub unverified: bool,
    #[serde(rename = "x-lost-answer")]
    pub lost_answer: Option<String>,
    #[serde(rename = "x-answer-repeats")]
    pub repeats: Option<Located<BTreeMap<String, Repeated>>>,
    #[serde(rename = "x-in-use")]
    pub in_use: Option<Located<InUse>>,
    #[serde(rename = "x-states")]
    pub states: Option<Located<States>>,
}

impl Operation {
    /// Returns the documented success response of an operation with its status code.
    pub fn success(&self) -> Option<(&String, &Located<Response>)> {
        self.responses.iter().find(|(code, _)| code.starts_with('2'))
    }

    /// Returns the schema of the success response of an operation.
    pub fn answer(&self) -> Option<&Located<Schema>> {
        Some(&self.success()?.1.media()?.schema)
    }

    /// Returns the schema of the JSON body of a request, with its example.
    pub fn body(&self) -> Option<(&Located<Schema>, &Located<Value>)> {
        match &self.request_body.as_ref()?.content {
            RequestContent::Json { schema, example } => Some((schema, example)),
            RequestContent::Form { .. } => None,
        }
    }

    /// Returns the schema of the form that a request has instead of a JSON body.
    pub fn form(&self) -> Option<&Located<Schema>> {
        match &self.request_body.as_ref()?.content {
            RequestContent::Form { schema, .. } => Some(schema),
            RequestContent::Json { .. } => None,
        }
    }
}

/// The name of a method of the generated client.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct MethodName(pub String);

impl TryFrom<String> for MethodName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        /// Methods that every generated client has.
        const OURS: [&str; 11] =
            ["new", "clone", "fmt", "transport", "authorization", "refused", "taken", "holds", "word", "read", "probe"];
        // A keyword of Rust is refused too, because `snake` appends an underscore to it.
        let good = snake(&name) == name && name.is_ascii() && !OURS.contains(&name.as_str());
        if good {
            Ok(Self(name))
        } else {
            Err(format!("`{name}` cannot name a method: it is taken, or not in snake_case like `create_mandate`"))
        }
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Evidence {
    Documented,
    Partial,
    /// Seen in a real response, on this day.
    Observed(String),
    Inferred,
}

impl TryFrom<String> for Evidence {
    type Error = String;

    fn try_from(mark: String) -> Result<Self, String> {
        let day = mark.strip_prefix("observed ").filter(|day| {
            day.split('-').map(str::len).eq([4, 2, 2]) && day.bytes().all(|c| c == b'-' || c.is_ascii_digit())
        });
        match (mark.as_str(), day) {
            ("documented", _) => Ok(Self::Documented),
            ("partial", _) => Ok(Self::Partial),
            ("inferred", _) => Ok(Self::Inferred),
            (_, Some(day)) => Ok(Self::Observed(day.into())),
            _ => Err(format!(
                "`{mark}` is not documented, partial, inferred, or observed with a day: `observed 2026-11-27`"
            )),
        }
    }
}

/// `Display` writes the evidence mark as a spec contains it.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observed(day) => write!(f, "observed {day}"),
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}

/// The meaning of a word: a status of a mandate, the state of an account, or the status of a debit.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    pub status: Option<String>,
    pub account: Option<String>,
    pub debit: Option<String>,
    /// The party that must act next, if the status does not say it.
    pub next: Option<String>,
    #[serde(rename = "x-evidence")]
    pub evidence: Evidence,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Read,
    Write,
    Removal,
}

#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "`x-source` is one URL or a list of URLs")]
pub enum Source {
    One(String),
    Many(Vec<String>),
}

impl Source {
    pub fn urls(&self) -> &[String] {
        match self {
            Self::One(url) => std::slice::from_ref(url),
            Self::Many(urls) => urls,
        }
    }
}

/// The place of a request value that a response repeats. The notation is that of OpenAPI links: `$request.body#/umr`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct Repeated {
    /// The location of the parameter. `None` for a value in the body.
    pub location: Option<Location>,
    /// The name of the parameter, or a JSON pointer into the body.
    pub name: String,
}

impl TryFrom<String> for Repeated {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let forms = [
            ("body#/", None),
            ("path.", Some(Location::Path)),
            ("query.", Some(Location::Query)),
            ("header.", Some(Location::Header)),
        ];
        let rest = text.strip_prefix("$request.").unwrap_or_default();
        let found = forms.into_iter().find_map(|(prefix, location)| Some((location, rest.strip_prefix(prefix)?)));
        match found {
            Some((None, field)) => Ok(Self { location: None, name: format!("/{field}") }),
            Some((location, name)) => Ok(Self { location, name: name.into() }),
            None => Err(format!("`{text}` is not of the form `$request.body#/umr` or `$request.path.client_id`")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InUse {
    pub codes: Vec<String>,
    #[serde(rename = "x-evidence")]
    evidence: Evidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct States {
    /// The path of the field in the response, such as `data.status`.
    pub property: String,
    pub states: Vec<State>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub name: String,
    pub words: Vec<String>,
    #[serde(default)]
    pub description: String,
}

/// A parameter, or a reference to a parameter. The module `check` refuses a mixture of both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    #[serde(default)]
    pub name: String,
    #[serde(rename = "in")]
    pub location: Option<Location>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub description: String,
    pub schema: Option<Located<Schema>>,
    #[serde(default, deserialize_with = "present")]
    pub example: Option<Value>,
    #[serde(rename = "x-evidence")]
    pub evidence: Option<Evidence>,
    #[serde(rename = "x-rust-name")]
    pub rust_name: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    Path,
    Query,
    Header,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    #[serde(default)]
    description: IgnoredAny,
    #[serde(default)]
    required: IgnoredAny,
    pub content: RequestContent,
    #[serde(rename = "x-evidence")]
    evidence: Option<Evidence>,
}

/// The body of a request, in exactly one media type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RequestContent {
    #[serde(rename = "application/json")]
    Json { schema: Located<Schema>, example: Located<Value> },
    #[serde(rename = "multipart/form-data")]
    Form {
        schema: Located<Schema>,
        #[serde(default)]
        example: IgnoredAny,
    },
}

/// A response, or a reference to a response.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    #[serde(default)]
    description: IgnoredAny,
    content: Option<ResponseContent>,
    #[serde(rename = "x-evidence")]
    evidence: Option<Evidence>,
}

#[derive(Deserialize)]
enum ResponseContent {
    #[serde(rename = "application/json")]
    Json(Media),
}

impl Response {
    pub fn media(&self) -> Option<&Media> {
        self.content.as_ref().map(|ResponseContent::Json(media)| media)
    }

    pub fn media_mut(&mut self) -> Option<&mut Media> {
        self.content.as_mut().map(|ResponseContent::Json(media)| media)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    pub schema: Located<Schema>,
    #[serde(default, deserialize_with = "present")]
    pub example: Option<Located<Value>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Schema {
    #[serde(rename = "$ref")]
    pub reference: Option<SchemaRef>,
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    pub format: Option<Format>,
    pub description: Option<String>,
    pub nullable: bool,
    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub pattern: Option<Pattern>,
    pub minimum: Option<i64>,
    pub maximum: Option<i64>,
    #[serde(rename = "enum")]
    pub closed: Option<Vec<Value>>,
    example: IgnoredAny,
    #[serde(deserialize_with = "present")]
    pub default: Option<Value>,
    pub properties: Option<Schemas>,
    pub required: Vec<String>,
    pub additional_properties: Option<IgnoredAny>,
    pub items: Option<Box<Located<Schema>>>,
    all_of: Option<[OnlyRef; 1]>,
    pub any_of: Vec<Located<Schema>>,
    pub one_of: Vec<Located<Schema>>,
    #[serde(rename = "x-evidence")]
    pub evidence: Option<Evidence>,
    #[serde(rename = "x-source")]
    source: Option<Source>,
    #[serde(rename = "x-sensitive")]
    pub sensitive: bool,
    /// The name of the field in Rust, if the key has another.
    #[serde(rename = "x-rust-name")]
    pub rust_name: Option<String>,
    #[serde(rename = "x-needed")]
    pub needed: Option<Located<Vec<String>>>,
    #[serde(rename = "x-extensible-enum")]
    pub open: Option<Vec<Located<String>>>,
    #[serde(rename = "x-status")]
    pub meanings: Option<BTreeMap<String, Located<Meaning>>>,
    #[serde(rename = "x-enum-varnames")]
    pub names: Option<Vec<String>>,
    #[serde(rename = "x-enum-descriptions")]
    pub descriptions: Option<Vec<String>>,
    #[serde(rename = "x-documented-pattern")]
    pub documented_pattern: Option<String>,
    /// True if a lowering has marked this list: the vendor may also send a single item without a list.
    #[serde(skip)]
    pub one_or_many: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

/// The formats of OpenAPI that have no effect on the client, and the formats of this crate.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Bic,
    Binary,
    Cents,
    Date,
    DateFr,
    DateTime,
    Document,
    Email,
    Euros,
    Iban,
    Ipv4,
    Ipv6,
    NewUmr,
    Password,
    Reference,
    Siren,
    Umr,
    Uri,
    Uuid,
}

/// A reference to a schema, stored as the name of the component.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct SchemaRef(pub String);

impl TryFrom<String> for SchemaRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let name = text.strip_prefix("#/components/schemas/").map(str::to_owned);
        name.map(Self).ok_or_else(|| format!("`{text}` is not of the form `#/components/schemas/Mandate`"))
    }
}

/// An `allOf` with a single reference. This form allows a description beside the reference.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnlyRef {
    #[serde(rename = "$ref")]
    reference: SchemaRef,
}

#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(pub String);

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        match regress::Regex::new(&pattern) {
            Ok(_) => Ok(Self(pattern)),
            Err(e) => Err(format!("the pattern is not a valid regular expression of ECMAScript: {e}")),
        }
    }
}

impl Schema {
    /// Returns true for an amount of money.
    pub fn is_money(&self) -> bool {
        matches!(self.format, Some(Format::Cents | Format::Euros))
    }

    /// Returns the name of the component to which this schema refers.
    pub fn name(&self) -> Option<&str> {
        let all_of = || self.all_of.as_ref().map(|[only]| &only.reference);
        self.reference.as_ref().or_else(all_of).map(|reference| reference.0.as_str())
    }

    /// Returns the schemas directly inside this schema.
    pub fn children(&self) -> impl Iterator<Item = &Located<Schema>> {
        let properties = self.properties.iter().flat_map(BTreeMap::values);
        properties.chain(self.items.as_deref()).chain(self.forms())
    }

    /// Returns the alternatives of a `oneOf` or `anyOf`.
    pub fn forms(&self) -> impl Iterator<Item = &Located<Schema>> {
        self.one_of.iter().chain(&self.any_of)
    }

    /// Returns the words of an open or closed enumeration of texts.
    pub fn words(&self) -> Option<Vec<&str>> {
        match (&self.open, &self.closed) {
            (Some(open), _) => Some(open.iter().map(|word| word.value.as_str()).collect()),
            (None, Some(closed)) => closed.iter().map(Value::as_str).collect(),
            (None, None) => None,
        }
    }

    /// Returns true if the schema has no type, no reference and no structure, so that it allows any JSON.
    pub fn is_any(&self) -> bool {
        self.kind.is_none() && self.properties.is_none() && self.children().next().is_none() && self.name().is_none()
    }
}

/// Returns true if a key is present, also with the value `null`. Serde reads such a value into an `Option` as `None`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

/// An operation with the path and the method of its requests.
#[derive(Clone, Copy)]
pub struct Endpoint<'a> {
    pub path: &'a str,
    pub method: &'static str,
    /// The server of the path, if the path has its own server.
    pub server: Option<&'a str>,
    pub operation: &'a Located<Operation>,
}

impl Endpoint<'_> {
    /// Returns the names in braces in the path.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Returns the documented effect of an operation. Without one, returns the effect that the HTTP method implies.
    pub fn effect(&self) -> Effect {
        self.operation.effect.unwrap_or(match self.method {
            "GET" => Effect::Read,
            "DELETE" => Effect::Removal,
            _ => Effect::Write,
        })
    }
}

impl Spec {
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint<'_>> {
        self.paths.iter().flat_map(|(path, item)| {
            let server = item.servers.as_ref().map(|servers| servers[0].url.as_str());
            item.operations().map(move |(method, operation)| Endpoint { path, method, server, operation })
        })
    }

    pub fn operations_mut(&mut self) -> impl Iterator<Item = &mut Operation> {
        let slots = self.paths.value.values_mut().flat_map(PathItem::slots);
        slots.filter_map(|slot| slot.as_mut().map(|operation| &mut operation.value))
    }

    /// Removes the operations for which `keep` returns false.
    pub fn retain(&mut self, keep: impl Fn(&Operation) -> bool) {
        for slot in self.paths.value.values_mut().flat_map(PathItem::slots) {
            slot.take_if(|operation| !keep(operation));
        }
    }

    /// Returns the base URL of the vendor's API in the spec.
    pub fn server(&self) -> &str {
        self.servers.first().map_or("", |server| &server.url)
    }

    /// Returns the component to which a schema refers. Returns a schema without a reference unchanged.
    pub fn target<'a>(&'a self, schema: &'a Located<Schema>) -> &'a Located<Schema> {
        schema.name().and_then(|name| self.components.schemas.get(name)).unwrap_or(schema)
    }

    /// Returns the component to which a parameter refers. Returns a parameter without a reference unchanged.
    pub fn parameter<'a>(&'a self, parameter: &'a Located<Parameter>) -> &'a Located<Parameter> {
        let name = parameter.reference.as_deref().and_then(|r| r.strip_prefix("#/components/parameters/"));
        name.and_then(|name| self.components.parameters.get(name)).unwrap_or(parameter)
    }

    pub fn parameters<'a>(&'a self, operation: &'a Operation) -> impl Iterator<Item = &'a Located<Parameter>> {
        operation.parameters.iter().map(|parameter| self.parameter(parameter))
    }

    /// Returns the schemas of a request: those of its parameters and that of its JSON body.
    pub fn request<'a>(&'a self, operation: &'a Operation) -> impl Iterator<Item = &'a Located<Schema>> {
        let parameters = self.parameters(operation).filter_map(|parameter| parameter.schema.as_ref());
        parameters.chain(operation.body().map(|(schema, _)| schema))
    }

    /// Returns the component to which a response refers. Returns a response without a reference unchanged.
    pub fn response<'a>(&'a self, response: &'a Located<Response>) -> &'a Located<Response> {
        let name = response.reference.as_deref().and_then(|r| r.strip_prefix("#/components/responses/"));
        name.and_then(|name| self.components.responses.get(name)).unwrap_or(response)
    }

    /// Returns the schemas of all responses of an operation.
    pub fn responses<'a>(&'a self, operation: &'a Operation) -> impl Iterator<Item = &'a Located<Schema>> {
        let all = operation.responses.values().filter_map(|response| self.response(response).media());
        all.map(|media| &media.schema)
    }

    /// Returns the names of all components to which some schemas refer, directly or through other components.
    pub fn reachable<'a>(&'a self, from: impl IntoIterator<Item = &'a Located<Schema>>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Located<Schema>> = from.into_iter().collect();
        while let Some(schema) = open.pop() {
            open.extend(schema.children());
            if let Some((name, component)) = schema.name().and_then(|name| self.components.schemas.get_key_value(name))
                && found.insert(name.as_str())
            {
                open.push(component);
            }
        }
        found
    }

    /// Returns the names of all components that a vendor sends: in a response, or in a notification if no operation
    /// uses the component.
    pub fn received(&self) -> BTreeSet<&str> {
        let operations = || self.endpoints().map(|endpoint| &endpoint.operation.value);
        let responses = operations().flat_map(|operation| self.responses(operation));
        let all = self.reachable(operations().flat_map(|o| self.request(o).chain(self.responses(o))));
        let unused = self.components.schemas.iter().filter(|(name, _)| !all.contains(name.as_str()));
        let (names, schemas): (Vec<&str>, Vec<_>) = unused.map(|(name, schema)| (name.as_str(), schema)).unzip();
        self.reachable(responses.chain(schemas)).into_iter().chain(names).collect()
    }

    /// Returns the names of all components that a request may contain.
    pub fn sent(&self) -> BTreeSet<&str> {
        self.reachable(self.endpoints().flat_map(|endpoint| self.request(endpoint.operation)))
    }
}
