//! Mandates at French vendors: typed clients, and one vocabulary for the state of a mandate.
//!
//! A *mandate* lets you act for somebody else. With Easytransac and SafeDebit you collect money from a bank account, by
//! SEPA direct debit. With Seqino PDP you handle the e-invoices of a company on its behalf. A PDP is
//! now called *plateforme agréée* (PA).
//!
//! Each vendor has its own API and its own words for the state of a mandate, and documents only a part of both. This
//! crate reads a mandate at any of the vendors, returns one status and one verdict, and names every unknown fact.
//!
//! ```
//! # #[cfg(all(feature = "safedebit", feature = "sandbox"))]
//! # mod example {
//! use mandat::{Facts, LastCollection, MandateRef, sandbox::Sandbox};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The sandbox simulates the vendors. In your program:
//! // Mandates::builder().safedebit(safedebit::Config::new(base_url, login, password)).build()?
//! let sandbox = Sandbox::start().await?;
//! let mandates = sandbox.mandates();
//!
//! let reference: MandateRef = "safedebit:XXXXXXXXXXXXX".parse()?;
//! let mandate = mandates.status(&reference).await?;
//! assert_eq!(format!("{} ({})", mandate.status, mandate.raw), "Active (1)");
//!
//! // Facts that only you know.
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
//! | chapter | questions |
//! |---|---|
//! | [Tutorial](book::tutorial) | How do I get from an empty folder to a nightly job? |
//! | [Statuses and changes](book::statuses) | What is the state of a mandate? How well is it known? What does a change mean? |
//! | [Verdicts](book::verdicts) | May I use this mandate? If not, why not? |
//! | [Errors and lost responses](book::errors) | What went wrong? Did the vendor act? May I send the request again? |
//! | [Rules of SEPA](book::sepa) | Is this IBAN valid? When can I collect? What does the bank's code mean? When is a collection final? |
//! | [Debits](book::debits) | What became of a debit? When is the money mine? May I present it again? |
//! | [From a debtor to money](book::collect), [en français](book::collect_fr) | How do I collect, from the first data to final money? What do I do after a return? |
//! | [Many mandates, over time](book::many) | Which mandates changed since yesterday? What do I store? |
//! | [Many machines](book::machines) | How do several machines share a vendor's rate? What happens when one is lost? How late is a change noticed? |
//! | [Mandates in files](book::files) | How do I keep mandates in a spreadsheet? What if a run is stopped? |
//! | [The program](book::program) | Which commands, formats and exit codes are there? How do I create and revoke mandates from a shell? |
//! | [Webhooks and redirects](book::webhooks) | What does a callback prove? |
//! | [Testing](book::testing) | How does my code behave when a debtor revokes, or when a vendor is down? |
//! | [When a vendor changes](book::changes) | How do I add a new word, field, key or operation without a release? |
//! | [In production](book::operations) | Which timeouts, limits and logs are there? How do many processes share a vendor? Where is personal data? |
//! | [How strictly a response is read](book::reading) | What happens to a damaged response? What does an empty list prove? |
//! | [Recipes](book::recipes) | How do I use it with axum, actix-web, a job queue or a container? How do I move from a client of my own? |
//! | [Compatibility](book::compatibility) | What may a new version change? |
//! | [How well the facts are known](book::evidence) | How much of this is documented? How do I send a report? |
//! | [Glossary](book::glossary) | What does this term mean? |
//!
//! The module of each vendor begins with a page on the vendor's words and oddities, with the evidence and the source of
//! each.
//!
#![cfg_attr(feature = "easytransac", doc = "- [Easytransac](easytransac)")]
#![cfg_attr(feature = "safedebit", doc = "- [SafeDebit](safedebit)")]
#![cfg_attr(feature = "seqino", doc = "- [Seqino PDP](seqino)")]
//!
//! # The parts
//!
//! - [`Mandates`] is the facade for all vendors. [`Mandates::status`] reads a [`Mandate`] with its [`MandateStatus`]
//!   and the vendor's own word for the status.
//! - [`Mandate::may_collect`] and [`Mandate::may_represent`] return a verdict with every reason, and
//!   [`Mandate::may_collect_on`] the verdict for a due date. [`Mandate::next_step`] says who has to act next, and
//!   [`Mandate::change_since`] classifies a change of the status.
//! - [`Mandates::statuses`] reads many mandates. [`Statuses::changes`] yields only the mandates that differ from their
//!   [`StoredState`]. A [`Schedule`] says when to read a mandate again.
//! - [`MandateRef`] names a mandate, and has a text form for one database column.
//! - [`DebitRef`] names a debit. [`Mandates::debit`] reads a [`Debit`] with its [`DebitStatus`]. [`Debit::finality`]
//!   says how long the debit can still be returned.
//! - `easytransac`, `safedebit` and `seqino` each have a typed client, which the build generates from the OpenAPI files
//!   in `specs/`. `Mandates::easytransac`, `Mandates::safedebit` and `Mandates::seqino` return these clients with the
//!   same credentials.
//! - [`WebhookEvent`] is a notification with a verified signature. A notification is only a hint: read the mandate.
//! - [`sepa`] has the rules of direct debits: checked values, business days, reasons of banks, finality.
//! - `send_with_meta` of each operation returns a [`Response`] with the HTTP status and the vendor's trace id. `raw` of
//!   a typed client sends a [`RawRequest`] to a path that the spec lacks.
//! - Every call fails with an [`Error`]. For a write, [`Error::outcome`] says whether the vendor acted.
//! - `sandbox` (a feature) simulates the vendors on the loopback address, for your tests.
//! - Each call is one [`tracing`] span without personal data.
//!
//! Money is in cents, [`wire::AmountCents`]. Instants are in UTC. A date without a time is a day in Paris.

