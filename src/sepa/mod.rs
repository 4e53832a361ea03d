//! The rules of SEPA direct debit that do not depend on a vendor.
//!
//! The module does no I/O and reads no clock: each function takes the time as an argument.
//!
//! - [`Iban`], [`Bic`], [`Umr`], [`CreditorId`], [`Siren`], [`Siret`] and [`FrenchVat`] are checked texts.
//! - [`paris_day`] returns the day in Paris at an instant.
//! - [`is_business_day`] and [`add_business_days`] use the calendar of TARGET. [`earliest_due_date`],
//!   [`last_presentation`] and [`pre_notification_day`] plan a collection.
//! - [`ReasonCode`] is the code with which a bank rejects or returns a collection. It has the effect on the mandate.
//! - [`finality`] returns how long a collection can still be returned, refunded or contested.
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
pub use umr::Umr;
pub use value::{Rule, ValueError, ValueKind};

pub(crate) use {iban::check_digits_fit, umr::of_a_umr};
