//! The arguments of the setters in generated builders.

use super::{InvalidValue, Sent};
use std::fmt::Display;

/// An argument for an optional field: a value, or an `Option` of a value.
///
/// The compiler infers `M` ([`Given`] or [`Maybe`]) to choose the implementation. You never write it.
pub trait Optional<T, M> {
    /// Converts and checks the value. The error names the field `name` and the reason.
    #[doc(hidden)]
    fn optional(self, name: &str, _: Sealed) -> Result<Option<T>, String>;
}

/// A crate that cannot name this type cannot implement [`Optional`].
#[derive(Debug)]
pub struct Sealed;

/// Marks the argument as a plain value.
#[derive(Debug)]
pub enum Given {}
/// Marks the argument as an `Option`.
#[derive(Debug)]
pub enum Maybe {}

impl<T: Sent, U: TryInto<T, Error: Display>> Optional<T, Given> for U {
    fn optional(self, name: &str, _: Sealed) -> Result<Option<T>, String> {
        required(self, name).map(Some)
    }
}

impl<T: Sent, U: TryInto<T, Error: Display>> Optional<T, Maybe> for Option<U> {
    fn optional(self, name: &str, _: Sealed) -> Result<Option<T>, String> {
        self.map(|value| required(value, name)).transpose()
    }
}

/// Converts and checks the value of a required field. The error names the field and the reason.
pub(crate) fn required<T: Sent>(value: impl TryInto<T, Error: Display>, name: &str) -> Result<T, String> {
    let value = value.try_into().map_err(|e| InvalidValue::new(e.to_string()));
    value.and_then(T::sent).map_err(|e| format!("`{name}` is refused: {e}"))
}

/// Joins all faults of a request into one error, so that a caller can correct them at once.
pub(crate) fn faults<const N: usize>(all: [Option<String>; N]) -> InvalidValue {
    InvalidValue::new(all.into_iter().flatten().collect::<Vec<_>>().join("; "))
}
