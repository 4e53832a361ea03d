//! The shape of a real answer beside the shape in the spec.

use crate::{Provider, transport::Operation, wire};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// The keys and JSON types of one real answer, no values, and where they differ from the spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Probe {
    /// The vendor.
    pub provider: Provider,
    /// The operation that was called, by its id in the spec.
    pub operation: &'static str,
    /// Where each value stands, and its JSON type: `data.status: string`. `[]` stands for any item of a list.
    pub shape: BTreeMap<String, String>,
    /// Where the answer differs from the spec. Empty: it matches.
    pub differences: Vec<Difference>,
}

/// One place where an answer differs from the spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Where.
    pub place: String,
    /// What the spec says there, `required string` say, or `nothing`.
    pub spec: String,
    /// What the answer has there.
    pub answer: String,
}

impl Probe {
    /// Whether the answer is as the spec says.
    pub fn matches(&self) -> bool {
        self.differences.is_empty()
    }

    pub(crate) fn new(provider: Provider, operation: &Operation, body: &[u8]) -> Self {
        let mut found = Found::default();
        match serde_json::from_slice(body) {
            Ok(value) => walk(&value, String::new(), &mut found),
            Err(_) => found.see(String::new(), "no JSON"),
        }
        let mut differences = Vec::new();
        let mut differ = |place: &str, spec: String, answer: String| {
            let place = if place.is_empty() { "the whole answer" } else { place };
            differences.push(Difference { place: place.into(), spec, answer });
        };
        for (place, kind, required) in operation.answer {
            let here = found.at(place);
            // In each object that stands around it, and an object only.
            let expected = parent(place).map_or(1, |around| found.count(around, "object"));
            let missing = *required && !place.ends_with("[]") && here.values().sum::<usize>() < expected;
            let odd = |found: &str| found != *kind && *kind != "any" && (*required || found != "null");
            if missing {
                let answer = if here.is_empty() { "nothing".into() } else { format!("{} or nothing", kinds(&here)) };
                differ(place, format!("required {kind}"), answer);
            } else if here.keys().any(|found| odd(found)) {
                differ(place, (*kind).into(), kinds(&here));
            }
        }
        for (place, here) in &found.0 {
            let known = |at: &str| operation.answer.iter().find(|(known, ..)| *known == at);
            // What is within an unknown field is unknown with it.
            let around = parent(place).and_then(known).is_some_and(|(_, kind, _)| *kind != "any");
            if known(place).is_none() && around {
                differ(place, "nothing".into(), kinds(here));
            }
        }
        let shape = found.0.iter().map(|(place, here)| (place.clone(), kinds(here))).collect();
        Self { provider, operation: operation.id, shape, differences }
    }
}

/// How often each JSON type stands at each place.
#[derive(Default)]
struct Found(BTreeMap<String, BTreeMap<&'static str, usize>>);

impl Found {
    fn see(&mut self, place: String, kind: &'static str) {
        *self.0.entry(place).or_default().entry(kind).or_default() += 1;
    }

    fn at(&self, place: &str) -> BTreeMap<&'static str, usize> {
        self.0.get(place).cloned().unwrap_or_default()
    }

    fn count(&self, place: &str, kind: &str) -> usize {
        self.0.get(place).and_then(|here| here.get(kind)).copied().unwrap_or(0)
    }
}

fn kinds(here: &BTreeMap<&'static str, usize>) -> String {
    Vec::from_iter(here.keys().copied()).join(" or ")
}

fn walk(value: &Value, place: String, found: &mut Found) {
    found.see(place.clone(), wire::kind(value));
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, format!("{place}[]"), found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = wire::safe_key(key);
                walk(value, if place.is_empty() { key } else { format!("{place}.{key}") }, found);
            }
        }
        _ => {}
    }
}

fn parent(place: &str) -> Option<&str> {
    if let Some(list) = place.strip_suffix("[]") {
        return Some(list);
    }
    (!place.is_empty()).then(|| place.rsplit_once('.').map_or("", |(parent, _)| parent))
}

/// The verdict in a line, then the shape of the answer, a place a line.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.provider, self.operation)?;
        if self.matches() {
            f.write_str("matches")?;
        }
        for (i, Difference { place, spec, answer }) in self.differences.iter().enumerate() {
            write!(f, "{}differs at {place}: spec {spec}, answer {answer}", if i == 0 { "" } else { "; " })?;
        }
        for (place, kinds) in self.shape.iter().filter(|(place, _)| !place.is_empty()) {
            write!(f, "\n  {place}: {kinds}")?;
        }
        Ok(())
    }
}
