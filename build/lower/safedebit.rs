//! Changes the spec of SafeDebit before its client is planned.

use super::super::model::Spec;

/// Replaces `anyOf [Failure, Answer]` by the second form. SafeDebit reports failures with the HTTP status 200. The
/// transport checks the field `result` before it decodes the response, so a decoder never has to choose a form.
pub fn failure_envelope(spec: &mut Spec) -> usize {
    let mut changed = 0;
    for operation in spec.operations_mut() {
        for media in operation.responses.values_mut().filter_map(|response| response.value.media_mut()) {
            if let [failure, answer] = &media.schema.any_of[..]
                && failure.name() == Some("Failure")
            {
                media.schema = answer.clone();
                changed += 1;
            }
        }
    }
    changed
}
