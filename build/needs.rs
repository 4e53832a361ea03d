//! The parts of a spec that the hand-written code of its vendor uses. A user's spec must keep them: the compiler would
//! report their absence in files that the user cannot change.

use super::{
    lower::{field_name, words},
    model::{Endpoint, Schema, Spec},
    problem::{Located, Place, Problem, Problems},
};
use std::collections::{BTreeMap, BTreeSet};

/// The parts of our spec that the code of the vendor uses.
pub struct Needs<'a> {
    /// The names in the code.
    names: BTreeSet<&'a str>,
    parts: BTreeMap<String, String>,
}

impl<'a> Needs<'a> {
    pub fn of(ours: &Spec, code: &'a str) -> Self {
        let code = code.lines().map(|line| line.split("//").next().unwrap_or_default());
        let names = code.flat_map(|line| line.split(|c: char| c != '_' && !c.is_ascii_alphanumeric())).collect();
        Self { parts: used(ours, &names), names }
    }

    /// Reports the parts that the other spec lacks or changes.
    pub fn missing(&self, theirs: &Spec) -> Problems {
        let kept = used(theirs, &self.names);
        let lost = self.parts.iter().filter_map(|(part, form)| {
            let (what, fix) = match kept.get(part) {
                Some(other) if other == form => return None,
                Some(other) => (format!("{part} is {other}. The code of mandat needs {form}"), "leave it as it was"),
                None => (
                    format!("{part} is gone, and the code of mandat uses it"),
                    "leave it in; if its key has another name, add `x-rust-name` with the old name",
                ),
            };
            let fix = format!("{fix}; for another change a new release of mandat is needed");
            Some(Problem::new(Place::default(), what, fix))
        });
        lost.collect()
    }
}

/// The parts that the code names, each with the form on which the code relies.
fn used(spec: &Spec, code: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    let mut types: BTreeSet<&str> =
        spec.components.schemas.keys().map(String::as_str).filter(|name| code.contains(name)).collect();
    for endpoint in spec.endpoints() {
        let operation = &endpoint.operation.value;
        let id = operation.operation_id.0.as_str();
        let called = code.contains(id);
        if called || code.contains(id.to_uppercase().as_str()) {
            parts
                .insert(format!("the operation `{id}`"), if called { request(spec, endpoint) } else { "there".into() });
            types.extend(spec.reachable(operation.answer()));
        }
    }
    for (name, schema) in spec.components.schemas.iter().filter(|(name, _)| types.contains(name.as_str())) {
        if code.contains(name.as_str()) {
            parts.insert(format!("the type `{name}`"), form(spec, schema));
            // The generated table maps each word with a meaning, so only words without a meaning occur in the code.
            let named = words(schema).filter(|_| schema.meanings.is_none()).into_iter().flatten();
            for word in named.filter(|word| code.contains(word.name.as_str())) {
                parts.insert(format!("the word \"{}\" of `{name}`", word.raw), "there".into());
            }
        }
        for (key, property) in schema.properties.iter().flatten() {
            let rust = field_name(key, property);
            if code.contains(rust.as_str()) {
                let needed = schema.needed.as_ref().map_or(&schema.required, |needed| &needed.value).contains(key);
                let always = if needed && !property.nullable { "always" } else { "sometimes" };
                parts.insert(format!("the field `{rust}` of `{name}`"), format!("{always} {}", form(spec, property)));
            }
        }
    }
    parts
}

/// The values without which the request of an operation is refused.
fn request(spec: &Spec, endpoint: Endpoint) -> String {
    let parameters = spec.parameters(endpoint.operation).filter(|parameter| parameter.required);
    let mut names: Vec<&str> = parameters.map(|parameter| parameter.name.as_str()).collect();
    names.extend(
        endpoint.operation.body().into_iter().flat_map(|(body, _)| &spec.target(body).required).map(String::as_str),
    );
    names.sort_unstable();
    format!("a request with ({})", names.join(", "))
}

/// The kind of a value, as far as code depends on it.
fn form(spec: &Spec, schema: &Located<Schema>) -> String {
    let schema = spec.target(schema);
    let items = schema.items.as_ref().or(schema.forms().next().and_then(|form| form.items.as_ref()));
    match (&schema.open, items, schema.kind) {
        (Some(_), ..) if schema.meanings.is_some() => {
            let meaning = schema.meanings.iter().flatten().next().map(|(_, meaning)| &meaning.value);
            let of = match meaning {
                Some(meaning) if meaning.account.is_some() => "an account",
                Some(meaning) if meaning.debit.is_some() => "a debit",
                _ => "a mandate",
            };
            format!("a word of {of}, with x-status")
        }
        (Some(_), ..) => "a word".into(),
        (_, Some(items), _) => format!("a list of {}", form(spec, items)),
        (.., Some(kind)) => match schema.format {
            Some(format) => format!("{kind:?} with the format {format:?}").to_lowercase(),
            None => format!("{kind:?}").to_lowercase(),
        },
        (.., None) => "any value".into(),
    }
}
