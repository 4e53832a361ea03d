//! Types of the wire that the specs name by format: dates, amounts, lists, masked text.
//!
//! One rule for all of them: **constructors check, reading does not.** What you build for a request keeps the vendor's
//! documented lengths and patterns. What a vendor answers is kept even where it breaks them: a value that cannot be
//! read stays as text ([`Lenient::Unread`]), an item of a list that cannot be read leaves the others alone ([`List`]),
//! and a field that the spec does not know is in `extra` ([`Extra`]).

mod document;
mod json;
mod lenient;
mod list;
mod money;
mod optional;
mod text;

pub use document::{Document, MediaType};
pub use json::{Extra, Json};
pub use lenient::{Date, DateTime, Flag, Format, FrenchDate, FromText, Int, Lenient, Number, Unread, format};
pub use list::{List, OneOrMany, UnreadItem};
pub use money::{AmountCents, Cents, Euros};
pub use optional::{Given, Maybe, Optional};
pub use text::{Invalid, Masked};

#[cfg(feature = "sandbox")]
pub(crate) use text::is_iban;
pub(crate) use {
    json::{kind, read, reason, safe_key, safe_path, said},
    optional::{faults, required},
    text::{ShownWord, any_text, check, looks_like_iban, mask_iban, optional_any_text, shown_text, text, words},
};
