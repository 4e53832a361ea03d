//! Mandates at French vendors: typed clients, and one vocabulary for the state of a mandate.
//!
//! A *mandate* lets you act in somebody's name: collect money from a bank account (SEPA direct debit: Easytransac,
//! SafeDebit), or handle e-invoices as somebody's platform (Seqino PDP).
//!
//! - [`Mandates`] answers for any mandate at any vendor: [`Mandates::status`] reads a [`Mandate`] with its
//!   [`MandateStatus`] and the vendor's own word, [`Mandate::may_collect`] and [`Mandate::may_represent`] say whether
//!   you may use it and why not, [`Mandate::next_step`] who has to act, [`Mandate::change_since`] what changed.
//! - [`Mandates::statuses`] reads many, its [`changes`](Statuses::changes) are what is not as it was [`Known`], and a
//!   [`Schedule`] says when to look again.
//! - [`MandateRef`] names a mandate in one text column.
//! - `easytransac`, `safedebit` and `seqino` have what differs by vendor: a typed client of each API, generated
//!   from the OpenAPI files in `specs/`. `Mandates::safedebit` and its like reach them with the same credentials.
//! - [`WebhookEvent`] is a vendor's notification, once its signature was right: a hint which mandate to read.
//! - Every call fails with an [`Error`]. For a write, [`Error::outcome`] says what became of it.
//! - `sandbox` (a feature) simulates the vendors on loopback, for your tests.
//! - Each call is one [`tracing`] span, target `mandat`, name `call`, without personal data; the README lists its fields.
//!
//! Money is in cents, [`wire::AmountCents`]. Instants are in UTC, and so are the days that they are compared with.

#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]
// Of what the providers share, some serves one of them only. With all of them nothing is unused, or it is a warning.
#![cfg_attr(
    not(all(feature = "easytransac", feature = "safedebit", feature = "seqino")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod error;
mod facade;
mod fleet;
mod mandate;
mod provider;
mod status;
mod transport;
mod webhook;
pub mod wire;

#[cfg(feature = "sandbox")]
pub mod sandbox;

#[cfg(feature = "easytransac")]
pub mod easytransac;
#[cfg(feature = "safedebit")]
pub mod safedebit;
#[cfg(feature = "seqino")]
pub mod seqino;

pub use error::{Error, ErrorKind, Outcome, Resent};
pub use facade::{Difference, Mandates, MandatesBuilder, Probe, vocabulary};
pub use fleet::{Changed, Changes, Known, Permission, Reading, References, Schedule, Statuses, Tracked};
pub use mandate::{Account, Date, Facts, Lookup, Mandate, MandateRef, Reason, Source, Verdict};
pub use provider::{Provider, Purpose};
pub use status::{AccountStatus, Change, Evidence, MandateStatus, NextStep, Phase, RawStatus, VocabularyRow};
pub use transport::Settings;
pub use webhook::{WebhookError, WebhookEvent};

/// The README's Rust is compiled and run by the tests.
#[cfg(all(doctest, feature = "easytransac", feature = "safedebit", feature = "seqino", feature = "sandbox"))]
#[doc = include_str!("../README.md")]
struct Readme;
