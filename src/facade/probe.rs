//! Compares the keys and JSON types of a real response with the spec.

use crate::{Provider, transport::OperationSpec, wire};
use serde::{
    Deserializer, Serialize,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The keys and JSON types of one real response, without values, and its differences from the spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Probe {
    /// The vendor.
    pub provider: Provider,
    /// The id, in the spec, of the operation that was called.
    pub operation: &'static str,
    /// The JSON type at each place of the response, such as `data.status: string`. `[]` stands for the items of a list.
    pub shape: BTreeMap<String, String>,
    /// The differences between the response and the spec.
    pub differences: Vec<Difference>,
    /// The faults that make the response invalid JSON, such as a byte order mark or a text that is not UTF-8, each with
    /// its place. The probe repaired these faults before it read the keys and types.
    pub damage: Vec<String>,
}

/// One difference between a response and the spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Difference {
    /// The place in the response, such as `data.status`.
    pub place: String,
    /// The type that the spec has at this place, such as `required string` or `nothing`.
    pub spec: String,
    /// The type that the response has at this place, such as `number`.
    pub answer: String,
}

impl Probe {
    /// Returns true if the response has no difference from the spec, and is valid JSON.
    pub fn matches(&self) -> bool {
        self.differences.is_empty() && self.damage.is_empty()
    }

    pub(crate) fn new(provider: Provider, operation: &OperationSpec, body: &[u8]) -> Self {
        let (found, damage) = shape(body);
        let mut differences = Vec::new();
        let mut differ = |place: &str, spec: String, answer: String| {
            let place = if place.is_empty() { "the whole response" } else { place };
            differences.push(Difference { place: place.into(), spec, answer });
        };
        for (place, kind, required) in operation.answer {
            let here = found.at(place);
            // A required field is expected once in each enclosing object. If the parent is `null` or another type, the
            // field is not missing.
            let expected = parent(place).map_or(1, |around| found.count(around, "object"));
            let missing = *required && !place.ends_with("[]") && here.values().sum::<usize>() < expected;
            let odd = |found: &str| found != *kind && *kind != "any" && (*required || found != "null");
            if missing {
                let answer = if here.is_empty() { "nothing".into() } else { format!("{} or nothing", kinds(&here)) };
                differ(place, format!("required {kind}"), answer);
            } else if here.keys().any(|found| odd(found.as_ref())) {
                differ(place, (*kind).into(), kinds(&here));
            }
        }
        for (place, here) in &found.0 {
            let known = |at: &str| operation.answer.iter().any(|(known, ..)| *known == at);
            // Report only the unknown field itself, not the fields within it, nor those of an object that may have any.
            let described = |at: &str| operation.answer.iter().any(|(known, ..)| parent(known) == Some(at));
            if !known(place) && parent(place).is_some_and(described) {
                differ(place, "nothing".into(), kinds(here));
            }
        }
        let shape = found.0.iter().map(|(place, here)| (place.clone(), kinds(here))).collect();
        Self { provider, operation: operation.id, shape, differences, damage }
    }
}

/// Returns the JSON types by their place, and a description of each invalid part of the JSON.
fn shape(body: &[u8]) -> (Found, Vec<String>) {
    let walk = |json: &[u8]| {
        let mut found = Found::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        Walk { place: String::new(), found: &mut found }.deserialize(&mut deserializer)?;
        deserializer.end().map(|()| found)
    };
    let mended = |error| match wire::mend(body, wire::Purpose::Shape) {
        None => Err((error, Vec::new())),
        Some(wire::Mended { text, damage }) => match walk(text.as_bytes()) {
            Ok(found) => Ok((found, damage)),
            Err(_) => Err((error, damage)),
        },
    };
    let read = walk(body).map(|found| (found, Vec::new())).or_else(mended);
    read.unwrap_or_else(|(error, damage)| {
        let mut found = Found::default();
        found.see(String::new(), format!("no JSON: {}", wire::unread(body, &error)).into());
        (found, damage)
    })
}

type Kind = Cow<'static, str>;

/// Counts how often each JSON type occurs at each place of a response.
#[derive(Default)]
struct Found(BTreeMap<String, BTreeMap<Kind, usize>>);

impl Found {
    /// The maximum number of places that are counted, because a response may have a million keys. No spec has this many
    /// places.
    const PLACES: usize = 2000;

    fn see(&mut self, place: String, kind: Kind) {
        let place = if self.0.len() < Self::PLACES || self.0.contains_key(&place) { place } else { "(more)".into() };
        *self.0.entry(place).or_default().entry(kind).or_default() += 1;
    }

    fn at(&self, place: &str) -> BTreeMap<Kind, usize> {
        self.0.get(place).cloned().unwrap_or_default()
    }

    fn count(&self, place: &str, kind: &str) -> usize {
        self.0.get(place).and_then(|here| here.get(kind)).copied().unwrap_or(0)
    }
}

fn kinds(here: &BTreeMap<Kind, usize>) -> String {
    Vec::from_iter(here.keys().map(AsRef::as_ref)).join(" or ")
}

/// Records the type of each JSON value without keeping the value.
struct Walk<'a> {
    place: String,
    found: &'a mut Found,
}

impl Walk<'_> {
    fn see<E>(self, kind: &'static str) -> Result<(), E> {
        self.found.see(self.place, kind.into());
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.see("null")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.see("boolean")
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.see("number")
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.see("number")
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.see("number")
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.see("string")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let place = format!("{}[]", self.place);
        self.found.see(self.place, "array".into());
        while items.next_element_seed(Walk { place: place.clone(), found: self.found })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        self.found.see(self.place.clone(), "object".into());
        while let Some(key) = fields.next_key::<Cow<'de, str>>()? {
            let key = wire::safe_key(&key);
            let place = if self.place.is_empty() { key } else { format!("{}.{key}", self.place) };
            fields.next_value_seed(Walk { place, found: self.found })?;
        }
        Ok(())
    }
}

fn parent(place: &str) -> Option<&str> {
    if let Some(list) = place.strip_suffix("[]") {
        return Some(list);
    }
    (!place.is_empty()).then(|| place.rsplit_once('.').map_or("", |(parent, _)| parent))
}

/// `Display` shows the comparison in one line, then the type at each place of the response.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.provider, self.operation)?;
        let damage = self.damage.iter().map(|damage| format!("is damaged: {damage}"));
        let differs = |Difference { place, spec, answer }: &Difference| {
            format!("differs at {place}: the spec has {spec}, the response has {answer}")
        };
        let told: Vec<String> = damage.chain(self.differences.iter().map(differs)).collect();
        match self.matches() {
            true => f.write_str("matches")?,
            false => f.write_str(&told.join("; "))?,
        }
        for (place, kinds) in self.shape.iter().filter(|(place, _)| !place.is_empty()) {
            write!(f, "\n  {place}: {kinds}")?;
        }
        Ok(())
    }
}
