//! A user's own spec of a vendor: a JSON merge patch (RFC 7396) into ours, or a whole spec instead of ours. Each
//! problem names the file and the line of the user.

use super::{
    Made, Provider, check,
    lower::{self, snake},
    model::Spec,
    needs::Needs,
    problem::{Place, Problem, Problems},
    yaml::{Kind, Node},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A spec of this crate, with the parts that the hand-written code of the vendor uses.
pub struct Ours<'a> {
    file: &'a str,
    node: Node,
    json: Value,
    spec: Spec,
    needs: Needs<'a>,
}

impl<'a> Ours<'a> {
    pub fn read(file: &'a str, text: &str, code: &'a str) -> Result<Self, Vec<String>> {
        let unreadable = |problem| told(&[problem], file);
        let node = Node::read(text, false).map_err(unreadable)?;
        let spec: Spec = node.to().map_err(unreadable)?;
        Ok(Self { file, json: node.json(), needs: Needs::of(&spec, code), node, spec })
    }
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
    let user = Node::read(theirs.text, true).map_err(|problem| told(&[problem], theirs.file))?;
    let problems = |node: &Node| {
        let mut spec: Spec = match node.to() {
            Ok(spec) => spec,
            Err(problem) => return vec![problem],
        };
        let found = [ours.needs.missing(&spec), check::check(&spec).err().unwrap_or_default()].concat();
        if !found.is_empty() {
            return found;
        }
        let dropped = lower::prepare(&mut spec, provider, unverified);
        dropped.and_then(|dropped| lower::plan(&spec, provider, &dropped).map(drop)).err().unwrap_or_default()
    };
    let merged = if theirs.patch { Merged::new(ours, &user, theirs)? } else { Merged::replaced(&user) };
    let made = merged.node.to().map_err(Problems::from).and_then(|spec: Spec| {
        if ours.needs.missing(&spec).is_empty() {
            super::make(provider, spec, &merged.json, unverified)
        } else {
            Err(problems(&merged.node))
        }
    });
    let mut made = made.map_err(|found| merged.told(&found, ours, theirs, problems))?;
    let mut json: Value = serde_json::from_str(&made.spec).unwrap_or_default();
    let known = ours.spec.endpoints().map(|endpoint| endpoint.operation.operation_id.0.as_str()).collect();
    mark(&ours.json, &mut json, &known);
    json["x-patched"] = true.into();
    made.simulated = json.to_string();
    let kind = if theirs.patch { "Patched" } else { "Replaced" };
    let hash = hash(user.json().to_string().as_bytes());
    made.origin = format!("crate::vocabulary::SpecOrigin::{kind}(\"{hash:08x}\")");
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

/// A user's spec: a patched one of ours, or a whole one.
struct Merged<'a> {
    node: Node,
    json: Value,
    /// The places of the changes, and the documents to make them again.
    changes: Vec<Place>,
    documents: Option<(&'a Node, &'a Node)>,
}

impl<'a> Merged<'a> {
    fn replaced(user: &Node) -> Self {
        Self { node: user.clone(), json: user.json(), changes: Vec::new(), documents: None }
    }

    fn new(ours: &'a Ours, patch: &'a Node, theirs: &Theirs) -> Result<Self, Vec<String>> {
        let refuse = |place, what: &str, fix: &str| told(&[Problem::new(place, what, fix)], theirs.file);
        let Kind::Map(fields) = &patch.kind else {
            return Err(refuse(patch.place, "a patch is a map", "begin it with `components:` or `paths:`"));
        };
        let (node, merge) = Self::merge(&ours.node, patch, usize::MAX);
        if !merge.problems.is_empty() {
            return Err(told(&merge.problems, theirs.file));
        }
        let json = node.json();
        if json == ours.json {
            let first = fields.first().map_or(patch.place, |(key, _)| key.place);
            return Err(refuse(
                first,
                "the patch changes nothing",
                "delete the file: this version of mandat has the change",
            ));
        }
        Ok(Self { node, json, changes: merge.made, documents: Some((&ours.node, patch)) })
    }

    fn merge(base: &Node, patch: &Node, limit: usize) -> (Node, Merge) {
        let (mut base, mut merge) = (base.clone(), Merge { limit, made: Vec::new(), problems: Problems::new() });
        if let (Kind::Map(base), Kind::Map(patch)) = (&mut base.kind, &patch.kind) {
            merge.maps(base, patch);
        }
        (base, merge)
    }

    /// Formats the problems as lines. A problem in our spec gets the place of the user's change that causes the
    /// problem.
    fn told(
        &self,
        found: &[Problem],
        ours: &Ours,
        theirs: &Theirs,
        problems: impl Fn(&Node) -> Problems,
    ) -> Vec<String> {
        let Some((base, patch)) = self.documents else { return told(found, theirs.file) };
        let mut before: BTreeMap<usize, Problems> = BTreeMap::new();
        let told = found.iter().map(|problem| {
            if problem.place.theirs {
                return problem.within(theirs.file);
            }
            // Find the number of changes from which on the problem occurs.
            let counts: Vec<usize> = (0..self.changes.len()).collect();
            let without = |count: &usize| {
                let made = || problems(&Self::merge(base, patch, *count).0);
                before.entry(*count).or_insert_with(made).iter().all(|other| other.what != problem.what)
            };
            match counts.partition_point(without).checked_sub(1) {
                Some(change) => problem.at(self.changes[change]).within(theirs.file),
                None => problem.within(ours.file),
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
            let found = base.iter().position(|(known, _)| known.text() == key.text());
            match (found, &value.kind) {
                (None, _) if value.is_null() => self.nothing_to_remove(key),
                (Some(at), Kind::Map(patch)) if matches!(base[at].1.kind, Kind::Map(_)) => {
                    if let Kind::Map(base) = &mut base[at].1.kind {
                        self.maps(base, patch);
                    }
                }
                (found, _) => {
                    nulls(value).into_iter().for_each(|key| self.nothing_to_remove(key));
                    self.made.push(key.place);
                    match found {
                        _ if self.made.len() > self.limit => {}
                        Some(at) if value.is_null() => drop(base.remove(at)),
                        Some(at) => base[at].1 = value.clone(),
                        None => base.push((key.clone(), value.clone())),
                    }
                }
            }
        }
    }

    fn nothing_to_remove(&mut self, key: &Node) {
        let what = format!("null removes {:?}, which is not there", key.text());
        self.problems.push(Problem::new(
            key.place,
            what,
            "correct the key, or remove the line; a merge patch cannot write null",
        ));
    }
}

/// The keys of nulls, outside of lists.
fn nulls(node: &Node) -> Vec<&Node> {
    let Kind::Map(fields) = &node.kind else { return Vec::new() };
    fields.iter().flat_map(|(key, value)| if value.is_null() { vec![key] } else { nulls(value) }).collect()
}
