//! What every target asks of a value.
#![allow(dead_code, reason = "not every target uses all of it")]

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Debug;

/// Reads a value. What could be read can be shown and written, and what was written is read as the same.
pub fn again<T: DeserializeOwned + Serialize + Debug>(json: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(json).ok()?;
    let _ = format!("{value:?} {value:#?}");
    let written = written(&value);
    let read: T = serde_json::from_value(written.clone()).expect("what was written is read");
    assert_eq!(self::written(&read), written);
    Some(value)
}

/// Through text: what is stored is bytes.
fn written<T: Serialize>(value: &T) -> Value {
    let text = serde_json::to_string(value).expect("what was read is written");
    serde_json::from_str(&text).expect("what was written is JSON")
}

/// A few letters can stand anywhere by chance, and brackets and stars are our own.
pub fn hides(shown: impl Debug, secret: &str) {
    let shown = format!("{shown:?} {shown:#?}");
    let telling = secret.len() >= 12 && !secret.contains(['(', ')', '*']);
    assert!(!telling || !shown.contains(secret), "{secret:?} is in {shown}");
}
