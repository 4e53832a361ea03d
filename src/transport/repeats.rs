//! Checks that a response belongs to its request, by the values that the response repeats from the request. A proxy can
//! mix up two responses, and a response can arrive late. Without this check, the caller could get the data of another
//! mandate.

use super::{OperationSpec, Request};
use crate::wire;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

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

pub(super) fn expected(operation: &OperationSpec, base_path: &str, request: &Request) -> Expected {
    let body = || serde_json::from_slice::<Value>(request.body.as_bytes()?).ok();
    let value = |sent: &Sent| match sent {
        Sent::Body(pointer) => text(body()?.pointer(pointer)?),
        Sent::Path(name) => {
            let path = request.target.path().strip_prefix(base_path)?.split('/');
            let (segment, _) = path
                .zip(operation.path.split('/'))
                .find(|(_, part)| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name))?;
            Some(percent_decode_str(segment).decode_utf8_lossy().into_owned())
        }
        Sent::Query(name) => {
            let query = request.target.query().unwrap_or_default().as_bytes();
            Some(form_urlencoded::parse(query).find(|(key, _)| key == name)?.1.into_owned())
        }
        Sent::Header(name) => request.headers.get(*name)?.to_str().ok().map(str::to_owned),
    };
    operation.repeats.iter().filter_map(|(place, sent)| Some((*place, value(sent)?))).collect()
}

/// Returns the first place where the response has another value than the request. A missing value is not a difference.
pub(super) fn other<T: Serialize>(expected: &Expected, answer: &T) -> Option<&'static str> {
    if expected.is_empty() {
        return None;
    }
    let answer = serde_json::to_vec(answer).ok()?;
    let differs = |place: &str, sent: &str| {
        let told = wire::value_at(&answer, place).as_ref().and_then(text);
        told.is_some_and(|told| !same(sent, &told))
    };
    expected.iter().find(|(place, sent)| differs(place, sent)).map(|(place, _)| *place)
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
    plain(sent) == plain(told)
}

#[cfg(test)]
mod tests {
    use super::same;
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

    proptest! {
        #[test]
        fn a_reference_equals_only_itself(one in "[A-Za-z0-9+?/:().,' -]{1,35}", other in "[A-Za-z0-9-]{1,35}") {
            prop_assert!(same(&one, &one));
            prop_assert!(same(&one, &one.to_uppercase()));
            let (one, other) = (format!("x{one}"), format!("y{other}"));
            prop_assert!(!same(&one, &other));
        }
    }
}
