//! What only the spec of SafeDebit needs.

use super::super::model::Spec;

/// Reduces `oneOf [Answer, Failure]` to the answer. SafeDebit reports failures under 200, and a decoder that tries both
/// would take a failure for an answer. The transport looks at `result` before it decodes.
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
