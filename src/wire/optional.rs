//! The conversion of the arguments of setters in generated builders.

use super::{
    InvalidValue, Sent,
    sent::{not_valid, sent},
};
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
    match value.try_into() {
        Ok(value) => sent(Ok(value), name),
        Err(e) => Err(not_valid(name, &InvalidValue::new(e.to_string()))),
    }
}

/// Collects the invalid values of a request into one error, so that a caller can correct them at once.
#[derive(Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    /// Checks the value of a field. Returns `None` if the value is not valid.
    pub fn sent<T: Sent>(&mut self, field: Result<T, String>, name: &str) -> Option<T> {
        match sent(field, name) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.0.push(fault);
                None
            }
        }
    }
}

impl From<Faults> for InvalidValue {
    fn from(Faults(faults): Faults) -> Self {
        Self::new(faults.join("; "))
    }
}
