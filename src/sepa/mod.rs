//! The rules of SEPA direct debit, without any vendor.
//!
//! The module does no I/O and reads no clock: each function takes the time as an argument.
//!
//! - [`Iban`], [`Bic`], [`Umr`], [`CreditorId`], [`Siren`], [`Siret`] and [`FrenchVat`] are texts that were checked.
//! - [`paris_day`] is the day in Paris.
//! - [`is_business_day`] and [`add_business_days`] follow the calendar of TARGET. [`earliest_due_date`],
//!   [`last_presentation`] and [`pre_notification_day`] plan a collection.
//! - [`ReasonCode`] is the reason of a bank against a collection, with its effect on the mandate.
//! - [`Sequence`] says how often a mandate may be used.
//! - [`finality`] says how long a collection can come back.
//!
//! The chapter [Rules of SEPA](crate::book::sepa) has examples and sources.

mod bic;
mod calendar;
mod company;
mod country;
mod creditor_id;
mod finality;
mod iban;
mod paris;
mod reason;
mod sequence;
mod umr;
mod value;

pub use bic::Bic;
pub use calendar::{
    ClosingDay, LeadTimes, Scheme, add_business_days, business_day_on_or_after, business_day_on_or_before,
    closing_days, earliest_due_date, is_business_day, last_presentation, pre_notification_day,
};
pub use company::{FrenchVat, Siren, Siret};
pub use creditor_id::CreditorId;
pub use finality::{Finality, Stage, finality};
pub use iban::Iban;
pub use paris::paris_day;
pub use reason::{Actor, MandateEffect, ReasonCode, Representation};
pub use sequence::Sequence;
pub use umr::Umr;
pub use value::{Rule, ValueError, ValueKind};

#[cfg(all(feature = "easytransac", feature = "sandbox"))]
pub(crate) use paris::paris_time;
pub(crate) use {iban::check_digits_fit, umr::of_a_umr};
