//! The types of values in requests and responses: dates, amounts, lists, and texts that logs must not show.
//!
//! All these types follow one rule: **values are checked when they are sent, not when they are read.**
//!
//! The values in a request must have the vendor's documented lengths and patterns. The texts of a request have no
//! invisible characters, and its references are not empty. Blanks at both ends of a text are removed. An IBAN is sent
//! in its electronic form. The same rules apply to a request that your program read from JSON.
//!
//! A response can be read even if a value breaks the documented rules:
//!
//! - A value that cannot be read stays as text ([`Lenient::Unread`]).
//! - An unreadable item of a list does not affect the other items ([`List`]).
//! - A field that is unknown or could not be read is in `extra` ([`Extra`]).
//!
//! Only required fields are read strictly; see the chapter [on reading responses](crate::book::reading).

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
pub use money::{Amount, AmountCents, Cents, CentsNumber, Euros};
pub use optional::{Given, Maybe, Optional};
pub use sent::Sent;
#[cfg(test)]
pub(crate) use sent::invisible;
pub use text::{InvalidValue, Masked};

#[cfg(feature = "seqino")]
pub(crate) use json::read_damaged;
#[cfg(feature = "sandbox")]
pub(crate) use shown::may_be_iban;
pub(crate) use {
    answer::answer,
    json::{AnyText, decode, read, read_own, reason, safe_key, safe_path, said, unread, value_at},
    mend::{Mended, Purpose, mend},
    optional::{Faults, Sealed, required},
    sent::{Form, checked},
    shown::{Shown, ShownWord, is_iban, looks_like_iban, mask_iban},
    text::{any_text, optional_text, plain_text, text, words},
};
