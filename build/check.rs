//! Checks the rules for a spec that the types of the module `model` cannot express. `specs/README.md` explains the
//! rules.

use super::{
    lower::{self, Word, field_name, snake},
    model::{
        Effect, Endpoint, Evidence, Format, Kind, Location, Meaning, Operation, Repeated, Response, Schema, Spec,
        States,
    },
    problem::{Located, Place, Problem, Problems},
};
use heck::ToUpperCamelCase;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub fn check(spec: &Spec) -> Result<(), Problems> {
    let mut check = Check { spec, problems: Problems::new() };
    check.whole();
    spec.endpoints().for_each(|endpoint| check.operation(endpoint));
    check.components();
    if check.problems.is_empty() { Ok(()) } else { Err(check.problems) }
}

struct Check<'a> {
    spec: &'a Spec,
    problems: Problems,
}

/// The names of fields and methods that every builder has.
const OURS: [&str; 6] = ["client", "body", "request", "send", "send_again", "extra"];

/// The names in `src/vocabulary/status.rs` that the word of a vendor can mean.
const STATUSES: &str = "Pending, AwaitingSignature, AwaitingVerification, AwaitingActivation, Active, Suspended, \
                        Revoked, Expired, Invalid";
const ACCOUNTS: &str = "Active, Inactive, Pending, Suspended";
const DEBITS: &str = "Pending, AwaitingApproval, Scheduled, Submitted, Collected, PaidOut, Failed, Returned, RefundDue, \
                      RefundPending, Refunded, Canceled, Unrecognized";
const NEXT: &str = "NotKnown, DebtorSigns, AskDebtor, ClientAndVendorVerify, ActivateOrWait, Use, Replace, ReadCause, \
                    FindOut";

fn is_name(text: &str) -> bool {
    syn::parse_str::<syn::Ident>(text).is_ok()
}

fn is_type_name(text: &str) -> bool {
    text == text.to_upper_camel_case() && is_name(text)
}

/// Finds a field by the names of the fields that contain it. If `required` is true, only fields that are always present
/// count.
fn field<'a, 'b>(
    spec: &'a Spec,
    schema: &'a Located<Schema>,
    mut way: impl Iterator<Item = &'b str>,
    required: bool,
) -> Option<&'a Located<Schema>> {
    // If a response has several forms, the first form is the requested data. The other forms are a failure, or a single
    // item instead of a list.
    let first = |schema: &'a Located<Schema>| {
        let schema = spec.target(schema);
        spec.target(schema.forms().next().unwrap_or(schema))
    };
    way.try_fold(first(schema), |schema, name| {
        let property = schema.properties.as_ref()?.get(name)?;
        (!required || schema.required.iter().any(|required| required == name)).then(|| first(property))
    })
}

impl<'a> Check<'a> {
    fn say(&mut self, place: Place, what: impl Into<String>, fix: &str) {
        self.problems.push(Problem::new(place, what, fix));
    }

    /// Reports each broken rule. A rule consists of its condition, the mistake and the fix.
    fn rules<const N: usize>(&mut self, place: Place, what: &str, rules: [(bool, &str, &str); N]) {
        for (_, mistake, fix) in rules.into_iter().filter(|(broken, ..)| *broken) {
            self.say(place, format!("{what} {mistake}"), fix);
        }
    }

    fn whole(&mut self) {
        let (version, paths) = (&self.spec.openapi, &self.spec.paths);
        let other = !version.starts_with("3.0.");
        self.rules(version.place, "the version", [(other, "of OpenAPI is not 3.0", "write `openapi: 3.0.3`")]);
        self.rules(paths.place, "`paths`", [(paths.is_empty(), "has no operation", "describe at least one")]);
        // The server of a path may have another base path, but not another host: credentials must not be sent to
        // another host.
        let host = |url: &str| url.splitn(4, '/').take(3).map(str::to_owned).collect::<Vec<_>>();
        for own in paths.values().filter_map(|item| item.servers.as_ref()) {
            let (first, url) = (self.spec.server(), &own[0].url);
            if url.contains(['{', '?', '#']) || host(url) != host(first) {
                let what = format!("`{url}` is not a plain URL with the host of `{first}`");
                self.say(own.place, what, "use the host of the first server; credentials go to no other host");
            }
        }
        let mut ids = BTreeSet::new();
        for id in self.spec.endpoints().map(|endpoint| &endpoint.operation.operation_id) {
            let again = !ids.insert(&id.0);
            self.rules(id.place, &format!("`{}`", id.0), [(again, "is the name of two operations", "rename one")]);
        }
    }

