//! How often a mandate may be used.

use serde::{Deserialize, Serialize};

/// How often a mandate may be used. Serde writes the words of ISO 20022.
///
/// After the collection of a one-off mandate, [`Facts::one_off_used`](crate::Facts::one_off_used) is true.
/// [`Debit::one_off_used`](crate::Debit::one_off_used) finds this fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sequence {
    /// One collection.
    #[serde(rename = "OOFF")]
    OneOff,
    /// Any number of collections.
    #[serde(rename = "RCUR")]
    Recurring,
}
