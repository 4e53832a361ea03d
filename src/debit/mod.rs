//! A debit: its reference, one reading of it, and its finality.
//!
//! This module does no I/O and reads no clock.

mod reading;
mod reference;

pub use reading::{Debit, DebitSource};
pub use reference::{DebitRef, RecordRef};
