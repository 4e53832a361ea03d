//! A user's own spec of a vendor: a JSON merge patch (RFC 7396) into ours, or a whole spec instead of ours. Each
//! problem names the file and the line of the user.

use super::{
    Made, Provider, check,
    lower::{self, snake},
    model::Spec,
    needs::needs,
    problem::{Located, Place, Problem, Problems},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A spec of this crate, and the hand-written code of the vendor.
pub struct Ours<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub code: &'a str,
}

/// A file of the user.
pub struct Theirs<'a> {
    pub file: &'a str,
    pub text: &'a str,
    /// False for a spec that replaces ours.
    pub patch: bool,
}

/// Generates the client from the user's spec. A problem is one line.
pub fn generate(provider: &Provider, ours: &Ours, theirs: &Theirs, unverified: bool) -> Result<Made, Vec<String>> {
    let (own, own_json) = Spec::read(ours.text).map_err(|problems| told(&problems, ours.file))?;
    let merged = if theirs.patch { Merged::new(ours, theirs)? } else { Merged::replaced(theirs) };
    let problems = |text: &str| {
        let mut spec = match Spec::read(text) {
            Ok((spec, _)) => spec,
            Err(problems) => return problems,
        };
        let found = [needs(&own, &spec, ours.code), check::check(&spec).err().unwrap_or_default()].concat();
        if !found.is_empty() {
            return found;
        }
        let dropped = lower::prepare(&mut spec, provider, unverified);
        dropped.and_then(|dropped| lower::plan(&spec, provider, &dropped).map(drop)).err().unwrap_or_default()
    };
    let made = Spec::read(&merged.text).and_then(|(spec, json)| {
        if needs(&own, &spec, ours.code).is_empty() {
            super::make(provider, spec, &json, unverified)
        } else {
            Err(problems(&merged.text))
        }
    });
    let mut made = made.map_err(|found| merged.told(&found, ours, theirs, problems))?;
    let mut json: Value = serde_json::from_str(&made.spec).unwrap_or_default();
    let known = own.endpoints().map(|endpoint| endpoint.operation.operation_id.0.as_str()).collect();
    mark(&own_json, &mut json, &known);
    json["x-patched"] = true.into();
    made.simulated = json.to_string();
    let user: Value = serde_saphyr::from_str(theirs.text).unwrap_or_default();
    let kind = if theirs.patch { "Patched" } else { "Replaced" };
    made.origin = format!("crate::vocabulary::SpecOrigin::{kind}(\"{:08x}\")", hash(user.to_string().as_bytes()));
    Ok(made)
}

fn told(problems: &[Problem], file: &str) -> Vec<String> {
    problems.iter().map(|problem| problem.within(file)).collect()
}

/// FNV-1a, which gives the same hash in each version of Rust. The hash only distinguishes two patches.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Marks the differences from our spec that the sandbox follows: the key of ours beside each `x-rust-name`, and each
/// operation that ours lacks.
fn mark(ours: &Value, theirs: &mut Value, known: &BTreeSet<&str>) {
    let our_key = |value: &Value| {
        let rust = snake(value.get("x-rust-name")?.as_str()?);
        let of_map = ours.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
        let of_list = ours.as_array().into_iter().flatten().filter_map(|item| item["name"].as_str());
        of_map.chain(of_list).find(|key| snake(key) == rust).map(Value::from)
    };
    let mark_one = |value: &mut Value, same: &Value| {
        if let Some(key) = our_key(value) {
            value["x-our-key"] = key;
        }
        if value.get("operationId").and_then(Value::as_str).is_some_and(|id| !known.contains(id)) {
            value["x-added"] = true.into();
        }
        mark(same, value, known);
    };
    match theirs {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| mark_one(value, &ours[key])),
        Value::Array(items) => items.iter_mut().enumerate().for_each(|(i, item)| mark_one(item, &ours[i])),
        _ => {}
    }
}