    fn operation(&mut self, endpoint: Endpoint<'a>) {
        let Located { place, value: operation } = endpoint.operation;
        let id = &operation.operation_id.0;
        let successes = operation.responses.keys().filter(|code| code.starts_with('2')).count();
        if successes != 1 {
            self.say(*place, format!("`{id}` has {successes} responses with a 2xx code"), "describe exactly one");
        }
        self.parameters(endpoint);
        if let Some((schema, example)) = operation.body() {
            let what = format!("the request body of `{id}`");
            let other = schema.reference.is_none() || self.spec.target(schema).properties.is_none();
            let fix = "name an object under `components.schemas` and refer to it";
            self.rules(schema.place, &what, [(other, "is not a reference to an object", fix)]);
            self.schema(&what, schema, false);
            self.example(&format!("the example of {what}"), example.place, schema, example);
        }
        if let Some(form) = operation.form() {
            let what = format!("the form of `{id}`");
            let mut fields =
                self.spec.target(form).properties.iter().flatten().map(|(_, field)| self.spec.target(field));
            let other = fields.any(|field| field.format != Some(Format::Binary));
            let fix = "describe files only (`format: binary`); other fields of a form are not supported";
            self.rules(form.place, &what, [(other, "has a field that is not a file", fix)]);
            self.schema(&what, form, false);
        }
        for (code, response) in &operation.responses {
            self.response(&format!("the response {code} of `{id}`"), code.starts_with('2'), response);
        }
        self.effect(endpoint);
        if let Some(repeats) = &operation.repeats {
            self.repeats(repeats.place, operation, repeats);
        }
        if let Some(states) = &operation.states {
            self.states(states.place, operation, states);
        }
    }

    fn response(&mut self, what: &str, success: bool, response: &'a Located<Response>) {
        let found = self.spec.response(response);
        if let Some(reference) = &response.reference
            && (success || found.reference.is_some())
        {
            let fix = "describe the response in the operation; only failures may refer to `components.responses`";
            self.say(response.place, format!("{what} refers to `{reference}`"), fix);
        }
        let Some(media) = found.media() else { return };
        self.schema(what, &media.schema, false);
        if let Some(example) = media.example.as_ref().filter(|_| success) {
            self.example(&format!("the example of {what}"), example.place, &media.schema, example);
        }
        let fix = "add `example` with the vendor's documented values";
        self.rules(response.place, what, [(success && media.example.is_none(), "has no example", fix)]);
    }

