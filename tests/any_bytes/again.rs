//! What every target asks of a value.
#![allow(dead_code, reason = "not every target uses all of it")]

use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Reads a value. What could be read can be shown and written, and what was written is read as the same.
pub fn again<T: DeserializeOwned + Serialize + Debug>(json: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(json).ok()?;
    let _ = format!("{value:?} {value:#?}");
    let written = written(&value);
    let read: T = serde_json::from_str(&written).expect("what was written is read");
    // What could not be read is written behind the rest, and may be read in its place the next time.
    let sorted = |text: &str| serde_json::from_str::<serde_json::Value>(text).map_err(|_| text.to_owned());
    assert_eq!(sorted(&self::written(&read)), sorted(&written));
    Some(value)
}

/// As text: what is stored is bytes, and a number that no machine holds is among them.
fn written<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("what was read is written")
}

/// What is shown is what is shown of any other text of that length.
pub fn hides<T: DeserializeOwned + Debug>(value: &T, text: &str) {
    let other: T = serde_json::from_value("?".repeat(text.len()).into()).expect("any text is read");
    assert_eq!(format!("{value:?} {value:#?}"), format!("{other:?} {other:#?}"));
}
