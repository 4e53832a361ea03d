//! A mandate: its reference, its readings, verdicts, its stored state, and the time of the next reading.
//!
//! This module does no I/O and reads no clock.

mod reading;
mod reference;
mod schedule;
mod stored;
mod tracked;
mod verdict;

pub(crate) use reading::Past;
pub use reading::{Account, Lookup, Mandate, Source};
pub use reference::MandateRef;
pub use schedule::Schedule;
pub use stored::{Changed, Known, Permission};
pub use tracked::Tracked;
pub use verdict::{Date, Fact, Facts, LastCollection, Reason, Verdict};