    /// Compares the keys of an example with its schema. Tests send the example of a request, and the sandbox responds
    /// with the example of a response. So an example must have every required field.
    fn example(&mut self, what: &str, place: Place, schema: &'a Located<Schema>, value: &Value) {
        let Some(schema) = field(self.spec, schema, [].into_iter(), false) else { return };
        if let (Some(items), Some(values)) = (schema.items.as_deref(), value.as_array()) {
            return values.iter().for_each(|value| self.example(what, place, items, value));
        }
        let (Some(properties), Some(given)) = (&schema.properties, value.as_object()) else { return };
        for name in schema.required.iter().filter(|name| properties.contains_key(*name) && !given.contains_key(*name)) {
            self.say(place, format!("{what} lacks `{name}`, which is required"), "add it to the example");
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
        let (mut names, mut keys) = (Vec::new(), Vec::new());
        for used in &endpoint.operation.parameters {
            let (place, parameter) = (used.place, self.spec.parameter(used));
            let (what, name) = (
                format!("the parameter `{}`", parameter.name),
                snake(parameter.rust_name.as_ref().unwrap_or(&parameter.name)),
            );
            let (Some(location), Some(schema)) = (parameter.location, &parameter.schema) else {
                let what = used.reference.as_ref().map_or(what, |reference| format!("the parameter `{reference}`"));
                let fix = "write `name`, `in` and `schema`, or refer to `components.parameters`";
                self.say(place, format!("{what} is not described"), fix);
                continue;
            };
            let taken = names.contains(&name) || OURS.contains(&name.as_str());
            let structured = matches!(self.spec.target(schema).kind, Some(Kind::Array | Kind::Object));
            let optional = location == Location::Path && !parameter.required;
            let bare = parameter.required && parameter.example.is_none();
            let rules = [
                (taken, "has a name that is already in use", "leave it out; only the vendor can rename it"),
                (structured, "is a list or an object", "describe a single value; only a body may have a structure"),
                (optional, "is in the path, but is not required", "add `required: true`"),
                (bare, "has no example", "add `example`"),
            ];
            self.rules(place, &what, rules);
            self.schema(&what, schema, false);
            names.push(name);
            keys.push(parameter.name.as_str());
        }
        for part in endpoint.placeholders().filter(|part| !keys.contains(part)) {
            let what = format!("the path has `{{{part}}}` and no parameter of this name");
            self.say(endpoint.operation.place, what, "describe the parameter under `parameters`");
        }
    }

    fn effect(&mut self, endpoint: Endpoint<'a>) {
        let Located { place, value: operation } = endpoint.operation;
        let (id, writes) = (&operation.operation_id.0, endpoint.effect() == Effect::Write);
        let silent = operation.lost_answer.is_none();
        let empty = operation.in_use.as_ref().is_some_and(|in_use| in_use.codes.is_empty());
        let (in_use, states) = (operation.in_use.is_some(), operation.states.is_some());
        let find_out = "describe in `x-lost-answer` how a caller finds out if the vendor acted, or set `x-effect`";
        let rules = [
            (writes && silent, "is a write without advice for a lost response", find_out),
            (empty, "has `x-in-use` without codes", "list at least one error code under `codes`"),
            (!writes && operation.unverified, "is not a write", "remove `x-unverified`"),
            (!writes && in_use, "is not a write", "remove `x-in-use`"),
            (!writes && states, "is not a write", "remove `x-states`"),
        ];
        self.rules(*place, &format!("`{id}`"), rules);
    }

    /// Checks that each repeated value is both in the request and in the response.
    fn repeats(&mut self, place: Place, operation: &'a Operation, repeats: &BTreeMap<String, Repeated>) {
        let has = |schema: Option<&'a Located<Schema>>, way: &str| {
            schema.is_some_and(|schema| field(self.spec, schema, way.split(['.', '/']), false).is_some())
        };
        let mut wrong = Vec::new();
        for (at, Repeated { location, name }) in repeats {
            let sent = match location {
                None => has(operation.body().map(|(schema, _)| schema), name.trim_start_matches('/')),
                Some(location) => self
                    .spec
                    .parameters(operation)
                    .any(|parameter| parameter.location == Some(*location) && parameter.name == *name),
            };
            wrong.extend((!has(operation.answer(), at)).then(|| format!("`{at}`, which the response lacks")));
            wrong.extend((!sent).then(|| format!("`{name}`, which the request lacks")));
        }
        for what in wrong {
            let fix = "correct the name; write a nested field like `data.orderId`";
            self.say(place, format!("`x-answer-repeats` names {what}"), fix);
        }
    }

    /// Checks the states of a response. A field that is always present distinguishes the states, and each word selects
    /// one state.
    fn states(&mut self, place: Place, operation: &'a Operation, States { property, states }: &States) {
        let word = operation.answer().and_then(|schema| field(self.spec, schema, property.split('.'), true));
        let Some(known) = word.and_then(|schema| schema.open.as_ref()) else {
            let fix = "name a required field that has an `x-extensible-enum`, such as `data.status`";
            return self.say(place, format!("`{property}` is not an enumeration that every response has"), fix);
        };
        let (mut names, mut words) = (vec!["Unclear"], Vec::new());
        for state in states {
            if !is_type_name(&state.name) || names.contains(&state.name.as_str()) {
                let fix = "give each state its own name in PascalCase; `Unclear` is taken";
                self.say(place, format!("the state `{}` cannot have this name", state.name), fix);
            }
            names.push(&state.name);
            for word in &state.words {
                if !known.iter().any(|known| known.value == *word) || words.contains(&word) {
                    let fix = "list each documented word at most once; all other words select `Unclear`";
                    self.say(place, format!("the word `{word}` is undocumented or listed twice"), fix);
                }
                words.push(word);
            }
        }
    }

