//! The checks that each fuzz target makes on a value that was read.
#![allow(dead_code, reason = "some targets leave helpers unused")]

use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Reads a value from JSON. Then checks that `Debug` does not panic, and that the value is the same after it is written
/// and read again.
pub fn round_trip<T: DeserializeOwned + Serialize + Debug>(json: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(json).ok()?;
    let _ = format!("{value:?} {value:#?}");
    let first = written(&value);
    let second = written(&read_back::<T>(&first));
    // Valid JSON is written the same way each time. A list item with half a surrogate pair is written as text, and
    // becomes readable only in the next reading.
    if serde_json::from_slice::<serde_json::Value>(json).is_ok() {
        assert_eq!(sorted(&second), sorted(&first));
    }
    assert_eq!(sorted(&written(&read_back::<T>(&second))), sorted(&second));
    Some(value)
}

/// Compares values by their JSON text, because a number that is too large for any machine type must keep all its
/// digits.
fn written<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("any value should be writable as JSON")
}

/// Checks that `Debug` of a masked value shows no more of the value than `Debug` of any other text of the same length.
pub fn assert_hides<T: DeserializeOwned + Debug>(value: &T, text: &str) {
    let other: T = serde_json::from_value("?".repeat(text.len()).into()).expect("any text should be readable");
    assert_eq!(format!("{value:?} {value:#?}"), format!("{other:?} {other:#?}"));
}

fn read_back<T: DeserializeOwned>(written: &str) -> T {
    serde_json::from_str(written).expect("a written value should be readable")
}

/// Sorts the keys of the object. The order of the keys may differ, because values that the client cannot read are
/// written last.
fn sorted(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|_| text.to_owned())
}
