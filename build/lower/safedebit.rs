//! Changes the spec of SafeDebit before its client is planned.

use super::super::model::Spec;

/// Removes the fields of a refusal from the objects that describe both a success and a refusal. A decoded response is
/// always a success, because the transport checks the field `result` before it decodes the response.
pub fn refusal_fields(spec: &mut Spec) -> usize {
    let both = spec.components.schemas.iter_mut().filter(|(name, _)| *name != "Failure");
    let mut changed = 0;
    for properties in both.filter_map(|(_, schema)| schema.value.properties.as_mut()) {
        if properties.get("code").is_some_and(|code| code.name() == Some("ErrorCode")) {
            properties.retain(|name, _| !matches!(name.as_str(), "code" | "message"));
            changed += 1;
        }
    }
    changed
}

/// Replaces `oneOf [Answer, Failure]` by the first form. SafeDebit reports failures with the HTTP status 200. A decoder
/// that tries both forms could read a failure as success. So the transport checks the field `result` before it decodes
/// the response.
pub fn failure_envelope(spec: &mut Spec) -> usize {
    let mut changed = 0;
    for operation in spec.operations_mut() {
        for media in operation.responses.values_mut().filter_map(|response| response.value.media_mut()) {
            if let [answer, failure] = &media.schema.one_of[..]
                && failure.name() == Some("Failure")
            {
                media.schema = answer.clone();
                changed += 1;
            }
        }
    }
    changed
}
