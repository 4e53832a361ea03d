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
/// `told` returns the text at a place of the decoded response, and `answer` writes the decoded response as JSON.
pub(super) fn other<'a>(
    expected: &Expected,
    told: &dyn Fn(&str) -> Option<&'a str>,
    body: &[u8],
    answer: &dyn Fn() -> serde_json::Result<Vec<u8>>,
) -> Option<&'static str> {
    // A decoded text leaves no doubt: the body has its key once, and neither key nor text is damaged. Write the decoded
    // response as JSON only for the other values, because this takes time.
    if expected.iter().all(|(place, sent)| told(place).is_some_and(|told| same(sent, told))) {
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
    use crate::wire::{Extra, answer, decode, value_at};
    use proptest::prelude::*;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Outer {
        a: Inner,
        c: Option<String>,
        #[serde(flatten)]
        extra: Extra,
    }
    answer! { Outer { Needed a = "a", MaybeText c = "c" } }

    #[derive(Serialize)]
    struct Inner {
        b: Option<String>,
        #[serde(flatten)]
        extra: Extra,
    }
    answer! { Inner { MaybeText b = "b" } }

    #[test]
    fn case_blanks_and_leading_zeros_do_not_matter() {
        for (sent, told) in [("RUM-1", "rum-1"), ("RUM-1", " RUM-1\n"), ("012345678", "12345678"), ("É1", "é1")] {
            assert!(same(sent, told), "{sent:?} {told:?}");
        }
        for (sent, told) in [("RUM-1", "RUM-2"), ("RUM-1", "RUM-01"), ("12", "120"), ("RUM 1", "RUM1"), ("1", "1.0")] {
            assert!(!same(sent, told), "{sent:?} {told:?}");
        }
    }

    proptest! {
        #[test]
        fn a_decoded_text_is_the_only_value_of_its_place(
            fields in prop::collection::vec(("[ab]|x é|b\\\\u0000", prop::sample::select(vec![
                "\"1\"", "1", "01", "null", "{\"b\":\"2\"}", "{\"b\":3,\"b\":4}", "{\"b\":\"5\",\"b \":\"6\"}", "[1]",
                "\"\\u0032\"", "\"\\ud800\"", "é", "{}",
            ])), 0..4),
        ) {
            let fields: Vec<String> = fields.iter().map(|(key, json)| format!("\"{key}\":{json}")).collect();
            let fields = fields.join(",");
            for body in [format!("{{{fields}}}"), format!("{{\"a\":{{{fields}}}}}")] {
                let Ok(answer) = decode::<Outer>(body.as_bytes()) else { continue };
                let Some(told) = answer.a.b.clone() else { continue };
                let at = |json: &[u8]| value_at(json, "a.b").as_ref().and_then(text);
                prop_assert!(at(body.as_bytes()).is_none_or(|other| other == told), "{body}");
                prop_assert_eq!(at(&serde_json::to_vec(&answer).unwrap()), Some(told), "{}", body);
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