/// A spec as text, with the origin of each line. The flag is true if the line comes from the user's file.
struct Merged {
    text: String,
    origins: Vec<(bool, Place)>,
    /// The place of each change in the user's file.
    changes: Vec<Place>,
    /// Our spec and the user's patch, to merge only some of the changes.
    documents: Option<(Node, Node)>,
}

impl Merged {
    fn replaced(theirs: &Theirs) -> Self {
        Self { text: theirs.text.into(), origins: Vec::new(), changes: Vec::new(), documents: None }
    }

    fn new(ours: &Ours, theirs: &Theirs) -> Result<Self, Vec<String>> {
        let read = |text, file| Node::read(text).map_err(|problem| told(&[problem], file));
        let (base, mut patch) = (read(ours.text, ours.file)?, read(theirs.text, theirs.file)?);
        patch.claim();
        let refuse = |place, what: &str, fix: &str| told(&[Problem::new(place, what, fix)], theirs.file);
        let Kind::Map(fields) = &patch.kind else {
            return Err(refuse(patch.place, "a patch is a map", "begin it with `components:` or `paths:`"));
        };
        let first = fields.first().map_or(patch.place, |(key, _)| key.place);
        let (merged, merge) = Self::merge(&base, &patch, usize::MAX);
        if !merge.problems.is_empty() {
            return Err(told(&merge.problems, theirs.file));
        }
        let mut merged = merged;
        if merged.text == Self::written(&base).text {
            return Err(refuse(
                first,
                "the patch changes nothing",
                "delete the file: this version of mandat has the change",
            ));
        }
        merged.changes = merge.made;
        merged.documents = Some((base, patch));
        Ok(merged)
    }

    fn merge(base: &Node, patch: &Node, limit: usize) -> (Self, Merge) {
        let (mut base, mut merge) = (base.clone(), Merge { limit, made: Vec::new(), problems: Problems::new() });
        if let (Kind::Map(base), Kind::Map(patch)) = (&mut base.kind, &patch.kind) {
            merge.maps(base, patch);
        }
        (Self::written(&base), merge)
    }

    /// Writes a document as JSON, which is also YAML, with one value or key in each line.
    fn written(node: &Node) -> Self {
        let (mut text, mut origins) = (String::new(), Vec::new());
        node.write("", &mut |node, token| {
            text.push_str(&token);
            text.push('\n');
            origins.push((node.theirs, node.place));
        });
        Self { text, origins, changes: Vec::new(), documents: None }
    }

    /// Formats the problems as lines. A problem in our spec gets the place of the user's change that causes the
    /// problem.
    fn told(
        &self,
        found: &[Problem],
        ours: &Ours,
        theirs: &Theirs,
        problems: impl Fn(&str) -> Problems,
    ) -> Vec<String> {
        let Some((base, patch)) = &self.documents else { return told(found, theirs.file) };
        let mut before: BTreeMap<usize, Problems> = BTreeMap::new();
        let told = found.iter().map(|problem| {
            let origin =
                usize::try_from(problem.place.line).ok().and_then(|line| self.origins.get(line.checked_sub(1)?));
            if let Some((true, place)) = origin {
                return problem.at(*place).within(theirs.file);
            }
            // Find the number of changes from which on the problem occurs.
            let counts: Vec<usize> = (0..self.changes.len()).collect();
            let without = |count: &usize| {
                let made = || problems(&Self::merge(base, patch, *count).0.text);
                before.entry(*count).or_insert_with(made).iter().all(|other| other.what != problem.what)
            };
            match (counts.partition_point(without).checked_sub(1), origin) {
                (Some(change), _) => problem.at(self.changes[change]).within(theirs.file),
                (None, Some((_, place))) => problem.at(*place).within(ours.file),
                (None, None) => problem.within(ours.file),
            }
        });
        told.collect()
    }
}

/// Merges the first `limit` changes of a patch.
struct Merge {
    limit: usize,
    made: Vec<Place>,
    problems: Problems,
}

