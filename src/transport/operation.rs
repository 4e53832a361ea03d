//! The facts about an operation that the transport needs.

use super::Sent;
use crate::vocabulary::Outcome;

/// The effect of an operation on the vendor's state. The effect decides which failures may be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The operation changes nothing at the vendor.
    Read,
    /// The operation creates or changes something. A repeated request may create or change it twice, so a request that
    /// may have arrived is never sent again.
    Write,
    /// The operation deletes or revokes something. A repeated request is harmless, but an abandoned one may leave a
    /// right in force. So a removal is retried.
    Removal,
}

/// The properties of an operation that the transport needs. The build script generates one `OperationSpec` for each
/// operation of a spec.
#[derive(Debug)]
pub(crate) struct OperationSpec {
    /// The id of the operation in the spec.
    pub id: &'static str,
    pub method: &'static str,
    /// The path template of the operation in the spec.
    pub path: &'static str,
    /// Set for an operation outside the base path of the spec: the base path of the spec, and the base path of the
    /// operation.
    pub outside: Option<(&'static str, &'static str)>,
    pub effect: Effect,
    /// True if the request needs credentials.
    pub authenticated: bool,
    /// True if the response contains a document. A larger response is then allowed.
    pub document: bool,
    /// The HTTP status of success in the spec: `204`, or `2XX` where none is documented.
    pub code: &'static str,
    /// Advice from the spec for a write or a removal whose response was lost.
    pub lost_answer: &'static str,
    /// The values that a response has in the spec: place, JSON type, and true if the spec requires the value. Empty if
    /// the spec describes no response body.
    pub answer: &'static [(&'static str, &'static str, bool)],
    /// The places in the response that repeat a value of the request.
    pub repeats: &'static [(&'static str, Sent)],
}

impl OperationSpec {
    /// Returns the outcome for a write or removal. Returns `None` for a read, which has no outcome.
    pub fn outcome(&self, outcome: Outcome) -> Option<Outcome> {
        (self.effect != Effect::Read).then_some(outcome)
    }
}