    fn components(&mut self) {
        let (received, sent) = (self.spec.received(), self.spec.sent());
        for (name, schema) in &self.spec.components.schemas {
            let (place, what) = (schema.place, format!("the schema `{name}`"));
            let closed = schema.closed.is_some() && schema.kind == Some(Kind::String);
            let (received, sent) = (received.contains(name.as_str()), sent.contains(name.as_str()));
            let rules = [
                (
                    !is_type_name(name),
                    "has no name in PascalCase",
                    "write the name like `CreateMandateRequest` or `VatRegime`",
                ),
                (schema.reference.is_some(), "is another name of a schema", "use the schema to which this name refers"),
                (
                    closed && received,
                    "is a closed enum in a response",
                    "use `x-extensible-enum`: a vendor may add words. Remove the schema if nothing uses it",
                ),
                (
                    schema.needed.is_some() && sent,
                    "has `x-needed` in a request",
                    "remove `x-needed`; a request needs all required fields",
                ),
            ];
            self.rules(place, &what, rules);
            self.schema(&what, schema, true);
            self.words(&what, schema);
            self.meanings(&what, schema);
        }
    }

    /// Each word has a meaning, and each meaning has a word.
    fn meanings(&mut self, what: &str, schema: &Located<Schema>) {
        let Some(meanings) = &schema.meanings else { return };
        let words = schema.open.as_deref().unwrap_or_default();
        for word in words.iter().filter(|word| !meanings.contains_key(&word.value)) {
            let fix = format!("write its meaning: `{}: {{status: ..., x-evidence: ...}}`", word.value);
            self.say(word.place, format!("the word \"{}\" has no x-status", word.value), &fix);
        }
        let kinds = |meaning: &Meaning| [&meaning.status, &meaning.account, &meaning.debit].map(Option::is_some);
        let kind = meanings.values().next().map(|meaning| kinds(&meaning.value));
        for (word, meaning) in meanings {
            let Meaning { status, account, debit, next, evidence } = &meaning.value;
            let what = format!("x-status of the word \"{word}\", in {what},");
            let unknown = words.iter().all(|known| known.value != *word);
            let own = kinds(&meaning.value);
            let other = Some(own) != kind || own.iter().filter(|is| **is).count() != 1 || next.is_some() && !own[0];
            for (name, known) in [(status, STATUSES), (account, ACCOUNTS), (debit, DEBITS), (next, NEXT)] {
                let unknown = name.as_ref().filter(|name| !known.split(", ").any(|known| known == *name));
                let fix = format!("write one of {known}");
                if let Some(name) = unknown {
                    self.say(meaning.place, format!("{what} has the name `{name}`, which is not known here"), &fix);
                }
            }
            // A verdict can allow a collection only on a mandate with such a word, so a guess is not enough.
            let guessed =
                status.as_deref() == Some("Active") && matches!(evidence, Evidence::Inferred | Evidence::Observed(_));
            let rules = [
                (unknown, "has no word", "add the word to `x-extensible-enum`, or remove the meaning"),
                (
                    other,
                    "mixes mandates, accounts and debits",
                    "write `status` for each word of a mandate, `account` for an account, `debit` for a debit",
                ),
                (
                    guessed,
                    "calls a guessed word Active",
                    "find a page of the vendor that has the word, or give it another status",
                ),
            ];
            self.rules(meaning.place, &what, rules);
        }
    }

    fn words(&mut self, what: &str, schema: &Located<Schema>) {
        let place = schema.place;
        let Some(words) = schema.words() else { return };
        // A word without a description is allowed, because a new word may get its description later.
        let named = schema.names.as_ref().is_none_or(|names| names.len() == words.len());
        let described = schema.descriptions.as_ref().is_none_or(|all| all.len() <= words.len());
        let fix = "list at least one word, a name for each, and at most one description for each";
        let differ = words.is_empty() || !named || !described;
        self.rules(place, what, [(differ, "has different numbers of words, names and descriptions", fix)]);
        let length = schema.min_length.unwrap_or(0)..=schema.max_length.unwrap_or(usize::MAX);
        let mut names = BTreeMap::from([("Unrecognized".to_owned(), "any other word".to_owned())]);
        for Word { raw, name, .. } in lower::words(schema).into_iter().flatten() {
            if !length.contains(&raw.chars().count()) {
                let what = format!("{what} has the word `{raw}`, which is shorter or longer than the length limits");
                self.say(place, what, "correct the word or the length limits");
            }
            let fix = "name the words in `x-enum-varnames`";
            if !is_name(&name) {
                self.say(
                    place,
                    format!("{what} would call the word `{raw}` `{name}`, which is not valid in Rust"),
                    fix,
                );
            } else if let Some(other) = names.insert(name.clone(), raw.clone()) {
                self.say(place, format!("{what} would give both words `{other}` and `{raw}` the name `{name}`"), fix);
            }
        }
    }