impl Merge {
    fn maps(&mut self, base: &mut Vec<(Node, Node)>, patch: &[(Node, Node)]) {
        for (key, value) in patch {
            let found = base.iter().position(|(known, _)| known.kind == key.kind);
            match (found, &value.kind) {
                (None, Kind::Scalar(Value::Null)) => self.nothing_to_remove(key),
                (Some(at), Kind::Map(patch)) if matches!(base[at].1.kind, Kind::Map(_)) => {
                    if let Kind::Map(base) = &mut base[at].1.kind {
                        self.maps(base, patch);
                    }
                }
                (found, kind) => {
                    value.nulls().into_iter().for_each(|key| self.nothing_to_remove(key));
                    self.made.push(key.place);
                    match found {
                        _ if self.made.len() > self.limit => {}
                        Some(at) if *kind == Kind::Scalar(Value::Null) => drop(base.remove(at)),
                        Some(at) => base[at].1 = value.clone(),
                        None => base.push((key.clone(), value.clone())),
                    }
                }
            }
        }
    }

    fn nothing_to_remove(&mut self, key: &Node) {
        let what = format!("null removes {}, which is not there", key.token());
        self.problems.push(Problem::new(
            key.place,
            what,
            "correct the key, or remove the line; a merge patch cannot write null",
        ));
    }
}

/// A value of a YAML document with its place.
#[derive(Clone)]
struct Node {
    place: Place,
    theirs: bool,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Compares scalars: keys, and null.
impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Scalar(one), Self::Scalar(other)) if one == other)
    }
}

impl Node {
    fn read(text: &str) -> Result<Self, Problem> {
        serde_saphyr::from_str(text).map_err(|e| Problem::unreadable(&e))
    }

    fn claim(&mut self) {
        self.theirs = true;
        match &mut self.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter_mut().for_each(Self::claim),
            Kind::Map(fields) => {
                fields.iter_mut().for_each(|(key, value)| [key, value].map(Self::claim).into_iter().collect())
            }
        }
    }

    /// Returns the keys whose value is null, except in lists.
    fn nulls<'a>(&'a self) -> Vec<&'a Self> {
        let Kind::Map(fields) = &self.kind else { return Vec::new() };
        let null = |(key, value): &'a (Self, Self)| {
            if value.kind == Kind::Scalar(Value::Null) { vec![key] } else { value.nulls() }
        };
        fields.iter().flat_map(null).collect()
    }

    fn token(&self) -> String {
        match &self.kind {
            Kind::Scalar(value) => value.to_string(),
            Kind::List(_) => "[".into(),
            Kind::Map(_) => "{".into(),
        }
    }

    fn write(&self, lead: &str, line: &mut impl FnMut(&Self, String)) {
        line(self, format!("{lead}{}", self.token()));
        let lead = |first: bool| if first { "" } else { "," };
        match &self.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => {
                items.iter().enumerate().for_each(|(i, item)| item.write(lead(i == 0), line));
                line(self, "]".into());
            }
            Kind::Map(fields) => {
                for (i, (key, value)) in fields.iter().enumerate() {
                    line(key, format!("{}{}:", lead(i == 0), key.token()));
                    value.write("", line);
                }
                line(self, "}".into());
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Located { place, value: kind } = Located::deserialize(d)?;
        Ok(Self { place, theirs: false, kind })
    }
}

macro_rules! scalars {
    ($($visit:ident $type:ty),+) => {$(
        fn $visit<E>(self, value: $type) -> Result<Kind, E> {
            Ok(Kind::Scalar(value.into()))
        }
    )+};
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Kind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Kind, E> {
                Ok(Kind::Scalar(Value::Null))
            }

            scalars! { visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Kind::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Kind, A::Error> {
                let mut map = Vec::new();
                while let Some(Located { place, value }) = fields.next_key::<Located<String>>()? {
                    map.push((Node { place, theirs: false, kind: Kind::Scalar(value.into()) }, fields.next_value()?));
                }
                Ok(Kind::Map(map))
            }
        }
        d.deserialize_any(Any)
    }
}
