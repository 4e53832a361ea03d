//! Mandates at French vendors: typed clients, and one vocabulary for the state of a mandate.
//!
//! A *mandate* lets you act in somebody's name: collect money from a bank account (SEPA direct debit: Easytransac,
//! SafeDebit), or handle e-invoices as somebody's platform (Seqino PDP). Each vendor has its own API, its own words for a
//! mandate's state, and documentation with holes in it. This crate asks them all one question, and says what it knows, why,
//! and what it does not know.
//!
//! ```
//! # #[cfg(all(feature = "safedebit", feature = "sandbox"))]
//! # mod example {
//! use mandat::{Facts, LastCollection, MandateRef, sandbox::Sandbox};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The vendors simulated. In your program:
//! // Mandates::builder().safedebit(safedebit::Config::new(base_url, login, password)).build()?
//! let sandbox = Sandbox::start().await?;
//! let mandates = sandbox.mandates();
//!
//! let reference: MandateRef = "safedebit:XXXXXXXXXXXXX".parse()?;
//! let mandate = mandates.status(&reference).await?;
//! assert_eq!(format!("{} ({})", mandate.status, mandate.raw), "Active (1)");
//!
//! // What only you know of it.
//! let facts = Facts {
//!     signed_on: Some("2020-01-15".parse()?),
//!     signature_confirmed: Some(true),
//!     last_collection: LastCollection::Never,
//!     revoked_by_debtor: Some(false),
//!     one_off_used: Some(false),
//!     max_age: Duration::from_secs(60),
//!     last_acknowledged: None,
//! };
//! let verdict = mandate.may_collect(&facts, sandbox.now());
//! assert_eq!(verdict.to_string(), "refused: dormant: no collection for 36 months since 2020-01-15");
//! # Ok(())
//! # }
//! # }
//! # #[cfg(all(feature = "safedebit", feature = "sandbox"))]
//! # example::main().unwrap();
//! ```
//!
//! # The book
//!
//! | chapter | answers |
//! |---|---|
//! | [Statuses and changes](book::statuses) | What state is it in? How well is that known? What does it mean that it changed? |
//! | [Verdicts](book::verdicts) | May I use it, and why not? |
//! | [Errors and lost answers](book::errors) | What went wrong? Has the vendor acted? May I send it again? |
//! | [Many mandates, over time](book::many) | Which of my mandates changed since yesterday? What do I store? |
//! | [Mandates in files](book::files) | How do I keep mandates in a spreadsheet? What if a run is stopped? |
//! | [Webhooks and redirects](book::webhooks) | What does a callback prove? |
//! | [Testing](book::testing) | What does my code do when the debtor revokes, or the vendor is down? |
//! | [In production](book::operations) | Which timeouts, limits, logs? What with many processes? What of personal data? |
//! | [What is read how strictly](book::reading) | What happens to a damaged answer? What does an empty list say? |
//! | [Glossary](book::glossary) | What does this term mean? |
//!
//! The module of each vendor opens with its page: its words and quirks, how well each is known, and where the vendor says
//! so.
//!
#![cfg_attr(feature = "easytransac", doc = "- [Easytransac](easytransac)")]
#![cfg_attr(feature = "safedebit", doc = "- [SafeDebit](safedebit)")]
#![cfg_attr(feature = "seqino", doc = "- [Seqino PDP](seqino)")]
//!
//! # The parts
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
//! - Each call is one [`tracing`] span without personal data.
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

// Its examples use all vendors and the sandbox; to be read it needs none of them.
mod adapter;
#[cfg(all(
    doc,
    any(not(doctest), all(feature = "easytransac", feature = "safedebit", feature = "seqino", feature = "sandbox"))
))]
pub mod book;
mod facade;
mod fleet;
mod mandate;
mod transport;
mod vendors;
mod vocabulary;
mod webhook;
pub mod wire;

#[cfg(feature = "sandbox")]
pub mod sandbox;

pub use facade::{Difference, Mandates, MandatesBuilder, Probe};
pub use fleet::{Changes, Reading, References, Statuses};
pub use mandate::{
    Account, Changed, Date, Fact, Facts, Known, LastCollection, Lookup, Mandate, MandateRef, Permission, Reason,
    Schedule, Source, Tracked, Verdict,
};
pub use transport::Settings;
// The modules of the vendors whose feature is on, and `vocabulary`.
pub use vendors::*;
pub use vocabulary::{
    AccountStatus, Change, Error, ErrorKind, Evidence, MandateStatus, NextStep, Outcome, Phase, Provider, Purpose,
    RawStatus, Resent, UnknownWord, VocabularyRow,
};
pub use webhook::{WebhookError, WebhookEvent};

/// The README's Rust is compiled and run by the tests.
#[cfg(all(doctest, feature = "easytransac", feature = "safedebit", feature = "seqino", feature = "sandbox"))]
#[doc = include_str!("../README.md")]
struct Readme;
