//! The chapters: what the crate does and why, one after the other. The [front page](crate) has their list.
//!
//! Each is a file in `docs/`, too. This module is in the documentation only.

/// A chapter is its file, after the links by which chapters name each other: of two definitions of a link the first one
/// counts, so that here they lead to pages, and to files where the file is read by itself.
macro_rules! chapters {
    ($($about:literal $name:ident;)+) => {$(
        #[doc = $about]
        ///
        /// [errors]: crate::book::errors
        /// [files]: crate::book::files
        /// [many]: crate::book::many
        /// [operations]: crate::book::operations
        /// [reading]: crate::book::reading
        /// [statuses]: crate::book::statuses
        /// [testing]: crate::book::testing
        /// [verdicts]: crate::book::verdicts
        /// [webhooks]: crate::book::webhooks
        #[cfg_attr(feature = "easytransac", doc = "[easytransac]: crate::easytransac")]
        #[cfg_attr(feature = "safedebit", doc = "[safedebit]: crate::safedebit")]
        #[cfg_attr(feature = "seqino", doc = "[seqino]: crate::seqino")]
        ///
        #[doc = include_str!(concat!("../docs/", stringify!($name), ".md"))]
        pub mod $name {}
    )+};
}

chapters! {
    "What states there are, how well they are known, and how one follows another." statuses;
    "Whether a mandate may be used, and why not." verdicts;
    "What went wrong, what is tried again, and what became of a write." errors;
    "Reading all of them, what changed, what to store, when to look again." many;
    "The program `mandat`: files of mandates, runs that were stopped, exit codes, credentials." files;
    "What vendors send to you, and what it proves." webhooks;
    "The vendors simulated, for tests in any language." testing;
    "Timeouts, limits, many processes, what to store, personal data, traces, clocks." operations;
    "What an answer needs, what happens to damage, and what an empty list says." reading;
    "One term for each concept." glossary;
}
