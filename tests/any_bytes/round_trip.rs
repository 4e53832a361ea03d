//! The checks that every target makes on a value.
#![allow(dead_code, reason = "some targets leave helpers unused")]

use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Reads a value. Then checks that the value can be shown and written, and that the written form reads back the same.
pub fn round_trip<T: DeserializeOwned + Serialize + Debug>(json: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(json).ok()?;
    let _ = format!("{value:?} {value:#?}");
    let first = written(&value);
    let second = written(&read_back::<T>(&first));
    // Strict JSON is written alike each time. An item with a lone surrogate is kept as text, and read the next time.
    if serde_json::from_slice::<serde_json::Value>(json).is_ok() {
        assert_eq!(sorted(&second), sorted(&first));
    }
    assert_eq!(sorted(&written(&read_back::<T>(&second))), sorted(&second));
    Some(value)
}

/// Compare texts: a number too large for any machine type must survive.
fn written<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("a value can be written")
}

/// Checks that the value shows no more than any other text of the same length would.
pub fn assert_hides<T: DeserializeOwned + Debug>(value: &T, text: &str) {
    let other: T = serde_json::from_value("?".repeat(text.len()).into()).expect("any text is readable");
    assert_eq!(format!("{value:?} {value:#?}"), format!("{other:?} {other:#?}"));
}

fn read_back<T: DeserializeOwned>(written: &str) -> T {
    serde_json::from_str(written).expect("a written value is read")
}

/// Unread values are written after the others, so the order of the keys differs.
fn sorted(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|_| text.to_owned())
}
