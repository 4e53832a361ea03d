//! Checks that a response belongs to its request, by the values that the response repeats from the request. A proxy can
//! mix up two responses, and a response can arrive late. Without this check, the caller could get the data of another
//! mandate.

use super::OperationSpec;
use crate::wire;
use serde_json::Value;

/// The place, in a request, of a value that the response repeats.
#[derive(Debug)]
pub(crate) enum Sent {
    /// A JSON pointer into the body of the request.
    Body(&'static str),
    Path(&'static str),
    Query(&'static str),
    Header(&'static str),
}

/// Places in a response, each with the value that the request sent for it.
pub(super) type Expected = Vec<(&'static str, String)>;

/// Returns the values of the body of a request that the response repeats.
pub(super) fn in_body(operation: &OperationSpec, body: &[u8]) -> Expected {
    let places = operation.repeats.iter().filter_map(|(place, sent)| match sent {
        Sent::Body(pointer) => Some((*place, *pointer)),
        Sent::Path(_) | Sent::Query(_) | Sent::Header(_) => None,
    });
    let Some(_) = places.clone().next() else { return Expected::new() };
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Expected::new() };
    places.filter_map(|(place, pointer)| Some((place, text(body.pointer(pointer)?)?))).collect()
}

/// Returns the first place where the response has another value than the request. A missing value is not a difference.
/// `answer` writes the decoded response as JSON.
pub(super) fn other(
    expected: &Expected,
    body: &[u8],
    answer: &dyn Fn() -> serde_json::Result<Vec<u8>>,
) -> Option<&'static str> {
    if expected.is_empty() {
        return None;
    }
    // Most responses have each value once, in a form that leaves no doubt. Write the decoded response as JSON only for
    // the others, because this takes time.
    let plainly =
        |body| expected.iter().all(|(place, sent)| wire::plainly_at(body, place).is_some_and(|told| same(sent, &told)));
    if std::str::from_utf8(body).is_ok_and(plainly) {
        return None;
    }
    let answer = answer().ok()?;
    let differs = |json: &[u8], place: &str, sent: &str| {
        let told = wire::value_at(json, place).as_ref().and_then(text);
        told.is_some_and(|told| !same(sent, &told))
    };
    // The body shows a key that occurs twice. The decoded response shows a value whose key or text was damaged.
    let other = expected.iter().find(|(place, sent)| differs(body, place, sent) || differs(&answer, place, sent));
    other.map(|(place, _)| *place)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Compares two values as vendors repeat them. Blanks at the ends, the case, and the leading zeros of a number do not
/// count.
fn same(sent: &str, told: &str) -> bool {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |text: &str| match text.trim() {
        text if number(text) => text.trim_start_matches('0').to_owned(),
        text => text.to_lowercase(),
    };
    sent == told || plain(sent) == plain(told)
}

#[cfg(test)]
mod tests {
    use super::{same, text};
    use crate::wire::{plainly_at, value_at};
    use proptest::prelude::*;

    #[test]
    fn case_blanks_and_leading_zeros_do_not_matter() {
        for (sent, told) in [("RUM-1", "rum-1"), ("RUM-1", " RUM-1\n"), ("012345678", "12345678"), ("É1", "é1")] {
            assert!(same(sent, told), "{sent:?} {told:?}");
        }
        for (sent, told) in [("RUM-1", "RUM-2"), ("RUM-1", "RUM-01"), ("12", "120"), ("RUM 1", "RUM1"), ("1", "1.0")] {
            assert!(!same(sent, told), "{sent:?} {told:?}");
        }
    }

    #[test]
    fn value_that_leaves_a_doubt_is_not_plain() {
        for (body, told) in [
            (r#"{"a":{"b":"1"}}"#, Some("1")),
            (r#"{"x":[{}],"a":{"c":2,"b":1.50},"y":"\u00e9"}"#, Some("1.50")),
            (r#"{"a":{"b":"\u0031"}}"#, Some("1")),
            (r#"{"a":{"b":"1","b":"1"}}"#, None),
            (r#"{"a":{"b":"1"},"a":{}}"#, None),
            (r#"{"a":{"b":"1","b\u0000":"2"}}"#, None),
            (r#"{"a":{"b":"1","é":"2"}}"#, None),
            (r#"{"a":{"b":"1"},"a ":{"b":"2"}}"#, None),
            (r#"{"a":{"b":"\ud800"}}"#, None),
            (r#"{"a":{"b":null}}"#, None),
            (r#"{"a":{"b":{"c":"1"}}}"#, None),
            (r#"{"a":{"b":true}}"#, None),
            (r#"{"a":[{"b":"1"}]}"#, None),
            (r#"{"a":{"b":"1"}"#, None),
            (r#"{"a":{"b":"1"}}}"#, None),
            ("", None),
        ] {
            assert_eq!(plainly_at(body, "a.b").as_deref(), told, "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_value_is_the_value_of_the_decoded_body(
            fields in prop::collection::vec(("[ab]|x é", prop::sample::select(vec![
                "\"1\"", "1", "01", "null", "{\"b\":\"2\"}", "{\"b\":3,\"b\":4}", "[1]", "\"\\u0032\"", "é", "{}",
            ])), 0..5),
        ) {
            let fields: Vec<String> = fields.iter().map(|(key, json)| format!("\"{key}\":{json}")).collect();
            let body = format!("{{{}}}", fields.join(","));
            for place in ["a", "a.b", "b.b"] {
                if let Some(told) = plainly_at(&body, place) {
                    prop_assert_eq!(value_at(body.as_bytes(), place).as_ref().and_then(text), Some(told.into_owned()));
                }
            }
        }

        #[test]
        fn a_reference_equals_only_itself(one in "[A-Za-z0-9+?/:().,' -]{1,35}", other in "[A-Za-z0-9-]{1,35}") {
            prop_assert!(same(&one, &one));
            prop_assert!(same(&one, &one.to_uppercase()));
            let (one, other) = (format!("x{one}"), format!("y{other}"));
            prop_assert!(!same(&one, &other));
        }
    }
}
