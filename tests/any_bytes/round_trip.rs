//! The checks that every target makes on a value.
#![allow(dead_code, reason = "some targets leave helpers unused")]

use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Reads a value. Then checks that the value can be shown and written, and that the written form reads back the same.
pub fn round_trip<T: DeserializeOwned + Serialize + Debug>(json: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(json).ok()?;
    let _ = format!("{value:?} {value:#?}");
    let written = written(&value);
    let read: T = serde_json::from_str(&written).expect("a written value is readable");
    // Damaged parts are written last, and may be read in their place the next time. So compare without regard to order.
    let sorted = |text: &str| serde_json::from_str::<serde_json::Value>(text).map_err(|_| text.to_owned());
    assert_eq!(sorted(&self::written(&read)), sorted(&written));
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
