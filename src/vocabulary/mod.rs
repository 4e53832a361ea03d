//! The vocabulary of this crate: vendors, statuses, evidence and errors. This module does no I/O.

mod debit;
mod error;
mod evidence;
mod likeness;
mod provider;
mod spec;
mod status;

pub use debit::{DebitRow, DebitStatus};
pub(crate) use error::Seen;
pub use error::{Error, ErrorKind, Outcome, Resent};
pub(crate) use evidence::Meaning;
pub use evidence::{Evidence, VocabularyRow};
#[cfg(feature = "sandbox")]
pub(crate) use likeness::similar;
pub use provider::{Provider, Purpose};
pub use spec::{SpecOrigin, SpecVersion};
pub use status::{AccountStatus, Change, MandateStatus, NextStep, Phase, RawStatus, UnknownWord};
pub(crate) use status::{shown_as_stored, stable_text};
