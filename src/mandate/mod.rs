//! A mandate: its reference, its readings, verdicts, its stored state, and the time of the next reading.
//!
//! This module does no I/O and reads no clock.

mod collection;
mod query;
mod reading;
mod reference;
mod schedule;
mod stored;
mod verdict;

pub use collection::Collection;
pub use query::StatusQuery;
pub(crate) use reading::Past;
pub use reading::{Account, Lookup, Mandate, Source};
pub use reference::MandateRef;
pub(crate) use reference::{escape, trimmed, unescape};
pub use schedule::Schedule;
pub use stored::{MandateChange, Permission, StoredState};
pub use verdict::{DateField, Fact, Facts, LastCollection, Reason, Verdict};
