//! Turns a spec into a plan of the client: the types and the operations, with their names and types in Rust.

pub mod safedebit;
pub mod seqino;

use super::{
    Provider,
    model::{Effect, Endpoint, Evidence, Format, Kind, Location, Meaning, Parameter, Schema, Spec, States},
    problem::{Located, Place, Problem, Problems, one_line},
};
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;
use std::{collections::BTreeSet, fmt};

/// A change of one vendor's spec before the client is planned. The function returns the number of changed places. If
/// there is none, the vendor's spec has changed and the lowering is out of date, so the build fails.
pub type Lowering = fn(&mut Spec) -> usize;

/// Returns the lowerings that only the spec of this vendor needs.
pub fn lowerings(vendor: &str) -> &'static [(&'static str, Lowering)] {
    match vendor {
        "safedebit" => {
            &[("failure_envelope", safedebit::failure_envelope), ("refusal_fields", safedebit::refusal_fields)]
        }
        "seqino" => &[("one_or_many", seqino::one_or_many)],
        _ => &[],
    }
}

/// The plan of a client: the types and operations to write.
pub struct Plan<'a> {
    pub types: Vec<OwnType>,
    pub structs: Vec<Struct>,
    pub operations: Vec<PlannedOperation<'a>>,
}

/// A type of a value in the generated Rust code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rust {
    Unit,
    Text,
    /// A type of the module `crate::wire`, such as `Int<1, 12>`.
    Wire(String),
    /// A generic type of the module `crate::wire`: `List`, `OneOrMany` or `Masked`.
    Generic(&'static str, Box<Rust>),
    /// A type that the client of this vendor defines.
    Own {
        client: String,
        name: String,
    },
}

impl Rust {
    fn list(self) -> Self {
        Self::Generic("List", self.into())
    }

    pub fn is_list(&self) -> bool {
        matches!(self, Self::Generic("List", _))
    }

    /// Returns the Rust type with its whole path.
    pub fn path(&self) -> String {
        match self {
            Self::Unit => "()".into(),
            Self::Text => "::std::string::String".into(),
            Self::Wire(name) => format!("crate::wire::{name}"),
            Self::Generic(name, inner) => format!("crate::wire::{name}<{}>", inner.path()),
            Self::Own { client, name } => format!("crate::{client}::types::{name}"),
        }
    }
}

/// `Display` shows the Rust type in short form, for a reviewer.
impl fmt::Display for Rust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("()"),
            Self::Text => f.write_str("String"),
            Self::Wire(name) | Self::Own { name, .. } => f.write_str(name),
            Self::Generic(name, inner) => write!(f, "{name}<{inner}>"),
        }
    }
}

/// A type whose code this build script writes without progenitor.
pub struct OwnType {
    pub name: String,
    pub doc: String,
    pub form: Form,
}

pub enum Form {
    /// An enumeration of words. An open enumeration keeps any other text.
    Words {
        open: bool,
        words: Vec<Word>,
    },
    /// A string with documented limits, or a string that `Debug` must hide.
    Text {
        min: usize,
        max: Option<usize>,
        pattern: Option<String>,
        debug: &'static str,
        kind: &'static str,
    },
    /// The states of a response, each with the words that select the state.
    States {
        answer: Rust,
        property: String,
        /// The names of the fields on the way to the property.
        way: Vec<String>,
        states: Vec<State>,
    },
    Alias(Rust),
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
    pub meaning: Option<Meaning>,
}

/// An object of the spec. The crate progenitor writes the struct. This build script writes the code that reads and
/// builds it.
pub struct Struct {
    pub name: String,
    pub doc: String,
    pub fields: Vec<Field>,
    /// True if the vendor sends this object. Unknown fields are then kept, and only the needed fields are required.
    pub received: bool,
    /// True if a request contains this object. The object then has a builder.
    pub sent: bool,
}

pub struct Field {
    /// The name of the field in JSON.
    pub key: String,
    pub name: String,
    pub rust: Rust,
    pub required: bool,
    pub nullable: bool,
    /// An amount of money, which a setter takes with its unit only.
    pub money: bool,
    pub doc: String,
}

impl Field {
    /// Returns true for a list that may be missing. A missing list is read as an empty list. Other missing fields are
    /// read as `None`.
    pub fn is_blank_list(&self) -> bool {
        self.rust.is_list() && !self.required && !self.nullable
    }