// The published documentation has `docsrs`, and needs a nightly rustdoc. Each item then names the features that it
// needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]
// Allow unused code unless all vendors are enabled, because some shared code serves only one vendor.
#![cfg_attr(
    not(all(feature = "easytransac", feature = "safedebit", feature = "seqino")),
    allow(dead_code, unused_imports, unused_macros)
)]

// The examples of the book use all vendors and the sandbox. The book itself can be built without them.
#[cfg(all(
    doc,
    any(not(doctest), all(feature = "easytransac", feature = "safedebit", feature = "seqino", feature = "sandbox"))
))]
// The condition above is about doctests only.
#[cfg_attr(docsrs, doc(auto_cfg = false))]
pub mod book;

mod adapter;
mod debit;
mod facade;
mod fleet;
mod mandate;
pub mod sepa;
mod setters;
mod transport;
mod vendors;
mod vocabulary;
mod webhook;
pub mod wire;

#[cfg(feature = "sandbox")]
pub mod sandbox;

pub use debit::{Debit, DebitRef, DebitSource, RecordRef};
pub use facade::{
    Check, CheckEnvironment, CheckReport, CheckResult, CheckStep, Difference, Mandates, MandatesBuilder, Probe,
};
pub use fleet::{Changes, References, StatusResult, Statuses};
pub use mandate::{
    Account, Collection, DateField, Fact, Facts, LastCollection, Lookup, Mandate, MandateChange, MandateRef,
    Permission, Reason, Schedule, Source, StatusQuery, StoredState, Verdict,
};
pub use reqwest::Method;
pub use transport::{Effect, RawBody, RawRequest, Response, Settings};
// Export the module of each vendor whose feature is on, and the functions `vocabulary` and `debit_vocabulary`.
pub use vendors::*;
pub use vocabulary::{
    AccountStatus, Change, DebitRow, DebitStatus, Error, ErrorKind, Evidence, MandateStatus, NextStep, Outcome, Phase,
    Provider, Purpose, RawStatus, Resent, SpecOrigin, SpecVersion, UnknownWord, VocabularyRow,
};
pub use webhook::{WebhookError, WebhookEvent};

/// Lets the tests compile and run the Rust of the README.
#[cfg(all(doctest, feature = "easytransac", feature = "safedebit", feature = "seqino", feature = "sandbox"))]
#[doc = include_str!("../README.md")]
struct Readme;
