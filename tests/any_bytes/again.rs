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

/// What is shown is what is shown of any other text of that length.
pub fn hides<T: DeserializeOwned + Debug>(value: &T, text: &str) {
    let other: T = serde_json::from_value("?".repeat(text.len()).into()).expect("any text is read");
    assert_eq!(format!("{value:?} {value:#?}"), format!("{other:?} {other:#?}"));
}