    /// Returns true if the name in Rust does not come from the key.
    pub fn is_renamed(&self) -> bool {
        self.name != snake(&self.key)
    }

    /// The key from which the generator derives the name in Rust.
    pub fn input_key(&self) -> &str {
        if self.is_renamed() { &self.name } else { &self.key }
    }

    pub fn is_option(&self) -> bool {
        (!self.required || self.nullable) && !self.is_blank_list()
    }
}

pub struct PlannedOperation<'a> {
    pub endpoint: Endpoint<'a>,
    /// Set if this operation has its own base path: the base path of the other operations, and that of this operation.
    pub outside: Option<(&'a str, &'a str)>,
    pub document: bool,
    /// The enum of the response's states, if a success status alone does not show the result.
    pub states: Option<Rust>,
    /// Each value in the response: its path, its JSON type, and whether it is required.
    pub answer: Vec<(String, &'static str, bool)>,
    pub parameters: Vec<Argument>,
    /// The type of the request body, and its example.
    pub body: Option<(Rust, String)>,
    /// The names of the files in the form of a request.
    pub files: Vec<&'a str>,
    pub returns: Rust,
}

pub struct Argument {
    pub name: String,
    /// The name of the parameter in the request.
    pub key: String,
    pub location: Location,
    pub rust: Rust,
    pub required: bool,
    pub money: bool,
    pub doc: String,
    /// The example as a Rust expression.
    pub example: Option<String>,
}

impl<'a> PlannedOperation<'a> {
    pub fn id(&self) -> &'a str {
        &self.endpoint.operation.operation_id.0
    }

    /// The name of the operation's constant: `create_mandate` becomes `CREATE_MANDATE`.
    pub fn constant(&self) -> String {
        self.id().to_uppercase()
    }

    /// The name of the operation's builder: `create_mandate` becomes `CreateMandate`.
    pub fn builder(&self) -> String {
        self.id().to_upper_camel_case()
    }

    /// Returns the vendor's error codes for a reference that is already in use.
    pub fn in_use(&self) -> &'a [String] {
        self.endpoint.operation.in_use.as_ref().map_or(&[], |in_use| &in_use.codes)
    }

    /// Returns the advice for a write or a removal whose response is lost.
    pub fn lost_answer(&self) -> String {
        let removal = "Send it again: a second removal does no harm.";
        one_line(match &self.endpoint.operation.lost_answer {
            Some(advice) => advice,
            None if self.endpoint.effect() == Effect::Removal => removal,
            None => "",
        })
    }
}

/// Applies the lowerings of the vendor to its spec. Returns the names of the schemas that the client no longer needs.
pub fn prepare(spec: &mut Spec, provider: &Provider, unverified: bool) -> Result<BTreeSet<String>, Problems> {
    let all = used(spec, true);
    spec.retain(|operation| unverified || !operation.unverified);
    let left = used(spec, false);
    for (name, lowering) in provider.lowerings {
        if lowering(spec) == 0 {
            let fix = "remove the lowering from `build/lower/mod.rs`, or restore the part of the spec that it changes";
            let what = format!("the lowering `{name}` found nothing to change");
            return Err(Problem::new(Place::default(), what, fix).into());
        }
    }
    Ok(&all - &left)
}

