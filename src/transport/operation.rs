//! The facts about an operation that the transport needs.

use super::Sent;
use crate::vocabulary::Outcome;

/// The effect of an operation on the vendor's state. It decides which failures may be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes nothing.
    Read,
    /// Creates or changes something. A repeated request may do so twice.
    Write,
    /// Deletes or revokes. Safe to repeat, unsafe to abandon, so the transport retries it.
    Removal,
}

/// The facts about an operation that the transport needs. The build script generates one for each operation.
#[derive(Debug)]
pub(crate) struct OperationSpec {
    /// The id in the spec.
    pub id: &'static str,
    pub method: &'static str,
    /// The path template in the spec.
    pub path: &'static str,
    /// For an operation outside the base path of the spec: that base path and the operation's own.
    pub outside: Option<(&'static str, &'static str)>,
    pub effect: Effect,
    /// True if the request carries credentials.
    pub authenticated: bool,
    /// True if the answer contains a document, which allows a larger response.
    pub document: bool,
    /// The HTTP status of success in the spec: `204`, or `2XX` where none is documented.
    pub code: &'static str,
    /// Advice from the spec for a write or a removal whose response was lost.
    pub lost_answer: &'static str,
    /// The values of the answer: place, JSON type, and true if the spec requires it. Empty if the spec has no answer.
    pub answer: &'static [(&'static str, &'static str, bool)],
    /// Places in the answer that repeat a value of the request.
    pub repeats: &'static [(&'static str, Sent)],
}

impl OperationSpec {
    /// Returns `None` for a read: only writes and removals have an outcome.
    pub fn outcome(&self, outcome: Outcome) -> Option<Outcome> {
        (self.effect != Effect::Read).then_some(outcome)
    }
}