    /// Checks a schema and the schemas inside it. `named` is true for a schema under `components.schemas`.
    fn schema(&mut self, what: &str, schema: &'a Located<Schema>, named: bool) {
        let place = schema.place;
        if let Some(name) = schema.name() {
            if !self.spec.components.schemas.contains_key(name) {
                let what = format!("{what} refers to the schema `{name}`, which does not exist");
                self.say(place, what, "describe it under `components.schemas`, or correct the name");
            }
            return;
        }
        let lengths = schema.min_length.zip(schema.max_length).is_some_and(|(low, high)| low > high);
        let bounds = lengths || schema.minimum.zip(schema.maximum).is_some_and(|(low, high)| low > high);
        self.rules(place, what, [(bounds, "has a lower bound above its upper bound", "correct one of them")]);
        self.text(what, schema, named);
        self.object(what, schema, named);
        for form in schema.items.as_deref().into_iter().chain(schema.forms()) {
            self.schema(what, form, false);
        }
    }

    fn object(&mut self, what: &str, schema: &'a Located<Schema>, named: bool) {
        let place = schema.place;
        let described = |name: &str| schema.properties.as_ref().is_some_and(|all| all.contains_key(name));
        let needed = schema.needed.iter().flat_map(|needed| needed.iter());
        for name in schema.required.iter().chain(needed).filter(|name| !described(name)) {
            let what = format!("{what} requires the field `{name}`, which is not described");
            self.say(place, what, "describe the field under `properties`");
        }
        let (described, open) = (schema.properties.is_some(), schema.additional_properties.is_some());
        let empty = schema.kind == Some(Kind::Object) && !described && !open;
        let rules = [
            (described && !named, "has an inline object", "move the object to `components.schemas` and refer to it"),
            (described && open, "has `additionalProperties`", "remove it; unknown fields are always kept"),
            (empty, "is an object without fields", "describe the fields, or write `additionalProperties: {}`"),
        ];
        self.rules(place, what, rules);
        let mut names = BTreeMap::from([("extra".to_owned(), "extra")]);
        for (name, property) in schema.properties.iter().flatten() {
            if let Some(other) = names.insert(field_name(name, property), name) {
                let what = format!("{what} has the fields `{name}` and `{other}`, which have the same name in Rust");
                self.say(property.place, what, "describe one of them, or give one another name with `x-rust-name`");
            }
            self.schema(&format!("the field `{name}` of {what}"), property, false);
        }
    }

    /// Checks the length, the pattern, the format and the words of a string.
    fn text(&mut self, what: &str, schema: &Located<Schema>, named: bool) {
        let words = schema.closed.is_some() || schema.open.is_some();
        let maskable = named && matches!(schema.kind, Some(Kind::String | Kind::Integer)) && !words;
        // A plain date or instant has a type in the crate `wire`, so its format needs no name under
        // `components.schemas`.
        let format = schema.format.filter(|format| !matches!(format, Format::Date | Format::DateTime));
        let length = schema.min_length.is_some() || schema.max_length.is_some();
        let pattern = schema.pattern.is_some() || schema.documented_pattern.is_some();
        let constrained = words || format.is_some() || length || pattern;
        let inline = !named && schema.kind == Some(Kind::String) && constrained;
        let other = schema.kind != Some(Kind::Boolean) && schema.closed.iter().flatten().any(|word| !word.is_string());
        let mark = "set `x-sensitive` on a string or an integer without words under `components.schemas`";
        let share = "move the string to `components.schemas` and refer to it, so that all uses share one type";
        let rules = [
            (schema.sensitive && !maskable, "has `x-sensitive`, which has no effect there", mark),
            (other, "has an enum of something other than texts", "list quoted texts; describe other values in words"),
            (inline, "is an inline string with a length, a pattern, a format or words", share),
        ];
        self.rules(schema.place, what, rules);
    }
}
