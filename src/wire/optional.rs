//! What the setters of generated builders take.

use super::{Invalid, Sent};
use std::fmt::Display;

/// What an optional field takes: a value, or an `Option` of one.
///
/// `M` tells the two apart and is never named.
pub trait Optional<T, M> {
    /// The value, or why it was refused; `name` is the field's.
    #[doc(hidden)]
    fn optional(self, name: &str) -> Result<Option<T>, String>;
}

/// A plain value.
#[derive(Debug)]
pub enum Given {}
/// An `Option`.
#[derive(Debug)]
pub enum Maybe {}

impl<T: Sent, U: TryInto<T, Error: Display>> Optional<T, Given> for U {
    fn optional(self, name: &str) -> Result<Option<T>, String> {
        required(self, name).map(Some)
    }
}

impl<T: Sent, U: TryInto<T, Error: Display>> Optional<T, Maybe> for Option<U> {
    fn optional(self, name: &str) -> Result<Option<T>, String> {
        self.map(|value| required(value, name)).transpose()
    }
}

/// The value of a field, or why it was refused.
pub(crate) fn required<T: Sent>(value: impl TryInto<T, Error: Display>, name: &str) -> Result<T, String> {
    let value = value.try_into().map_err(|e| Invalid::new(e.to_string()));
    value.and_then(T::sent).map_err(|e| format!("`{name}` is refused: {e}"))
}

/// One error for all refused or missing values.
pub(crate) fn faults<const N: usize>(all: [Option<String>; N]) -> Invalid {
    Invalid::new(all.into_iter().flatten().collect::<Vec<_>>().join("; "))
}
