//! Types of the wire that the specs name by format: dates, amounts, lists, masked text.
//!
//! One rule for all of them: **what is sent is checked, what is read is not.** A request keeps the vendor's documented
//! lengths and patterns. No text of it has a character that nobody sees, no reference is empty, blanks at the ends are
//! cut, and an IBAN is sent in its electronic form. This holds for a request that was read from JSON, too. What a vendor
//! answers is kept even where it breaks them: a value that cannot be
//! read stays as text ([`Lenient::Unread`]), an item of a list that cannot be read leaves the others alone ([`List`]),
//! and a field that the spec does not know, or that could not be read, is in `extra` ([`Extra`]). Only what an answer
//! needs is read strictly: see [Reading answers](crate::book::reading).

pub(crate) mod answer;
mod document;
mod json;
mod lenient;
mod list;
mod mend;
mod money;
mod optional;
mod raw;
mod sent;
pub(crate) mod shape;
mod shown;
mod text;

pub use document::{Document, MediaType};
pub use json::{Extra, Json};
pub use lenient::{Date, DateTime, Flag, Format, FrenchDate, FromText, Int, Lenient, Number, Unread, format};
pub use list::{List, OneOrMany, UnreadItem};
pub use money::{AmountCents, Cents, Euros};
pub use optional::{Given, Maybe, Optional};
pub use sent::Sent;
#[cfg(test)]
pub(crate) use sent::invisible;
pub use text::{Invalid, Masked};

#[cfg(feature = "seqino")]
pub(crate) use json::read_damaged;
pub(crate) use {
    answer::answer,
    json::{AnyText, decode, read, read_own, reason, safe_key, safe_path, said, unread},
    mend::{Mended, Purpose, mend},
    optional::{faults, required},
    sent::{Form, checked, sent},
    shown::{Shown, ShownWord, is_iban, looks_like_iban, mask_iban},
    text::{any_text, optional_text, plain_text, text, words},
};
