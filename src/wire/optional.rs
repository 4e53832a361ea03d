//! The conversion of the arguments of setters in generated builders.

use super::{InvalidValue, Sent};
use std::fmt::Display;

/// An argument of a setter for an optional field: a value, or an `Option` of a value.
///
/// The compiler infers the type parameter `M` ([`Given`] or [`Maybe`]), which selects the implementation. You never
/// write `M`.
pub trait Optional<T, M> {
    /// Converts and checks the argument. The error contains the field's `name` and the reason.
    #[doc(hidden)]
    fn optional(self, name: &str, _: Sealed) -> Result<Option<T>, String>;
}

/// A parameter that prevents other crates from implementing [`Optional`]: they cannot name this type.
#[derive(Debug)]
pub struct Sealed;

/// Marks the argument of a setter as a plain value.
#[derive(Debug)]
pub enum Given {}
/// Marks the argument of a setter as an `Option`.
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
    value.and_then(T::sent).map_err(|e| format!("`{name}` is not valid: {e}"))
}

/// Joins all invalid values of a request into one error, so that a caller can correct them at once.
pub(crate) fn faults<const N: usize>(all: [Option<String>; N]) -> InvalidValue {
    InvalidValue::new(all.into_iter().flatten().collect::<Vec<_>>().join("; "))
}