/// Plans the client of a spec, without the schemas in `dropped`.
pub fn plan<'a>(spec: &'a Spec, provider: &Provider<'a>, dropped: &BTreeSet<String>) -> Result<Plan<'a>, Problems> {
    let planner = Planner { spec, client: provider.name };
    let mut problems = Problems::new();
    let calls: Vec<Result<PlannedOperation, Problem>> =
        spec.endpoints().map(|endpoint| planner.call(endpoint)).collect();
    let mut plan = Plan { types: planner.states(), structs: Vec::new(), operations: Vec::new() };
    for call in calls {
        call.map_or_else(|problem| problems.push(problem), |call| plan.operations.push(call));
    }
    let (received, sent) = (spec.received(), spec.sent());
    for (name, schema) in spec.components.schemas.iter().filter(|(name, _)| !dropped.contains(*name)) {
        let planned = match schema.properties {
            None => planner.own_type(name, schema).map(|own| plan.types.push(own)),
            Some(_) => planner.object(name, schema, &received, &sent).map(|object| plan.structs.push(object)),
        };
        problems.extend(planned.err());
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

/// Returns the names of the schemas that the operations use.
fn used(spec: &Spec, forms: bool) -> BTreeSet<String> {
    let schemas = spec.endpoints().flat_map(|endpoint| {
        let operation = &endpoint.operation.value;
        let form = operation.form().filter(|_| forms);
        spec.request(operation).chain(spec.responses(operation)).chain(form)
    });
    spec.reachable(schemas).into_iter().map(str::to_owned).collect()
}

struct Planner<'a> {
    spec: &'a Spec,
    client: &'a str,
}

impl<'a> Planner<'a> {
    fn own(&self, name: &str) -> Rust {
        Rust::Own { client: self.client.to_owned(), name: name.into() }
    }

    /// Returns the Rust type of a value with this schema.
    fn rust(&self, schema: &Located<Schema>) -> Result<Rust, Problem> {
        if let Some(name) = schema.name() {
            return Ok(self.own(name));
        }
        if schema.forms().next().is_some() {
            let fix = "describe one form, or write a lowering in `build/lower/` that chooses one";
            return Err(Problem::new(schema.place, "the build cannot choose between several forms", fix));
        }
        match (&schema.items, scalar(schema)) {
            (_, Some(wire)) => Ok(Rust::Wire(wire)),
            (Some(items), None) if schema.one_or_many => Ok(Rust::Generic("OneOrMany", self.rust(items)?.into())),
            (Some(items), None) => Ok(self.rust(items)?.list()),
            (None, None) if schema.kind == Some(Kind::Array) => Ok(Rust::Wire("Json".into()).list()),
            (None, None) => Ok(Rust::Text),
        }
    }

    /// Returns the description of a value. If it has none, returns the description of its type.
    fn doc(&self, schema: &Schema, of_type: &Schema) -> String {
        let own = said(schema.description.as_deref(), schema.default.as_ref(), None);
        if own.is_empty() {
            let evidence = schema.evidence.as_ref().or(of_type.evidence.as_ref());
            said(of_type.description.as_deref(), of_type.default.as_ref(), evidence)
        } else {
            said(schema.description.as_deref(), schema.default.as_ref(), schema.evidence.as_ref())
        }
    }

    fn object(
        &self,
        name: &str,
        schema: &Located<Schema>,
        received: &BTreeSet<&str>,
        sent: &BTreeSet<&str>,
    ) -> Result<Struct, Problem> {
        if sent.contains(name) && self.contains(schema, name, &mut BTreeSet::new()) {
            let fix = "describe the inner object as any JSON: `{}`";
            return Err(Problem::new(schema.place, format!("`{name}` of a request contains itself"), fix));
        }
        // `required` is the vendor's documentation, with which `probe` compares a response. `x-needed` lists the fields
        // without which a response is refused.
        let required = schema.needed.as_ref().map_or(&schema.required, |needed| &needed.value);
        let fields = schema.properties.iter().flatten().map(|(key, property)| {
            Ok(Field {
                key: key.clone(),
                name: field_name(key, property),
                rust: self.rust(property)?,
                required: required.contains(key),
                nullable: property.nullable,
                money: self.spec.target(property).is_money(),
                doc: self.doc(property, self.spec.target(property)),
            })
        });
        Ok(Struct {
            name: name.into(),
            doc: self.doc(schema, schema),
            fields: fields.collect::<Result<_, Problem>>()?,
            received: received.contains(name),
            sent: sent.contains(name),
        })
    }

    /// Returns true if an object contains an object of the same name without a list in between. The generator would
    /// then put the inner object on the heap, and the builder does not support this.
    fn contains(&self, schema: &Schema, name: &str, seen: &mut BTreeSet<String>) -> bool {
        let inner: Vec<&str> = schema.properties.iter().flatten().filter_map(|(_, property)| property.name()).collect();
        inner.iter().any(|inner| {
            *inner == name
                || seen.insert((*inner).into())
                    && self.spec.components.schemas.get(*inner).is_some_and(|inner| self.contains(inner, name, seen))
        })
    }

    fn own_type(&self, name: &str, schema: &Located<Schema>) -> Result<OwnType, Problem> {
        let form = match (words(schema), self.rust(schema)?) {
            (Some(words), _) => Form::Words { open: schema.open.is_some(), words },
            (None, Rust::Text) => text(schema),
            (None, rust) if schema.sensitive && rust != Rust::Wire("Document".into()) => {
                Form::Alias(Rust::Generic("Masked", rust.into()))
            }
            (None, rust) => Form::Alias(rust),
        };
        let doc = [self.doc(schema, schema), limits(schema)].join(" ");
        Ok(OwnType { name: name.into(), doc: doc.trim().into(), form })
    }

    /// Plans the enums for the states of responses.
    fn states(&self) -> Vec<OwnType> {
        let all = self.spec.endpoints().filter_map(|endpoint| {
            let States { property, states } = &endpoint.operation.states.as_ref()?.value;
            let id = &endpoint.operation.operation_id.0;
            let states = states.iter().map(|state| State {
                name: state.name.clone(),
                words: state.words.clone(),
                doc: prose(&state.description),
            });
            Some(OwnType {
                name: format!("{}State", id.to_upper_camel_case()),
                doc: format!("The response of `{id}`, by its `{property}`."),
                form: Form::States {
                    way: self.way(endpoint.operation.answer()?, property),
                    answer: self.own(endpoint.operation.answer()?.name()?),
                    property: property.clone(),
                    states: states.collect(),
                },
            })
        });
        all.collect()
    }

    /// The names in Rust of the fields on the way to a property: `data.status`.
    fn way(&self, answer: &'a Located<Schema>, property: &str) -> Vec<String> {
        let mut schema = Some(self.spec.target(answer));
        let names = property.split('.').map(|key| {
            let field = schema.and_then(|schema| schema.properties.as_ref()?.get(key));
            schema = field.map(|field| self.spec.target(field));
            field.map_or_else(|| snake(key), |field| field_name(key, field))
        });
        names.collect()
    }

    fn call(&self, endpoint: Endpoint<'a>) -> Result<PlannedOperation<'a>, Problem> {
        let operation = &endpoint.operation.value;
        let mut answer = Vec::new();
        if let Some(schema) = operation.answer() {
            self.shape(schema, "", true, &mut Vec::new(), &mut answer);
        }
        let mut parameters = Vec::new();
        for parameter in self.spec.parameters(operation) {
            parameters.extend(self.argument(parameter)?);
        }
        // Order the parameters: those of the path in its order, then those of the query, then headers. Query parameters
        // and headers are sorted by name.
        let rank = |argument: &Argument| endpoint.placeholders().position(|part| part == argument.key);
        parameters.sort_by_cached_key(|argument| {
            (rank(argument).unwrap_or(usize::MAX), argument.location == Location::Header, argument.name.clone())
        });
        let form = operation.form().and_then(|form| self.spec.target(form).properties.as_ref());
        let is_document = |name: &&str| self.spec.components.schemas[*name].format == Some(Format::Document);
        let states = format!("{}State", operation.operation_id.0.to_upper_camel_case());
        Ok(PlannedOperation {
            endpoint,
            outside: endpoint.server.map(|own| (base_path(self.spec.server()), base_path(own))),
            document: self.spec.reachable(operation.answer()).iter().any(is_document),
            states: operation.states.as_ref().map(|_| self.own(&states)),
            answer,
            parameters,
            body: operation.body().and_then(|(schema, example)| Some((self.own(schema.name()?), example.to_string()))),
            files: form.into_iter().flatten().map(|(name, _)| name.as_str()).collect(),
            returns: operation.answer().map_or(Ok(Rust::Unit), |schema| self.rust(schema))?,
        })
    }

    fn argument(&self, parameter: &Parameter) -> Result<Option<Argument>, Problem> {
        let (Some(location), Some(schema)) = (parameter.location, &parameter.schema) else { return Ok(None) };
        let target = self.spec.target(schema);
        let own = said(Some(&parameter.description), schema.default.as_ref(), parameter.evidence.as_ref());
        let rust = self.rust(schema)?;
        let example = parameter.example.as_ref().map(|value| match (value, &rust) {
            // A text cannot be converted to an amount in cents, so the example reads the amount from JSON.
            (value, Rust::Own { name, .. }) if target.format == Some(Format::Cents) => {
                format!("::serde_json::from_str::<$api::types::{name}>({:?}).unwrap()", value.to_string())
            }
            (Value::String(text), _) => format!("{text:?}"),
            (value, _) => value.to_string(),
        });
        Ok(Some(Argument {
            name: snake(parameter.rust_name.as_ref().unwrap_or(&parameter.name)),
            key: parameter.name.clone(),
            location,
            rust,
            required: parameter.required,
            money: target.is_money(),
            doc: if own.is_empty() { self.doc(target, target) } else { own },
            example,
        }))
    }

    /// Lists each value in a response: its path, its JSON type, and whether it is required. A schema inside itself is
    /// listed once.
    fn shape(
        &self,
        schema: &'a Located<Schema>,
        place: &str,
        required: bool,
        within: &mut Vec<&'a str>,
        out: &mut Vec<(String, &'static str, bool)>,
    ) {
        if let Some(name) = schema.name() {
            // A value that may be null is not required, because null counts as absent.
            let required = required && !schema.nullable;
            if within.contains(&name) {
                return out.push((place.into(), "any", required));
            }
            within.push(name);
            self.shape(&self.spec.components.schemas[name], place, required, within, out);
            within.pop();
            return;
        }
        let required = required && !schema.nullable;
        let kind = match schema.kind {
            Some(Kind::String) => "string",
            Some(Kind::Integer | Kind::Number) => "number",
            Some(Kind::Boolean) => "boolean",
            Some(Kind::Array) => "array",
            Some(Kind::Object) => "object",
            None => "any",
        };
        out.push((place.into(), kind, required));
        if let Some(items) = &schema.items {
            self.shape(items, &format!("{place}[]"), true, within, out);
        }
        for (name, property) in schema.properties.iter().flatten() {
            let at = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            let needed = schema.needed.as_ref().is_some_and(|needed| needed.contains(name));
            self.shape(property, &at, needed || schema.required.contains(name), within, out);
        }
    }
}

/// Returns the type of `crate::wire` for a value that may be unreadable in a response. With the types of progenitor,
/// one unreadable value would make the whole response unreadable.
fn scalar(schema: &Schema) -> Option<String> {
    Some(match schema.kind {
        Some(Kind::Boolean) => "Flag".into(),
        Some(Kind::Number) => "Number".into(),
        Some(Kind::Integer) if schema.is_money() => format!("CentsNumber<{}>", schema.minimum.unwrap_or(0)),
        Some(Kind::Integer) => match (schema.minimum, schema.maximum) {
            (None, None) => "Int".into(),
            (Some(min), None) => format!("Int<{min}>"),
            (min, Some(max)) => format!("Int<{}, {max}>", min.unwrap_or(i64::MIN)),
        },
        Some(Kind::String) => match schema.format? {
            Format::Date => "Date".into(),
            Format::DateTime => "DateTime".into(),
            Format::DateFr => "FrenchDate".into(),
            Format::Cents => schema.max_length.map_or("Cents".into(), |digits| format!("Cents<{digits}>")),
            Format::Euros => "Euros".into(),
            Format::Document => "Document".into(),
            _ => return None,
        },
        Some(Kind::Object) => "Extra".into(),
        Some(Kind::Array) => return None,
        None if schema.is_any() => "Json".into(),
        None => return None,
    })
}

fn text(schema: &Schema) -> Form {
    Form::Text {
        min: schema.min_length.unwrap_or(0),
        max: schema.max_length,
        pattern: schema.pattern.as_ref().map(|pattern| pattern.0.clone()),
        debug: match schema.format {
            Some(Format::Iban) => "iban",
            _ if schema.sensitive => "masked",
            _ => "plain",
        },
        // The name of a variant of `crate::wire::Form`.
        kind: match schema.format {
            Some(Format::Reference) => "Reference",
            Some(Format::Umr) => "Umr",
            Some(Format::NewUmr) => "NewUmr",
            Some(Format::Iban) => "Iban",
            Some(Format::Bic) => "Bic",
            Some(Format::Siren) => "Siren",
            _ => "Text",
        },
    }
}

/// Returns the words of an enumeration of texts, with their names in Rust and their documentation.
pub fn words(schema: &Schema) -> Option<Vec<Word>> {
    let words = schema.words().filter(|_| schema.kind == Some(Kind::String))?.into_iter().enumerate();
    let at = |list: &Option<Vec<String>>, i: usize| list.as_ref().and_then(|list| list.get(i)).cloned();
    let word = |(i, raw): (usize, &str)| Word {
        name: at(&schema.names, i).unwrap_or_else(|| raw.to_upper_camel_case()),
        doc: prose(&at(&schema.descriptions, i).unwrap_or_default()),
        meaning: schema.meanings.as_ref().and_then(|all| all.get(raw)).map(|meaning| meaning.value.clone()),
        raw: raw.into(),
    };
    Some(words.map(word).collect())
}

/// Returns the path of a URL without a slash at its end: `https://pdp.seqino.dev/api` has the path `/api`.
fn base_path(url: &str) -> &str {
    let (_, host) = url.split_once("://").unwrap_or(("", url));
    host.find('/').map_or("", |at| host[at..].trim_end_matches('/'))
}

/// Converts a name to Rust as progenitor does: `X-PDP-Client-Id` becomes `x_pdp_client_id`, and `type` becomes `type_`.
pub fn snake(name: &str) -> String {
    let name = name.replace('\'', "").to_snake_case();
    let name = if name.starts_with(char::is_alphabetic) { name } else { format!("x{name}") };
    if name != "gen" && syn::parse_str::<syn::Ident>(&name).is_ok() { name } else { name + "_" }
}

/// Returns the name of a field in Rust.
pub fn field_name(key: &str, property: &Schema) -> String {
    snake(property.rust_name.as_deref().unwrap_or(key))
}

pub fn documentation(endpoint: Endpoint) -> String {
    let operation = &endpoint.operation.value;
    let mut parts = vec![prose(&operation.summary), prose(&operation.description)];
    if let Some(advice) = &operation.lost_answer {
        parts.push(format!("If the response is lost: {}", prose(advice)));
    }
    let sources: Vec<String> = operation.source.urls().iter().map(|url| format!("<{url}>")).collect();
    parts.push(format!("Evidence: {}, {}", operation.evidence, sources.join(", ")));
    parts.push(format!("Sends `{}` to `{}`.", endpoint.method, endpoint.path));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

/// Writes the documentation of a field, a parameter or a type. A default value is only documented and never sent. The
/// vendor applies its own default, which may change later.
fn said(description: Option<&str>, default: Option<&Value>, evidence: Option<&Evidence>) -> String {
    let mut parts = vec![prose(description.unwrap_or_default())];
    parts.extend(
        default
            .map(|default| format!("The vendor's default is `{}`.", default.as_str().unwrap_or(&default.to_string()))),
    );
    parts.extend(evidence.map(|evidence| format!("Evidence: {evidence}.")));
    parts.join(" ").trim().into()
}

/// Returns the limits of a type, for its documentation. A request keeps the limits. A response may exceed them.
fn limits(schema: &Schema) -> String {
    let range = |low: Option<i64>, high: Option<i64>| match (low, high) {
        (None, None) => None,
        (low, high) if low == high => low.map(|exact| exact.to_string()),
        (Some(low @ 1..), None) => Some(format!("At least {low}")),
        (None | Some(0), Some(high)) => Some(format!("At most {high}")),
        (Some(low), Some(high)) => Some(format!("{low} to {high}")),
        (Some(_), None) => None,
    };
    let length = |length: Option<usize>| length.and_then(|length| i64::try_from(length).ok());
    let unit = if schema.is_money() { "digits" } else { "characters" };
    let length = range(length(schema.min_length), length(schema.max_length)).map(|range| format!("{range} {unit}."));
    let value = range(schema.minimum, schema.maximum).map(|range| format!("{range}."));
    let pattern = schema.pattern.as_ref().map(|pattern| format!("Pattern: `{}`.", pattern.0));
    let printed = schema.documented_pattern.as_ref();
    let printed = printed.map(|pattern| format!("The vendor prints the pattern `{pattern}`. It is not enforced."));
    [length, value, pattern, printed].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Turns a text of a spec into documentation. Brackets are escaped, so that the text contains no link or markup, and no
/// part of it becomes a doctest.
fn prose(text: &str) -> String {
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
    let paragraphs = text.split("\n\n");
    let paragraphs = paragraphs.map(|text| text.split_whitespace().map(&mut safe).collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n").trim().into()
}
