//! Reads the mandates of `mandat` from several machines. PostgreSQL is all that the machines share: it holds the
//! mandates, the queue and the outbox of changes. `README.md` has the first steps.
//!
//! | part | promise |
//! |---|---|
//! | [`pace`] | in any second, an account receives at most its rate, from any number of machines |
//! | [`work`] | due mandates are read, urgent ones first. A killed worker loses nothing |
//! | [`Consumer`] | each change arrives at least once, in order, with an id to recognise a duplicate |
//!
//! The source of each part begins with its reasons.

#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations)]

mod accounts;
mod administration;
mod database;
mod http;
mod import;
mod lease;
mod mandates;
mod metrics;
mod outbox;
pub mod pace;
mod reader;
mod report;
mod worker;

// The reader of files of mandates is that of the program `mandat`. It is no part of the library `mandat`, because its
// columns serve people and not programs.
#[allow(dead_code, unused_imports, missing_docs, unreachable_pub)]
#[path = "../../src/bin/mandat/file/mod.rs"]
mod file;

#[cfg(test)]
#[path = "../tests/support/postgres.rs"]
mod postgres;

pub use accounts::{Accounts, MAIN};
pub use database::{Database, told};
pub use http::serve;
pub use import::{Imported, import};
pub use metrics::Metrics;
pub use outbox::{Change, Consumer};
pub use report::{AccountReport, ConsumerReport, Failures, Report, report};
pub use worker::{Settings, work};

/// The error of every function of this crate. Its text contains no personal data and no credentials.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
