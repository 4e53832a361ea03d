//! One test file for each promise of the crate.
// Some helper functions are unused in a build without every vendor.
#![cfg_attr(
    not(all(feature = "easytransac", feature = "safedebit", feature = "seqino")),
    allow(dead_code, unused_imports)
)]

#[path = "../any_bytes/chance.rs"]
mod chance;
mod checkup;
mod connections;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod control;
#[cfg(feature = "easytransac")]
mod credentials;
mod damage;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod debit_life;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod debits;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod desk;
mod due_dates;
mod errors;
mod evidence;
#[cfg(feature = "safedebit")]
mod faults;
#[allow(dead_code, unused_imports, reason = "a part of the program")]
#[path = "../../src/bin/mandat/file/mod.rs"]
mod file;
mod fixtures;
mod fleet;
mod fleet_panic;
#[cfg(feature = "seqino")]
mod found;
mod generated_surface;
mod given_credentials;
#[cfg(all(feature = "http2", feature = "rustls", feature = "seqino"))]
mod http2;
mod identity;
mod leaks;
mod lenient_answers;
mod limits;
mod lost_answers;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod many_sandboxes;
mod money_and_documents;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod other_answers;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod pages;
#[cfg(all(feature = "easytransac", feature = "seqino"))]
mod paths;
mod plain_answers;
mod probe;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod quickstart;
mod raw_requests;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod readme;
mod references;
mod refused_caller;
mod reinstated;
mod removals;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod reports;
mod response_meta;
#[cfg(feature = "safedebit")]
mod safedebit_search;
mod sandbox;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod sandbox_rules;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod sandbox_strict;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod sent;
mod sepa_calendar;
mod sepa_finality;
mod sepa_values;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod site;
mod stored;
mod support;
#[cfg(all(any(feature = "rustls", feature = "ring"), feature = "seqino"))]
mod tls;
mod traces;
mod unknown_words;
mod verdicts;
mod vocabulary;
mod walk;
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
mod walk_debits;
mod webhooks;
