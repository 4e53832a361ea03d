//! The store with the records of a simulated vendor.

use serde_json::Value;
use std::collections::BTreeMap;

/// Stores the records of a vendor by kind and id, and creates new ids. The same seed gives the same ids.
pub(crate) struct Store {
    kinds: BTreeMap<&'static str, BTreeMap<String, Value>>,
    rng: fastrand::Rng,
    made: u64,
}

/// The kind of records for mandates, which every vendor has.
pub(crate) const MANDATES: &str = "mandates";

impl Store {
    pub fn new(seed: u64) -> Self {
        Self { kinds: BTreeMap::new(), rng: fastrand::Rng::with_seed(seed), made: 0 }
    }

    pub fn get(&self, kind: &str, id: &str) -> Option<&Value> {
        self.kinds.get(kind)?.get(id)
    }

    pub fn get_mut(&mut self, kind: &str, id: &str) -> Option<&mut Value> {
        self.kinds.get_mut(kind)?.get_mut(id)
    }

    /// Stores a record, and returns it for use in the response.
    pub fn put(&mut self, kind: &'static str, id: impl Into<String>, record: Value) -> Value {
        self.kinds.entry(kind).or_default().insert(id.into(), record.clone());
        record
    }

    pub fn remove(&mut self, kind: &str, id: &str) -> Option<Value> {
        self.kinds.get_mut(kind)?.remove(id)
    }

    /// Returns all records of a kind, ordered by id.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.kinds.get(kind).into_iter().flat_map(BTreeMap::values)
    }

    pub fn count(&self, kind: &str) -> usize {
        self.kinds.get(kind).map_or(0, BTreeMap::len)
    }

    /// Returns all records, by kind and id.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, &BTreeMap<String, Value>)> {
        self.kinds.iter().map(|(kind, records)| (*kind, records))
    }

    /// Creates a new id from a prefix and a number.
    pub fn numbered(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{:06}", self.made)
    }

    /// Creates a new id of `length` random letters and digits.
    pub fn random(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.rng.digit(36)).take(length).collect()
    }
}
