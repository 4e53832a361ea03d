//! The vocabulary of this crate: vendors, statuses, evidence and errors. This module does no I/O.

mod error;
mod provider;
mod status;

pub use error::{Error, ErrorKind, Outcome, Resent};
pub use provider::{Provider, Purpose};
pub use status::{
    AccountStatus, Change, Evidence, MandateStatus, NextStep, Phase, RawStatus, UnknownWord, VocabularyRow,
};
pub(crate) use status::{Meaning, shown_as_stored, stable_text};
