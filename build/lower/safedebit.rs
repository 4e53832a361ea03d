//! What only the spec of SafeDebit needs.

use super::super::model::{JSON, Spec};

/// Reduces `oneOf [Answer, Failure]` to the answer. SafeDebit reports failures under 200, and a decoder that tries both
/// would take a failure for an answer. The transport looks at `result` before it decodes.
pub fn failure_envelope(spec: &mut Spec) -> usize {
    let mut changed = 0;
    for operation in spec.operations_mut() {
        let bodies = operation.responses.values_mut().filter_map(|response| response.value.content.get_mut(JSON));
        for schema in bodies.filter_map(|media| media.schema.as_mut()) {
            if let [answer, failure] = &schema.one_of[..]
                && failure.name() == Some("Failure")
            {
                *schema = answer.clone();
                changed += 1;
            }
        }
    }
    changed
}
